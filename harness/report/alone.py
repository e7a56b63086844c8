"""Makes one file of a student's page, so that it can be given away: with its style, and its notebook, in it."""

from __future__ import annotations

import re

from markupsafe import escape

from harness.report.places import NOTEBOOK
from harness.report.policy import policy, source, style_source
from harness.report.used_style import names, used_only

# Our own words. What a student wrote has no quotation mark that is not escaped, so it can be none of them.
_STYLESHEET = re.compile(r'<link rel="stylesheet" href="\.\./([0-9a-f]{24}\.css)">')
_FRAMED = f' src="{NOTEBOOK}"'
_POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")[^"]*(">)')


def stylesheet_of(page: str) -> str | None:
    """The name of the page's style in the folder of the students' pages; None if it has it in itself."""
    found = _STYLESHEET.search(page.partition("<body")[0])
    return found[1] if found else None


def shows_notebook(page: str) -> bool:
    """Whether the page shows the notebook that lies beside it."""
    return _FRAMED in page.partition("<body")[2]


def alone(page: str, style: str, notebook: str = "") -> str:
    """The page with the rules of `style` that it uses and, if it shows one, with the document `notebook`.

    Needs nothing beside itself afterwards, and its policy allows nothing else.
    """
    head, _, body = page.partition("<body")
    less = used_only(style, names(body))
    styles = source(less)
    if notebook:
        styles += f" {style_source(notebook)}"  # a frame's document has to keep the policy of its page, too
        body = body.replace(_FRAMED, f' srcdoc="{escape(notebook)}"', 1)
    head = _POLICY.sub(lambda found: f"{found[1]}{policy(styles)}{found[2]}", head, count=1)
    head = _STYLESHEET.sub(lambda _: f"<style>{less}</style>", head, count=1)
    return f"{head}<body{body}"
