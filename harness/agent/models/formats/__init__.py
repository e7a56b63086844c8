"""One module for each model format, found by its place."""
