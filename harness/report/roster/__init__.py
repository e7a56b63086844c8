"""The people of a course, joined with their submissions."""
