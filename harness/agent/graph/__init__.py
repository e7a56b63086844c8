"""Reads, runs and analyses ONNX graphs, and compares their weights with pre-trained backbones."""
