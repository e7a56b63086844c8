"""The phases that run inside the sandbox, one module each with `run(request, send)`."""
