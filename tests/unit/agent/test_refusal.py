"""How a phase declines: in its own words, or, where a student's code ran, with whatever that raised."""

import json
from pathlib import Path

import pytest

from harness.agent.phases.refusal import refuse, refusing, refusing_all


class Sent(dict[str, bytes]):
    """What a phase sent, by name."""

    def __call__(self, name: str, content: Path | bytes) -> None:
        assert isinstance(content, bytes)
        self[name] = content

    @property
    def refusal(self) -> dict[str, object]:
        return json.loads(self["refused.json"])


def test_a_phase_may_say_more_than_the_reason():
    sent = Sent()
    refuse(sent, "OpenVINO is not installed", engine_missing=True)
    assert sent.refusal == {"reason": "OpenVINO is not installed", "engine_missing": True}


@pytest.mark.parametrize("door", [refusing, refusing_all])
def test_our_own_exception_is_the_reason_as_it_stands(door):
    sent = Sent()
    with door(sent, LookupError):
        raise LookupError("the model has no input")
    assert sent.refusal == {"reason": "the model has no input"}


@pytest.mark.parametrize("door", [refusing, refusing_all])
def test_work_that_succeeds_sends_no_refusal(door):
    sent = Sent()
    with door(sent, LookupError):
        sent("reply.json", b"{}")
    assert sent == {"reply.json": b"{}"}


def test_an_exception_of_ours_that_nobody_expected_ends_the_phase():
    sent = Sent()
    with pytest.raises(ZeroDivisionError), refusing(sent, LookupError):
        raise ZeroDivisionError
    assert sent == {}


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ValueError("no\n  weights"), "loading it stopped with ValueError: no weights"),
        (SystemExit(), "loading it stopped with SystemExit"),
        (StopIteration(), "loading it stopped with StopIteration"),
    ],
)
def test_whatever_a_students_code_raises_is_described(raised, said):
    sent = Sent()
    with refusing_all(sent, LookupError):
        raise raised
    assert sent.refusal == {"reason": said}


def test_an_interrupt_is_no_refusal():
    sent = Sent()
    with pytest.raises(KeyboardInterrupt), refusing_all(sent, LookupError):
        raise KeyboardInterrupt
    assert sent == {}
