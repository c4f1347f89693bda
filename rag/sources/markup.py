"""HTML tags inside a text field of a record. Whole HTML files go through trafilatura (see `html.py`)."""

from __future__ import annotations

import re

from rag.sources.hidden import is_hidden

_MARKUP = re.compile(
    r"<(?:p|div|br|span|section|img|h[1-6]|a|strong|b|em|i|ul|li|script|style)\b[^<>]{0,2000}/?>", re.I
)
_UNSEEN = ((re.compile(r"<script\b", re.I), "</script>"), (re.compile(r"<style\b", re.I), "</style>"),
           (re.compile("<!--"), "-->"))  # fmt: skip
_BREAK = re.compile(r"<(?:br|/p|/div|/section|/h[1-6]|/li|/tr)\b[^<>]{0,2000}>", re.I)
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,5000}>")
_ELEMENT = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9]{0,20})(?P<rest>[^<>]{0,5000})>")
_ATTRIBUTE = re.compile(r"([A-Za-z-]{1,30})(?:\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_VOID = frozenset({"br", "img", "hr", "input", "meta", "link", "source", "wbr", "col", "area", "embed", "track"})


def without_tags(text: str) -> str:
    """`text` with HTML tags removed where it is markup; a lone `<` in a sentence stays."""
    if not _MARKUP.search(text):
        return text
    for opening, closing in _UNSEEN:
        text = _drop(text, opening, closing)
    return _TAG.sub("", _BREAK.sub("\n", _without_hidden(text)))


def _without_hidden(text: str) -> str:
    """`text` without the elements that are not shown; one that is never closed, or holds most of it, stays."""
    gaps: list[tuple[int, int]] = []
    name, depth, start = "", 0, 0
    for tag in _ELEMENT.finditer(text):
        tag_name = tag["name"].lower()
        if tag_name in _VOID or tag["rest"].endswith("/"):
            continue
        if not depth:
            if not tag["close"] and is_hidden(_attributes(tag["rest"])):
                name, depth, start = tag_name, 1, tag.start()
        elif tag_name == name:
            depth += -1 if tag["close"] else 1
            if not depth and (tag.end() - start) * 2 < len(text):
                gaps.append((start, tag.end()))
    kept, position = [], 0
    for gap_start, gap_end in gaps:
        kept.append(text[position:gap_start])
        position = gap_end
    return "".join(kept) + text[position:]


def _attributes(inside: str) -> dict[str, str | None]:
    found = _ATTRIBUTE.finditer(inside)
    return {match[1].lower(): next((value for value in match.groups()[1:] if value is not None), "") for match in found}


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
