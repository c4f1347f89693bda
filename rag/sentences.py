"""Text -> sentences and clauses, as character offsets.

Chinese and English sentence ends are known; closing quotes and brackets stay with the sentence they
close. A line break always ends a sentence: sources have already joined what a column break cut.
"""

from __future__ import annotations

import re

Span = tuple[int, int]

_CLOSERS = "”’」』）)】》〉\"'"
_END = re.compile(
    rf"[。！？!?]+[{_CLOSERS}]*"  # Chinese ends; ! and ? in any script
    rf"|…{{1,2}}(?=[{_CLOSERS}]|\s|$)[{_CLOSERS}]*"  # an ellipsis that closes something
    rf"|(?<![A-Z\d])(?<!\b[A-Z][a-z])(?<!\b[A-Z][a-z]{{2}})\.[{_CLOSERS}]*(?=\s+[\"“‘(]?[A-Z0-9一-鿿]|\s*$)"
    rf"|(?<=\d)\.[{_CLOSERS}]*(?=\s+[\"“‘(]?[A-Z]|\s*$)"  # "… in 2025. The …"
    r"|\n+"
)
_CLAUSE_END = re.compile(r"[；;]|[，,](?!\d)|[：:](?!\d)|——")


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Spans of the sentences of `text[start:end]`, white space trimmed, in order, without overlap."""
    stop = len(text) if end is None else end
    return _split(_END, text, start, stop)


def clause_spans(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Spans of the clauses (cut after commas, semicolons and colons) of `text[start:end]`."""
    stop = len(text) if end is None else end
    return _split(_CLAUSE_END, text, start, stop)


def _split(pattern: re.Pattern[str], text: str, start: int, stop: int) -> list[Span]:
    spans: list[Span] = []
    begin = start
    for match in pattern.finditer(text, start, stop):
        _append_trimmed(spans, text, begin, match.end())
        begin = match.end()
    _append_trimmed(spans, text, begin, stop)
    return spans


def _append_trimmed(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))
