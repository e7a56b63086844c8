"""A detector that is asked with another scaling of its pixels than the one that it was opened with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from .detector import Description, Detector, Found, Pixels, Scaling
from .student_detector import StudentDetector


def rescaled(detector: Detector, scaling: Scaling) -> Detector:
    """The same detector with this scaling. Of a family that scales pixels itself, it answers as before."""
    if isinstance(detector, StudentDetector):
        return _InItsProcess(scaling.of(detector.description), detector, scaling)
    return cast(Detector, replace(cast(Any, detector), description=scaling.of(detector.description)))


@dataclass(frozen=True, slots=True)
class _InItsProcess:
    """One that a process of its own holds, and scales anew for each image."""

    description: Description
    _detector: StudentDetector
    _scaling: Scaling

    def answer(self, image: Pixels) -> Found:
        return self._detector.answer(image, self._scaling)
