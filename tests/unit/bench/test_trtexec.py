"""trtexec's times, of TensorRT 7 (JetPack 4) and of TensorRT 8 and later."""

import json

import pytest

from harness.bench.trtexec import is_times, read
from harness.errors import UsageError


def inference(at, compute, new=True):
    h2d, d2h = ("startH2dMs", "endH2dMs"), ("startD2hMs", "endD2hMs")
    names = (*h2d, "startComputeMs", "endComputeMs", *d2h)
    if not new:
        names = ("startInMs", "endInMs", "startComputeMs", "endComputeMs", "startOutMs", "endOutMs")
    moments = (at, at + 0.2, at + 0.2, at + 0.2 + compute, at + 0.2 + compute, at + 0.3 + compute)
    spans = {"h2dMs": 0.2, "d2hMs": 0.1} if new else {"inMs": 0.2, "outMs": 0.1, "endToEndMs": compute + 0.3}
    return dict(zip(names, moments, strict=True)) | spans | {"computeMs": compute, "latencyMs": compute + 0.3}


@pytest.mark.parametrize("new", [True, False])
def test_latencies_and_throughput(new, tmp_path):
    file = tmp_path / "resnet18.json"
    file.write_text(json.dumps([inference(10.0 * i, 5 + i / 100, new) for i in range(100)]))
    found = read(file)
    assert (found.model, found.engine, found.queries) == ("resnet18", "trtexec", 100)
    assert found.p50_ms == pytest.approx(5.3 + 0.49)
    assert found.p90_ms == pytest.approx(5.3 + 0.89)
    assert found.throughput_per_s == pytest.approx(100 / 0.996, rel=0.01)
    assert found.early_stopping.estimate_ms >= found.p90_ms
    assert found.valid and "5.49 ms are the GPU's" in found.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "holds 0 inferences"),
        ("{", "not trtexec's times"),
        ('[{"latencyMs": 3}]', "0.startH2dMs"),
        ('[{"latencyMs": -3, "computeMs": 1, "startH2dMs": 0, "endD2hMs": 1}]', "latencyMs"),
        ('[{"latencyMs": NaN, "computeMs": 1, "startH2dMs": 0, "endD2hMs": 1}]', "latencyMs"),
    ],
)
def test_what_is_not_trtexecs(text, said, tmp_path):
    file = tmp_path / "times.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        read(file)


def test_a_model_is_not_taken_for_times(tmp_path):
    (tmp_path / "model.onnx").touch()
    assert not is_times(tmp_path / "model.onnx") and not is_times(tmp_path / "none.json")
