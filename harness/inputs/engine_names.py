"""The sandbox engines, by the name that `--sandbox` takes; apart from the engines, which take long to import."""

from __future__ import annotations

from typing import Literal

EngineName = Literal["auto", "docker", "bubblewrap", "none"]
