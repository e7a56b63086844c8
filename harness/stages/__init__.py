"""The stages, which run in the sandbox: functions from typed evidence to typed evidence."""
