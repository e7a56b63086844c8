"""Run by the Python of the environment `keras`: writes what students on TensorFlow hand in.

    python write_tensorflow_models.py FOLDER

Each model is small and answers differently from image to image. `expected.npz` holds two images and,
for each file, what the original model answers for them.
"""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
import tf_keras

SIDE, CLASSES = 64, 5


def network(k, *, augment=False, scale_with=None):
    """A nested backbone, as transfer learning has it, in Keras 3 (`keras`) or Keras 2 (`tf_keras`)."""
    k.utils.set_random_seed(0)
    layers = k.layers
    inner = k.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(8, 3, strides=2, activation="relu")(inner)
    x = layers.DepthwiseConv2D(3, activation="relu")(layers.BatchNormalization()(x))
    base = k.Model(inner, layers.MaxPooling2D(4)(x), name="backbone")
    image = k.Input((SIDE, SIDE, 3))
    x = layers.RandomRotation(0.3)(layers.RandomFlip()(image)) if augment else image
    x = scale_with(x) if scale_with else layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = layers.Dropout(0.5)(layers.Flatten()(base(x)))
    model = k.Model(image, layers.Dense(CLASSES, activation="softmax")(x))
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * 4, bias])
    return model


def lite(model, folder, images):
    """The four ways in which a .tflite is made."""

    def converter():
        return tf.lite.TFLiteConverter.from_keras_model(model)

    (folder / "float32.tflite").write_bytes(converter().convert())
    half = converter()
    half.optimizations, half.target_spec.supported_types = [tf.lite.Optimize.DEFAULT], [tf.float16]
    (folder / "float16.tflite").write_bytes(half.convert())
    dynamic = converter()
    dynamic.optimizations = [tf.lite.Optimize.DEFAULT]
    (folder / "dynamic.tflite").write_bytes(dynamic.convert())
    whole = converter()
    whole.optimizations = [tf.lite.Optimize.DEFAULT]
    whole.representative_dataset = lambda: ([image[None]] for image in images)
    whole.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    whole.inference_input_type = whole.inference_output_type = tf.uint8
    (folder / "int8.tflite").write_bytes(whole.convert())


def main(folder):
    coarse = np.random.default_rng(0).uniform(0, 255, (34, 4, 5, 3)).astype("float32")
    images = np.clip(tf.image.resize(coarse, (SIDE, SIDE), "bicubic").numpy(), 0, 255)
    expected = {"images": images[:2]}

    def keep(name, model):
        expected[name] = model.predict(images[:2], verbose=0)

    plain, augmented = network(keras), network(keras, augment=True)
    augmented.save(folder / "keras3.keras")
    keep("keras3.keras", augmented)
    plain.export(folder / "exported", verbose=False)
    keep("exported", plain)
    augmented.export(folder / "exported_random", verbose=False)
    for name in ("float32.tflite", "float16.tflite", "dynamic.tflite", "int8.tflite"):
        keep(name, plain)
    lite(plain, folder, images[2:])

    nested = network(tf_keras, augment=True)
    nested.save(folder / "keras2.h5")
    nested.save(folder / "keras2.keras")
    nested.save(folder / "keras2_saved")
    for name in ("keras2.h5", "keras2.keras", "keras2_saved"):
        keep(name, nested)
    operators = network(tf_keras, scale_with=tf_keras.applications.mobilenet_v2.preprocess_input)
    operators.save(folder / "keras2_operators.h5")
    keep("keras2_operators.h5", operators)
    np.savez(folder / "expected.npz", **expected)


main(Path(sys.argv[1]))
