"""What parsing a JSON text would cost in memory, worked out before it is parsed."""

from __future__ import annotations

import re

from rag.errors import SourceError

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{,]', re.S)
_CONTAINER, _STRING, _VALUE = 200, 60, 64
"""Bytes that an object or list, a string without its characters, and any other value take, about."""
_SMALL, _LARGE = 24_000_000, 400_000_000
_RATIO = 24
"""Posts of one sentence with all their counters need some twenty times their length, articles one to five times."""


def check_json(text: str) -> None:
    """Refuse what would take over 24 MB and 24 times its length, or over 400 MB.

    :raises SourceError: `text` holds values rather than articles.
    """
    limit = min(max(_SMALL, _RATIO * len(text)), _LARGE)
    rough = (text.count("{") + text.count("[")) * _CONTAINER + text.count('"') * _STRING // 2 + text.count(",") * _VALUE
    if rough <= limit:
        return
    cost = 0
    for values, token in enumerate(_TOKEN.finditer(text), 1):
        start = text[token.start()]
        cost += _STRING if start == '"' else _VALUE if start == "," else _CONTAINER
        if cost > limit:
            raise SourceError(
                f"JSON of more than {values:,} values in {len(text) / 1e6:.1f} MB, too many to be articles: "
                "expected records with a title and a text"
            )
