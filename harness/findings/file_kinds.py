"""What a submission's file can be: the words for each kind, and the way out where it cannot be used.

The codes are those that `harness/apart/submissions/file_kinds.py` gives.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

# `model`: can be graded as it is. `weights`: can be graded with model.py. `foreign`: a model of a kind that is not
# accepted. `broken`: in the place of something else. `notebook`: can be run. `other`: all else.
Use = Literal["model", "weights", "foreign", "broken", "notebook", "other"]


class FileKind(NamedTuple):
    """What a file is, in words for people."""

    title: str
    use: Use
    way_out: str = ""  # a sentence, without a full stop


_SAVE = "save the whole model as ONNX, with torch.save(model) or with model.save('model.keras')"

FILE_KINDS: dict[str, FileKind] = {
    "onnx": FileKind("an ONNX model", "model"),
    "torchscript": FileKind("a TorchScript model", "model"),
    "torch-export": FileKind("a model of torch.export", "model"),
    "torch-module": FileKind("a whole torch model", "model"),
    "keras": FileKind("a Keras model", "model"),
    "hdf5-model": FileKind("a Keras model (HDF5)", "model"),
    "saved-model": FileKind("a TensorFlow SavedModel", "model"),
    "tflite": FileKind("a TensorFlow Lite model", "model"),
    "unpacked-keras": FileKind("a .keras file, unpacked", "model"),
    "unpacked-torch": FileKind("a file of torch.save, unpacked", "model"),
    "torch-weights": FileKind("weights of a torch model", "weights"),
    "torch-lightning": FileKind("a checkpoint of Lightning", "weights"),
    "safetensors": FileKind("weights (safetensors)", "weights"),
    "keras-weights": FileKind(
        "weights of a Keras model without the model", "foreign", "save the whole model with model.save('model.keras')"
    ),
    "hdf5-data": FileKind("arrays (HDF5) and no model, features say", "foreign", _SAVE),
    "keras-architecture": FileKind(
        "a Keras model's description without weights", "foreign", "save the whole model with model.save('model.keras')"
    ),
    "ultralytics": FileKind(
        "a model of Ultralytics' own classes (ultralytics)", "foreign",
        "export it with model.export(format='onnx') or 'yolo export model=best.pt format=onnx', and hand in the .onnx",
    ),
    "fastai": FileKind(
        "a learner exported by fastai", "foreign",
        "save its model with torch.save(learn.model, 'model.pth'), or export that as ONNX",
    ),
    "pickled-keras": FileKind("a pickled Keras model", "foreign", "save it with model.save('model.keras')"),
    "sklearn": FileKind("a pickled object of scikit-learn or the like", "foreign", _SAVE),
    "history": FileKind("a training history and no model", "foreign", _SAVE),
    "pickle": FileKind("a pickle that holds no model", "foreign", _SAVE),
    "tfjs": FileKind(
        "a model exported for TensorFlow.js", "foreign",
        "in Teachable Machine choose Export > Tensorflow > Keras; else save it with model.save('model.keras')",
    ),
    "tfjs-metadata": FileKind(
        "the description of a model exported for TensorFlow.js", "foreign",
        "in Teachable Machine choose Export > Tensorflow > Keras",
    ),
    "coreml": FileKind("a Core ML model", "foreign", "export it as ONNX, TensorFlow Lite or .keras"),
    "tensorrt": FileKind(
        "an engine that TensorRT built for one graphics card", "foreign", "hand in the ONNX file that it was built from"
    ),
    "openvino": FileKind("an OpenVINO model", "foreign", "hand in the model that it was converted from, as ONNX say"),
    "frozen-graph": FileKind("a frozen TensorFlow graph", "foreign", "save a SavedModel, .keras or ONNX"),
    "tf-checkpoint": FileKind(
        "a checkpoint of TensorFlow without the model", "foreign",
        "save the whole model with model.save('model.keras')",
    ),
    "caffe": FileKind("a Caffe model", "foreign", "convert it to ONNX"),
    "darknet": FileKind("a Darknet model", "foreign", "convert it to ONNX"),
    "mxnet": FileKind("an MXNet model", "foreign", "export it as ONNX"),
    "paddle": FileKind("a PaddlePaddle model", "foreign", "export it with paddle2onnx"),
    "lfs-pointer": FileKind(
        "a Git LFS pointer, not the file itself", "broken",
        "run 'git lfs pull' and hand in what it fetches",
    ),
    "conflict": FileKind(
        "a file with marks of a merge conflict (<<<<<<<)", "broken", "resolve the conflict and hand it in again"
    ),
    "web-page": FileKind(
        "a web page saved in place of a file", "broken", "download the file itself, and open it before handing it in"
    ),
    "link": FileKind("a link to a file elsewhere", "broken", "download the file itself"),
    "cut-off": FileKind("a file that is cut off or damaged", "broken", "save or upload it again"),
    "empty": FileKind("an empty file", "broken", "save or upload it again"),
    "unreadable": FileKind("a file that cannot be read", "broken", "save or upload it again"),
    "notebook": FileKind("a notebook", "notebook"),
    "notebook-as-code": FileKind(
        "a notebook exported as a program", "broken", "hand in the .ipynb: File > Download > Download .ipynb"
    ),
    "notebook-page": FileKind(
        "a notebook exported as a web page", "broken", "hand in the .ipynb: File > Download > Download .ipynb"
    ),
    "json": FileKind("JSON", "other"),
    "python": FileKind("a Python program", "other"),
    "program": FileKind("a program", "other"),
    "table": FileKind("a table", "other"),
    "text": FileKind("text", "other"),
    "image": FileKind("an image", "other"),
    "video": FileKind("a video or sound", "other"),
    "document": FileKind("a document", "other"),
    "numpy": FileKind("arrays (NumPy)", "other"),
    "archive": FileKind("an archive", "other"),
    "data": FileKind("data", "other"),
    "litter": FileKind("a file of the operating system", "other"),
    "unrecognised": FileKind("of no kind that is known here", "other"),
}  # fmt: skip
