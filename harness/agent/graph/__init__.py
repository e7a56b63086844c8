"""ONNX graphs: read, run, taken apart, compared with pre-trained backbones."""
