"""What shows only when submissions lie side by side: images and models that several students handed in."""
