"""What a library says of an error, as one sentence that a person can read.

Exceptions come with colours, with the C++ file that raised them, with paths of this machine, with dumped configurations
and with essays about versions. What remains is what went wrong.
"""

from __future__ import annotations

import re
import sys

from ..paths import IN, TMP, WORK

_MOST = 200  # characters
_LEAST = 20  # a first sentence that is shorter says too little alone
_READ = 20_000  # characters that are looked at
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_CPP = r"[\w./+-]*\w\.(?:cpp|cc|cxx|cu|cuh|hpp|hh|h|c)"
# Replaced by nothing, in this order.
_NOISE = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"\s*Exception raised from .*",
        r"\s*\(?most recent call first\)?:.*",
        r"\[enforce fail at [^\]]*\]\s*[^.\n]{0,80}\.\s*",
        r"\{\{.*?\}\}\s*",
        r"\[\[.*?\]\]\s*",
        r"\[(?:Errno|WinError) -?\d+\]\s*",
        r"\bat 0x[0-9a-fA-F]+\b",
        r"\s*==> Context:.*",
        r"\s*\[Op:\w+\](?: name:[^\n]*)?",
        r"\[ONNXRuntimeError\] : \d+ : \w+ : ",
        r"\s*\[[EWIF]:[^\]]*\]",
        rf"(?:\bat )?{_CPP}:\d+(?::| line \d+)?(?: in)?(?: [\w:<>~ *&,]+\([^()\n]*\)(?: const)?(?: \[[^\]\n]*\])?)?:?",
        rf"\(?{_CPP}\)?(?= line \d+)",
        r"\b(?:Full object )?[cC]onfig(?:uration)?\s*[=:]\s*[{<].*",
    )
)
# A paragraph that only says where: what went wrong follows.
_WRAPPERS = re.compile(r"Exception encountered when calling |Graph execution error|Detected at node ")
_URL_ERROR = re.compile(r"<urlopen error ([^<>\n]*)>")
_FILE_OBJECT = re.compile(r"<(?:_io\.\w+|[\w.]*FileIO)[^>\n]*>")
_ELSEWHERE = re.compile(r"Caught \w+ in ")  # a traceback of another process follows
_NO_PARAGRAPH = re.compile(r"(?:Call )?[aA]rguments received by |File \"|Stack trace|Original Traceback|defined at ")
_LISTED = re.compile(r"\(?\d+[.)]|[-*•] |File \"|frame #|Traceback ")
_END = re.compile(r"[.!?](?=\s+[\"'(\[]?[A-Z]|\s*$)")
_PATH = re.compile(r"(?<![\w.:/~-])/(?:[^\s'\"<>:,;()\[\]/]+/)*[^\s'\"<>:,;()\[\]/]*")
_OF_LIBRARIES = re.compile(r".*/(?:site|dist)-packages/|.*/lib/python[\d.]+/")
_OF_THE_MACHINE = tuple(f"{place}/" for place in (WORK, IN, TMP, sys.prefix, sys.base_prefix, "/opt/harness"))


def plain(text: str) -> str:
    """The text without escape codes, and without paths that only this machine has."""
    return _PATH.sub(_shorter, _ANSI.sub("", text[:_READ]))


def one_sentence(text: str, most: int = _MOST) -> str:
    """The one sentence, of at most `most` characters, that says what an exception with this text is about.

    Without a full stop; empty where nothing is said. A longer sentence ends after a word, with an ellipsis.
    """
    text = plain(text).replace("\r\n", "\n")
    text = _URL_ERROR.sub(r"\1", text)
    text = _FILE_OBJECT.sub("the file", text)
    if (caused := text.rpartition("Exception encountered: ")[2].strip()) and caused != text:
        text = caused  # what stands before it is a configuration
    if _ELSEWHERE.match(text) and (there := last_line(text))[0]:
        text = ": ".join(filter(None, there))
    for noise in _NOISE:
        text = noise.sub("", text)
    paragraphs = [paragraph.strip() for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip()]
    telling = [one for one in paragraphs if not _WRAPPERS.match(one) and not _NO_PARAGRAPH.match(one)]
    said = _first_sentence(_first_lines((telling or paragraphs or [""])[0]))
    return shortened(said, most)


def shortened(text: str, most: int) -> str:
    """The text on one line, cut after a word with an ellipsis if it is longer than `most` characters."""
    text = " ".join(text.split()).rstrip(".:, ")
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    if not text[most - 1].isspace():
        kept = kept.rpartition(" ")[0] or kept
    return kept.rstrip(" .,:;(['\"") + "…"


def last_line(traceback: str) -> tuple[str, str]:
    """The exception's name and message by the last line of a traceback that says one; empty where none does."""
    for line in reversed(_ANSI.sub("", traceback).splitlines()):
        found = re.match(r"\s*((?:\w+\.)*[A-Z]\w*)(?::\s*(.*))?$", line)
        if found and found[1] not in ("NoneType", "None", "Traceback"):
            return found[1], (found[2] or "").strip()
    return "", ""


def _first_lines(paragraph: str) -> str:
    """The lines before a list, as one."""
    lines = [line.strip() for line in paragraph.split("\n") if line.strip()]
    listed = (number for number, line in enumerate(lines) if number and _LISTED.match(line))
    return " ".join(lines[: next(listed, len(lines))])


def _first_sentence(text: str) -> str:
    for end in _END.finditer(text):
        if end.start() >= _LEAST:
            return text[: end.start()]
    return text


def _shorter(found: re.Match[str]) -> str:
    path = found[0]
    for own in (f"{WORK}/handin/", f"{IN}/submission/", f"{WORK}/home/"):
        if path.startswith(own):
            return path.removeprefix(own) or "."
    if library := _OF_LIBRARIES.match(path):
        return path[library.end() :]
    return path.rpartition("/")[2] if path.startswith(_OF_THE_MACHINE) else path
