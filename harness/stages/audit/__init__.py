"""Analyses the numbers that describe a student's images: copies, bursts, splits, scenes, wrong labels.

Pure: nothing here opens an image. `harness/agent/phases/audit.py` describes each image inside the sandbox.
"""

from harness.stages.audit.images import Described, ImageSet
from harness.stages.audit.scenes import SceneMap, scene_map

__all__ = ["Described", "ImageSet", "SceneMap", "scene_map"]
