"""Paths inside the sandbox: fixed in a real one; `--sandbox none` sets others by environment variables."""

from __future__ import annotations

import os
from pathlib import Path

IN = Path(os.environ.get("HARNESS_IN", "/in"))  # the job's inputs, read-only
WORK = Path(os.environ.get("HARNESS_WORK", "/work"))  # empty at the start, writable
TMP = Path(os.environ.get("TMPDIR", "/tmp"))  # private, writable
AGENT = Path(__file__).resolve().parent.parent  # /opt/harness: `agent/` and `site/`
SITE = AGENT / "site"  # on the PYTHONPATH of a notebook's kernel, never of the agent
CPUS = int(os.environ.get("HARNESS_CPUS", "1"))  # processor cores that the job may use
