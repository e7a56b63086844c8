"""Photographs for the tests of altered copies: rendered places, real ones, and what the sandbox sends of them."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

ROOT = Path(__file__).parents[3]


def benchmark(name: str) -> ModuleType:
    """A module of benchmarks/, which is no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


altered_images = benchmark("altered_images")
image_copies = benchmark("image_copies")


def rendered(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A place of coarse shapes, edges and fine texture, in colour."""
    random = np.random.default_rng(seed)
    layers = []
    for blur, strength in ((40, 40), (8, 30), (2, 14)):
        layer = gaussian_filter(random.normal(size=(size[1], size[0], 3)), (blur, blur, 0))
        layers.append(layer / layer.std() * strength)
    shapes = np.sign(gaussian_filter(random.normal(size=(size[1], size[0], 1)), (25, 25, 0))) * 20
    return Image.fromarray(np.clip(sum(layers) + shapes + 128, 0, 255).astype(np.uint8))


def real(folder: str, every: int) -> list[Image.Image]:
    """Photographs of ../shared/data; the test is skipped without them, and fails where they must be there."""
    place = image_copies.DATA / folder
    if not place.is_dir():
        if os.environ.get("HARNESS_REQUIRE_SHARED") == "1":
            pytest.fail(f"{place} is missing")
        pytest.skip(f"{place} is missing")
    return image_copies.photographs(folder, every)
