"""Parses dates that LMSs write for people, in their languages. The clock is the course's."""

from __future__ import annotations

import datetime
import re
import unicodedata

# First three letters without accents, in English, Dutch, German, French, Spanish, Italian and Portuguese.
_MONTHS = {
    **dict.fromkeys(("jan", "gen", "ene"), 1),
    **dict.fromkeys(("feb", "fev"), 2),
    **dict.fromkeys(("mar", "maa", "mrt"), 3),
    **dict.fromkeys(("apr", "abr", "avr"), 4),
    **dict.fromkeys(("may", "mai", "mei", "mag"), 5),
    **dict.fromkeys(("jun", "giu"), 6),
    **dict.fromkeys(("jul", "lug"), 7),
    **dict.fromkeys(("aug", "ago", "aou"), 8),
    **dict.fromkeys(("sep", "set"), 9),
    **dict.fromkeys(("oct", "okt", "ott", "out"), 10),
    "nov": 11,
    **dict.fromkeys(("dec", "dez", "dic"), 12),
}
_TIME = r"\D{0,8}?(?P<hour>\d{1,2})[:.hu]?(?P<minute>\d\d)(?:[:.]\d\d)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
_DATES = (
    re.compile(r"(?P<month>[^\W\d_]{3,12})\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>20\d\d),?" + _TIME),
    re.compile(
        r"(?P<day>\d{1,2})\.?\s+(?:de\s+)?(?P<month>[^\W\d_]{3,12})\.?,?\s+(?:de\s+)?(?P<year>20\d\d),?" + _TIME
    ),
    re.compile(r"(?P<year>20\d\d)-(?P<number>\d\d)-(?P<day>\d\d)" + _TIME),
)


def read_local_date(text: str) -> datetime.datetime | None:
    """The date and time in the text, without a zone; None if there is none or its language is not known."""
    for pattern in _DATES:
        match = pattern.search(text)
        if match is None:
            continue
        named = match.groupdict()
        month = int(named["number"]) if named.get("number") else _month(named["month"])
        hour = int(named["hour"])
        half = (named["half"] or "").replace(".", "").lower()
        if half:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if half == "pm" else 0)
        if month is not None:
            try:
                return datetime.datetime(int(named["year"]), month, int(named["day"]), hour, int(named["minute"]))
            except ValueError:
                return None
    return None


def _month(word: str) -> int | None:
    plain = "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))
    if plain.startswith("jui"):  # French: juin, juillet
        return 7 if plain.startswith("juil") else 6
    return _MONTHS.get(plain[:3])
