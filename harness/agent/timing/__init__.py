"""Timing a model: engines, scenarios, and what it answered meanwhile."""
