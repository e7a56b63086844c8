"""A detector's part of the pages."""
