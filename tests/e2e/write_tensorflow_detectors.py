"""Run by the Python of the environment `keras`: writes the detectors that students on TensorFlow hand in.

    python write_tensorflow_detectors.py FOLDER

Each sees the mean colour of nine cells, blue as its first class and red as its second, in a graph like those of the
Object Detection API's exporters: `exported/saved_model` as exporter_main_v2.py writes it, `detect.tflite` and
`detect_uint8.tflite` as export_tflite_graph_tf2.py and the converter write them, with the post-processing inside.
`without_post_processing.tflite` ends with scores and offsets instead.
"""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

SIDE, CELLS, MOST = 300, 3, 10
ANCHORS = np.array(
    [((y + 0.5) / CELLS, (x + 0.5) / CELLS, 1 / CELLS, 1 / CELLS) for y in range(CELLS) for x in range(CELLS)],
    np.float32,
)
# models/research/object_detection/export_tflite_graph_lib_tf2.py (Apache 2.0): the attributes of the operator.
POST_PROCESSING = {
    "max_detections": f"i: {MOST}",
    "max_classes_per_detection": "i: 1",
    "use_regular_nms": "b: false",
    "nms_score_threshold": "f: 0.0",
    "nms_iou_threshold": "f: 0.6",
    "y_scale": "f: 10.0",
    "x_scale": "f: 10.0",
    "h_scale": "f: 5.0",
    "w_scale": "f: 5.0",
    "num_classes": "i: 2",
}


def scores(image):
    """(1, cells, 3): nothing, blue, red; of an image of -1 to 1."""
    colours = tf.nn.avg_pool2d(image, SIDE // CELLS, SIDE // CELLS, "VALID")
    kernel = tf.constant([[[[0.0, -4.5, 4.5], [0.0, 0.0, 0.0], [0.0, 4.5, -4.5]]]])
    seen = tf.nn.bias_add(tf.nn.conv2d(colours, kernel, 1, "VALID"), tf.constant([4.0, 0.0, 0.0]))
    return tf.nn.softmax(tf.reshape(seen, (1, CELLS * CELLS, 3)))


class Lite(tf.Module):
    """What the converter gets: the operator for the post-processing stands for a function that does nothing."""

    @tf.function(
        experimental_implements='name: "TFLite_Detection_PostProcess" '
        + " ".join(f'attr {{ key: "{key}" value {{ {value} }} }}' for key, value in POST_PROCESSING.items())
    )
    def post_processed(self, offsets, classes, anchors):
        return tuple(tf.constant(0.0, name=name) for name in ("boxes", "classes", "scores", "count"))

    @tf.function(input_signature=[tf.TensorSpec((1, SIDE, SIDE, 3), tf.float32)])
    def detect(self, image):
        found = scores(image)
        offsets = tf.zeros((1, CELLS * CELLS, 4)) + 0 * found[..., :1]
        return self.post_processed(offsets, found, tf.constant(ANCHORS))[::-1]

    @tf.function(input_signature=[tf.TensorSpec((1, SIDE, SIDE, 3), tf.float32)])
    def raw(self, image):
        found = scores(image)
        return found, tf.zeros((1, CELLS * CELLS, 4)) + 0 * found[..., :1]


class Exported(tf.Module):
    """As exporter_main_v2.py writes a detector: an image of any size in, its padded detections and more out."""

    @tf.function(input_signature=[tf.TensorSpec((1, None, None, 3), tf.uint8, name="input_tensor")])
    def __call__(self, input_tensor):
        image = tf.image.resize(tf.cast(input_tensor, tf.float32), (SIDE, SIDE)) / 127.5 - 1
        found = scores(image)
        middle, sides = ANCHORS[:, :2], ANCHORS[:, 2:]
        corners = tf.constant(np.concatenate([middle - sides / 2, middle + sides / 2], 1)[None, :, None])
        boxes, sure, classes, count = tf.image.combined_non_max_suppression(
            corners, found[..., 1:], MOST, MOST, iou_threshold=0.6, score_threshold=0.01
        )
        return {
            "detection_anchor_indices": tf.zeros((1, MOST)),
            "detection_boxes": boxes,
            "detection_classes": classes + 1,
            "detection_scores": sure,
            "num_detections": tf.cast(count, tf.float32),
            "raw_detection_boxes": corners[:, :, 0],
            "raw_detection_scores": found,
        }


def lite(module, function, **settings):
    """The function as a .tflite file."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)
    converter.allow_custom_ops = True
    for name, value in settings.items():
        setattr(converter, name, value)
    return converter.convert()


def main(folder):
    module, exported = Lite(), Exported()
    (folder / "detect.tflite").write_bytes(lite(module, module.detect))
    (folder / "without_post_processing.tflite").write_bytes(lite(module, module.raw))
    coarse = np.random.default_rng(0).uniform(-1, 1, (40, CELLS, CELLS, 3)).astype("float32")
    images = np.kron(coarse, np.ones((1, SIDE // CELLS, SIDE // CELLS, 1), np.float32))
    whole = lite(
        module,
        module.detect,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([image[None]] for image in images),
        inference_input_type=tf.uint8,
    )
    (folder / "detect_uint8.tflite").write_bytes(whole)
    tf.saved_model.save(exported, str(folder / "exported" / "saved_model"), signatures=exported.__call__)


main(Path(sys.argv[1]))
