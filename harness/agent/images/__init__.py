"""Images inside the sandbox: how they arrive, are pre-processed and are corrupted."""
