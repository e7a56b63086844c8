"""A submission's model inside the sandbox: recognising its file, loading it, and asking it for answers."""
