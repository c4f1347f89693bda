"""The markers that a model writes -> sentences with the passages they cite, and citations in order of use.

A model's `[n]` is only a claim about the n-th passage it was shown. Numbers that were not given are dropped
and reported; the quote behind a marker is found by us and always is a span of the article.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.quoting import best_quote, cite_span
from rag.sentences import sentence_spans
from rag.types import Citation, Hit

_NUMBER = r"[-−]?\d{1,3}"
_MARKER = re.compile(
    r"[ \t]*[\[［【]\s*(?:来源|资料|文章|段落|编号|passages?|sources?)?\s*[:：#^]?\s*"
    rf"(?P<numbers>{_NUMBER}(?:\s*[,，、;；&和]\s*{_NUMBER}|\s*[-–—~～至到]\s*\d{{1,3}})*)"
    r"\s*[\]］】](?!\d+号)",  # 津政发[25]12号 is the number of a document
    re.IGNORECASE,
)
_RANGE = re.compile(r"([-−]?\d+)(?:\s*[-–—~～至到]\s*(\d+))?")


@dataclass(frozen=True, slots=True)
class MarkedSentence:
    """One sentence of a model's text, without its markers."""

    text: str
    passages: tuple[int, ...]
    """Numbers of the passages cited, 1-based, each once, in order of mention."""
    lead: str
    """What stands between it and the sentence before: nothing, a space or a line break."""


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A model's text, read."""

    sentences: tuple[MarkedSentence, ...]
    invented: tuple[int, ...]
    """Numbers cited that were not given, each once, in order of mention."""


@dataclass(frozen=True, slots=True)
class CitedText:
    """A text whose markers count citations from 1 in order of first use."""

    text: str
    markers: tuple[tuple[int, ...], ...]
    """Of each sentence, aligned with `MarkedText.sentences`."""
    citations: tuple[Citation, ...]


def parse_markers(text: str, count: int) -> MarkedText:
    """Read the markers of `text`, where the passages `1` to `count` were given.

    Understood: [1], 【1】, ［1］, [1][2], [1,2], [1、2], [1-3], [^1], [来源1]. A marker belongs to the
    sentence it stands in or right behind, or to the one it opens where the text opens with a marker and
    does not end with one.
    """
    bare, places = _take_out(text)
    spans = [span for span in sentence_spans(bare) if re.search(r"\w", bare[span[0] : span[1]])]
    cited: list[dict[int, None]] = [{} for _ in spans]
    invented: dict[int, None] = {}
    opening = bool(places) and places[0][0] == 0 and places[-1][0] < len(bare.rstrip())
    for offset, numbers in places:
        for number in numbers:
            if not 1 <= number <= count:
                invented[number] = None
            elif spans:
                cited[_owner(bare, spans, offset, opening=opening)][number] = None
    sentences: list[MarkedSentence] = []
    behind = 0
    for (start, end), own in zip(spans, cited, strict=True):
        lead = _lead(bare[behind:start]) if sentences else ""
        sentences.append(MarkedSentence(bare[start:end], tuple(own), lead))
        behind = end
    return MarkedText(tuple(sentences), tuple(invented))


def cite(marked: MarkedText, hits: Sequence[Hit], as_of: dt.date) -> CitedText:
    """Find the quote behind every marker and number the quotes anew; equal quotes share a marker.

    `hits` are the passages as given to the model: its `[n]` means `hits[n - 1]`.
    """
    citations: list[Citation] = []
    markers: list[tuple[int, ...]] = []
    text = ""
    for sentence in marked.sentences:
        own = [_marker(citations, sentence.text, hits[number - 1], as_of) for number in sentence.passages]
        unique = tuple(dict.fromkeys(own))
        lead = " " if text.endswith("]") and not sentence.lead else sentence.lead
        text += lead + sentence.text + "".join(f"[{marker}]" for marker in unique)
        markers.append(unique)
    return CitedText(text, tuple(markers), tuple(citations))


def _take_out(text: str) -> tuple[str, list[tuple[int, list[int]]]]:
    """`text` without markers, and each marker's offset in it with the numbers it holds."""
    bare = ""
    places = []
    behind = 0
    for match in _MARKER.finditer(text):
        bare += text[behind : match.start()]
        behind = match.end()
        places.append((len(bare), _numbers(match["numbers"])))
    return bare + text[behind:], places


def _numbers(body: str) -> list[int]:
    numbers: list[int] = []
    for first, last in _RANGE.findall(body):
        low = int(first.replace("−", "-"))
        numbers += range(low, int(last) + 1) if last and low < int(last) else [low, *([int(last)] if last else [])]
    return numbers


def _owner(bare: str, spans: Sequence[tuple[int, int]], offset: int, *, opening: bool) -> int:
    """Index of the sentence that a marker at `offset` belongs to."""
    if opening:
        return next((i for i, (_, end) in enumerate(spans) if offset < end), len(spans) - 1)
    before = [i for i, (start, _) in enumerate(spans) if start < offset]
    if not before:
        return 0
    owner = before[-1]
    next_line = "\n" in bare[spans[owner][1] : offset] and owner + 1 < len(spans)
    return owner + 1 if next_line else owner


def _lead(between: str) -> str:
    if "\n" in between:
        return "\n"
    return " " if between else ""


def _marker(citations: list[Citation], sentence: str, hit: Hit, as_of: dt.date) -> int:
    """Marker of the quote of `hit` that backs `sentence`, added to `citations` when it is new."""
    return cite_span(citations, hit.article, *best_quote(sentence, hit, as_of))
