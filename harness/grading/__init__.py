"""`harness grade`: runs a class, each of its submissions, and the rubric."""
