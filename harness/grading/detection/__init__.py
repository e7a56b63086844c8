"""What of grading is for `task = "detection"` alone."""
