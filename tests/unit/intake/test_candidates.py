"""Which file of a submission is tried first as its model and its notebook."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from harness.findings.file_kinds import FILE_KINDS
from harness.inputs.submission import SubmittedFile
from harness.inputs.submissions.candidates import MOST_TRIED, Aged, models, notebooks


def files(*named: tuple[str, str] | tuple[str, str, float]) -> list[Aged]:
    return [Aged(SubmittedFile(Path(name), kind), float(*age)) for name, kind, *age in named]


def order(*named: tuple[str, str] | tuple[str, str, float]) -> list[str]:
    return [str(model.path) for model in models(files(*named))]


def test_a_whole_model_comes_before_weights_and_these_before_what_cannot_be_read() -> None:
    assert order(
        ("a.pkl", "history"),
        ("b.h5", "lfs-pointer"),
        ("best.weights.h5", "keras-weights"),
        ("best_wts.pth", "torch-weights"),
        ("deep/er/final.bin", "torch-module"),
        ("noise.onnx", "unrecognised"),
    ) == ["deep/er/final.bin", "best_wts.pth", "noise.onnx", "b.h5", "best.weights.h5", "a.pkl"]


def test_weights_come_with_the_code_that_builds_their_model() -> None:
    (model,) = models(files(("out/epoch=9.ckpt", "torch-lightning"), ("out/model.py", "python"), ("notes.txt", "text")))
    assert [(one.role, str(one.path)) for one in model.companions] == [("model.py", "out/model.py")]


def test_of_equals_the_expected_name_then_the_nearest_then_the_newest() -> None:
    assert order(("a.onnx", "onnx", 900), ("model.h5", "hdf5-model", 0), ("b.onnx", "onnx", 90_000)) == [
        "model.h5",
        "b.onnx",
        "a.onnx",
    ]
    assert order(("z/new.onnx", "onnx", 90_000), ("a.onnx", "onnx", 0)) == ["a.onnx", "z/new.onnx"]
    assert order(("b.onnx", "onnx", 61), ("a.keras", "keras", 62), ("a.onnx", "onnx", 60)) == [
        "a.onnx",
        "b.onnx",
        "a.keras",
    ], "unpacked within a minute: as old as each other"


def test_an_unpacked_file_and_a_saved_model_are_their_folders() -> None:
    there = [
        ("objects/config.json", "json"),
        ("objects/model.weights.h5", "keras-weights"),
        ("archive/data.pkl", "torch-module"),
        ("archive/version", "text"),
        ("saved/saved_model.pb", "saved-model"),
        ("saved/variables/variables.index", "tf-checkpoint"),
        ("saved/keras_metadata.pb", "frozen-graph"),
    ]
    found = {str(model.path): model.kind for model in models(files(*there))}
    assert list(found) == ["archive", "objects", "saved"], "and not what is in them"
    assert (found["objects"], found["archive"], found["saved"]) == ("unpacked-keras", "unpacked-torch", "saved-model")


def test_an_unpacked_file_at_the_top_hides_no_other_model() -> None:
    there = [("config.json", "json"), ("model.weights.h5", "keras-weights"), ("saved_model.pb", "saved-model")]
    assert order(*there, ("final.h5", "hdf5-model"), ("keras_metadata.pb", "frozen-graph")) == [".", ".", "final.h5"]


def test_the_notebook_is_one_by_content_whatever_it_is_called() -> None:
    found = notebooks(
        [
            SubmittedFile(Path("a.ipynb"), "lfs-pointer"),
            SubmittedFile(Path("TL.ipynb.txt"), "notebook"),
            SubmittedFile(Path("model.onnx"), "onnx"),
        ]
    )
    assert [str(path) for path in found] == ["TL.ipynb.txt", "a.ipynb"]
    called = [SubmittedFile(Path(name), "notebook") for name in ("b.ipynb", "deep/notebook.ipynb", "a.json")]
    assert [str(path) for path in notebooks(called)] == ["deep/notebook.ipynb", "b.ipynb", "a.json"]


names = st.lists(
    st.tuples(st.text("ab/.", min_size=1), st.sampled_from(sorted(FILE_KINDS)), st.integers(0, 10**6)), max_size=12
)


@given(names, st.randoms())
def test_the_order_does_not_depend_on_the_order_of_the_files(named, random) -> None:
    there = files(*{name: (name, kind, age) for name, kind, age in named if Path(name).name}.values())
    shuffled = list(there)
    random.shuffle(shuffled)
    assert [model.path for model in models(there)] == [model.path for model in models(shuffled)]


def test_twenty_thousand_models_take_no_time() -> None:
    there = files(*((f"{number}/model.onnx", "onnx") for number in range(20_000)))
    assert len(models(there)) == MOST_TRIED
