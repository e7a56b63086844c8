"""What the files of a submission are, by their names."""

from __future__ import annotations

NOTEBOOK_SUFFIX = ".ipynb"
# In the order in which they are preferred when a submission holds several.
MODEL_SUFFIXES = (".onnx", ".keras", ".h5", ".hdf5", ".pt2", ".pt", ".pth", ".safetensors", ".pkl", ".tflite")
SAVED_MODEL = "saved_model.pb"  # its folder is a model: TensorFlow's, where there is no file of one
LABELS = "labels.txt"
COMPANIONS = (LABELS, "handin.json", "model.py")  # what belongs to a model, by the names that we ask for
DATASET_ARCHIVE = "dataset.zip"
