"""A detector as it was handed in: the bytes and declarations of which each question to it is made."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.inputs.submissions.external_data import external_data_of
from harness.inputs.submissions.own_code import OWN_CODE, own_files_of
from harness.sandbox import KERAS
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel
from harness.stages.detection.names import objects_named
from harness.stages.evidence.conversion import Preprocess
from harness.stages.evidence.detections import DetectorAnswers, Scaling
from harness.stages.evidence.record import Blob
from harness.stages.handin_files import Declarations
from harness.stages.one_file import as_one_file
from harness.stages.store import Store

_OWN_FOLDER = "own"  # under /in, so that a student's names are nobody else's


@dataclass(frozen=True, slots=True)
class HandedDetector:
    """A detector as handed in."""

    model: Blob | None  # None where predict.py answers by itself
    own: tuple[tuple[str, Blob], ...] = ()  # predict.py and what lies beside it, by the path from its folder
    data: tuple[tuple[str, Blob], ...] = ()  # an ONNX file's external data, by the location that it names
    preprocess: Preprocess | None = None  # as declared in handin.json
    scaling: Scaling | None = None  # as training images show it, where nothing is declared
    void: tuple[int, ...] = ()  # labels of the name `void`, which the board leaves out
    named: int = 0  # classes in labels.txt, which tells what an ONNX file's outputs are where nothing else does

    @classmethod
    def of(cls, answers: DetectorAnswers) -> HandedDetector:
        """The detector that gave these answers."""
        it = answers
        return cls(it.model, it.own, it.data, it.preprocess, it.scaling, it.void, it.named)

    def request(self, context: StageContext) -> tuple[dict[str, object], dict[str, Path]]:
        """The detector's part of the phase's request, and its inputs."""
        request: dict[str, object] = {
            "file": "model" if self.model is not None else f"{_OWN_FOLDER}/{OWN_CODE}",
            "rule": self.preprocess.model_dump() if self.preprocess else None,
            "scaling": self.scaling.model_dump() if self.scaling else None,
            "data": {location: f"data-{number}" for number, (location, _) in enumerate(self.data)},
            "void": list(self.void),
            "named": self.named,
            "cpus": context.limits.cpus,
        }
        inputs = {f"data-{number}": context.store.path(blob) for number, (_, blob) in enumerate(self.data)}
        inputs |= {f"{_OWN_FOLDER}/{path}": context.store.path(blob) for path, blob in self.own}
        if self.model is not None:
            inputs["model"] = context.store.path(self.model)
        return request, inputs


def kept(model: HandedModel, declared: Declarations, store: Store) -> HandedDetector:
    """The model with what belongs to it, put into the store."""
    if model.kind == "python":
        files = {OWN_CODE: model.file, **own_files_of(model.companions)}
        own = tuple((path, store.put(file, Path(path).name)) for path, file in files.items())
        return HandedDetector(None, own)
    data = tuple(
        (location, store.put(file, f"data-{number}"))
        for number, (location, file) in enumerate(external_data_of(model.companions).items())
    )
    with tempfile.TemporaryDirectory(prefix="harness-detect-") as folder:
        blob = store.put(as_one_file(model.file, Path(folder)), "model")
    return HandedDetector(blob, (), data, declared.preprocess, named=objects_named(declared.labels))


def where_answered(answers: DetectorAnswers, context: StageContext) -> StageContext:
    """The context with the environment in which the detector gave these answers."""
    return context.using(KERAS) if answers.environment == KERAS.name else context
