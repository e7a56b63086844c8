"""The manifest holds what the installed libraries publish in their own code, under names that do not change."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from harness.agent.torchvision_ops import declare_missing
from harness.errors import UsageError
from harness.inputs import weights
from harness.inputs.weights.manifest import asked_as

# What assignments named before the manifest was generated: name -> file.
EARLIER = {
    "mobilenet_v2": "mobilenet_v2-b0353104.pth",
    "vgg16": "vgg16-397923af.pth",
    "vgg19": "vgg19-dcbb9e9d.pth",
    "mobilenet_v2_v2": "mobilenet_v2-7ebf99e0.pth",
    "mobilenet_v3_large": "mobilenet_v3_large-8738ca79.pth",
    "mobilenet_v3_large_v2": "mobilenet_v3_large-5c1a4163.pth",
    "mobilenet_v3_small": "mobilenet_v3_small-047dcff4.pth",
    "resnet18": "resnet18-f37072fd.pth",
    "resnet50": "resnet50-0676ba61.pth",
    "resnet50_v2": "resnet50-11ad3fa6.pth",
    "vgg16_notop_caffe": "vgg16_notop_caffe.safetensors",
    "keras_vgg16_notop": "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "keras_vgg16": "vgg16_weights_tf_dim_ordering_tf_kernels.h5",
    "keras_vgg19_notop": "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "keras_vgg19": "vgg19_weights_tf_dim_ordering_tf_kernels.h5",
    "keras_mobilenet_notop": "mobilenet_1_0_224_tf_no_top.h5",
    "keras_mobilenet": "mobilenet_1_0_224_tf.h5",
    "keras_mobilenet_v2_notop": "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
    "keras_mobilenet_v2": "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
    "keras_resnet50_notop": "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "keras_resnet50": "resnet50_weights_tf_dim_ordering_tf_kernels.h5",
    "keras_efficientnetb0_notop": "efficientnetb0_notop.h5",
    "keras_efficientnetb0": "efficientnetb0.h5",
    "ssd_mobilenet": "mobilenet-v1-ssd-mp-0_675.pth",
}

# In Keras' code, for models that it offers under no name: ResNeXt-50 and -101, with top and without.
RESNEXT = {
    "67a5b30d522ed92f75a1f16eef299d1a",
    "62527c363bdd9ec598bed41947b379fc",
    "34fb605428fcc7aa4d62f44404c11509",
    "0f678c91647380debd923963594981b3",
}


@pytest.mark.parametrize("name", EARLIER)
def test_an_earlier_name_means_the_same_file(name: str) -> None:
    (entry,) = weights.named(name)
    assert entry.file == EARLIER[name]
    folder = "keras/models" if name.startswith("keras_") else "hub/checkpoints"
    assert entry.mounted_path == f"{folder}/{entry.file}" and entry.bytes is not None


def test_every_weight_of_torchvision_for_classification_and_detection_is_known() -> None:
    declare_missing()
    from torchvision import models

    modules = (models, models.detection, models.quantization)
    names = [name for module in modules for name in models.list_models(module)]
    published = {member.url for name in names for member in models.get_model_weights(name)}
    assert len(published) > 100
    assert [url for url in published if weights.by_address(url) is None] == []


def test_every_hash_in_keras_code_is_known() -> None:
    """Its sources are searched as text: a way of its own, beside the generator's."""
    package = importlib.util.find_spec("keras")
    assert package is not None and package.origin is not None
    sources = (Path(package.origin).parent / "src" / "applications").glob("*.py")
    published = {
        digest
        for file in sources
        if file.name not in ("imagenet_utils.py", "applications_test.py")  # names of classes, no weights
        for digest in re.findall(r'"([0-9a-f]{32}|[0-9a-f]{64})"', file.read_text(encoding="utf-8"))
    }
    known = {entry.md5 or entry.sha256 for entry in weights.list_weights()}
    assert len(published) > 70
    assert published - known == RESNEXT


def test_every_entry_can_be_told_from_every_other() -> None:
    entries = weights.list_weights()
    assert len({entry.mounted_path for entry in entries}) == len({entry.stored_as for entry in entries}) == len(entries)
    assert len({url for entry in entries for url in _addresses(entry)}) == sum(len(_addresses(e)) for e in entries)
    assert all(entry.licence and entry.about for entry in entries)


def _addresses(entry: weights.WeightsEntry) -> list[str]:
    return [source.url for source in entry.sources if source.url]


def test_a_call_loads_one_file_unless_it_is_an_image_set() -> None:
    for entry in weights.list_weights():
        for ask in entry.asked_as:
            several = entry.kind == "dataset" or ".quantization." in ask  # whose `pretrained` depends on `quantize`
            assert several or asked_as(ask) == (entry,), ask


def test_an_image_set_is_named_as_a_whole() -> None:
    mnist = weights.named("mnist")
    assert len(mnist) == 4 and {entry.part_of for entry in mnist} == {"mnist"}
    with pytest.raises(UsageError, match="did you mean 'fashion_mnist'"):
        weights.named("fashon_mnist")


def test_both_libraries_download_one_archive_of_cifar10() -> None:
    (torch,), (keras,) = asked_as("torchvision.datasets.CIFAR10"), asked_as("keras.datasets.cifar10")
    assert torch is keras


def test_only_float_weights_serve_as_backbones() -> None:
    backbones = {entry.name for entry in weights.list_weights() if entry.is_backbone}
    assert {"alexnet", "keras_vgg16", "ssd_mobilenet"} <= backbones
    assert not {"quantized_resnet18", "cifar10", "jetson_alexnet"} & backbones
