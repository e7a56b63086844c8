"""How much data a notebook's source carries: whatever it is written in, it is counted; what courses write is not."""

import base64
import json
import random
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.agent.rerun.embedded import bound
from harness.agent.rerun.source import Carried, carried, prose, rewritten

REPOSITORY = Path(__file__).parents[3]
PAYLOAD = random.Random(1).randbytes(3000)  # half of what the smallest head of a network takes
WORDS = [f"{a}{b}" for a in "bdfghklmnprstvwz" for b in ("ana", "ore", "ilu", "ent", "aro", "ish", "umb", "ove",
         "eck", "irn", "olt", "ash", "ump", "est", "ink", "oud")]  # fmt: skip


def of(*code: str, texts: tuple[str, ...] = (), **modules: str) -> Carried:
    return carried(code, texts, {name.replace("__", "."): text for name, text in modules.items()}, {})


HIDDEN = {
    "base64 in one string": lambda p: f"x = {base64.b64encode(p).decode()!r}",
    "base64 in short strings": lambda p: f"x = {_cut(base64.b64encode(p).decode(), 6)}",
    "bytes": lambda p: f"x = {p!r}",
    "hexadecimal": lambda p: f"x = bytes.fromhex({p.hex()!r})",
    "one whole number": lambda p: f"x = {hex(int.from_bytes(p, 'big'))}",
    "a list of numbers": lambda p: f"x = {list(p)}",
    "fractions": lambda p: f"x = [{', '.join(f'{b / 255:.4f}' for b in p)}]",
    "a dictionary of tuples": lambda p: f"x = {{i: v for i, v in {[(i, b) for i, b in enumerate(p)]}}}",
    "a formatted string": lambda p: "y = 1\nx = f'" + base64.b64encode(p).decode() + "{y}'",
    "a docstring": lambda p: f'def f():\n    """{base64.b64encode(p).decode()}"""',
    "comments": lambda p: "\n".join(f"# {w}" for w in _cut(base64.b64encode(p).decode(), 30)),
    "ideograms": lambda p: f"x = {''.join(chr(0x4E00 + byte) for byte in p)!r}",
    "words": lambda p: "x = '" + " ".join(WORDS[b] for b in p) + "'",
    "a file that a magic writes": lambda p: f"%%writefile w.txt\n{base64.b64encode(p).decode()}",
    "a shell command": lambda p: f"!echo {base64.b64encode(p).decode()} > w.txt",
    "a cell that is no Python": lambda p: f"this is no python {base64.b64encode(p).decode()}",
    "a cell nested too deeply": lambda p: f"x = {'(' * 3000}{base64.b64encode(p).decode()!r}{')' * 3000}",
}  # fmt: skip


def _cut(text: str, length: int) -> list[str]:
    return [text[at : at + length] for at in range(0, len(text), length)]


@pytest.mark.parametrize("how", HIDDEN)
def test_three_kilobytes_are_counted_however_they_are_written(how: str):
    found = of("import torch", HIDDEN[how](PAYLOAD))
    assert found.where == "code cell 2" and found.information >= len(PAYLOAD)


def test_more_is_found_in_names_and_in_spaces():
    payload = random.Random(2).randbytes(15_000)
    names = "\n".join(f"v{payload[at : at + 8].hex()} = 0" for at in range(0, len(payload), 8))
    assert of(names).where == "the names in the code"
    halves = [half for byte in payload for half in (byte >> 4, byte & 15)]
    assert of("\n".join(f"x = 1{' ' * half}" for half in halves)).where == "the spaces in the code"


HEAD = random.Random(3).randbytes(6400)  # 5 classes on 1280 features, a byte for each weight
SPREAD = {
    "names": lambda p: ((f"def f(): {'; '.join('v' + part.hex() for part in _parts(p, 16))}",), ()),
    "operators": lambda p: ("\n".join(f"{''.join('+-'[bit] for bit in _bits(part))}x" for part in _parts(p, 16)), ()),
    "spaces": lambda p: ("\n".join("x" + " " * half + "= 1" for byte in p for half in (byte >> 4, byte & 15)), ()),
    "words of the text": lambda p: ("import torch", (" ".join(WORDS[byte] for byte in p),)),
    "half names, half words": lambda p: (
        SPREAD["names"](p[:2400])[0][0],
        SPREAD["words of the text"](p[2400:])[1],
    ),
}  # fmt: skip


def _parts(payload: bytes, length: int) -> list[bytes]:
    return [payload[at : at + length] for at in range(0, len(payload), length)]


def _bits(payload: bytes) -> list[int]:
    return [byte >> place & 1 for byte in payload for place in range(8)]


@pytest.mark.parametrize("how", SPREAD)
def test_the_smallest_head_is_found_where_no_literal_is(how: str):
    """Names, code and text can be read by the code when it runs; there was room for it in each of them."""
    code, texts = SPREAD[how](HEAD)
    found = of(*((code,) if isinstance(code, str) else code), texts=texts)
    assert found.where and found.information > found.usual


def test_it_is_found_in_modules_and_in_text():
    encoded = base64.b64encode(PAYLOAD).decode()
    assert of("import helper", helper__py=f"X = {encoded!r}").where == "helper.py"
    assert of("1", texts=(f"Answer: {encoded}",)).where == "the text"
    assert of("1", texts=(f"![a](data:image/png;base64,{encoded})",)).where == "", "such an image is taken out"
    assert prose(f"before ![a](data:image/png;base64,{encoded}) after") == "before ![a]() after"


def test_what_courses_write_is_usual():
    """Every notebook that the repository has for honest: a student's has less than half of what is usual, and
    the course's solutions, which explain more than any student does, leave a quarter."""
    files = [*REPOSITORY.glob("submissions/*/*.ipynb"), *REPOSITORY.glob("reference_solution/**/*.ipynb")]
    assert len(files) >= 8
    for file in files:
        cells = json.loads(file.read_text("utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] != "code"]
        found = of(*code, texts=tuple(texts))
        share = 3 / 4 if file.name.startswith("solution") else 1 / 2
        assert found.where == "" and found.information < found.usual * share, file


def test_a_list_of_classes_urls_and_small_examples_are_usual():
    cell = """
CLASSES = ['mug', 'ball', 'goblet', 'bottle', 'dumbbell', 'screwdriver', 'stapler']
URL = 'https://storage.googleapis.com/tensorflow/keras-applications/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5'
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
history = [0.31, 0.52, 0.61, 0.66, 0.71, 0.74, 0.75, 0.79, 0.81, 0.81]
"""
    assert of(*[cell] * 3, *(f"print('accuracy of {name}')" for name in WORDS[:40])).where == ""


def test_the_count_is_never_less_than_what_was_hidden():
    for seed in range(20):
        payload = random.Random(seed).randbytes(500)
        assert bound([base64.b85encode(payload).decode()]) >= len(payload)


def test_only_the_text_of_the_cells_is_left():
    """Metadata of cells and notebook, outputs, attachments, identifiers: none of it reaches the rerun."""
    secret = "SMUGGLED" * 8
    cells = [
        SimpleNamespace(cell_type="code", source="1 + 1", metadata={"tags": [secret]}, outputs=[secret], id=secret),
        SimpleNamespace(cell_type="markdown", source="words", attachments={"a.png": secret}, metadata={}, id=secret),
        SimpleNamespace(cell_type="raw", source="raw", metadata={"format": secret}, id=secret),
    ]
    metadata = {"python_assumed": "", "colab": secret, "kernelspec": {"display_name": secret}}
    content = rewritten(SimpleNamespace(cells=cells, metadata=metadata))
    assert b"SMUGGLED" not in content
    document = json.loads(content)
    assert [cell["source"] for cell in document["cells"]] == ["1 + 1", "words", "raw"]
    assert document["metadata"] == {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
