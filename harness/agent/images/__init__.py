"""Images inside the sandbox: how they arrive, become a model's input, and are made worse."""
