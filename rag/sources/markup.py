"""HTML tags inside a text field of a record. Whole HTML files go through trafilatura (see `html.py`)."""

from __future__ import annotations

import re

_MARKUP = re.compile(
    r"<(?:p|div|br|span|section|img|h[1-6]|a|strong|b|em|i|ul|li|script|style)\b[^<>]{0,2000}/?>", re.I
)
_UNSEEN = ((re.compile(r"<script\b", re.I), "</script>"), (re.compile(r"<style\b", re.I), "</style>"),
           (re.compile("<!--"), "-->"))  # fmt: skip
_BREAK = re.compile(r"<(?:br|/p|/div|/section|/h[1-6]|/li|/tr)\b[^<>]{0,2000}>", re.I)
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,5000}>")


def without_tags(text: str) -> str:
    """`text` with HTML tags removed where it is markup; a lone `<` in a sentence stays."""
    if not _MARKUP.search(text):
        return text
    for opening, closing in _UNSEEN:
        text = _drop(text, opening, closing)
    return _TAG.sub("", _BREAK.sub("\n", text))


def _drop(text: str, opening: re.Pattern[str], closing: str) -> str:
    """`text` without what stands between `opening` and `closing`; one pass, as a lazy regex would be quadratic."""
    lowered = text.lower()
    kept: list[str] = []
    position = 0
    while match := opening.search(text, position):
        kept.append(text[position : match.start()])
        end = lowered.find(closing, match.end())
        position = len(text) if end < 0 else end + len(closing)
    return "".join(kept) + text[position:]
