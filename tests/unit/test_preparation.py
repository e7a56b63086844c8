"""What a class needs that is not here: weights that notebooks or the assignment name, environments."""

import json
from pathlib import Path

import pytest
from test_environment_choice import Engine

from harness.grading.preparation import lacking
from harness.inputs.assignment import Assignment
from harness.sandbox.software import KERAS, TORCH


def test_weights_and_environments_are_named_with_who_needs_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name, source in {
        "anna": "import keras",
        "ben": "from torchvision import models\nmodels.alexnet(pretrained=True)",
    }.items():
        cell = {"cell_type": "code", "source": source, "outputs": [], "metadata": {}}
        (tmp_path / "class" / name).mkdir(parents=True)
        document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
        (tmp_path / "class" / name / "notebook.ipynb").write_text(json.dumps(document))
    criteria = [{"kind": "notebook_runs", "points": 1}]
    said = {"title": "T", "held_out": {"mode": "withhold"}, "criteria": criteria}
    found = lacking(tmp_path / "class", Assignment.model_validate(said), Engine(TORCH))
    assert found.weights == {"alexnet": ("ben",), "mobilenet_v2": ()}
    assert found.software == ((KERAS, ("anna",)),)
    named = Assignment.model_validate({**said, "weights": ["vgg16"]})
    assert set(lacking(tmp_path / "class", named, Engine(TORCH, KERAS)).weights) == {"vgg16", "mobilenet_v2"}
    assert not lacking(tmp_path / "class", named, Engine(TORCH, KERAS)).software
