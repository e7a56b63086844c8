"""What is wrong with what came out of the sandbox: parts of sentences, of which the job is the subject."""

from __future__ import annotations

_FILES = {
    "reply-not-sent": "{name} was not sent",
    "reply-not-asked-for": "{name} was not asked for",
    "reply-unbounded": "{name} {why}",
    "reply-malformed": "{name} is malformed",
    "reply-too-large": "{name} is larger than {most} bytes",
    "reply-not-sent-or-too-large": "{name} was not sent, or is larger than {most} bytes",
    "reply-no-object": "an object of {name!r} has no class or no area",
    "reply-no-name": "{path!r} is no name of a file in a data set",
    "reply-stopped": "it stopped with an error",
}

_ARRAYS = {
    "array-too-large": "{name} is larger than an array of shape {shape}",
    "array-other-version": "{name} is no array of the first version of the format",
    "array-other-shape": "{name} should be {dtype} {shape}",
    "array-none": "{name} is no array",
    "array-no-numbers": "{name} holds what is no number",
    "array-too-large-or-no-numbers": "{name} is too large, or holds what is no number",
}

_ANSWERS = {
    "too-many-images": "there are more than {most:,} images",
    "more-cells-ran": "more cells ran than there are",
    "answers-not-finite": "its answers hold NaN or infinity",
    "answers-negative": "its answers hold negative probabilities",
    "answers-no-probabilities": "its answers do not sum to 1 for each image",
    "answers-other-images": "it does not answer for exactly the images that it was given",
    "boxes-no-boxes": "its boxes are not finite, or turned round",
    "boxes-no-scores": "its scores are not from 0 to 1",
    "boxes-no-labels": "its labels are not those of a model",
    "boxes-too-many": "it gives more than {most:,} boxes for an image",
    "tried-on-too-many": "it tried other pre-processings on more images than it was told to",
    "timed-other-models": "it did not time exactly the models that it was given",
    "timed-no-latencies": "its latencies are not positive numbers",
    "timed-other-images": "it answered for images that it was not given",
    "timed-other-queries": "it did not answer exactly the queries that it timed",
    "timed-too-few-images": "it did not ask for as many of its images as it was told to",
    "timed-backwards": "its timing ended before it started",
}

SENTENCES = {**_FILES, **_ARRAYS, **_ANSWERS}
