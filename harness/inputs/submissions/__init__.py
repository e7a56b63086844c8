"""From a folder of hand-ins to submissions: one folder, archive or loose file per student or group."""

from harness.inputs.submissions.collect import collect

__all__ = ["collect"]
