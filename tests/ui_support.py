"""A small library and assistant in memory, for the tests of the page that need no index and no model."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.config import Settings
from rag.errors import JinwenError
from rag.ingest import IngestProgress, IngestReport
from rag.sources import Problem
from rag.types import (
    Answer,
    AnswerSentence,
    Article,
    Citation,
    Filters,
    Hit,
    NearArticle,
    Passage,
    Support,
    Timings,
    Turn,
)

BRIDGE = Article(
    id="河畔日报/1",
    title="青榆大桥本月建成通车",
    text=(
        "青榆大桥本月建成通车\n青榆大桥位于城西，是连接老城与新港区的第三座跨河大桥。\n"
        "大桥全长1260米，双向六车道，两侧各设三米宽的步道。建设历时三年，高峰期有八百名工人同时作业。\n"
        "大桥于2026年1月18日正式通车，通车首日车流量约2.4万辆。沿线公交线路将在月底调整。"
    ),
    file="library/河畔日报.json",
    source="河畔日报",
    date=dt.date(2026, 1, 19),
    url="https://news.example/bridge",
    body_start=11,
)
LIBRARY = Article(
    id="river.txt#1",
    title="A reading room that never closes",
    text=(
        "A reading room that never closes\nThe town library of Aldermoor opened its night reading room on 3 March. "
        "It holds 120 seats and stays open until dawn.\nThe room cost 2.1 million crowns."
    ),
    file="library/river.txt",
    source="Aldermoor Courier",
    date=dt.date(2026, 3, 4),
    body_start=33,
)
HOSTILE = Article(
    id="bad/<b>&\"'1",
    title='<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>恶意标题',
    text=(
        "<script>window.hacked=1</script>\n\n![leak](http://evil.example/leak.png)\n\n"
        '<img src="http://evil.example/a.png" onerror="window.hacked=1">坏消息工厂日产三十吨墨水。\n\n'
        "</div></details><form action='http://evil.example/'><style>body{display:none}</style>\n\n"
        "[点我](javascript:window.hacked=1) $$x$$ `code` **粗体**"
    ),
    file="library/<svg onload=window.hacked=1>.txt",
    source="<marquee>来源</marquee>",
    url="javascript:window.hacked=1",
)


def cite(article: Article, quote: str, marker: int) -> Citation:
    start = article.text.index(quote)
    return Citation(
        marker=marker,
        article_id=article.id,
        title=article.title,
        source=article.source,
        date=article.date,
        url=article.url,
        file=article.file,
        quote=quote,
        start=start,
        end=start + len(quote),
    )


def answered(question: str, article: Article, quote: str, emphasis: str = "", **changes: object) -> Answer:
    span = ((quote.index(emphasis), quote.index(emphasis) + len(emphasis)),) if emphasis else ()
    values: dict[str, object] = {
        "question": question,
        "answer": f"{quote}[1]",
        "refused": False,
        "mode": "extractive",
        "language": "zh",
        "citations": (cite(article, quote, 1),),
        "sentences": (AnswerSentence(quote, (1,), Support.QUOTED, span),),
        "searched": question,
        "confidence": 0.9,
        "model": "fake-reader",
        "timings": Timings(4.0, 16.0),
    }
    return Answer(**(values | changes))  # type: ignore[arg-type]


def refused(question: str, *near: Article) -> Answer:
    return Answer(
        question=question,
        answer="在已收录的文章中没有找到这个问题的答案。",
        refused=True,
        mode="extractive",
        language="zh",
        nearest=tuple(
            NearArticle(a.id, a.title, a.source, a.date, a.url, a.file, a.text[-30:], len(a.text) - 30, len(a.text))
            for a in near
        ),
        searched=question,
    )


class FakeLibrary:
    """Articles in a dict; search is a substring test."""

    def __init__(self, index_dir: Path, articles: Sequence[Article] = (BRIDGE, LIBRARY, HOSTILE)) -> None:
        self.index_dir = index_dir
        self.settings = Settings()
        self._articles = {article.id: article for article in articles}

    @property
    def fingerprint(self) -> str:
        return " ".join(self._articles)

    def articles(self) -> list[Article]:
        return list(self._articles.values())

    def article(self, article_id: str) -> Article | None:
        return self._articles.get(article_id)

    def sources(self) -> list[str]:
        return sorted({article.source for article in self.articles()})

    def search(self, query: str, k: int = 20, filters: Filters | None = None) -> list[Hit]:
        found = [a for a in self.articles() if query in a.text][:k]
        hits = []
        for rank, article in enumerate(found, 1):
            start = article.text.index(query)
            passage = Passage(article.id, start, len(article.text), article.text[start:])
            hits.append(Hit(rank, 1 / rank, passage, article, lexical_rank=rank, lexical_score=2.5))
        return hits

    def ingest(
        self,
        paths: Sequence[Path],
        *,
        progress: Callable[[IngestProgress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> IngestReport:
        added, skipped = [], []
        for number, path in enumerate(paths, 1):
            if progress:
                progress(IngestProgress(number, len(paths), str(path), len(added), len(added)))
            content = path.read_text("utf-8")
            if not content.strip():
                skipped.append(Problem(str(path), None, "no text"))
                continue
            article = Article(id=f"{path.name}#1", title=path.stem, text=content, file=str(path))
            self._articles[article.id] = article
            added.append(str(path))
        return IngestReport(added=tuple(added), skipped=tuple(skipped), articles=len(added))

    def remove_article(self, article_id: str) -> None:
        del self._articles[article_id]

    def example_questions(self, language: str) -> list[str]:
        if language == "zh":
            return ["青榆大桥什么时候通车？", "青榆大桥全长多少米？", "夜间阅览室有多少座位？"]
        return ["When did the Qingyu Bridge open?", "How long is the bridge?", "How many seats has the reading room?"]


class FakeAssistant:
    """Answers by key words in the question."""

    def __init__(self, pause: float = 0.0) -> None:
        self.asked: list[tuple[str, tuple[Turn, ...], Filters | None, str | None, int | None]] = []
        self.closed = threading.Event()
        self._pause = pause

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
        as_of: dt.date | None = None,
        mode: str | None = None,
        max_sources: int | None = None,
    ) -> Iterator[Answer]:
        self.asked.append((question, tuple(history), filters, mode, max_sources))
        if "错误" in question:
            raise JinwenError("the model <b>broke</b>; choose another")
        if "崩溃" in question:
            raise RuntimeError("secret detail")
        if "天气" in question:
            yield refused(question, BRIDGE, HOSTILE)
            return
        if "慢" in question:
            try:
                for words in range(1, 4_000):  # until it is stopped, however busy the machine is
                    time.sleep(0.05)
                    yield answered(question, BRIDGE, "大桥全长1260米"[: words % 8 + 1], final=False)
            finally:
                self.closed.set()
            return
        yield from self._write(question)

    def _write(self, question: str) -> Iterator[Answer]:
        if "墨水" in question:
            answer = answered(question, HOSTILE, "坏消息工厂日产三十吨墨水。", "三十吨")
        elif "seats" in question:
            answer = answered(question, LIBRARY, "It holds 120 seats and stays open until dawn.", "120", language="en")
        elif "座位" in question:
            answer = _written(question)
        elif "米" in question or "long" in question:
            answer = answered(question, BRIDGE, "大桥全长1260米，双向六车道，两侧各设三米宽的步道。", "1260米")
        else:
            answer = answered(
                question, BRIDGE, "大桥于2026年1月18日正式通车，通车首日车流量约2.4万辆。", "2026年1月18日",
                searched=f"青榆大桥 {question}",
            )  # fmt: skip
        full = answer.sentences[0].text
        for end in range(4, len(full), 4):
            time.sleep(self._pause)
            growing: dict[str, Any] = {"answer": full[:end], "citations": (), "sentences": (), "final": False}
            yield dataclasses.replace(answer, **growing)
        yield answer


def _written(question: str) -> Answer:
    first = "夜间阅览室设有120个座位，通宵开放。"
    second = "阅览室造价为350万克朗。"
    return Answer(
        question=question,
        answer=f"{first}[1]{second}[1][2]",
        refused=False,
        mode="generative",
        language="zh",
        citations=(
            cite(LIBRARY, "It holds 120 seats and stays open until dawn.", 1),
            cite(BRIDGE, "大桥全长1260米", 2),
        ),
        sentences=(
            AnswerSentence(first, (1,), Support.SUPPORTED, ((6, 12),)),
            AnswerSentence(second, (1, 2), Support.UNSUPPORTED, (), ("350",)),
        ),
        searched=question,
        model="tiny-writer",
        notices=("one invented citation was dropped",),
        timings=Timings(5.0, 12_300.0),
    )
