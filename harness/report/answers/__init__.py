"""Marks in bulk: a table of what people have to mark goes out, and comes back with points and comments."""
