"""Every sentence about a submission stands in the catalogue, each is used, and each gets what it has gaps for."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness.findings import KINDS, SENTENCES, finding, sentence
from harness.findings.on_models import BACKBONE_DOUBTS
from harness.findings.on_notebooks import ADVICE

ROOT = Path(harness.__file__).parent
MODULES = {file: ast.parse(file.read_text()) for file in sorted(ROOT.rglob("*.py")) if "agent" not in file.parts}
OUTSIDE = {file: tree for file, tree in MODULES.items() if file.parent != ROOT / "findings"}
# Whoever gives the words of a finding or sentence: function -> its wordings, and arguments that are no gap.
SAID_BY = {
    "finding": ({code: kind.wording for code, kind in KINDS.items()}, {"detail"}),
    "Stopped": ({code: kind.wording for code, kind in KINDS.items()}, {"detail"}),
    "note": ({code: kind.wording for code, kind in KINDS.items()}, set()),
    "sentence": (SENTENCES, set()),
    "advice": (ADVICE, set()),
}
SAID_AT = {"Judgement": 1, "Rejected": 0}  # which of a call's arguments is a reason


def gaps(wording: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(wording) if name}


def calls(name: str, trees: Iterator[ast.AST]) -> Iterator[ast.Call]:
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and name in (getattr(node.func, "id", ""), getattr(node.func, "attr", "")):
                yield node


def words(node: ast.AST) -> bool:
    """Whether the expression holds a text of several words that it puts together itself, and hands to nobody."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and " " in node.value.strip()
    if isinstance(node, ast.JoinedStr):
        return any(words(part) for part in node.values if isinstance(part, ast.Constant))
    if isinstance(node, ast.IfExp):
        return words(node.body) or words(node.orelse)
    if isinstance(node, ast.BoolOp):
        return any(map(words, node.values))
    return isinstance(node, ast.BinOp) and (words(node.left) or words(node.right))


def own_words(tree: ast.AST) -> Iterator[int]:
    """The lines on which a module says itself why a stage or a mark is as it is."""
    for node in ast.walk(tree):
        said: list[ast.AST] = []
        if isinstance(node, ast.Call):
            said = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
            said += node.args[SAID_AT[name] :][:1] if (name := getattr(node.func, "id", "")) in SAID_AT else []
        elif isinstance(node, ast.Assign) and "reason" in map(ast.unparse, node.targets):
            said = [node.value]
        yield from (one.lineno for one in said if words(one))  # type: ignore[attr-defined]


def test_stages_and_grading_build_no_sentence_of_their_own():
    here = {file: tree for file, tree in OUTSIDE.items() if {"stages", "grading"} & set(file.relative_to(ROOT).parts)}
    assert len(here) > 100
    assert [f"{file.relative_to(ROOT)}:{line}" for file, tree in here.items() for line in own_words(tree)] == []


@pytest.mark.parametrize(
    "code",
    [
        "Failed(status='rejected', reason='It is too large.')",
        "Failed(reason=f'It has {count} parts')",
        "Skipped(reason='No notebook was handed in.' if notebook is None else '')",
        "Judgement(0.0, 'All cells ran.')",
        "Rejected(f'{name} was not sent')",
        "reason = f'It stopped at {cell}: ' + why",
    ],
)
def test_a_sentence_of_ones_own_is_found(code: str):
    assert list(own_words(ast.parse(code))) == [1]


@pytest.mark.parametrize(
    "code", ["Failed(reason=sentence('no-model', why='a b'))", "Failed(reason=why)", "reason = ''"]
)
def test_one_of_the_catalogue_is_none_of_ones_own(code: str):
    assert list(own_words(ast.parse(code))) == []


@pytest.mark.parametrize("name", SAID_BY)
def test_each_wording_is_there_and_gets_what_it_has_gaps_for(name: str):
    wordings, beside = SAID_BY[name]
    checked = 0
    for call in calls(name, iter(OUTSIDE.values())):
        given = {keyword.arg for keyword in call.keywords} - beside
        if call.args and isinstance(code := call.args[0], ast.Constant):
            assert code.value in wordings, ast.unparse(call)
            if None not in given:  # no ** among them
                assert given == gaps(wordings[code.value]), ast.unparse(call)
            checked += 1
    assert checked


def test_nothing_is_in_the_catalogue_that_nobody_says():
    keys = [*KINDS, *SENTENCES, *ADVICE, *BACKBONE_DOUBTS]
    outside = {
        node.value
        for file, tree in OUTSIDE.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(set(keys) - outside) == []


def test_no_two_modules_of_the_catalogue_have_one_code():
    here = [tree for file, tree in MODULES.items() if file.parent == ROOT / "findings" and file.name != "__init__.py"]
    keys = [
        key.value
        for tree in here
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    ]
    assert len(KINDS) + len(SENTENCES) <= len(keys) and len(set(keys)) == len(keys)


def test_no_part_of_a_sentence_begins_or_ends_with_a_blank():
    """A blank at the end of a particular is taken off like one in a student's text, and words then run together."""
    assert [code for code, wording in {**SENTENCES, **ADVICE}.items() if wording != wording.strip()] == []


def test_a_particular_that_is_missing_is_our_mistake():
    with pytest.raises(KeyError):
        finding("part-missing")
    with pytest.raises(KeyError):
        sentence("job-failed")
    assert sentence("job-failed", what="The benchmark") == "The benchmark failed"
