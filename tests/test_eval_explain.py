"""Following an expected text through the steps of an answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from reader_fakes import FakeUnderstander

from eval.explain import Step, explain
from eval.explain_report import explanation_json, explanation_text
from rag.answering.refusal import refuse
from rag.assistant import Assistant, QuestionError
from rag.config import AnswerSettings, RetrievalSettings, Settings
from rag.encoder import Encoder
from rag.ingest_writer import BatchWriter
from rag.retriever import Retriever
from rag.sentences import sentence_spans
from rag.store import FileArticles, FileRecord, LocalStore
from rag.tokens import tokenize
from rag.types import Answer, AnswerSentence, Article, Citation, Filters, Hit, Question, Support

SURE = {"strict": 0.9, "balanced": 0.5, "generous": 0.1}


@dataclass(frozen=True)
class OverlapAnswerer:
    """Cites the sentence that holds the largest share of the question's tokens, which is how sure it is."""

    settings: AnswerSettings

    def stream(self, question: Question, hits: Sequence[Hit]) -> Iterator[Answer]:
        wanted = set(tokenize(question.standalone))
        scored = [
            (len(wanted & set(tokenize(hit.article.text[s:e]))) / len(wanted), -hit.rank, s, e, hit.article)
            for hit in hits
            for s, e in sentence_spans(hit.article.text, hit.passage.start, hit.passage.end)
        ]
        share, _, start, end, article = max(scored, key=lambda entry: entry[:3]) if scored else (0.0, 0, 0, 0, None)
        if article is None or share < SURE[self.settings.strictness]:
            yield dataclasses.replace(refuse(question, hits, mode="extractive"), confidence=share)
            return
        quote = article.text[start:end]
        yield Answer(
            question.text, f"{quote}[1]", False, "extractive", question.language,
            (Citation(1, article.id, article.title, article.source, None, None, article.file, quote, start, end),),
            (AnswerSentence(quote, (1,), Support.QUOTED),), confidence=share,
        )  # fmt: skip


class Shelf:
    """What `explain` needs of a library, over a real store."""

    def __init__(self, store: LocalStore, encoder: Encoder, settings: Settings) -> None:
        self.store, self.encoder, self.settings = store, encoder, settings
        self.retriever = self.retriever_for(settings.retrieval)
        self.assistant = Assistant(self.retriever, OverlapAnswerer, settings.answer, FakeUnderstander())
        self.make_answerer = OverlapAnswerer

    def retriever_for(self, settings: RetrievalSettings) -> Retriever:
        return Retriever(self.store, self.encoder, settings)

    def articles(self) -> list[Article]:
        return self.store.articles()

    def article(self, article_id: str) -> Article | None:
        return self.store.article(article_id)

    def search(self, query: str, k: int = 20, filters: Filters | None = None) -> list[Hit]:
        return self.retriever.retrieve(query, k=k, filters=filters)


Make = Callable[..., Shelf]


@pytest.fixture
def shelf(empty_store: LocalStore, encoder: Encoder, settings: Settings, articles: list[Article]) -> Make:
    def make(retrieval: RetrievalSettings | None = None, answer: AnswerSettings | None = None) -> Shelf:
        with empty_store.writing():
            writer = BatchWriter(empty_store, encoder, settings.passages, lambda: None)
            record = FileRecord("all", "all", 0, "", "")
            writer.add(FileArticles(record, articles), lambda: False)
            writer.flush()
            empty_store.update_caches()
        changed = dataclasses.replace(
            settings, retrieval=retrieval or settings.retrieval, answer=answer or settings.answer
        )
        return Shelf(empty_store, encoder, changed)

    return make


def test_found_and_cited(shelf: Make) -> None:
    found = explain(shelf(), "大桥全长七公里？", "大桥全长七公里")
    assert (found.step, found.verbatim, found.remedies) == (Step.NOWHERE, True, ())
    assert found.article is not None
    assert found.article.id == "海湾日报/3"
    (trace,) = found.traces
    assert (trace.dense.rank, trace.lexical.rank, trace.fused_rank, trace.final_rank) == (1, 1, 1, 1)
    assert trace.dense.score == pytest.approx(1.0)
    # First in both legs: 1 / (60 + 1) twice.
    assert trace.fused_score == pytest.approx(2 / 61)
    assert found.shared_words == ("大桥", "桥全", "全长", "长七", "七公", "公里")
    assert found.missing_words == ()


def test_not_in_the_library(shelf: Make) -> None:
    found = explain(shelf(), "大桥全长？", "火星上没有人")
    assert (found.step, found.article, found.traces, found.remedies) == (Step.LIBRARY, None, (), ())


def test_a_text_in_other_words_is_taken_for_the_sentence_most_like_it(shelf: Make) -> None:
    found = explain(shelf(), "大桥全长七公里？", "大桥全长共七公里，双向六车道")
    assert (found.verbatim, found.expected) == (False, "大桥全长七公里，桥面双向六车道，预计年底通车。")


def test_filters(shelf: Make) -> None:
    only_march = Filters(date_from=dt.date(2025, 3, 1), date_to=dt.date(2025, 3, 31))
    found = explain(shelf(), "大桥全长七公里？", "大桥全长七公里", filters=only_march)
    assert found.step is Step.FILTER
    assert found.reason == "its article (海湾日报, 2025-06-01) does not pass the filters"
    assert found.remedies == ("without the filters: rank 1, read",)


def test_depth_and_cut_off(shelf: Make) -> None:
    question, expected = "船和书和茶和鱼", "头采茶每斤卖到九百元"
    free = explain(shelf(), question, expected)
    assert free.traces[0].final_rank is not None
    assert free.traces[0].final_rank > 1
    cut = explain(shelf(RetrievalSettings(top_k=1)), question, expected)
    assert cut.step is Step.CUT_OFF
    assert cut.reason == f"rank {free.traces[0].final_rank} in the result list; only the first 1 are read"
    assert cut.remedies == (f"retrieval.top_k={free.traces[0].final_rank}: rank {free.traces[0].final_rank}, read",)
    shallow = explain(shelf(RetrievalSettings(depth=1)), question, expected)
    assert shallow.step is Step.DEPTH
    assert shallow.reason == "rank 3 in the dense and none in the lexical search; only the first 1 of each are fused"
    assert shallow.remedies == ("retrieval.depth=3: rank 3, read",)


def test_a_story_gives_only_so_many_passages(shelf: Make, articles: list[Article]) -> None:
    long = "".join(
        f"第{n}号桥长{n}百米，造桥的人住在桥边，他们种树养花，一住就是{n}年，从来没有离开过桥。" for n in range(2, 9)
    )
    articles.append(Article("long", "桥", long, "long.txt"))
    free = explain(shelf(RetrievalSettings(per_article=20)), "第2号桥 桥 桥 桥", "第8号桥长8百米")
    assert free.traces[0].final_rank is not None
    found = explain(shelf(RetrievalSettings(per_article=1)), "第2号桥 桥 桥 桥", "第8号桥长8百米")
    assert found.step is Step.LEFT_OUT
    assert (
        found.reason == f"rank {free.traces[0].fused_rank} after fusion, but 1 better passages of its story come first"
    )
    assert found.remedies == (f"retrieval.per_article=20: rank {free.traces[0].final_rank}, read",)


def test_refused_with_the_strictness_that_helps(shelf: Make) -> None:
    # 大桥 桥什 什么 么时 时候 候通 通车: the sentence holds 大桥 and 通车, 2 of 7.
    found = explain(shelf(), "大桥什么时候通车", "预计年底通车")
    assert found.step is Step.REFUSED
    assert found.reason == "rank 1, read, but the answerer was only 0.29 sure of an answer"
    assert found.remedies == ("answer.strictness=generous: cited",)
    assert found.missing_words == ("桥什", "什么", "么时", "时候", "候通")


def test_another_text_was_chosen(shelf: Make) -> None:
    found = explain(shelf(), "今年春天渔民捕鱼", "五月起休渔")
    assert found.step is Step.NOT_CHOSEN
    assert found.reason.startswith("rank 1, read, but the answer cites “今年春天海湾市渔民捕鱼八百吨")


def test_reports(shelf: Make) -> None:
    found = explain(shelf(), "大桥什么时候通车", "预计年底通车")
    lines = explanation_text(found).splitlines()
    assert lines[0] == f"read, but the answer was refused: {found.reason}"
    assert lines[2] == "article   跨海大桥合龙 [海湾日报/3] 海湾日报 2025-06-01 — holds it"
    assert lines[-1] == "  answer.strictness=generous: cited"
    record = json.loads(json.dumps(explanation_json(found)))
    assert record["step"] == "read, but the answer was refused"
    assert record["passages"][0]["final_rank"] == 1
    with pytest.raises(QuestionError):
        explain(shelf(), "大桥？", "  ")
