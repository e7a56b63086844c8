"""SSD-MobileNetV1 from a checkpoint, as jetson-inference's `train_ssd.py` starts from one."""

from __future__ import annotations

from pathlib import Path

from ..models.loaded_model import Unusable
from . import checkpoint
from .detector import Detector
from .jetson_ssd import JetsonSsd
from .networks import MB1_SSD

FROZEN = 7  # blocks: to the first of 19 x 19 cells


class CheckpointStart:
    """A checkpoint of mb1-ssd, opened once. It may have been trained on other classes."""

    def __init__(self, file: Path) -> None:
        """Raises `ValueError` for a file that is none, with the reason."""
        try:
            self._given = checkpoint.read(file)
        except Unusable as unusable:
            raise ValueError(f"the weights of the reference: {unusable}") from unusable
        if self._given.network != MB1_SSD:
            name = self._given.network.name
            raise ValueError(f"the weights of the reference are a checkpoint of {name}, and not of {MB1_SSD.name}")

    def __call__(self, classes: int) -> JetsonSsd:
        """The detector for so many kinds of objects: the heads start anew, all else from the checkpoint."""
        detector = Detector(MB1_SSD, classes)
        detector.base_net.load_state_dict(self._given.base_net.state_dict())
        detector.extras.load_state_dict(self._given.extras.state_dict())
        return JetsonSsd(detector, FROZEN, ())
