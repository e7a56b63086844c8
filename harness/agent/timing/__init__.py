"""Times a model: engines, scenarios, and the answers that it gave while it was timed."""
