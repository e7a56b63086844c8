"""`harness grade`: a class, each of its submissions, their marks."""
