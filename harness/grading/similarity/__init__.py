"""Checks across submissions: images and models that several students handed in."""
