"""What is said of a model: converted, asked, looked into, compared and timed."""

from __future__ import annotations

from harness.findings.kind import Kind

KINDS: dict[str, Kind] = {
    # convert
    "several-models": Kind("warning", "There are several models. {name} ({what}) was graded. Not graded: {others}."),
    "no-model-of-several": Kind("error", "None of the models can be graded: neither {name} ({what}) nor {others}."),
    "model-of-another-kind": Kind("error", "{name} is {what}. To have a model graded, {way_out}."),
    "no-model": Kind("error", "There is no model to grade. Save one with harness.handin.save."),
    "model-unreadable": Kind("error", "The model {name} cannot be loaded."),
    "model-not-converted": Kind("warning", "The model runs as it is, not as ONNX: {reason}."),
    "settings-passed-over": Kind(
        "info",
        "Another version of Keras wrote the model; empty settings that the one here does not know were left out: "
        "{settings}.",
    ),
    "conversion-differs": Kind(
        "warning",
        "The ONNX form answers differently from the original (largest difference {difference:.2g}); "
        "the original was graded.",
    ),
    "preprocessing-assumed": Kind("info", "No pre-processing is declared in handin.json, so this was assumed: {what}."),
    "preprocessing-assumed-measured": Kind(
        "info",
        "No pre-processing is declared in handin.json, so this was assumed: {what}. On {images} training images "
        "{right:.0%} are right with it, and no other usual one is clearly better.",
        code="preprocessing-assumed",
    ),
    "preprocessing-measured": Kind(
        "warning",
        "No pre-processing is declared in handin.json. On {images} training images, {way_right:.0%} are "
        "right with {way}, and {right:.0%} with what is usual for this format ({usual}), so the former was used. "
        "Declare it in handin.json.",
    ),
    "undeclared-unclear": Kind(
        "warning",
        "{what}, and {images} training images do not show what is meant: {right:.0%} of them are right with what was "
        "assumed, {best_right:.0%} with {best}. So the accuracy waits for a person, unless it gives all points as it "
        "is. Declare it.",
    ),
    "undeclared-not-measured": Kind(
        "warning",
        "{what}, and it could not be measured on training images, so the accuracy waits for a person, unless it gives "
        "all points as it is. Declare it. {why}",
    ),
    "handin-json-invalid": Kind("error", "handin.json is not as it should be: {reason}."),
    "labels-missing": Kind("warning", "There is no labels.txt; the classes were taken in alphabetical order."),
    "labels-missing-measured": Kind(
        "warning",
        "There is no labels.txt; the classes were taken in alphabetical order. On {images} training images {right:.0%} "
        "are right with it, and no other order is clearly better.",
        code="labels-missing",
    ),
    "labels-measured": Kind(
        "warning",
        "There is no labels.txt. On {images} training images, {right:.0%} are right in alphabetical order and "
        "{order_right:.0%} in the order {order}, so the latter was used. Hand in labels.txt.",
    ),
    "labels-from-model": Kind(
        "info", "There is no labels.txt; the classes were taken in the order of the names inside the model: {names}."
    ),
    "labels-invalid": Kind("error", "labels.txt is not as it should be: {reason}."),
    "answers-vary": Kind(
        "warning",
        "The model answers differently each time on the same image. Its ONNX form, which was graded, does not. "
        "Switch dropout and augmentation off before saving (model.eval()).",
    ),
    "output-chosen": Kind(
        "info",
        "The model gives {of} outputs; output number {number}, with {outputs} class scores, was graded. Export only "
        "the class scores if another was meant.",
    ),
    "one-unit": Kind(
        "info",
        "The model has one output unit for two classes. It was taken as the probability of the second label, {second}; "
        "the rest is that of {first}.",
    ),
    "softmax-of-one-unit": Kind(
        "error",
        "The model has one unit, which is 1 for every image, so it always answers {second}: a softmax over one unit is "
        "always 1. Use a sigmoid, or two units with a softmax, and train it again.",
    ),
    "labels-wrong-count": Kind("error", "The model has {outputs} outputs, but there are {labels} labels ({names})."),
    "class-missing": Kind("error", "The model does not know the class {name}."),
    "class-unknown": Kind("info", "The model's class {name} is none of the assignment's."),
    # predict
    "prediction-failed": Kind(
        "error",
        "The model gave no usable answers: {reason}. Try the file that you handed in on photographs of your own.",
    ),
    "outputs-not-probabilities": Kind(
        "warning", "The outputs do not sum to 1, so they were taken as logits and put through a softmax."
    ),
    "constant-output": Kind("error", "The model gives the same answer whatever the image."),
    "answers-depend-on-order": Kind(
        "error",
        "Asked twice for the same image, the model answers differently (a probability changes by up to "
        "{difference:.2g}; {images} images were asked twice), so its accuracy waits for a person. An answer may "
        "depend on the image alone. Switch dropout and augmentation off before saving (model.eval()).",
    ),
    # evaluate
    "labels-swapped": Kind(
        "error",
        "The labels look mixed up: with {swaps} the accuracy would be {would:.1%} instead of {is_:.1%}. "
        "Check the order in labels.txt.",
    ),
    "preprocessing-mismatch": Kind(
        "error",
        "The declared pre-processing does not fit the model. With it the model is right on {is_:.1%} of {images} "
        "images, with {other} on {would:.1%}.",
    ),
    "labels-guess-misfits": Kind(
        "warning",
        "There are no labels, and the order that was taken looks mixed up: with {swaps} the accuracy would be "
        "{would:.1%} instead of {is_:.1%}. So the accuracy waits for a person, unless it gives all points as it is. "
        "Hand in labels.txt.",
    ),
    "preprocessing-guess-misfits": Kind(
        "warning",
        "No pre-processing is declared, and what was taken does not fit the model: with it the model is right on "
        "{is_:.1%} of {images} images, with {other} on {would:.1%}. So the accuracy waits for a person, unless it "
        "gives all points as it is. Declare it in "
        "handin.json.",
    ),
    "accuracy-claim-differs": Kind(
        "warning",
        "The notebook reports an accuracy of {claimed:.1%} ({kind}, code cell {cell}); on the {images} held-out "
        "images the model reaches {measured:.1%} [{low:.1%}, {high:.1%}].",
    ),
    # inspect
    "no-layer-frozen": Kind(
        "warning",
        "None of the {layers} pre-trained {backbone} layers is as it was, and they moved by {moved:.0%} "
        "(median). Freeze them before the first fit.",
    ),
    "backbone-unused": Kind(
        "error",
        "The file holds pre-trained {backbone} weights, but the answers do not rest on them: {why}.",
    ),
    "backbone-use-unclear": Kind(
        "warning",
        "It could not be shown that the answers rest on the pre-trained {backbone} weights in the file: {why}. A "
        "person has to look at the graph.",
    ),
    "backbone-quantised": Kind(
        "info",
        "Frozen, then quantised: the weights of {layers} {backbone} layers lie within half a quantisation step of the "
        "pre-trained ones.",
    ),
    "backbone-in-half-precision": Kind(
        "info",
        "Frozen, then rounded: the weights of {layers} {backbone} layers are the pre-trained ones in half precision.",
    ),
    "backbone-pruned": Kind(
        "info",
        "Frozen, then pruned: {zeros:.0%} of the weights in the frozen {backbone} layers are zero, and the others are "
        "the pre-trained ones.",
    ),
    "backbone-compressed": Kind(
        "warning",
        "So much of the {backbone} weights was rounded or set to zero that it cannot be told whether they were "
        "trained. A person has to look at the model.",
    ),
    "batchnorm-moved": Kind(
        "warning",
        "The weights of these {backbone} layers are frozen, but the statistics of {moved} of their {count} BatchNorms "
        "moved. Keep frozen layers in inference mode: model.eval() in torch, training=False in Keras.",
    ),
    "backbone-little-reused": Kind(
        "warning",
        "The model has only {reused} of the {layers} {backbone} layers.",
    ),
    "network-beside": Kind(
        "warning",
        "Another network of {layers} layers stands beside the pre-trained {backbone}, and sees the image itself. "
        "{share:.0%} of the model's parameters ({new:,}) are new.",
    ),
    "untrained-head": Kind(
        "error",
        "The output layer looks untrained: its weights cannot be told from {initialisation}, and {right} of {images} "
        "images right is no more than guessing among {classes} classes. Train it, then save.",
    ),
    "backbone-preprocessing": Kind(
        "warning",
        "The declared pre-processing is not the one that {backbone} was trained with, so its frozen layers see "
        "pixels on a scale that they do not know.",
        code="preprocessing-mismatch",
    ),
    "trained-from-scratch": Kind(
        "warning", "No pre-trained backbone was recognised in the model: it looks trained from scratch."
    ),
    "unknown-operators": Kind("info", "Multiply-adds leave out operators that cannot be counted here."),
    # across submissions
    "model-copied": Kind("warning", "The model is the same as that of {other}: {how}."),
    "model-copied-disguised": Kind(
        "warning",
        "The model is all but the same as that of {other}: {how}. Training from one seed on the same data can lead "
        "there, too.",
        code="model-copied",
    ),
    "answers-not-compared": Kind(
        "warning",
        "The model has so many labels ({labels:,}) that its answers were not compared with those of other models; its "
        "weights were.",
    ),
    # benchmark
    "benchmark-failed": Kind("warning", "The speed could not be measured: {reason}."),
    "benchmark-outputs-differ": Kind(
        "error",
        "In the benchmark the model answered differently than before on the same images, so its time does not count "
        "until a person has looked.",
    ),
    "stateful-model": Kind(
        "warning",
        "The model can give another answer each time it is asked ({operators}), so its time does not count until a "
        "person has looked. Export it for inference, without dropout and random operators.",
    ),
    "benchmark-unsteady": Kind("info", "The timing was unsteady: {reason}."),
}

# Why the answers of a model do not rest on a backbone, as part of a sentence.
BACKBONE_DOUBTS = {
    "read-as-data": "no layer applies them to the image or its features; they are only read as numbers",
    "not-carried": "when its layers are given what they saw in another image, the answer does not become the one to "
    "that image",
    "no-effect": "with a part of those weights shuffled, where images pass through them, it answers as before",
    "activations-differ": "for one image, some of its layers give other activations than the pre-trained layers",
    "unusual-graph": "the graph has operators before, between or beside its layers that no ordinary network has there",
    "same-answers": "it gives the same answer for every image",
    "shared": "another network beside them decides the answers as much",
    "not-run": "the graph does not run with its layers opened",
}

# The pre-processing that is taken where none is declared, as part of a sentence.
ASSUMED = {
    "torchvision-imagenet": "RGB, pixels divided by 255, torchvision's ImageNet mean and standard deviation, "
    "shorter side scaled and the centre cut ({width} x {height})",
    "jetson-inference": "as jetson-inference does: RGB, pixels divided by 255, ImageNet mean and standard "
    "deviation, stretched to {width} x {height}",
    "keras-raw": "RGB pixels 0 to 255 as they are, because the model scales them itself, stretched to "
    "{width} x {height}",
    "keras-vgg16-caffe": "Keras' vgg16.preprocess_input: BGR, means 103.939, 116.779, 123.68 subtracted, "
    "stretched to {width} x {height}",
}

# The usual pre-processings that are tried on training images, as part of a sentence.
_STRETCHED = {
    "imagenet-stretched": "ImageNet's mean and standard deviation, stretched to {width} x {height}",
    "zero-one": "RGB pixels 0 to 1, stretched to {width} x {height}",
    "minus-one-one": "RGB pixels -1 to 1, stretched to {width} x {height}",
    "raw-0-255": "RGB pixels 0 to 255, stretched to {width} x {height}",
    "vgg16-caffe": "Keras' vgg16.preprocess_input, stretched to {width} x {height}",
}
WAYS = {
    "assumed": "what was assumed",
    "imagenet-cut": "ImageNet's mean and standard deviation, the centre cut ({width} x {height})",
    **_STRETCHED,
    **{f"{name}-colours-swapped": f"{way}, with red and blue swapped" for name, way in _STRETCHED.items()},
}

SENTENCES = {
    "measuring": "Measuring what is not declared",
    "measured-way": "{way}; measured on {images} training images",
    "measured-none": "It answered too slowly.",
    "another-order": "{way} and another order of the labels",
    "undeclared-preprocessing": "No pre-processing is declared",
    "undeclared-labels": "There are no labels",
    "undeclared-both": "Neither pre-processing nor labels are declared",
    "no-onnx-equivalent": "its {format} form has no ONNX equivalent",
    "detector-no-graph": "a {format} detector is graded by its boxes alone",
    "detector-not-exported": "torch could not write it as ONNX",
    "unsteady-other-programs": "other programs took {taken:.1f} of {cores} cores",
    "unsteady-few-queries": "there was time for {queries} queries only, not {wanted}",
    "copy-same-numbers": "{share:.0%} of the numbers in its final layer are the same",
    "copy-near-layers": "the final layers differ by {difference:.1%}",
    "copy-identical": "its weights are identical",
    "copy-same-answers": "it gives the same answers, to within {within:g}, on all {images} images",
    "copy-of-reference": "the reference solution",
    "copy-of-another": "another submission",
    "copy-answers-in-common": "their answers agree more ({left:.2f} on a scale to 1) than those of two models trained "
    "apart",
    "copy-reordered": "the final layers have the same channels, in another order",
}
