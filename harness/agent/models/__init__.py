"""A submission's model inside the sandbox: what file it is, how it is loaded and asked."""
