"""The one place where the steps meet: history + question -> Answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from rag.answering import Answerer
from rag.answering.timing import Period, asks_latest, printed_then
from rag.config import AnswerMode, AnswerSettings
from rag.conversation import FollowUp, follow
from rag.dates import DateMention, find_dates, format_date
from rag.errors import JinwenError
from rag.expansion import QueryExpander
from rag.overview import latest, overview, timeline
from rag.replies import reply
from rag.retriever import Retriever
from rag.tokens import detect_language, tokenize
from rag.types import Answer, Filters, Hit, Intent, Question, Timings, Turn
from rag.understanding import Understander

MAX_QUESTION_CHARS = 2_000
_MOST_OF_A_TIME = 6
"""Hits taken from the time that a question names."""
_LATELY = dt.timedelta(days=30)
"""How long before the newest article found the latest may have been printed."""
_TALKED_ABOUT = 2
"""Articles that a talk may be about."""
_MOST_OF_AN_ARTICLE = 4
"""Passages of an article talked about that are read first."""


class QuestionError(JinwenError):
    """A question is empty or too long to be one."""


class Assistant:
    """Answers questions from what a retriever finds.

    `answerers` makes the answerer for given settings; it is asked once per distinct settings, so a model is
    loaded when it is first used and then kept. `examples` gives questions that work here in a language, `expander` what
    English words of an overview's subject read in Chinese.
    """

    def __init__(
        self,
        retriever: Retriever,
        answerers: Callable[[AnswerSettings], Answerer],
        settings: AnswerSettings,
        understander: Understander,
        examples: Callable[[str], Sequence[str]] = lambda language: (),
        expander: QueryExpander | None = None,
    ) -> None:
        self._retriever = retriever
        self._understander = understander
        self._examples = examples
        self._expander = expander
        self._make_answerer = answerers
        self._settings = settings
        self._answerers: dict[AnswerSettings, Answerer] = {}

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
        started = time.perf_counter()
        asked, followed = self._prepare(question, history, as_of)
        told = self._told_without_reading(asked, filters or Filters())
        if told is not None:
            yield told
            return
        hits = self._hits(asked, followed, filters or Filters())
        retrieve_ms = (time.perf_counter() - started) * 1000
        answerer = self._answerer(mode, max_sources)
        for answer in answerer.stream(asked, hits):
            yield dataclasses.replace(
                answer,
                searched=asked.standalone,
                timings=Timings(retrieve=retrieve_ms, answer=answer.timings.answer),
                hits=tuple(hits),
            )

    def prepare(self, question: str, history: Sequence[Turn], as_of: dt.date | None) -> Question:
        """The question as it will be searched and answered."""
        return self._prepare(question, history, as_of)[0]

    def find(
        self, question: str, history: Sequence[Turn], as_of: dt.date | None, filters: Filters | None = None
    ) -> tuple[Question, list[Hit]]:
        """The question as it is answered, and what is found for it."""
        asked, followed = self._prepare(question, history, as_of)
        return asked, self._hits(asked, followed, filters or Filters())

    def _prepare(self, question: str, history: Sequence[Turn], as_of: dt.date | None) -> tuple[Question, FollowUp]:
        """The question as it will be searched and answered, and what it goes on about."""
        understood = self._understander.understand(question)
        followed = follow(question, history, self._understander.goes_on)
        asked = Question(
            text=question,
            standalone=followed.standalone,
            language=detect_language(question),
            as_of=as_of or dt.date.today(),
            history=tuple(history),
            intent=understood.intent,
            several=understood.several,
        )
        return asked, followed

    def _told_without_reading(self, question: Question, filters: Filters) -> Answer | None:
        """What the library reports as a whole where that is asked for and found, or a reply to what is no question."""
        match question.intent:
            case Intent.ANSWER:
                return None
            case Intent.OVERVIEW:
                report = overview(question, self._retriever, filters=filters, expander=self._expander)
            case Intent.TIMELINE:
                report = timeline(question, self._retriever, filters=filters, expander=self._expander)
            case Intent.LATEST:
                report = latest(question, self._retriever, filters=filters)
            case _:
                return reply(question, self._examples(question.language))
        return None if report.refused else dataclasses.replace(report, searched=question.standalone)

    def _hits(self, question: Question, followed: FollowUp, filters: Filters) -> list[Hit]:
        """Hits for the question, in turn with those of the time that it names; what is talked about comes first."""
        query = search_query(question)
        found = [self._retriever.retrieve(query, filters=filters)]
        for period in self._periods(question, found[0]):
            narrowed = narrow(filters, period)
            if narrowed is not None:
                found.append(self._retriever.retrieve(query, k=_MOST_OF_A_TIME, filters=narrowed))
        if followed.goes_on is not None:
            top = max((hit.score for hit in found[0]), default=0.0)
            talked_about = self._talked_about(question, followed, filters)
            # Scores are compared within one search only; what is talked about is as near as the nearest.
            found.insert(0, [dataclasses.replace(hit, score=top) for hit in talked_about])
        return merge(found)

    def _talked_about(self, question: Question, followed: FollowUp, filters: Filters) -> list[Hit]:
        """Passages of the articles that the last answer cites, or that are found for the last question and answer."""
        assert followed.goes_on is not None
        said = f"{followed.goes_on.earlier} {followed.goes_on.reply}"
        hits = self._retriever.retrieve(said, filters=filters)
        cited = [hit for hit in hits if hit.article.id in followed.goes_on.articles]
        articles = {hit.article.id: hit.article for hit in cited or hits}
        talked_about = list(articles.values())[:_TALKED_ABOUT]
        nearest = [self._retriever.within(article, question.text, _MOST_OF_AN_ARTICLE) for article in talked_about]
        return [hit for tier in zip_longest(*nearest) for hit in tier if hit is not None]

    def _periods(self, question: Question, found: Sequence[Hit]) -> tuple[Period, ...]:
        """When articles were printed that may answer: about the day or month named, or lately."""
        dates = [h.article.date for h in found if h.article.date and h.article.date <= question.as_of]
        named = printed_then(question.standalone, question.as_of, dates)
        if named is not None:
            return (named,)
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


def _written_zh(mention: DateMention) -> str:
    day = mention.first
    return f"{day.month}月{day.day}日" if mention.yearly else format_date(day, mention.last, "zh")


def search_query(question: Question) -> str:
    """What is searched: the standalone question, with its days also as Chinese articles write them.

    They say 1月18日 where the question says 这周日 or January 18.
    """
    text = question.standalone
    mentions = [m for m in find_dates(text, question.as_of) if m.is_day]
    english = question.language == "en"
    dates = [_written_zh(m) for m in mentions if english or m.relative]
    written = [date for date in dict.fromkeys(dates) if date not in text]
    return " ".join([text, *written])
