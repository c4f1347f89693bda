"""Which words of a cited passage a written sentence rests on, as offsets into the article."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from rag.answering.facts import Evidence, Fact, find_facts
from rag.answering.verification import coverage, is_quoted
from rag.sentences import sentence_spans
from rag.types import Article, Citation, Hit

Span = tuple[int, int]

WORTH_A_SECOND = 0.25
"""Gain in score for which a quote takes in the neighbouring sentence."""


def best_quote(sentence: str, hit: Hit, as_of: dt.date) -> Span:
    """The sentence of the passage that backs `sentence` best, or it and the next, as offsets into the article.

    Score: coverage (in [0, 1]) plus the share of the sentence's facts that the quote holds (in [0, 1]). The
    whole passage where nothing in it tells one sentence from another, as between two languages without a
    common figure or name.
    """
    passage = hit.passage
    spans = sentence_spans(passage.text)
    if not spans:
        return passage.start, passage.end
    facts = find_facts(sentence)
    singles = [_score(sentence, facts, hit, span, as_of) for span in spans]
    pairs = [(start, end) for (start, _), (_, end) in zip(spans, spans[1:], strict=False)]
    best = max(range(len(spans)), key=lambda i: singles[i])
    chosen, score = spans[best], singles[best]
    if len(spans) > 1 and score == min(singles):
        chosen = (0, len(passage.text))
    for pair in pairs[max(0, best - 1) : best + 1]:
        pair_score = _score(sentence, facts, hit, pair, as_of)
        if pair_score >= score + WORTH_A_SECOND:
            chosen, score = pair, pair_score
    return passage.start + chosen[0], passage.start + chosen[1]


def _score(sentence: str, facts: Sequence[Fact], hit: Hit, span: Span, as_of: dt.date) -> float:
    words = Evidence(hit.passage.text[span[0] : span[1]], hit.article.date, as_of)
    if is_quoted(sentence, [words]):
        return 2.0
    held = sum(words.holds(fact) for fact in facts) / len(facts) if facts else 0.0
    return coverage(sentence, [words]) + held


Origin = tuple[str, str, str, dt.date | None, str | None, str]


def origin(article: Article) -> Origin:
    """Id, title, source, date, address and file of an article, as a citation and a near article carry them."""
    return article.id, article.display_title, article.source, article.date, article.url, article.file


def cite_span(citations: list[Citation], article: Article, start: int, end: int) -> int:
    """Marker of `article.text[start:end]`, added to `citations` when it is new.

    :raises ValueError: the span is empty or not inside the article.
    """
    if not 0 <= start < end <= len(article.text):
        raise ValueError(f"quote {start}:{end} is not inside article {article.id} of {len(article.text)} characters")
    for citation in citations:
        if (citation.article_id, citation.start, citation.end) == (article.id, start, end):
            return citation.marker
    citations.append(Citation(len(citations) + 1, *origin(article), article.text[start:end], start, end))
    return len(citations)
