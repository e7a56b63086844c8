"""Runs a notebook: reads it, caps its outputs, notes what it accesses, and collects the files that it wrote."""
