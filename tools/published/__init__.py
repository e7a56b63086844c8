"""Writes the manifest of pre-trained weights and image sets, from what libraries publish in their code."""
