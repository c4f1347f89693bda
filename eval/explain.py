"""Why was this text not found, or not answered: follows one expected text through every step.

The steps are those of an answer: the article is in the library; the filters let it through; a leg (dense or
lexical) ranks a passage of it within `retrieval.depth`; fusion keeps it; at most `retrieval.per_article`
passages of a story stay; the first `retrieval.top_k` are read; the answerer answers; the answer cites it.
The first step that fails is where it was lost. Every remedy named was tried on this question and works.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from eval.gold import ArticleFinder, Location, passage_holds
from eval.remedies import Remedies, cites
from eval.tracing import Trace, Tracer, best_rank, key_of
from rag.assistant import check_question, search_query
from rag.config import RetrievalSettings
from rag.passages import split_article
from rag.sentences import sentence_spans
from rag.tokens import tokenize
from rag.types import Answer, Article, Filters, Turn

if TYPE_CHECKING:
    from rag.library import Library

_ENOUGH_TO_BE_IT = 0.6
"""Share of the words of an expected text that a sentence must hold to be taken for it."""


class Step(StrEnum):
    """Where the expected text was lost, in the order of the steps."""

    LIBRARY = "not in the library"
    FILTER = "filtered out"
    DEPTH = "beyond the depth of both legs"
    LEFT_OUT = "left out of the result list"
    CUT_OFF = "below the cut-off"
    REFUSED = "read, but the answer was refused"
    NOT_CHOSEN = "read, but another text was chosen"
    NOWHERE = "found and cited"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole story of one question and one expected text."""

    question: str
    searched: str
    expected: str
    """The text looked for: as given, or the sentence taken for it (`verbatim` is False)."""
    verbatim: bool
    article: Article | None
    traces: tuple[Trace, ...]
    """Passages that hold it, best first; empty when it is in no article."""
    step: Step
    """Where it was lost."""
    reason: str
    """One line with the figures that decided."""
    remedies: tuple[str, ...]
    """What brings it back, tried on this question; empty when nothing that was tried does."""
    shared_words: tuple[str, ...]
    """Words of the question that the best passage holds."""
    missing_words: tuple[str, ...]
    """Words of the question that it does not hold."""
    depth: int
    top_k: int
    answer: Answer


def explain(
    library: Library,
    question: str,
    expect: str,
    *,
    history: Sequence[Turn] = (),
    filters: Filters | None = None,
    as_of: dt.date | None = None,
) -> Explanation:
    """Follow `expect` (words of the sentence that should have been found) through the steps of an answer.

    :raises QuestionError: the question or the expected text holds nothing to search for.
    """
    check_question(question)
    check_question(expect)
    filters = filters or Filters()
    asked = library.assistant.prepare(question, history, as_of)
    answer = library.assistant.ask(question, history=history, filters=filters, as_of=as_of)
    text, verbatim, places = _find(library, expect)
    articles = {place.article_id: article for place in places if (article := library.article(place.article_id))}
    passages = [
        passage
        for place in places
        if place.article_id in articles
        for passage in split_article(articles[place.article_id], library.settings.passages)
        if passage_holds(passage, place)
    ]
    tracer = Tracer(library, asked)
    traces = tracer.trace(passages, filters)
    best = traces[0] if traces else None
    article = articles[best.passage.article_id] if best else None
    step, reason = _lost_at(library.settings.retrieval, text, article, best, filters, answer)
    words = list(dict.fromkeys(tokenize(asked.standalone)))
    held = set(tokenize(best.passage.text)) if best else set()
    return Explanation(
        question=question,
        searched=search_query(asked),
        expected=text,
        verbatim=verbatim,
        article=article,
        traces=tuple(traces),
        step=step,
        reason=reason,
        remedies=tuple(_remedies(Remedies(tracer, passages, filters, text), step, best)),
        shared_words=tuple(word for word in words if word in held),
        missing_words=tuple(word for word in words if word not in held),
        depth=library.settings.retrieval.depth,
        top_k=library.settings.retrieval.top_k,
        answer=answer,
    )


def _find(library: Library, expect: str) -> tuple[str, bool, Sequence[Location]]:
    """The text to follow, whether it stands there verbatim, and where: else the sentence most like it."""
    places = ArticleFinder(library.articles(), library.settings.passages).holding(expect)
    if places:
        return expect, True, places
    wanted = set(tokenize(expect))
    best: tuple[float, Location, str] | None = None
    for hit in library.search(expect, k=20):
        for start, end in sentence_spans(hit.article.text, hit.passage.start, hit.passage.end):
            sentence = hit.article.text[start:end]
            share = len(wanted & set(tokenize(sentence))) / len(wanted)
            if share >= _ENOUGH_TO_BE_IT and (best is None or share > best[0]):
                best = (share, Location(hit.article.id, start, end), sentence)
    return (best[2], False, [best[1]]) if best else (expect, False, [])


def _remedies(remedies: Remedies, step: Step, best: Trace | None) -> list[str]:
    if step is Step.FILTER:
        return remedies.without_filters()
    if step in (Step.DEPTH, Step.LEFT_OUT, Step.CUT_OFF) and best is not None:
        return remedies.of_retrieval(best)
    if step in (Step.REFUSED, Step.NOT_CHOSEN):
        return remedies.of_answering()
    return []


def _lost_at(
    settings: RetrievalSettings,
    text: str,
    article: Article | None,
    best: Trace | None,
    filters: Filters,
    answer: Answer,
) -> tuple[Step, str]:
    """The first step that fails, and the figures that decided."""
    if best is None or article is None:
        return Step.LIBRARY, "no article holds this text or a sentence like it; index the article that does"
    if not _passes(article, filters):
        date = article.date.isoformat() if article.date else "no date"
        return Step.FILTER, f"its article ({article.source or 'no source'}, {date}) does not pass the filters"
    if best_rank(best) > settings.depth:
        return Step.DEPTH, (
            f"rank {best.dense.rank or 'none'} in the dense and {best.lexical.rank or 'none'} in the lexical search; "
            f"only the first {settings.depth} of each are fused"
        )
    if best.final_rank is None:
        if best.fused_rank is None:
            return Step.LEFT_OUT, "better passages hold every sentence of it already"
        return Step.LEFT_OUT, (
            f"rank {best.fused_rank} after fusion, but {settings.per_article} better passages of its story come first"
        )
    if best.final_rank > settings.top_k:
        return Step.CUT_OFF, f"rank {best.final_rank} in the result list; only the first {settings.top_k} are read"
    if cites(answer, text):
        return Step.NOWHERE, f"rank {best.final_rank} in the result list, read and cited"
    read = f"rank {best.final_rank}, read{_reading(best, answer)}"
    if answer.refused:
        return Step.REFUSED, f"{read}, but the answerer was only {answer.confidence:.2f} sure of an answer"
    quote = answer.citations[0].quote if answer.citations else answer.answer
    return Step.NOT_CHOSEN, f"{read}, but the answer cites “{' '.join(quote.split())[:60]}”"


def _reading(best: Trace, answer: Answer) -> str:
    """What the reader made of the passage when the answer was made; nothing where no reader says."""
    rank = next((hit.rank for hit in answer.hits if key_of(hit.passage) == key_of(best.passage)), None)
    logit = next((read.logit for read in answer.read if read.rank == rank), None)
    return "" if logit is None else f" (log-odds that it answers: {logit:+.1f})"


def _passes(article: Article, filters: Filters) -> bool:
    if filters.sources and article.source not in filters.sources:
        return False
    if not (filters.date_from or filters.date_to):
        return True
    if article.date is None:
        return False
    return (filters.date_from or dt.date.min) <= article.date <= (filters.date_to or dt.date.max)
