"""Names of a state dict's tensors: whichever prefix makes the most fit is taken off or put on, and never of a part."""

from __future__ import annotations

import pytest

from harness.agent.models.state_names import fitted

MODEL = {
    "features.0.weight": (8, 3, 3, 3), "features.0.bias": (8,), "features.1.weight": (8,), "classifier.weight": (5, 8),
    "classifier.bias": (5,),
}  # fmt: skip


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.module._orig_mod.", "my_own.attribute."])
def test_a_prefix_is_taken_off(prefix: str) -> None:
    found = fitted({prefix + name: shape for name, shape in MODEL.items()}, MODEL)
    assert found.new_names == {prefix + name: name for name in MODEL} and found.left_out == ()


@pytest.mark.parametrize("prefix", ["net.", "model.backbone."])
def test_a_prefix_is_put_on(prefix: str) -> None:
    wanted = {prefix + name: shape for name, shape in MODEL.items()}
    assert set(fitted(MODEL, wanted).new_names.values()) == set(wanted)


def test_one_prefix_is_exchanged_for_another() -> None:
    given = {f"student.{name}": shape for name, shape in MODEL.items()}
    wanted = {f"net.{name}": shape for name, shape in MODEL.items()}
    assert set(fitted(given, wanted).new_names.values()) == set(wanted)


def test_a_wrapper_around_a_part_is_taken_off() -> None:
    given = {name.replace("features.", "features.module."): shape for name, shape in MODEL.items()}
    assert set(fitted(given, MODEL).new_names.values()) == set(MODEL)


def test_what_fits_stays_as_it_is() -> None:
    """A model of its own that has a part called `module`, and a head beside `model.`."""
    wanted = {"module.weight": (3, 3), "module.bias": (3,), "head.weight": (2, 3)}
    assert fitted(wanted, wanted).new_names == {name: name for name in wanted}


def test_names_without_the_prefix_are_left_out_and_said() -> None:
    given = {f"model.{name}": shape for name, shape in MODEL.items()} | {"criterion.weight": (5,)}
    found = fitted(given, MODEL)
    assert found.left_out == ("criterion.weight",) and set(found.new_names.values()) == set(MODEL)


def test_shapes_decide_between_two_prefixes() -> None:
    """A teacher of another size beside the student."""
    given = {f"student.{name}": shape for name, shape in MODEL.items()}
    given |= {f"teacher.{name}": (*shape[:-1], 99) for name, shape in MODEL.items()}
    assert set(fitted(given, MODEL).new_names) == {f"student.{name}" for name in MODEL}


def test_nothing_that_fits_changes_nothing() -> None:
    assert fitted({"a.x": (1,), "a.y": (1,)}, MODEL).new_names == {"a.x": "a.x", "a.y": "a.y"}
