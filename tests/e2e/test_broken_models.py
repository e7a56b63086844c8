"""What a student reads of a model that cannot be used: one sentence, with a way out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from broken_models import CASES, TINY, keras, saved
from model_files import CLASSES, write_images

from harness.agent.models.loaded_model import Context, Unusable
from harness.agent.models.registry import format_of
from harness.agent.phases.refusal import described
from harness.findings import finding
from harness.inputs.assignment.limits import ResourceLimits
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.store import Store

NEVER = re.compile(
    r"\x1b|/opt/harness|/work/|/in/|/tmp/|site-packages|"
    r"\.cc:|\.cpp:|In PyTorch 2\.6|\n|Traceback|config=|NoneType|\(None|0x[0-9a-f]{6}"
)


def is_plain(message: str) -> bool:
    """Whether it is one sentence of a length that people read, not broken off, with something to do in it."""
    return not NEVER.search(message) and len(message) <= 400 and not message.endswith("…") and ";" in message


@pytest.mark.parametrize("name", CASES)
def test_a_message_says_what_is_wrong_and_what_to_do(name: str, tmp_path: Path) -> None:
    """In this process: the words are made where the model is loaded, and these files are ours."""
    case = CASES[name]
    file = case.write(tmp_path)
    factory = tmp_path / "model.py" if case.factory else None
    if factory:
        factory.write_text(case.factory)
    with pytest.raises(Exception) as raised:
        _, form = format_of(file)
        form.load(file, Context(len(CLASSES), None, factory, 1))
    reason = str(raised.value) if isinstance(raised.value, Unusable) else described(raised.value)
    message = finding("model-unreadable", name="model", detail=reason).told_to_student().message
    assert is_plain(message), message
    for words in case.says:
        assert words in message
    for words in case.says_not:
        assert words not in message


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_images(tmp_path_factory.mktemp("images"), 8)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    limits = ResourceLimits(wall_seconds=30, cell_seconds=20, memory=4 * 10**9, cpus=2)
    return StageContext(Bubblewrap(), Store(tmp_path_factory.mktemp("store")), limits)


def _converted(file: Path, factory: str, images: list[Path], context: StageContext) -> Any:
    beside = {"labels.txt": "\n".join(CLASSES), **({"model.py": factory} if factory else {})}
    for name, text in beside.items():
        (file.parent / name).write_text(text)
    return convert(HandedModel(file, {name: file.parent / name for name in beside}), CLASSES, images, None, context)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("while True: pass", "did not end within 30 s; model.py must only define build_model"),
        ("import os; os._exit(0)", "ended by itself with status 0; its code must not end it"),
    ],
)
def test_a_model_py_that_never_gives_a_model(
    code: str, words: str, images: list[Path], context: StageContext, tmp_path: Path
) -> None:
    result = _converted(saved("state_dict")(tmp_path), f"{TINY}\n{code}\n", images, context)
    assert isinstance(result, Failed)
    assert words in result.whole_reason and is_plain(result.whole_reason)


def test_megabytes_on_stdout_are_no_failure(images: list[Path], context: StageContext, tmp_path: Path) -> None:
    code = "for _ in range(100_000): print('x' * 100)"
    assert isinstance(_converted(saved("state_dict")(tmp_path), f"{TINY}\n{code}\n", images, context), Done)


def test_empty_settings_of_another_keras_are_left_out_and_named(
    images: list[Path], context: StageContext, tmp_path: Path
) -> None:
    plain, newer = tmp_path / "plain", tmp_path / "newer"
    plain.mkdir(), newer.mkdir()

    def future(layers: list[dict[str, Any]]) -> None:
        for layer in layers:
            layer["config"] |= {"quantization_plan": None, "sharded": False, "hints": {}}

    before = _converted(keras(lambda _: None)(plain), "", images, context)
    after = _converted(keras(future, "3.99.0")(newer), "", images, context)
    assert isinstance(before, Done) and isinstance(after, Done), after
    assert "settings-passed-over" not in [one.code for one in before.findings]
    (said,) = [one.message for one in after.findings if one.code == "settings-passed-over"]
    assert "quantization_plan of" in said
    assert context.store.path(after.value.model).stat().st_size == context.store.path(before.value.model).stat().st_size
