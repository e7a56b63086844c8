"""The stages that run in the sandbox: each a function from typed evidence to typed evidence."""
