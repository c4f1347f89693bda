"""Chosen sentences -> the answer that is shown: short, verbatim, each quote with its citation.

A long sentence is trimmed to the whole clauses around what answers. Every quote is checked to be a span of its
article before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.quoting import cite_span
from rag.sentences import clause_spans
from rag.types import Answer, AnswerSentence, Article, Citation, Question, Support

Span = tuple[int, int]

ONE_FACT_CHARS = 200
"""Longest answer to one question, without markers."""
SEVERAL_CHARS = 480
"""Longest answer to several questions or a list."""
ELLIPSIS = "…"
LABEL_END = {"zh": "：", "en": ": "}


@dataclass(frozen=True, slots=True)
class Quote:
    """A span to show: `article.text[start:end]`, and what it is asked for inside."""

    article: Article
    start: int
    end: int
    answer: Span | None = None
    """Offsets into the article's text, inside the quote."""
    also: tuple[tuple[Article, int, int], ...] = ()
    """Spans of other articles that say the same."""
    label: str = ""
    """What the quote is about, as the question calls it; shown before it."""
    notes: tuple[str, ...] = ()
    """What our code worked out from the quote (a date, a conversion), each a sentence of its own."""

    @property
    def text(self) -> str:
        """The quote, verbatim."""
        return self.article.text[self.start : self.end]


def trim(article: Article, start: int, end: int, focus: Span | None, limit: int) -> Span:
    """The longest run of whole clauses around `focus` that fits `limit` characters.

    Without a focus the first clauses are kept. A single clause over the limit is cut at characters around the focus.
    """
    if end - start <= limit:
        return start, end
    clauses = clause_spans(article.text, start, end)
    at = focus or clauses[0]
    first = next((i for i, (a, b) in enumerate(clauses) if a <= at[0] < b), 0)
    last = next((i for i, (a, b) in enumerate(clauses) if a < at[1] <= b), first)
    last = max(first, last)
    if clauses[last][1] - clauses[first][0] > limit:
        middle = (at[0] + at[1]) // 2
        begin = max(clauses[first][0], min(middle - limit // 2, clauses[last][1] - limit))
        return begin, begin + limit
    grown = True
    while grown:
        grown = False
        if first > 0 and clauses[last][1] - clauses[first - 1][0] <= limit:
            first, grown = first - 1, True
        if last + 1 < len(clauses) and clauses[last + 1][1] - clauses[first][0] <= limit:
            last, grown = last + 1, True
    return clauses[first][0], clauses[last][1]


def compose(question: Question, quotes: Sequence[Quote], *, confidence: float, model: str, mode: str) -> Answer:
    """The answer made of `quotes` in order; markers count from 1, one for each distinct span.

    :raises ValueError: no quote is given, or one is not inside its article.
    """
    if not quotes:
        raise ValueError("an answer needs at least one quote")
    citations: list[Citation] = []
    sentences: list[AnswerSentence] = []
    shown: list[str] = []
    for quote in quotes:
        markers = [cite_span(citations, quote.article, quote.start, quote.end)]
        markers += [cite_span(citations, article, start, end) for article, start, end in quote.also]
        text = _one_line(quote.text)
        sentences.append(AnswerSentence(text, tuple(markers), Support.QUOTED, _emphasis(quote, text)))
        cited = "".join(f"[{marker}]" for marker in markers)
        label = f"{quote.label}{LABEL_END[question.language]}" if quote.label else ""
        shown.append(label + _with_ellipsis(quote, text) + cited)
        for note in quote.notes:
            sentences.append(AnswerSentence(note, tuple(markers), Support.SUPPORTED))
            shown.append(note + cited)
    return Answer(
        question=question.text,
        answer=" ".join(shown),
        refused=False,
        mode=mode,
        language=question.language,
        citations=tuple(citations),
        sentences=tuple(sentences),
        confidence=confidence,
        model=model,
    )


_BREAK = re.compile(r"\s*[\r\n]+\s*")
_SENTENCE_END = "。！？!?…．.;；”’」』"


def _one_line(text: str) -> str:
    return _BREAK.sub(" ", text)


def _emphasis(quote: Quote, text: str) -> tuple[Span, ...]:
    """The answer inside the shown text; none when a line break moved it."""
    if quote.answer is None or len(text) != quote.end - quote.start:
        return ()
    start, end = quote.answer[0] - quote.start, quote.answer[1] - quote.start
    return ((start, end),) if 0 <= start < end <= len(text) else ()


def _with_ellipsis(quote: Quote, text: str) -> str:
    """`text` with an ellipsis where a sentence was cut."""
    before = quote.article.text[: quote.start].rstrip(" \t　")
    cut_before = bool(before) and before[-1] not in _SENTENCE_END + "\n\r“‘「『:："
    after = text[-1] not in _SENTENCE_END and quote.article.text[quote.end : quote.end + 1].strip() != ""
    return f"{ELLIPSIS if cut_before else ''}{text.rstrip('，,') if after else text}{ELLIPSIS if after else ''}"
