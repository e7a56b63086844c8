"""Passages that notebooks of a class share: what is found, what is nobody's, who is no pair, and what it may cost."""

import json
import random
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from example_evidence import evidence

from harness.grading.similarity import class_texts
from harness.grading.similarity.class_texts import with_texts_compared
from harness.grading.similarity.texts import Written, alike
from harness.grading.submission_run import Examined
from harness.inputs.submission import Origin
from harness.inputs.submissions.child import Children
from harness.inputs.submissions.texts import Cell, notebook_texts
from harness.stages.cache import StageCache
from harness.stages.evidence.alike import AlikeTexts
from harness.stages.store import Store

ANSWER = (
    "The validation loss rises after the twelfth epoch while the training loss goes on falling, so from there on my "
    "network learns its own images by heart; with the frozen backbone that began only at epoch thirty."
)


@pytest.fixture
def cache(tmp_path: Path) -> StageCache:
    return StageCache(Store(tmp_path / "store"), "a test")


def prose(seed: int, lines: int = 40) -> str:
    rng = random.Random(seed)
    words = ["".join(rng.choice("abcdefghijklmnoprstuvw") for _ in range(rng.randint(2, 9))) for _ in range(400)]
    paragraphs = (" ".join(rng.choice(words) for _ in range(12)) + "\n" * rng.choice((1, 1, 2)) for _ in range(lines))
    return "".join(paragraphs)


def written(number: int, *texts: str, is_code: bool = False) -> Written:
    id = f"s{number}"
    cells = (Cell(1, is_code, prose(number)), *(Cell(n, is_code, text) for n, text in enumerate(texts, start=2)))
    return Written(id, frozenset({id}), frozenset(), cells)


def pairs(found: AlikeTexts) -> list[tuple[str, str]]:
    return [(pair.id, pair.other_id) for pair in found.pairs]


def test_an_answer_that_two_have_is_found_amid_their_own_words():
    found = alike([written(n, *([ANSWER] if n in (3, 7) else [])) for n in range(12)])
    assert pairs(found) == [("s3", "s7")]
    [passage] = found.pairs[0].passages
    assert (passage.text, passage.other_text, passage.cell, passage.other_cell) == (ANSWER, ANSWER, 2, 2)
    assert passage.characters == len(ANSWER) and 0 < found.pairs[0].share < 0.2
    assert found.compared == 12 and not found.more_pairs and not found.cut


def test_an_answer_with_words_of_its_own_before_and_changed_is_found():
    changed = "As I see it in my plot of both curves:\n" + ANSWER.replace("twelfth", "11th").replace("my ", "the ")
    found = alike([written(n, ANSWER if n == 0 else changed if n == 5 else prose(100 + n)) for n in range(6)])
    assert pairs(found) == [("s0", "s5")]
    assert found.pairs[0].passages[0].other_text.startswith("The validation loss rises after the 11th")


def test_code_with_other_names_is_found():
    code = "".join(
        f"feature_maps_{n} = backbone.layers[{n * 3}](feature_maps_{n - 1}) * scaling_{n}\n" for n in range(1, 9)
    )
    renamed = code.replace("scaling_", "w_")
    found = alike([written(1, code, is_code=True), written(2, renamed, is_code=True), written(3, is_code=True)])
    assert pairs(found) == [("s1", "s2")] and found.pairs[0].passages[0].is_code


def test_what_the_starting_notebook_has_is_nobodys():
    class_ = [written(1, ANSWER), written(2, ANSWER), written(3)]
    assert pairs(alike(class_)) == [("s1", "s2")]
    found = alike(class_, [Cell(1, False, ANSWER.upper() + "  ")])
    assert not found.pairs and found.without_starter


@pytest.mark.parametrize(("having", "count"), [(4, 6), (6, 0)])
def test_what_more_than_a_third_has_is_nobodys(having: int, count: int):
    found = alike([written(n, *([ANSWER] if n < having else [])) for n in range(15)])
    assert len(found.pairs) + found.more_pairs == count


def test_one_author_is_no_pair_but_a_name_in_a_notebook_proves_nothing():
    one, other = written(1, ANSWER), written(2, ANSWER)
    assert not alike([one, replace(other, people=other.people | one.people)]).pairs
    [pair] = alike([one, replace(other, named=one.people)]).pairs
    assert pair.say_one_group
    assert not alike([one, other]).pairs[0].say_one_group


@pytest.mark.parametrize("texts", [("",), ("!" * 5_000,), ("a" * 5_000,), ("\u4e00" * 300,), ("short words",)])
def test_texts_of_nothing_are_compared_too(texts: tuple[str, ...]):
    bare = [Written(str(n), frozenset({str(n)}), frozenset(), tuple(Cell(1, True, t) for t in texts)) for n in (1, 2)]
    assert alike(bare).compared == 2
    assert not alike([]).pairs


def test_a_class_of_copies_costs_seconds_and_its_list_stays_short():
    """300 notebooks of 20,000 characters, 60 of which are the same; it took 4 s."""
    the_same = prose(1, 300)
    class_ = [
        Written(f"s{n}", frozenset({f"s{n}"}), frozenset(), (Cell(1, False, the_same if n < 60 else prose(n, 300)),))
        for n in range(300)
    ]
    began = time.process_time()
    found = alike(class_)
    assert time.process_time() - began < 60
    assert len(found.pairs) == 50 and found.more_pairs and all(pair.share > 0.9 for pair in found.pairs)
    assert max(len(passage.text) for pair in found.pairs for passage in pair.passages) <= 400
    assert len(found.model_dump_json()) < 400_000


# --- notebooks on the disk ------------------------------------------------------------------------


def notebook(file: Path, *texts: str, code: str = "") -> Path:
    cells = [{"cell_type": "markdown", "source": text} for text in texts]
    cells += [{"cell_type": "code", "source": code, "outputs": [{"text": ANSWER}]}]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"nbformat": 4, "cells": cells}))
    return file


def test_cells_are_read_as_plain_text_within_limits(tmp_path: Path):
    with Children() as children:
        small = notebook_texts(notebook(tmp_path / "a.ipynb", "", "a\u202eb\x1b[31m", "\ud83d", code="1 + 1"), children)
        assert small.cells == (Cell(2, False, "ab[31m"), Cell(3, False, "\ufffd"), Cell(4, True, "1 + 1"))
        assert not small.cut
        huge = notebook_texts(notebook(tmp_path / "b.ipynb", *["\U0001f600" * 100_000] * 17), children)
        assert huge.cut and sum(len(cell.text) for cell in huge.cells) == 40_000
        (tmp_path / "c.ipynb").write_text("[" * 200_000)
        broken = notebook_texts(tmp_path / "c.ipynb", children)
        assert broken.cut and not broken.cells
        assert notebook_texts(tmp_path / "a.ipynb", children) == small  # the next one is read as ever


def examined(folder: Path, name: str, *texts: str, origin: Origin = Origin()) -> Examined:  # noqa: B008
    file = notebook(folder / name / "n.ipynb", prose(len(name)), *texts)
    handed_in = SimpleNamespace(id=name, student=name, root=file.parent, notebook=Path(file.name), origin=origin)
    return Examined(handed_in, evidence())  # type: ignore[arg-type]


def test_a_class_is_compared_without_findings(tmp_path: Path, cache: StageCache):
    class_ = [examined(tmp_path, name, ANSWER) for name in ("mia", "zoe-b")] + [examined(tmp_path, "tom-the-third")]
    noted, found = with_texts_compared(class_, None, cache)
    assert noted == class_
    assert found is not None and pairs(found) == [("mia", "zoe-b")]
    starter = notebook(tmp_path / "start.ipynb", ANSWER)
    assert not with_texts_compared(class_, starter, cache)[1].pairs  # type: ignore[union-attr]
    assert with_texts_compared(class_[:1], None, cache) == (class_[:1], None)


def test_a_listed_group_is_one_author_and_a_claimed_one_is_not(tmp_path: Path, cache: StageCache):
    def found(members_from: str) -> AlikeTexts | None:
        group = Origin(members=("Zoe-B",), members_from=members_from)  # type: ignore[arg-type]
        class_ = [examined(tmp_path, "mia", ANSWER, origin=group), examined(tmp_path, "zoe-b", ANSWER)]
        return with_texts_compared(class_, None, cache)[1]

    listed, claimed = found("list"), found("notebook")
    assert listed is not None and not listed.pairs
    assert claimed is not None and claimed.pairs[0].say_one_group


def test_a_fault_with_one_costs_the_others_nothing(tmp_path: Path, cache: StageCache, monkeypatch: pytest.MonkeyPatch):
    class_ = [examined(tmp_path, name, ANSWER) for name in ("mia", "zoe-b", "tom-the-third")]

    def compare(written: list[Written], given: object) -> AlikeTexts:
        if any(one.id == "tom-the-third" for one in written):
            raise ZeroDivisionError
        return alike(written)

    monkeypatch.setattr(class_texts, "alike", compare)
    noted, found = with_texts_compared(class_, None, cache)
    assert found is not None and pairs(found) == [("mia", "zoe-b")]
    codes = [[one.code for one in each.evidence.later_findings] for each in noted]
    assert codes == [[], [], ["harness-defect"]]


def test_what_a_class_wrote_is_compared_once(tmp_path: Path, cache: StageCache, monkeypatch: pytest.MonkeyPatch):
    def class_(*others: str) -> list[Examined]:
        return [examined(tmp_path, name, ANSWER) for name in ("mia", "zoe-b")] + [examined(tmp_path, "tom", *others)]

    times: list[int] = []
    monkeypatch.setattr(class_texts, "alike", lambda *given: times.append(1) or alike(*given))
    first = with_texts_compared(class_(), None, cache)[1]
    assert with_texts_compared(class_(), None, StageCache(Store(tmp_path / "store"), "a test"))[1] == first
    assert len(times) == 1
    again = [with_texts_compared(class_(ANSWER), None, cache)[1]]
    starter = notebook(tmp_path / "start.ipynb", ANSWER)
    again += [with_texts_compared(class_(), starter, cache)[1]]
    grouped = Origin(members=("Zoe-B",), members_from="list")
    again += [with_texts_compared([examined(tmp_path, "mia", ANSWER, origin=grouped), *class_()[1:]], None, cache)[1]]
    again += [with_texts_compared(class_()[:2], None, cache)[1]]
    assert len(times) == 5 and all(found != first for found in again), "each of them decides"
