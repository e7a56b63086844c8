"""What a process that ran the student's code said earns no points: the framework sees to it, not each criterion."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest
from example_evidence import benchmark, conversion, evaluation, evidence, execution, inspection

from harness.gradebook.manual import ManualMark
from harness.grading.rubric import rubric
from harness.grading.rubric.criterion import CriterionOptions, Judgement, kinds
from harness.grading.rubric.declared import Undeclared, only
from harness.inputs.assignment.schema import CriterionSpec
from harness.stages.evidence.execution import FailedExecution
from harness.stages.evidence.stage_result import Done, EvidenceOrigin
from harness.stages.evidence.submission import STAGES, Evidence

TESTS = Path(__file__).parent
FROZEN = CriterionSpec.model_validate({"kind": "frozen_backbone", "points": 20})


def marked(spec: CriterionSpec, found: Evidence, manual: dict[str, ManualMark] | None = None) -> Any:
    return rubric._mark(spec, found, manual or {}, set())


def forged(origin: EvidenceOrigin, **changes: Any) -> Evidence:
    value = inspection(**{"median_change": 0.0, "weights_used": True} | changes)
    converted = Done(value=conversion(), origin="self-reported")
    return evidence(convert=converted, inspect=Done(value=value, origin=origin))


@pytest.mark.parametrize(("origin", "points"), [("self-reported", None), ("measured-inside", 20.0)])
def test_an_inspection_that_the_students_own_code_said_waits_for_a_person(origin: Any, points: float | None) -> None:
    """A pickled model once replaced the agent's own functions and got 20 of 20 points for a frozen backbone."""
    mark = marked(FROZEN, forged(origin))
    assert mark.points == points
    assert ("only the student's own code says this (stage inspect)" in mark.reason) is (points is None)


def test_a_self_reported_zero_waits_as_well() -> None:
    """What can be forged to hide is as little proof as what can be forged to shine."""
    assert marked(FROZEN, forged("self-reported", weights_say="fine-tuned", median_change=0.9)).points is None
    assert marked(FROZEN, forged("measured-inside", weights_say="fine-tuned", median_change=0.9)).points == 0.0


def test_a_person_still_decides() -> None:
    title = rubric.title_of(FROZEN)
    assert marked(FROZEN, forged("self-reported"), {title: ManualMark(12, "Looked.", "jo")}).points == 12


def test_an_answer_that_was_self_reported_makes_the_score_self_reported() -> None:
    spec = CriterionSpec.model_validate({"kind": "accuracy_vs_reference", "points": 40})
    found = evidence()
    assert marked(spec, found).points is not None
    said = found.model_copy(update={"predict": found.predict.model_copy(update={"origin": "self-reported"})})
    assert marked(spec, said).points is None


def test_a_stage_that_does_not_say_where_its_value_comes_from_is_self_reported() -> None:
    spec = CriterionSpec.model_validate({"kind": "latency_vs_reference", "points": 10})
    assert marked(spec, evidence(benchmark=Done(value=benchmark()))).points is None


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Adds a criterion of this test's to the kinds."""

    def add(reads: tuple[str, ...], mark: Any) -> CriterionSpec:
        module = types.SimpleNamespace(TITLE="Made up", READS=reads, Options=CriterionOptions, mark=mark)
        monkeypatch.setattr(rubric, "kinds", lambda: {**kinds(), "made_up": module})
        return CriterionSpec.model_validate({"kind": "made_up", "points": 5})

    return add


@pytest.mark.parametrize("reads", [("inspect",), ("evaluate", "inspect"), ()])
def test_a_new_criterion_that_forgets_about_it_gives_no_points(made_up: Any, reads: tuple[str, ...]) -> None:
    def mark(found: Evidence, options: CriterionOptions, max_points: float) -> Judgement:
        assert isinstance(found.inspect, Done)
        return Judgement(max_points if found.inspect.value.backbone == "mobilenet_v2" else 0.0, "Looked.")

    mark_given = marked(made_up(reads, mark), forged("self-reported"))
    assert mark_given.points is None and "A person decides" in mark_given.reason


@pytest.mark.parametrize("field", ["shown", "network_attempts", "outside_reads", "harness_writes"])
def test_what_a_kernel_prints_is_no_ground_for_a_mark(made_up: Any, field: str) -> None:
    """The stage `execute` is seen by the agent; what the notebook shows is the student's word."""

    def mark(found: Evidence, options: CriterionOptions, max_points: float) -> Judgement:
        run: Any = found.execute
        run = run.execution if isinstance(run, FailedExecution) else run.value
        return Judgement(0.0 if getattr(run, field) else max_points, "Looked.")

    assert marked(made_up(("execute",), mark), evidence()).points is None
    stopped = FailedExecution(status="failed", reason="It stopped.", execution=execution(4, 8))
    assert marked(made_up(("execute",), mark), evidence(execute=stopped)).points is None


def test_an_honest_run_keeps_its_points() -> None:
    """The agent counts the cells and sees how the kernel ends each of them."""
    spec = CriterionSpec.model_validate({"kind": "notebook_runs", "points": 15})
    assert marked(spec, evidence()).points == 15


def test_only_what_is_declared_can_be_read() -> None:
    seen = only(evidence(inspect=Done(value=inspection(), origin="measured-inside")), ("evaluate",))
    assert seen.evaluate.value == evaluation()
    assert isinstance(seen.inspect, Done)  # that there is one may be known
    for use in (lambda v: v.backbone, bool, len, list, str, lambda v: v == 1, lambda v: v > 1, lambda v: 1 in v):
        with pytest.raises(Undeclared, match="inspect"):
            use(seen.inspect.value)


def test_every_criterion_of_ours_reads_only_what_it_declares() -> None:
    """Each is marked once with every stage done: none ends in `Undeclared`."""
    found = forged("measured-inside")
    for kind, module in kinds().items():
        judged = module.mark(only(found, module.READS), module.Options(), 10)
        assert isinstance(judged, Judgement), kind
        assert set(module.READS) <= set(STAGES)
