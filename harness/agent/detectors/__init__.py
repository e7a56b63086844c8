"""Detectors as students hand them in, through one protocol: an image in, boxes with class and score out."""
