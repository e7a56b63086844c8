"""The code that runs inside the sandbox. It imports nothing of the harness; there its package is called `agent`."""
