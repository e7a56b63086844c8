"""The stage `execute`: runs a notebook from top to bottom, in the environment that it needs."""
