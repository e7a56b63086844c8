"""`café.jpg` with the accent as a character of its own, as a Mac writes it: composed, as the files' names are here."""

from __future__ import annotations

import unicodedata

from ..rule_context import Setting

TITLE = "Accents that are written as two characters (on a Mac) become one, as in the names of files and folders"
ON = True
ORDER = -2  # the other rules compare names, too


def apply(source: str, setting: Setting) -> str:
    # A notebook that is about Unicode's forms means what it says.
    return source if setting.mentions("unicodedata") else unicodedata.normalize("NFC", source)
