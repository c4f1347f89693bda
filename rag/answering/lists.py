"""Lists that an article prints line by line (一、…  二、…  ☆ …): found around a sentence, quoted whole."""

from __future__ import annotations

import re
from typing import Final

from rag.types import Article

Span = tuple[int, int]

_MARK = re.compile(
    r"[ \t　]*(?:(?P<han>[一二三四五六七八九十]{1,3}[、.．])|(?P<number>\d{1,2}[、.．)）](?!\d))"
    r"|(?P<bracketed>[（(][一二三四五六七八九十\d]{1,2}[）)])|(?P<bullet>[☆★●◆◇■□▶▪·•○*-][ \t　]?)|(?P<headed>【))"
)
_LINE = re.compile(r"[^\r\n]+")
_LEAST_ITEMS: Final = 2


def printed_list(article: Article, at: Span, limit: int) -> Span | None:
    """The lines of a list around or right behind `at`, with the line that introduces it; None when there is none.

    At most `limit` characters: whole lines, from the first.
    """
    text = article.text
    lines = [m.span() for m in _LINE.finditer(text) if m.group().strip()]
    here = next((i for i, (start, end) in enumerate(lines) if start <= at[0] < end), None)
    if here is None:
        return None
    kinds = [_kind(text, line) for line in lines]
    begin = here if kinds[here] else here + 1
    if begin >= len(lines) or not kinds[begin]:
        return None
    first = last = begin
    while first > 0 and kinds[first - 1] == kinds[begin]:
        first -= 1
    while last + 1 < len(lines) and kinds[last + 1] == kinds[begin]:
        last += 1
    if last - first + 1 < _LEAST_ITEMS:
        return None
    introduced = first > 0 and (first - 1 == here or text[lines[first - 1][1] - 1] in "：:")
    start = lines[first - 1][0] if introduced and lines[first - 1][0] >= article.body_start else lines[first][0]
    while last > first and lines[last][1] - start > limit:
        last -= 1
    return (start, lines[last][1]) if lines[last][1] - start <= limit else None


def _kind(text: str, line: Span) -> str:
    match = _MARK.match(text, *line)
    return match.lastgroup or "" if match else ""
