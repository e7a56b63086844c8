"""The stage `execute`: a notebook run from top to bottom, in the environment that it needs."""
