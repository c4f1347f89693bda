import datetime as dt
from collections.abc import Iterator, Sequence

import pytest
from reader_fakes import FakeUnderstander

from rag.answering.timing import Period
from rag.assistant import (
    MAX_QUESTION_CHARS,
    Assistant,
    QuestionError,
    merge,
    narrow,
    search_query,
)
from rag.config import AnswerSettings
from rag.types import Answer, Article, Filters, Hit, Passage, Question, Timings, Turn

ARTICLE = Article(id="a#1", title="云州大桥通车", text="云州大桥昨日通车。", file="a.txt")
HIT = Hit(1, 0.5, Passage("a#1", 0, 9, ARTICLE.text), ARTICLE)


class OneHitRetriever:
    """Finds the same hit for every query, and remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Filters | None]] = []

    def retrieve(self, query: str, k: int | None = None, filters: Filters | None = None) -> list[Hit]:
        self.asked.append((query, filters))
        return [HIT]

    def within(self, article: Article, query: str, k: int) -> list[Hit]:
        return [Hit(1, 2.0, Passage(article.id, 0, 9, article.text[:9]), article)]


class EchoAnswerer:
    """Answers with the standalone question, in two steps."""

    def stream(self, question: Question, hits: Sequence[Hit]) -> Iterator[Answer]:
        def answer(text: str, final: bool) -> Answer:
            return Answer(
                question.text, text, False, "extractive", question.language, final=final, timings=Timings(answer=2.0)
            )

        yield answer(question.standalone[:2], final=False)
        yield answer(question.standalone, final=True)


class Loader:
    """Makes answerers and counts how many."""

    def __init__(self) -> None:
        self.loaded: list[AnswerSettings] = []

    def __call__(self, settings: AnswerSettings) -> EchoAnswerer:
        self.loaded.append(settings)
        return EchoAnswerer()


GOES_ON = ("那它何时通车？", "何时通车？", "门票多少钱？")


def make() -> tuple[Assistant, OneHitRetriever, Loader]:
    retriever, loader = OneHitRetriever(), Loader()
    return Assistant(retriever, loader, AnswerSettings(), FakeUnderstander(goes_on=GOES_ON)), retriever, loader  # type: ignore[arg-type]


def test_snapshots_grow_and_the_last_is_final() -> None:
    assistant, _, _ = make()
    answers = list(assistant.stream("云州大桥何时通车？"))
    assert [(a.answer, a.final) for a in answers] == [("云州", False), ("云州大桥何时通车？", True)]
    assert answers[-1].timings.answer == 2.0
    assert answers[-1].timings.retrieve >= 0


def test_the_searched_question_is_shown() -> None:
    assistant, retriever, _ = make()
    history = (Turn("user", "云州大桥有多长？"), Turn("assistant", "520米。[1]"))
    answer = assistant.ask("那它何时通车？", history=history)
    assert answer.question == "那它何时通车？"
    assert answer.searched == "云州大桥有多长？ 520米。 那它何时通车？"
    assert retriever.asked[0][0] == answer.searched
    assert [h.passage for h in answer.hits] == [HIT.passage]


def test_filters_reach_the_retriever() -> None:
    assistant, retriever, _ = make()
    filters = Filters(sources=("云州日报",))
    assistant.ask("云州大桥何时通车？", filters=filters)
    assert retriever.asked == [("云州大桥何时通车？", filters)]


def test_an_answerer_is_made_once_per_settings() -> None:
    assistant, _, loader = make()
    for mode in ("extractive", "generative", "generative", None):
        assistant.ask("云州大桥何时通车？", mode=mode)  # type: ignore[arg-type]
    assistant.ask("云州大桥何时通车？", max_sources=2)
    assert [(s.mode, s.max_sources) for s in loader.loaded] == [("extractive", 5), ("generative", 5), ("extractive", 2)]


@pytest.mark.parametrize("question", ["", "  \n", "？！……", "😀", "云" * (MAX_QUESTION_CHARS + 1)])
def test_what_cannot_be_asked_is_refused_before_anything_runs(question: str) -> None:
    assistant, retriever, loader = make()
    with pytest.raises(QuestionError):
        assistant.ask(question)
    assert retriever.asked == []
    assert loader.loaded == []


def test_relative_days_are_also_searched_as_dates() -> None:
    wednesday = dt.date(2026, 1, 14)

    def prepare_question(text, as_of):
        return make()[0].find(text, (), as_of)[0]

    question = prepare_question("这周日哪条线开通？", wednesday)
    assert search_query(question) == "这周日哪条线开通？ 2026年1月18日"
    english = prepare_question("Which line opens on January 18?", wednesday)
    assert search_query(english) == "Which line opens on January 18? 1月18日"
    assert search_query(prepare_question("今年有几条线开通？", wednesday)) == "今年有几条线开通？"


def test_language_follows_the_question() -> None:
    assert make()[0].find("Who opened the 云州 bridge yesterday?", (), None)[0].language == "en"
    assert make()[0].find("云州的 AI 园区有几家企业？", (), None)[0].language == "zh"


def hit(article: str, rank: int) -> Hit:
    story = Article(id=article, title="", text="一句话。", file="a.txt")
    return Hit(rank, 1.0, Passage(article, 0, 4, story.text), story)


def test_a_day_is_also_searched_among_the_articles_of_that_time() -> None:
    assistant, retriever, _ = make()
    assistant.ask("昨天哪座桥通车？", as_of=dt.date(2026, 1, 14))
    query = "昨天哪座桥通车？ 2026年1月13日"
    then = Filters(date_from=dt.date(2026, 1, 13), date_to=dt.date(2026, 1, 14))
    assert retriever.asked == [(query, Filters()), (query, then)]


def test_a_time_outside_the_filters_is_not_searched() -> None:
    day = Period(dt.date(2026, 1, 13), dt.date(2026, 1, 15))
    chosen = Filters(date_from=dt.date(2026, 1, 14), sources=("晨报",))
    assert narrow(chosen, day) == Filters(dt.date(2026, 1, 14), dt.date(2026, 1, 15), ("晨报",))
    assert narrow(Filters(date_to=dt.date(2026, 1, 1)), day) is None


LIGHTHOUSE = Article(id="b#1", title="", text="灯船岛灯塔建成，高二十米。登塔门票五元。", file="b.txt")


class TwoArticles(OneHitRetriever):
    """Finds the lighthouse first for what is said of it, else the bridge; both are found for every query."""

    def retrieve(self, query: str, k: int | None = None, filters: Filters | None = None) -> list[Hit]:
        super().retrieve(query, k, filters)
        first, second = (LIGHTHOUSE, ARTICLE) if "灯" in query else (ARTICLE, LIGHTHOUSE)
        return [
            Hit(rank, score, Passage(found.id, 0, 9, found.text[:9]), found)
            for rank, score, found in ((1, 9.0, first), (2, 1.0, second))
        ]


class FirstHitAnswerer(EchoAnswerer):
    """Answers with the text of the first hit."""

    def stream(self, question: Question, hits: Sequence[Hit]) -> Iterator[Answer]:
        yield Answer(question.text, hits[0].article.text, False, "extractive", question.language)


def test_the_article_talked_about_is_read_first() -> None:
    understander = FakeUnderstander(goes_on=GOES_ON)
    assistant = Assistant(TwoArticles(), lambda settings: FirstHitAnswerer(), AnswerSettings(), understander)  # type: ignore[arg-type]
    history = (Turn("user", "灯船岛灯塔有多高？"), Turn("assistant", "灯船岛灯塔建成，高二十米。[1]"))
    assert assistant.ask("门票多少钱？", history=history).answer == LIGHTHOUSE.text
    assert assistant.ask("门票多少钱？").answer == ARTICLE.text
    bridge = (history[0], Turn("assistant", "灯船岛灯塔建成。[1]", articles=(ARTICLE.id,)))
    assert assistant.ask("门票多少钱？", history=bridge).answer == ARTICLE.text


def test_hits_of_several_searches_are_taken_in_turn() -> None:
    merged = merge([[hit("a", 1), hit("b", 2)], [hit("c", 1), hit("a", 2), hit("d", 3)]])
    assert [(h.article.id, h.rank) for h in merged] == [("a", 1), ("c", 2), ("b", 3), ("d", 4)]
    assert merge([[hit("a", 1)]]) == [hit("a", 1)]
