"""Scores a model's probabilities on the held-out images, with pure functions and no sandbox."""

from harness.stages.evaluate.classification import Answers, Truth, evaluate

__all__ = ["Answers", "Truth", "evaluate"]
