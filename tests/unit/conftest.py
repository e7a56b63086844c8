"""Fast tests: no sandbox engine."""

from hypothesis import HealthCheck, settings

# A machine that does something else, too, must not fail a test: no example has a time limit.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
