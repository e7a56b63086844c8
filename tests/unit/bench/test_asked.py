"""What the command line of `harness bench` takes for a model and for batches."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from harness.cli.bench import bench


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["torchvision:../x"], "torchvision's name of a classifier"),
        (["torchvision:"], "torchvision's name of a classifier"),
        (["a.onnx", "--batch", "1,x"], "numbers from 1 to 64"),
        (["a.onnx", "--batch", "0"], "numbers from 1 to 64"),
        (["a.onnx", "--batch", "65"], "numbers from 1 to 64"),
        (["a.onnx", "--batch", ""], "numbers from 1 to 64"),
        (["torchvision:resnet18", "--input", "5"], "32<=x<=1024"),
    ],
)
def test_wrong_names_and_numbers_are_refused_before_anything_runs(arguments, said):
    done = CliRunner().invoke(bench, arguments)
    assert done.exit_code == 2 and said in " ".join(done.output.split())
