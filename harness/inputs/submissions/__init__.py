"""Collects submissions from a folder or download: one folder, archive or loose file per student or group."""

from harness.inputs.submissions.collect import collect

__all__ = ["collect"]
