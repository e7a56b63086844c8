"""torchvision's compiled operators, for a torchvision whose own `_C` library does not load.

torchvision's default wheel is compiled against CUDA builds of torch. Beside a CPU build, `_C.so` fails to load
and `import torchvision` stops at "operator torchvision::nms does not exist". Declaring the operators is
enough for everything that does not call them: classifiers, transforms, data sets. `nms` and `roi_align`, which
detectors call, get plain torch kernels here; the others are declared and raise when called.

Standard library and torch only: a notebook's kernel runs this file too, through site/sitecustomize.py.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder, ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

_EXTENSION = "torchvision.extension"
_POOL = "float spatial_scale, SymInt pooled_height, SymInt pooled_width"
_POOL_SIZE = "SymInt batch_size, SymInt channels, SymInt height, SymInt width"
_DEFORM = (
    "Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, SymInt stride_h, SymInt stride_w, "
    "SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt dilation_w, SymInt groups, SymInt offset_groups, "
    "bool use_mask"
)
# The operators of torchvision 0.28, as its Python code calls them.
_SCHEMAS = (
    "_cuda_version() -> int",
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "box_iou_rotated(Tensor boxes1, Tensor boxes2) -> Tensor",
    f"roi_align(Tensor input, Tensor rois, {_POOL}, int sampling_ratio, bool aligned) -> Tensor",
    f"_roi_align_backward(Tensor grad, Tensor rois, {_POOL}, {_POOL_SIZE}, int sampling_ratio, bool aligned) -> Tensor",
    "qroi_align(Tensor input, Tensor rois, float input_scale, int input_zero_point, float rois_scale, "
    f"int rois_zero_point, {_POOL}, int sampling_ratio, bool aligned) -> Tensor",
    f"ps_roi_align(Tensor input, Tensor rois, {_POOL}, int sampling_ratio) -> (Tensor, Tensor)",
    f"_ps_roi_align_backward(Tensor grad, Tensor rois, Tensor channel_mapping, {_POOL}, int sampling_ratio, "
    f"{_POOL_SIZE}) -> Tensor",
    f"roi_pool(Tensor input, Tensor rois, {_POOL}) -> (Tensor, Tensor)",
    f"_roi_pool_backward(Tensor grad, Tensor rois, Tensor argmax, {_POOL}, {_POOL_SIZE}) -> Tensor",
    f"ps_roi_pool(Tensor input, Tensor rois, {_POOL}) -> (Tensor, Tensor)",
    f"_ps_roi_pool_backward(Tensor grad, Tensor rois, Tensor channel_mapping, {_POOL}, {_POOL_SIZE}) -> Tensor",
    f"deform_conv2d({_DEFORM}) -> Tensor",
    f"_deform_conv2d_backward(Tensor grad, {_DEFORM}) -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
)
_declared: list[Any] = []  # keeps the torch.library.Library alive, and with it the declarations


def declare_missing() -> None:
    """Make `import torchvision` work. May be called before or after that import, and repeatedly.

    Does nothing where torchvision's own compiled operators load.
    """
    if _declared or _compiled_ops_load():
        return
    torch = _torch()
    library = torch.library.Library("torchvision", "DEF")
    for schema in _SCHEMAS:
        library.define(schema)
    library.impl("_cuda_version", _no_cuda, "CompositeExplicitAutograd")
    library.impl("nms", _nms, "CPU")
    for key in ("CPU", "AutogradCPU"):  # it consists of differentiable operators, so needs no backward
        library.impl("roi_align", _roi_align, key)
    _declared.append(library)
    extension = sys.modules.get(_EXTENSION)
    if extension is not None:
        _say_there_are_ops(extension)
    else:
        sys.meta_path.insert(0, _AfterImport())


def _compiled_ops_load() -> bool:
    """Whether torchvision's own library is loaded; loads it if possible."""
    torch = _torch()
    if hasattr(torch.ops.torchvision, "nms"):
        return True
    package = importlib.util.find_spec("torchvision")
    if package is None or package.origin is None:
        return False
    finder = FileFinder(str(Path(package.origin).parent), (ExtensionFileLoader, EXTENSION_SUFFIXES))
    library = finder.find_spec("_C")
    if library is None or library.origin is None:
        return False
    try:
        torch.ops.load_library(library.origin)
    except (ImportError, OSError):
        return False
    return hasattr(torch.ops.torchvision, "nms")


def _torch() -> Any:
    """The torch module as Any, because it has few types."""
    import torch

    return torch


def _has_ops() -> bool:
    """Replaces torchvision.extension._has_ops; a `def` in a file, because TorchScript reads its source."""
    return True


def _say_there_are_ops(extension: ModuleType) -> None:
    extension._has_ops = _has_ops  # type: ignore[attr-defined]


class _AfterImport:
    """Replaces `_has_ops` right after torchvision.extension's import, before the next module calls it."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != _EXTENSION:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def run_and_replace(module: ModuleType) -> None:
            run(module)
            _say_there_are_ops(module)

        spec.loader.exec_module = run_and_replace  # type: ignore[method-assign]
        return spec


def _no_cuda() -> int:
    """What torchvision's library returns when it was compiled without CUDA."""
    return -1


def _nms(dets: Any, scores: Any, iou_threshold: float) -> Any:
    """Indices (int64) of the boxes to keep, highest score first.

    `dets`: shape (boxes, 4), as x1, y1, x2, y2. A box is dropped when its intersection over union with a kept box is
    above the threshold.
    """
    import torch

    order = torch.argsort(scores, descending=True, stable=True)
    boxes = dets[order]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    gone = torch.zeros(len(order), dtype=torch.bool)
    stay = []
    for i in range(len(order)):
        if gone[i]:
            continue
        stay.append(i)
        left_top = torch.maximum(boxes[i, :2], boxes[i + 1 :, :2])
        right_bottom = torch.minimum(boxes[i, 2:], boxes[i + 1 :, 2:])
        shared = (right_bottom - left_top).clamp(min=0).prod(dim=1)
        gone[i + 1 :] |= shared / (areas[i] + areas[i + 1 :] - shared) > iou_threshold
    return order[torch.tensor(stay, dtype=torch.long)]


def _roi_align(
    input: Any,
    rois: Any,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> Any:
    """Mean of bilinear samples in each bin of each region (He et al. 2017, Mask R-CNN, section 3).

    `input`: shape (images, channels, height, width). `rois`: shape (regions, 5), as image index, x1, y1,
    x2, y2 in pixels of the image. `sampling_ratio`: samples per side of a bin; 0 or less: as many as it has pixels.
    """
    import torch

    shift = 0.5 if aligned else 0.0
    pooled = []
    for roi in rois:
        x1, y1, x2, y2 = roi[1:] * spatial_scale - shift
        width, height = x2 - x1, y2 - y1
        if not aligned:
            width, height = width.clamp(min=1), height.clamp(min=1)
        rows = _samples(y1, height, pooled_height, sampling_ratio)
        columns = _samples(x1, width, pooled_width, sampling_ratio)
        image = input[int(roi[0])]
        down, across = _weights(rows, input.shape[2]), _weights(columns, input.shape[3])
        sampled = down.to(input.dtype) @ image @ across.to(input.dtype).T
        bins = sampled.unflatten(2, (pooled_width, -1)).unflatten(1, (pooled_height, -1))
        pooled.append(bins.mean(dim=(2, 4)))
    if not pooled:
        return input.new_zeros((0, input.shape[1], pooled_height, pooled_width))
    return torch.stack(pooled)


def _samples(start: Any, length: Any, bins: int, ratio: int) -> Any:
    """Where to sample along one side: `bins` times the same number of positions."""
    import torch

    per_bin = ratio if ratio > 0 else max(1, int(torch.ceil(length / bins)))
    steps = torch.arange(bins * per_bin, dtype=torch.float64) + 0.5
    return start + steps * (length / (bins * per_bin))


def _weights(positions: Any, size: int) -> Any:
    """Linear interpolation at `positions` as a matrix (positions, size); 0 more than a pixel outside."""
    import torch

    inside = (positions >= -1) & (positions <= size)
    clamped = positions.clamp(0, size - 1)
    distance = (clamped[:, None] - torch.arange(size)[None, :]).abs()
    return (1 - distance).clamp(min=0) * inside[:, None]
