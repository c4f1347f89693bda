"""The one place where the steps meet: history + question -> Answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence, Set
from itertools import zip_longest

from rag.answering import Answerer
from rag.answering.parts import parts
from rag.answering.question_type import profile
from rag.answering.timing import Period, asks_latest, printed_then
from rag.config import AnswerMode, AnswerSettings
from rag.dates import find_dates, format_date
from rag.errors import JinwenError
from rag.followup import Stays, standalone_question
from rag.retriever import Retriever
from rag.tokens import detect_language, tokenize
from rag.types import Answer, Filters, Hit, Question, Timings, Turn

MAX_QUESTION_CHARS = 2_000
_MOST_OF_A_TIME = 6
"""Hits taken from the time that a question names."""
_LEAST_WORDS = 3
"""Words that a short question must hold to be a subject of its own."""
_ARTICLES_KNOWN = 3
"""Passages that tell what is known about a subject."""
_CHANGES_SUBJECT = 0.34
"""How much more of a short question another article must hold than the one talked about."""
_LATELY = dt.timedelta(days=30)
"""How long before the newest article found the latest may have been printed."""


class QuestionError(JinwenError):
    """A question is empty or too long to be one."""


class Assistant:
    """Answers questions from what a retriever finds.

    `answerers` makes the answerer for given settings; it is asked once per distinct settings, so a model is
    loaded when it is first used and then kept.
    """

    def __init__(
        self, retriever: Retriever, answerers: Callable[[AnswerSettings], Answerer], settings: AnswerSettings
    ) -> None:
        self._retriever = retriever
        self._make_answerer = answerers
        self._settings = settings
        self._answerers: dict[AnswerSettings, Answerer] = {}
        self._kept: dict[tuple[str, str], bool] = {}

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
        as_of: dt.date | None = None,
        mode: AnswerMode | None = None,
        max_sources: int | None = None,
    ) -> Answer:
        """The final answer; see `stream`."""
        *_, answer = self.stream(
            question, history=history, filters=filters, as_of=as_of, mode=mode, max_sources=max_sources
        )
        return answer

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
        as_of: dt.date | None = None,
        mode: AnswerMode | None = None,
        max_sources: int | None = None,
    ) -> Iterator[Answer]:
        """Growing snapshots of the answer; the last one is final and checked.

        `as_of` is the day on which the question is asked (default: today).

        :raises QuestionError: the question holds nothing to search for, or is over MAX_QUESTION_CHARS long.
        """
        check_question(question)
        asked = prepare_question(question, history, as_of, self._stays)
        started = time.perf_counter()
        hits = self._find(asked, filters or Filters())
        retrieve_ms = (time.perf_counter() - started) * 1000
        answerer = self._answerer(mode, max_sources)
        for answer in answerer.stream(asked, hits):
            yield dataclasses.replace(
                answer,
                searched=asked.standalone,
                timings=Timings(retrieve=retrieve_ms, answer=answer.timings.answer),
            )

    def _find(self, question: Question, filters: Filters) -> list[Hit]:
        """Hits for the question, in turn with those for each thing it asks and for the time it names."""
        texts = [question.standalone, *(part.question for part in parts(question.standalone))]
        queries = [search_query(question, text) for text in texts]
        found = [self._retriever.retrieve(query, filters=filters) for query in queries]
        for period in self._periods(question, found[0]):
            narrowed = narrow(filters, period)
            if narrowed is not None:
                found.append(self._retriever.retrieve(queries[0], k=_MOST_OF_A_TIME, filters=narrowed))
        return merge(found)

    def _stays(self, subject: str, bare: str) -> bool:
        """Whether the articles about `subject` hold the words of a short question as well as any others do."""
        if (subject, bare) not in self._kept:
            about, own = (self._retriever.retrieve(text, k=_ARTICLES_KNOWN) for text in (subject, bare))
            words = content_words(bare)
            gain = held(words, own[:1]) - held(words, about)
            self._kept[subject, bare] = gain < _CHANGES_SUBJECT or len(words) < _LEAST_WORDS
        return self._kept[subject, bare]

    def _periods(self, question: Question, found: Sequence[Hit]) -> tuple[Period, ...]:
        """When articles were printed that may answer: about the day or month named, or lately."""
        named = printed_then(question.standalone, question.as_of)
        if len(named) == 1:
            return named
        dates = [h.article.date for h in found if h.article.date and h.article.date <= question.as_of]
        if dates and asks_latest(question.standalone):
            return (Period(max(dates) - _LATELY, question.as_of),)
        return ()

    def _answerer(self, mode: AnswerMode | None, max_sources: int | None) -> Answerer:
        settings = dataclasses.replace(
            self._settings,
            mode=mode or self._settings.mode,
            max_sources=max_sources or self._settings.max_sources,
        )
        if settings not in self._answerers:
            self._answerers[settings] = self._make_answerer(settings)
        return self._answerers[settings]


def check_question(question: str) -> None:
    """Refuse what cannot be a question.

    :raises QuestionError: nothing to search for, or over MAX_QUESTION_CHARS characters.
    """
    if len(question) > MAX_QUESTION_CHARS:
        raise QuestionError(
            f"the question has {len(question)} characters; at most {MAX_QUESTION_CHARS} are read: shorten it"
            f"（问题过长，最多 {MAX_QUESTION_CHARS} 字）"
        )
    if not tokenize(question):
        raise QuestionError("the question holds no words to search for; type a question（请输入问题）")


def prepare_question(
    question: str, history: Sequence[Turn], as_of: dt.date | None, stays: Stays = lambda subject, bare: True
) -> Question:
    """The question as it will be searched and answered; `stays` tells a change of subject."""
    return Question(
        text=question,
        standalone=standalone_question(question, history, stays),
        language=detect_language(question),
        as_of=as_of or dt.date.today(),
        history=tuple(history),
    )


def content_words(question: str) -> frozenset[str]:
    """The words of `question` without its asking words."""
    text = question
    for start, end in reversed(profile(question).asking):
        text = f"{text[:start]} {text[end:]}"
    return frozenset(tokenize(text))


def held(words: Set[str], hits: Sequence[Hit]) -> float:
    """Largest share of `words` that the article of one of `hits` holds, in [0, 1]."""
    texts = {hit.article.id: f"{hit.article.title}\n{hit.article.text}" for hit in hits}
    return max((len(words & set(tokenize(text))) / len(words) for text in texts.values() if words), default=0.0)


def merge(found: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Hits of several searches in one list, taken in turn by rank, each passage once, ranked anew."""
    if len(found) == 1:
        return list(found[0])
    merged: dict[tuple[str, int], Hit] = {}
    for tier in zip_longest(*found):
        for hit in filter(None, tier):
            merged.setdefault((hit.article.id, hit.passage.start), hit)
    return [dataclasses.replace(hit, rank=rank) for rank, hit in enumerate(merged.values(), start=1)]


def narrow(filters: Filters, period: Period) -> Filters | None:
    """`filters` for articles of a period alone; None when they leave none of it."""
    first = max(filters.date_from or period.first, period.first)
    last = min(filters.date_to or period.last, period.last)
    return dataclasses.replace(filters, date_from=first, date_to=last) if first <= last else None


def search_query(question: Question, text: str | None = None) -> str:
    """What is searched: the standalone question (or `text`), with its days also as Chinese articles write them.

    They say 1月18日 where the question says 这周日 or January 18.
    """
    text = question.standalone if text is None else text
    mentions = [m for m in find_dates(text, question.as_of) if m.is_day]
    english = question.language == "en"
    dates = [format_date(m.first, m.last, "zh") for m in mentions if english or m.relative]
    written = [date for date in dict.fromkeys(dates) if date not in text]
    return " ".join([text, *written])
