"""What a run is given: the assignment, submissions, held-out images, pre-trained weights."""
