"""A toy encoder whose vectors can be read, a small invented library, and short ways to store it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from rag.config import Settings
from rag.encoder import Vectors
from rag.passages import indexed_text, split_article
from rag.store import EncodedArticle, FileRecord, LocalStore
from rag.types import Article


class TopicEncoder:
    """One dimension per topic: how many of its words stand in the text, scaled to a unit vector.

    Chinese and English words of a topic count alike, so it finds across the languages as the real one does.
    """

    TOPICS = (
        ("港", "船", "port", "ship"),
        ("鱼", "渔", "fish"),
        ("桥", "bridge"),
        ("茶", "tea"),
        ("雪", "snow"),
        ("医", "hospital", "doctor"),
        ("票", "ticket"),
        ("书", "book", "library"),
    )

    def __init__(self, name: str = "topics", fingerprint: str = "topics-1") -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.dim = len(self.TOPICS)
        self.encoded: list[str] = []
        """Every passage text that was encoded, in order."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        counts = [[sum(t.lower().count(word) for word in topic) for topic in self.TOPICS] for t in texts]
        vectors = np.array(counts, dtype=np.float32).reshape(len(texts), self.dim)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths == 0, 1, lengths)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        return self.encode_queries(texts)


def make_articles() -> list[Article]:
    """Six invented stories of two sources, one without a date, one in English."""
    return [
        Article(
            id="海湾日报/1",
            title="新港区开港",
            text="海湾市新港区三月二日开港。首日有12艘船靠岸，装卸货物3.5万吨。市长林一舟说：“这只是开始。”",
            file="gulf.json",
            source="海湾日报",
            date=dt.date(2025, 3, 2),
            url="https://example.org/1",
            byline="记者 周末",
        ),
        Article(
            id="海湾日报/2",
            title="渔民今春收成好",
            text="今年春天海湾市渔民捕鱼八百吨，比去年多一成。渔业站提醒，五月起休渔。",
            file="gulf.json",
            source="海湾日报",
            date=dt.date(2025, 4, 10),
        ),
        Article(
            id="海湾日报/3",
            title="跨海大桥合龙",
            subtitle="全长七公里",
            text="跨海大桥昨日合龙。大桥全长七公里，桥面双向六车道，预计年底通车。",
            file="gulf.json",
            source="海湾日报",
            date=dt.date(2025, 6, 1),
        ),
        Article(
            id="山城晚报/1",
            title="春茶开采",
            text="青石山的春茶开采了。茶农说，今年的茶比往年早十天。头采茶每斤卖到九百元。",
            file="hill.json",
            source="山城晚报",
            date=dt.date(2025, 3, 20),
        ),
        Article(
            id="山城晚报/2",
            title="",
            text="图为山城昨夜大雪，道班工人清扫积雪。",
            file="hill.json",
            source="山城晚报",
        ),
        Article(
            id="letter.txt#1",
            title="A library by the sea",
            text="The town opened its first public library on Monday. It holds 20,000 books. Tickets are free.",
            file="letter.txt",
            source="Gulf Letter",
            date=dt.date(2025, 5, 5),
        ),
    ]


def record(path: str = "gulf.json", **fields: object) -> FileRecord:
    """What is known about a file, for tests that need no real one."""
    return FileRecord(
        path=path,
        identity=f"/library/{path}",
        size=1,
        sha256="0" * 64,
        recipe="r",
        **fields,  # type: ignore[arg-type]
    )


def encoded(articles: Sequence[Article], encoder: TopicEncoder, settings: Settings) -> list[EncodedArticle]:
    """Articles with their passages and vectors."""
    return [
        EncodedArticle(
            article=article,
            passages=(passages := split_article(article, settings.passages)),
            vectors=encoder.encode_passages([indexed_text(article, passage) for passage in passages]),
        )
        for article in articles
    ]


def fill(store: LocalStore, articles: Sequence[Article], encoder: TopicEncoder, settings: Settings) -> None:
    """Store articles under the files they name."""
    for path in dict.fromkeys(article.file for article in articles):
        of_file = [article for article in articles if article.file == path]
        store.replace_file(record(path), encoded(of_file, encoder, settings))
