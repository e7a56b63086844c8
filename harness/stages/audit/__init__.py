"""What the numbers that describe a student's pictures say: copies, bursts, splits, scenes, wrong labels.

Pure: nothing here opens a picture. `harness/agent/phases/audit.py` describes each picture inside the sandbox.
"""

from harness.stages.audit.pictures import Described, PictureSet
from harness.stages.audit.scenes import SceneMap, scene_map
from harness.stages.audit.split import Withheld, withhold

__all__ = ["Described", "PictureSet", "SceneMap", "Withheld", "scene_map", "withhold"]
