"""Chosen sentences -> the answer that is shown: short, verbatim, each quote with its citation.

A long sentence is trimmed to the whole clauses around what answers. Every quote is checked to be a span of its
article before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

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
    is_list: bool = False
    """Whether it is printed line by line and shown so."""
    label: str = ""
    """What the quote is about, as the question calls it, or when it was said; shown before it."""
    frame: str = ""
    """Who said it and when, for a reader of another language; shown before it."""
    converted: tuple[str, ...] = ()
    """Amounts, dates and names of the quote in another form (`40亿元 = 4 billion yuan`), the most wanted first."""
    notes: tuple[str, ...] = ()
    """What our code worked out from the quote (a date, the days left), each a sentence of its own."""

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
        return _cut((clauses[first][0], clauses[last][1]), at, limit, article.text)
    grown = True
    while grown:
        grown = False
        if first > 0 and clauses[last][1] - clauses[first - 1][0] <= limit:
            first, grown = first - 1, True
        if last + 1 < len(clauses) and clauses[last + 1][1] - clauses[first][0] <= limit:
            last, grown = last + 1, True
    stop = clauses[last][1]
    return clauses[first][0], stop - 1 if stop < end and article.text[stop - 1] in "，," else stop


def _cut(clause: Span, at: Span, limit: int, text: str) -> Span:
    """`limit` characters of one clause around `at`, without half words."""
    middle = (at[0] + at[1]) // 2
    begin = max(clause[0], min(middle - limit // 2, clause[1] - limit))
    end = min(begin + limit, clause[1])
    while clause[0] < begin < at[0] and _inside_word(text, begin):
        begin += 1
    while max(at[1], begin + 1) < end < clause[1] and _inside_word(text, end):
        end -= 1
    while end > begin + 1 and text[end - 1].isspace():
        end -= 1
    return begin, end


def _inside_word(text: str, at: int) -> bool:
    """Whether a cut at `at` would divide a word in letters."""
    return bool(_LETTERS.fullmatch(text[at - 1 : at + 1]))


_LETTERS = re.compile(r"[A-Za-z0-9'’-]{2}")


def compose(question: Question, quotes: Sequence[Quote], *, confidence: float, model: str, mode: str) -> Answer:
    """The answer made of `quotes` in order; markers count from 1, one for each distinct span.

    What is said of another thing or by another article begins a new line.

    :raises ValueError: no quote is given, or one is not inside its article.
    """
    if not quotes:
        raise ValueError("an answer needs at least one quote")
    citations: list[Citation] = []
    sentences: list[AnswerSentence] = []
    shown: list[str] = []
    behind: Quote | None = None
    for quote in quotes:
        markers = [cite_span(citations, quote.article, quote.start, quote.end)]
        markers += [cite_span(citations, article, start, end) for article, start, end in quote.also]
        text = _BREAK.sub("\n" if quote.is_list else " ", quote.text)
        before, after = _ellipses(quote)
        label = f"{quote.label}{LABEL_END[question.language]}" if quote.label else ""
        frame = f"{quote.frame}{LABEL_END[question.language]}" if quote.frame else ""
        apart = behind is not None and (bool(quote.label) or behind.article.id != quote.article.id)
        said = AnswerSentence(
            text,
            tuple(markers),
            Support.QUOTED,
            _emphasis(quote, text),
            before=label + frame + before,
            after=after,
            apart=apart,
        )
        noted = [AnswerSentence(note, tuple(markers), Support.SUPPORTED, derived=True) for note in derived(quote)]
        sentences += [said, *noted]
        cited = "".join(f"[{marker}]" for marker in markers)
        lines = [said.before + said.text + said.after, *(sentence.text for sentence in noted)]
        story = " ".join(line + cited for line in lines)
        shown.append(("\n" if apart else " ") + story)
        behind = quote
    return Answer(
        question=question.text,
        answer="".join(shown).strip(),
        refused=False,
        mode=mode,
        language=question.language,
        citations=tuple(citations),
        sentences=tuple(sentences),
        confidence=confidence,
        model=model,
    )


CONVERTED: Final = "(in English: {})"


def derived(quote: Quote) -> tuple[str, ...]:
    """What is shown beside a quote, each marked as worked out by rule."""
    converted = (CONVERTED.format("; ".join(quote.converted)),) if quote.converted else ()
    return (*converted, *quote.notes)


def fit(quotes: Sequence[Quote], limit: int) -> list[Quote]:
    """The first quotes that fit `limit` characters, with as much as fits of what stands beside them.

    The first quote always stays. The first conversion and the notes of every quote go before the frames, the frames
    before further conversions.
    """
    fitting: list[Quote] = []
    for quote in _distinct(quotes):
        bare = replace(quote, frame="", converted=(), notes=())
        if fitting and _length([*fitting, bare]) > limit:
            break
        fitting.append(bare)
    for step in range(_MOST_STEPS):
        for i, quote in enumerate(_distinct(quotes)[: len(fitting)]):
            fuller = [*fitting[:i], _fuller(quote, fitting[i], step), *fitting[i + 1 :]]
            if _length(fuller) <= limit:
                fitting = fuller
    if quotes and limit <= ONE_FACT_CHARS and len(fitting) > 1 and quotes[0].frame and not fitting[0].frame:
        return fit(quotes[: len(fitting) - 1], limit)  # who said it and when matters more than another sentence
    return fitting


_MOST_STEPS = 8


def _length(quotes: Sequence[Quote]) -> int:
    """Characters that the quotes take with what stands beside them; a little more than exact."""
    own = sum(len(q.label) + len(q.text) + 4 + (len(q.frame) + 2 if q.frame else 0) for q in quotes)
    return own + sum(len(note) + 1 for q in quotes for note in derived(q))


def _fuller(quote: Quote, bare: Quote, step: int) -> Quote:
    """`bare` with the next of what stands beside `quote`: a conversion, the notes, the frame, further conversions."""
    if step == 0:
        return replace(bare, converted=quote.converted[:1])
    if step in (1, 2):
        return replace(bare, notes=quote.notes[: max(step, len(quote.notes) * (step - 1))])
    if step == 3:
        return replace(bare, frame=quote.frame)
    return replace(bare, converted=quote.converted[: len(bare.converted) + 1])


def _distinct(quotes: Sequence[Quote]) -> list[Quote]:
    """Each span once."""
    return list({(q.article.id, q.start, q.end): q for q in reversed(quotes)}.values())[::-1]


_BREAK = re.compile(r"\s*[\r\n]+\s*")
_SENTENCE_END = "。！？!?…．.;；”’」』"


def _emphasis(quote: Quote, text: str) -> tuple[Span, ...]:
    """The answer inside the shown text; none when a line break moved it."""
    if quote.answer is None or len(text) != quote.end - quote.start:
        return ()
    start, end = quote.answer[0] - quote.start, quote.answer[1] - quote.start
    return ((start, end),) if 0 <= start < end <= len(text) else ()


_GOES_ON = re.compile(r"[ \t　]*[^\s。！？!?…．.;；”’」』]")


def _ellipses(quote: Quote) -> tuple[str, str]:
    """What stands before and behind the quote where a sentence was cut."""
    whole = quote.article.text
    before = whole[: quote.start].rstrip(" \t　")
    cut_before = bool(before) and before[-1] not in _SENTENCE_END + "\n\r“‘「『:："
    cut_after = whole[quote.end - 1] not in _SENTENCE_END and _GOES_ON.match(whole, quote.end) is not None
    return ELLIPSIS if cut_before else "", ELLIPSIS if cut_after else ""
