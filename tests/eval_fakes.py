"""A small library and assistant with readable behaviour for the tests of the evaluation.

The articles are invented. Search ranks passages by shared tokens; the assistant says what a table says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rag.config import PassageSettings, RetrievalSettings, Settings
from rag.errors import ModelError
from rag.passages import split_article
from rag.tokens import detect_language, tokenize
from rag.types import (
    Answer,
    AnswerSentence,
    Article,
    Citation,
    Filters,
    Hit,
    Support,
    Timings,
    Turn,
)

HARBOUR = Article(
    id="报/1", title="新泊位启用", file="paper.txt", source="滨城晚报", date=dt.date(2025, 3, 2),
    text="新泊位启用\n滨城港三号泊位昨天启用。泊位长410米，可靠泊20万吨级货轮。港务局说，全年吞吐量预计达到1,250万吨。",
)  # fmt: skip
LIBRARY = Article(
    id="报/2", title="图书馆延长开放", file="paper.txt", source="滨城晚报", date=dt.date(2025, 3, 3),
    text="图书馆延长开放\n市图书馆从四月起每天开放到晚上十点。馆长沈竹说，自习座位增加到860个。",
)  # fmt: skip
FERRY = Article(
    id="ferry.md", title="Ferry returns", file="ferry.md", source="Harbour News", date=dt.date(2025, 3, 4),
    text="Ferry returns\nThe island ferry sails again from 6 March. It carries 240 passengers and 30 cars.",
)  # fmt: skip
ARTICLES = (HARBOUR, LIBRARY, FERRY)


class NamedEncoder:
    """An encoder that is asked for nothing but its name."""

    name = "toy"
    fingerprint = "toy-1"
    dim = 2

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return np.zeros((len(texts), 2), dtype=np.float32)

    encode_passages = encode_queries


@dataclass
class ToyLibrary:
    """Ranks passages by how many distinct tokens they share with the query."""

    stories: Sequence[Article] = ARTICLES
    settings: Settings = field(
        default_factory=lambda: Settings(passages=PassageSettings(size=40), retrieval=RetrievalSettings(top_k=2))
    )
    fingerprint: str = "index-1"
    encoder: NamedEncoder = field(default_factory=NamedEncoder)
    searches: int = 0

    def articles(self) -> list[Article]:
        return list(self.stories)

    def search(self, query: str, k: int = 20, filters: Filters | None = None) -> list[Hit]:
        self.searches += 1
        wanted = set(tokenize(query))
        scored = []
        for article in self.stories:
            if filters and filters.sources and article.source not in filters.sources:
                continue
            for passage in split_article(article, self.settings.passages):
                shared = len(wanted & set(tokenize(passage.text)))
                if shared:
                    scored.append((-shared, article.id, passage.start, passage, article))
        scored.sort(key=lambda entry: entry[:3])
        return [
            Hit(rank, float(-negative), passage, article, lexical_rank=rank, lexical_score=float(-negative))
            for rank, (negative, _, _, passage, article) in enumerate(scored[:k], 1)
        ]


@dataclass
class ToyAssistant:
    """Says what `says` holds for a question: the quote of an article, or nothing (a refusal)."""

    says: dict[str, tuple[Article, str, float]]
    asked: list[str] = field(default_factory=list)
    fail_on: str = ""

    def ask(
        self, question: str, *, history: Sequence[Turn] = (), filters: Filters | None = None,
        as_of: dt.date | None = None,
    ) -> Answer:  # fmt: skip
        self.asked.append(question)
        if question == self.fail_on:
            raise ModelError("the model is gone; name another")
        language = detect_language(question)
        timings = Timings(retrieve=1.0, answer=2.0)
        if question not in self.says:
            return Answer(question, "没有找到。", True, "extractive", language, searched=question, timings=timings)
        article, quote, confidence = self.says[question]
        start = article.text.index(quote)
        citation = Citation(
            1,
            article.id,
            article.title,
            article.source,
            article.date,
            None,
            article.file,
            quote,
            start,
            start + len(quote),
        )
        return Answer(
            question, f"{quote}[1]", False, "extractive", language, (citation,),
            (AnswerSentence(quote, (1,), Support.QUOTED),), searched=question, confidence=confidence, timings=timings,
        )  # fmt: skip
