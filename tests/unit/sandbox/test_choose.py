"""What is said of an engine that does not work."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import EngineFailed, NoSandbox
from harness.sandbox import choose, diagnose
from harness.sandbox.choose import ENGINES
from harness.sandbox.engine import Job, Outcome
from harness.sandbox.none import NoProtection


class _Forbidden(NoProtection):
    """An engine as in most containers: it is there, and may not make a namespace."""

    def software_id(self, software: object) -> str:
        return "here"

    def run(self, job: Job, outputs: Path) -> Outcome:
        raise EngineFailed("the sandbox did not start: no namespaces", "harness doctor")


@pytest.fixture(autouse=True)
def a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENGINES:
        monkeypatch.setitem(ENGINES, name, _Forbidden)


def test_doctor_does_not_send_its_reader_to_doctor() -> None:
    for report in diagnose():
        assert not report.works and "no namespaces" in report.detail
        assert "do: harness doctor" not in report.detail and "unprivileged user namespaces" in report.detail


def test_where_no_engine_may_start_the_way_out_is_named() -> None:
    with pytest.raises(NoSandbox) as raised:
        choose("auto")
    assert "no namespaces" in raised.value.message and "--sandbox none" in raised.value.do
