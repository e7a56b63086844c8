"""What Keras does not need is passed over while it is imported, and only then."""

import sys

import pytest

from harness.agent.models import lean_imports
from harness.agent.models.lean_imports import lean


def test_what_is_not_needed_cannot_be_imported_meanwhile_and_can_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_imports, "_NOT_NEEDED", ("wave", "json"))
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    loaded = sys.modules["json"]
    with lean():
        with pytest.raises(ImportError):
            import wave
        assert sys.modules["json"] is loaded, "what is loaded stays"
    import wave

    assert wave.open is not None and sys.modules["json"] is loaded


def test_an_import_that_fails_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_imports, "_NOT_NEEDED", ("wave",))
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with pytest.raises(ZeroDivisionError), lean():
        raise ZeroDivisionError
    assert "wave" not in sys.modules
