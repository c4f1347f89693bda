"""What is not text leaves a source; the words stay as they are.

Two kinds of steps: `unify` replaces characters one for one (after line ends are unified), so offsets into its result
can be kept; everything after it only removes, so what is left of a file can be given as spans of it.
"""

from __future__ import annotations

import html
import re

Span = tuple[int, int]

_MARK_LIMIT = 30  # and in _MARKS
"""Longest run of combining marks kept, as in Unicode's Stream-Safe text format (UAX #15)."""
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_SPACES = re.compile(r"[\u00a0\u2007\u202f\x0b\x0c\x1c-\x1e\x85\u2028\u2029\ud800-\udfff]")
_REPLACEMENT = {"\x0b": "\n", "\x0c": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n"}
# Format characters that are not part of a word. Numeral and verse signs (U+0600...) are visible, so they stay.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_TAG = re.compile("[\U000e0020-\U000e007f]")
_MARKS = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{30,}")
_KEPT_ALONE = "。！？!?"


def unify(text: str) -> str:
    r"""`text` with every line end as `\n`, no-break spaces as spaces and lone surrogates as U+FFFD."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SPACES.sub(_replace, text)


def _replace(match: re.Match[str]) -> str:
    char = match.group()
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"
    return _REPLACEMENT.get(char, " ")


def decode_entities(text: str) -> str:
    """`text` with HTML entities that end in a semicolon decoded, and only those: `&copy=1` in a link stays."""
    return _ENTITY.sub(lambda match: html.unescape(match.group()), text)


def hidden_tags(text: str) -> int:
    """Number of Unicode tag characters: invisible, and a known way to hide instructions in a text."""
    return len(_TAG.findall(text))


def clean(text: str) -> str:
    """Readable text of a record: entities decoded, line ends unified, invisible characters and decoration removed."""
    unified = unify(decode_entities(text))
    return "".join(unified[start:end] for start, end in kept_spans(unified))


def clean_line(text: str) -> str:
    """`clean` for titles and names: on one line, runs of white space as one space."""
    return " ".join(clean(text).split())


def kept_spans(text: str, start: int = 0, end: int | None = None) -> tuple[Span, ...]:
    """Spans of unified `text[start:end]` that remain when what is not text is left out.

    Left out: invisible characters, combining marks beyond 30 on one base, lines that are only decoration, white space
    at line ends, line breaks beyond two in a row, white space at both ends.
    """
    stop = len(text) if end is None else end
    pieces: list[Span] = []
    breaks: list[Span] = []
    position = start
    while position < stop:
        newline = text.find("\n", position, stop)
        line_end = stop if newline < 0 else newline
        line = visible_spans(text, position, line_end) if position < line_end else []
        if line:
            if pieces:
                _extend(pieces, breaks[:2])
            _extend(pieces, line)
            breaks = []
        vanishes = not line and not text[position:line_end].isspace() and position < line_end
        if newline < 0:
            break
        if not vanishes:  # a line of decoration goes with its line break
            breaks = [*breaks[:1], (newline, newline + 1)] if len(breaks) < 2 else breaks
        position = newline + 1
    return tuple(pieces)


def _extend(pieces: list[Span], spans: list[Span]) -> None:
    """Append `spans` to `pieces`; one that touches the last makes it longer, so that a long text stays few spans."""
    for start, end in spans:
        if pieces and pieces[-1][1] == start:
            pieces[-1] = (pieces[-1][0], end)
        elif start < end:
            pieces.append((start, end))


def visible_spans(text: str, start: int, end: int) -> list[Span]:
    """Visible spans of the line `text[start:end]`, white space at both ends left out; none for decoration."""
    if is_decoration(text[start:end]):
        return []
    while is_blank(text[start]):
        start += 1
    while is_blank(text[end - 1]):
        end -= 1
    gaps = [m.span() for m in _INVISIBLE.finditer(text, start, end)]
    gaps += [(m.start() + _MARK_LIMIT, m.end()) for m in _MARKS.finditer(text, start, end)]
    spans: list[Span] = []
    for gap_start, gap_end in [*sorted(gaps), (end, end)]:
        if start < gap_start:
            spans.append((start, gap_start))
        start = max(start, gap_end)
    return spans


def is_blank(char: str) -> bool:
    """Whether `char` shows nothing: white space or an invisible character."""
    return char.isspace() or _INVISIBLE.match(char) is not None


def is_decoration(line: str) -> bool:
    """Whether `line` has neither a letter nor a digit nor a sentence mark: ┏, ★★★, ----, or nothing at all."""
    return not any(c.isalnum() or c in _KEPT_ALONE for c in line)


def merge(spans: list[Span]) -> tuple[Span, ...]:
    """`spans` in the same order, those that touch made one."""
    merged: list[Span] = []
    for start, end in spans:
        if start >= end:
            continue
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return tuple(merged)
