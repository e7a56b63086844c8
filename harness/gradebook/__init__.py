"""What is known of each submission after grading, and the marks that people gave."""
