"""The results of grading for each submission, and the marks that people gave."""
