"""Files and folders of the harness itself: whose they are, how they are written, and what identifies their content."""
