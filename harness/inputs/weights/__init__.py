"""Pre-trained weights and published image sets: the manifest, the files here, and fetching the rest."""

from harness.inputs.weights.entry import TrainedOn, WeightsEntry
from harness.inputs.weights.manifest import by_address, by_file, list_weights, named
from harness.inputs.weights.store import add, fetch, path, standing_in

__all__ = [
    "TrainedOn",
    "WeightsEntry",
    "add",
    "by_address",
    "by_file",
    "fetch",
    "list_weights",
    "named",
    "path",
    "standing_in",
]
