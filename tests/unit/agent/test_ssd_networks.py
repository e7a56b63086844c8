"""The five networks are those of jetson-inference: tensors, priors, and answers to an image with the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from ssd_facts import FACTS, asked, digest, image, weights

from harness.agent.images.preprocessing import fitted, model_input
from harness.agent.ssd.detector import Detector
from harness.agent.ssd.export import export
from harness.agent.ssd.networks import MB1_SSD, NETWORKS, VGG16_SSD


@pytest.mark.parametrize("name", NETWORKS)
def test_tensors_priors_and_answers_are_theirs(name: str) -> None:
    facts, detector = FACTS[name], Detector(NETWORKS[name], classes=2)
    state = detector.state_dict()
    assert (len(state), digest(state)) == (facts.tensors, facts.digest)
    detector.load_state_dict(weights(state), strict=True)
    with torch.inference_mode():
        scores, boxes = detector.eval()(image())
    assert len(detector.priors) == facts.priors
    assert (scores.shape, boxes.shape) == ((1, facts.priors, 3), (1, facts.priors, 4))
    assert asked(scores, boxes) == pytest.approx(facts.answers, abs=2e-4)


def test_the_onnx_file_gives_what_torch_gives_decoded_and_raw(tmp_path: Path) -> None:
    detector = Detector(MB1_SSD, classes=4)
    detector.load_state_dict(weights(detector.state_dict()))
    both = torch.cat([image() / 8, -image() / 8])
    with torch.inference_mode():
        wanted = {False: detector.eval()(both), True: detector.raw(both)}
    for raw, outputs in wanted.items():
        export(detector, tmp_path / "ssd.onnx", raw=raw)
        session = onnxruntime.InferenceSession(str(tmp_path / "ssd.onnx"))
        given = session.run(["scores", "boxes"], {"input_0": both.numpy()})
        for ours, theirs in zip(given, outputs, strict=True):
            assert ours.shape == theirs.shape and np.abs(ours - theirs.numpy()).max() < 1e-5
    assert wanted[False][0].sum(dim=2).numpy() == pytest.approx(1, abs=1e-5)


def test_images_are_stretched_and_scaled_as_the_trainer_does() -> None:
    colour = Image.new("RGB", (640, 360), (255, 127, 0))
    for network, wanted in ((MB1_SSD, (1, 0, -127 / 128)), (VGG16_SSD, (132, 10, -104))):
        rule = network.preprocessing()
        given = model_input(fitted(colour, rule), rule, "NCHW", "float32")
        assert given.shape == (3, 300, 300)
        assert given[:, 150, 150] == pytest.approx(wanted)
