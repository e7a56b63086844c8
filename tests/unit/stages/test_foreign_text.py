"""What a phase says in words of its own stays apart from the words that a student reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hostile import context, conversion, staged

from harness.agent.graph.initialisation import _NORMALS
from harness.agent.images.preprocessing import ONES, ZEROS, Rule
from harness.agent.models.preprocessing_defaults import alternatives
from harness.findings import finding, with_detail
from harness.sandbox.engine import Outcome
from harness.stages.context import Rejected, failed, read_reply
from harness.stages.evidence.stage_result import Done, Failed, Skipped, Usage, told_to_student
from harness.stages.inspect import _Initialisation, inspect
from harness.stages.predict import _Probe, predict
from harness.stages.robustness import Trial, run_robustness

_SECRET = "Vz7q"


def test_a_refusal_is_a_detail_in_every_stage_that_has_held_out_images(tmp_path: Path) -> None:
    from harness.inputs.assignment.sections import Robustness

    place = context(tmp_path, {"refused.json": json.dumps({"reason": f"{_SECRET}\n\x1b[31m"}).encode()})
    model, images = conversion(place.store, tmp_path), staged(tmp_path)
    results = [
        predict(model, images, place),
        inspect(model, {}, images, 3, place),
        run_robustness(model, Trial(Robustness(), (0,), (), None), images, place),
    ]
    for result in results:
        assert isinstance(result, Failed | Skipped)
        assert _SECRET not in result.reason and _SECRET in result.detail and "\x1b" not in result.detail
        assert not any(_SECRET in found.message for found in result.findings)


def test_names_that_a_phase_sends_come_from_a_list(tmp_path: Path) -> None:
    """A key, a type or a value of a reply that is not as agreed is no part of the reason."""
    (tmp_path / "reply.json").write_text(json.dumps({_SECRET: 1}))
    with pytest.raises(Rejected) as caught:
        read_reply(tmp_path, "reply.json", Usage)
    assert str(caught.value) == "reply.json is malformed" and _SECRET in caught.value.detail


def test_the_last_line_of_a_log_is_a_detail() -> None:
    from harness.inputs.assignment.limits import ResourceLimits

    outcome = Outcome("failed", 1, f"a\n{_SECRET}\n", 1.0, None, None, memory_limit_hit=False)
    result = failed(outcome, "The model's prediction", ResourceLimits())
    assert (result.reason, result.detail) == ("The model's prediction failed", _SECRET)
    assert told_to_student(result).reason == f"The model's prediction failed: {_SECRET}"


def test_a_stage_that_saw_nothing_secret_tells_all() -> None:
    found = finding("model-unreadable", name="model.pt", detail="the file ends in the middle.")
    told = told_to_student(
        Failed(status="failed", reason=found.message, detail=found.detail, findings=(found,), usage=Usage(log="x"))
    )
    assert told.reason == "The model model.pt cannot be loaded: the file ends in the middle."
    assert told.findings[0].message == told.reason and told.findings[0].detail == told.detail == ""
    assert told.usage.log_is_told and not Usage().log_is_told
    done = told_to_student(Done[int](value=3, findings=(found,)))
    assert done.value == 3 and done.findings == told.findings


def test_a_sentence_takes_its_detail() -> None:
    assert with_detail("It stopped.", "no file.") == "It stopped: no file."
    assert with_detail("It stopped", "no file") == "It stopped: no file"
    assert with_detail("It stopped.", "") == "It stopped."


def test_the_lists_of_names_are_those_of_the_agent() -> None:
    every = set(alternatives(Rule(8, 8, "RGB", 3.0, (9.0, 8.0, 7.0), ONES, "stretch")))
    assert every == set(_Probe.__args__)
    assert every | {"x"} >= set(alternatives(Rule(8, 8, "RGB", 1.0, ZEROS, ONES, "stretch")))
    assert {f"normal, {std:g}" for std in _NORMALS} <= set(_Initialisation.__args__)
