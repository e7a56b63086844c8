"""The kinds of files in a submission, by name."""

from __future__ import annotations

NOTEBOOK_SUFFIX = ".ipynb"
# In order of preference when a submission holds several.
MODEL_SUFFIXES = (".onnx", ".keras", ".h5", ".hdf5", ".pt2", ".pt", ".pth", ".safetensors", ".pkl", ".tflite")
SAVED_MODEL = "saved_model.pb"  # its folder is a TensorFlow model, used if there is no model file
LABELS = "labels.txt"
FACTORY = "model.py"
COMPANIONS = (LABELS, "handin.json", FACTORY)  # what belongs to a model, by the names that we ask for
DATASET_ARCHIVE = "dataset.zip"
