"""What runs inside the sandbox, one module for each phase: `run(request, send)`."""
