"""The time of each layer, from the engine's own profile."""

from __future__ import annotations

from harness.stages.evidence.record import Record


class LayerTime(Record):
    """One layer's mean time in a query of one image. The name is the graph's, and so a stranger's."""

    name: str
    operator: str
    ms: float


class OperatorTime(Record):
    """The mean time of all layers with one operator in a query of one image."""

    operator: str
    layers: int
    ms: float


class LayerTimes(Record):
    """A profile of queries of one image each, in which the engine wrote down when each layer began and ended."""

    queries: int
    query_ms: float  # mean of a whole profiled query; profiling itself takes time
    sum_ms: float  # of all layers, those below included that are not listed
    count: int  # layers in the graph as the engine runs it, after fusing
    layers: tuple[LayerTime, ...]  # the costliest first
    operators: tuple[OperatorTime, ...]  # the costliest first

    def share(self, ms: float) -> float:
        """Of the sum over all layers; 0 to 1."""
        return min(ms / self.sum_ms, 1.0) if self.sum_ms > 0 else 0.0

    @property
    def share_of_query(self) -> float:
        """The sum over all layers, relative to the whole profiled query."""
        return self.sum_ms / self.query_ms if self.query_ms > 0 else 0.0
