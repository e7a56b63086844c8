"""Scores a model's probabilities on the held-out images, with pure functions and no sandbox."""

from harness.stages.evaluate.classification import Answers, evaluate
from harness.stages.evaluate.labels import Truth

__all__ = ["Answers", "Truth", "evaluate"]
