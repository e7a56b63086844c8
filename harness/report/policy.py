"""The Content-Security-Policy of our pages: what a browser may load for them."""

from __future__ import annotations

import base64
import hashlib
import re

OWN_FILES = "'self'"  # the report's
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def policy(styles: str, images: str = "data:", rest: str = "") -> str:
    """The policy: `styles` and `images` are source expressions, `rest` more directives. All else is refused."""
    found = f"default-src 'none'; img-src {images}; base-uri 'none'; form-action 'none'; style-src {styles}"
    return f"{found}; {rest}" if rest else found


def source(inline: str) -> str:
    """The source expression of an inline style or script: the hash of its text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"


def style_source(document: str) -> str:
    """The source expression of the style in the head of a document of ours. Raises `ValueError` where there is none."""
    style = _STYLE.search(document.partition("<body")[0])
    if style is None:
        raise ValueError("the document has no style in its head")
    return source(style[1])
