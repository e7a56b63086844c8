"""The inputs of a run: the assignment, submissions, held-out images, pre-trained weights."""
