"""What the command line names: models and images."""

import pytest
from PIL import Image

from harness.bench.boards import load, names
from harness.bench.envelope import envelope, fits
from harness.bench.subjects import given_images, named_models
from harness.errors import UsageError


def touch(folder, *files):
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return [folder / name for name in files]


def test_models_are_named_by_what_tells_them_apart(tmp_path):
    files = touch(tmp_path, "a/model.onnx", "b/model.onnx", "vgg16.pt", "a/labels.txt")
    found = named_models(files[:3], None)
    assert [one.name for one in found] == ["a/model", "b/model", f"{tmp_path.name}/vgg16"]
    assert list(found[0].handed.companions) == ["labels.txt"]
    assert [one.name for one in named_models(files[2:3], None)] == ["vgg16"]


def test_the_reference_comes_first(tmp_path):
    one, other = touch(tmp_path, "mine.onnx", "base.onnx")
    found = named_models([one], other)
    assert [(model.name, model.is_reference) for model in found] == [("base", True), ("mine", False)]


def test_a_folder_stands_for_its_one_model(tmp_path):
    touch(
        tmp_path,
        "submission/model.pt",
        "submission/model.py",
        "submission/labels.txt",
        "two/model.pt",
        "two/model.onnx",
        "no/x",
    )
    assert named_models([tmp_path / "submission"], None)[0].handed.file.name == "model.pt"
    for folder, said in (("two", "holds 2 files"), ("no", "without a file model"), ("none", "no such file")):
        with pytest.raises(UsageError, match=said):
            named_models([tmp_path / folder], None)


def test_one_model_named_twice(tmp_path):
    (file,) = touch(tmp_path, "a.onnx")
    with pytest.raises(UsageError, match="twice"):
        named_models([file, file], None)


def draw(folder, count):
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        Image.new("RGB", (16, 16), (index, 0, 0)).save(folder / f"{index}.png")


def test_images_with_labels_and_without(tmp_path):
    draw(tmp_path / "labelled" / "cup", 3)
    draw(tmp_path / "labelled" / "hat", 2)
    draw(tmp_path / "plain", 4)
    found = given_images(tmp_path / "labelled", calibrate=False)
    assert found.labelled and found.scored.truth == (0, 0, 0, 1, 1) and found.calibration is None
    found = given_images(tmp_path / "plain", calibrate=False)
    assert not found.labelled and len(found.scored.files) == 4


def test_what_calibrates_is_not_scored_on(tmp_path):
    draw(tmp_path, 255)
    found = given_images(tmp_path, calibrate=True)
    assert not set(found.scored.files) & set(found.calibration.files)
    assert len(found.scored.files) + len(found.calibration.files) == 255
    assert len(found.calibration.files) == 64


@pytest.mark.parametrize(("count", "said"), [(0, "no images in it"), (3, "too few to calibrate")])
def test_too_few_images(count, said, tmp_path):
    draw(tmp_path, count)
    with pytest.raises(UsageError, match=said):
        given_images(tmp_path, calibrate=True)


def test_the_cores_and_the_memory_of_every_board():
    for name in names():
        board = load(name)
        assert board.cpu_cores in ((4, 6, 8, 12) if board.cpu else (None,)), name
        if board.memory_gb is None:
            assert board.available_bytes() is None
            with pytest.raises(UsageError, match="is not among its figures"):
                envelope(board, 4)
        else:
            assert 0.5e9 < board.available_bytes() < board.memory_gb * 1.08e9
    assert load("jetson-tx2").cpu_cores == 6


def test_an_envelope_never_has_more_cores_than_there_are():
    nano = load("jetson-nano-4gb")
    assert envelope(nano, 2).cores == 2 and envelope(nano, 16).cores == 4
    assert 3.2e9 < envelope(nano, 4).memory_bytes < 3.7e9


def test_two_gigabytes_fit_a_nano_4gb_and_not_a_nano_2gb():
    by_board = {fit.board: fit.fits for fit in fits(2_000_000_000)}
    assert not by_board["Jetson Nano 2GB"] and by_board["Jetson Nano 4GB"]
