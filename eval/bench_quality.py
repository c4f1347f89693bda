"""How well BM25 alone, the dense leg alone and both fused find the right text, measured on the parts that ship."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from eval.bench_results import Quality
from eval.bootstrap import mean_interval
from eval.gold import ArticleFinder
from eval.judging import judge
from eval.question_set import read_question_set
from eval.retrieval import Qrels, Ranking, evaluate, retrieval_values
from rag.assistant import search_query
from rag.store import EncodedArticle, FileRecord, Scored
from rag.types import Answer, Article, Hit, Passage

if TYPE_CHECKING:
    from eval.public_retrieval import RetrievalTask
    from rag.library import Library

LEXICAL = "BM25"
LEGS = (LEXICAL, "dense", "hybrid")
DEPTH = 5
_MEASURES = ("R@1", "R@5")
Say = Callable[[str], None]


class Legs:
    """The two legs of a library and their fusion, each as a search of its own."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def search(self, leg: str, query: str, k: int = DEPTH) -> list[Hit]:
        """The `k` best passages of `leg`, best first."""
        if leg == LEXICAL:
            return self._hits(self._library.store.search_lexical(query, k))
        if leg == "dense":
            vector = self._library.encoder.encode_queries([query])[0]
            return self._hits(self._library.store.search_dense(vector, k))
        return self._library.search(query, k)

    def _hits(self, found: Sequence[Scored]) -> list[Hit]:
        stored = self._library.store.passages([scored.passage_id for scored in found])
        return [
            Hit(rank, scored.score, stored[scored.passage_id].passage, stored[scored.passage_id].article)
            for rank, scored in enumerate(found, start=1)
        ]


def public_quality(
    tasks: Sequence[RetrievalTask],
    distractors: Sequence[str],
    open_library: Callable[[Path], Library],
    *,
    most_queries: int | None = None,
    with_lexical: bool = True,
    say: Say = lambda line: None,
) -> Iterator[Quality]:
    """Figures of every task and leg, in order.

    Every text is one article of one passage. Distractors are stored first and once; the texts of a task come
    and go, and having the higher ids they lose ties.

    :param open_library: makes an empty library in a folder.
    :param most_queries: of each task only about so many queries, evenly spread.
    :param with_lexical: whether to measure BM25, which is the same for every encoder.
    """
    for distracted in (True, False):
        chosen = [task for task in tasks if task.distracted is distracted]
        if not chosen:
            continue
        temporary = TemporaryDirectory(prefix="jinwen-bench-")
        with temporary as folder, open_library(Path(folder)) as library, library.store.writing():
            name = library.encoder.name
            if distracted and distractors:
                say(f"{name}: {len(distractors)} distractors")
                _add(library, "distractors", _articles("distractor", distractors))
            for task in chosen:
                say(f"{name}: {task.name}")
                contexts = _articles("text", task.texts)
                _add(library, "texts", contexts)
                yield from _measure_task(task, contexts, library, most_queries, with_lexical)


def sample_quality(library: Library, questions: Path, *, with_lexical: bool = True) -> Iterator[Quality]:
    """Figures of the answerable questions of a question set over a library that holds their articles, by language.

    A query is what the assistant would search. R@1 and R@5 are shares of the gold articles that a question needs.
    """
    question_set = read_question_set(questions)
    articles = {article.id: article for article in library.articles()}
    finder = ArticleFinder(articles.values(), library.settings.passages)
    legs = Legs(library)
    today = dt.date.today()
    nothing_said = Answer("", "", refused=False, mode="", language="")
    for leg in LEGS[0 if with_lexical else 1 :]:
        results = []
        for question in question_set.questions:
            asked = library.assistant.prepare(question.text, question.history, question.as_of or today)
            query = search_query(asked)
            hits = legs.search(leg, query)
            results.append(judge(question, finder.gold(question), nothing_said, hits, DEPTH, articles))
        values = retrieval_values(results)
        for lang in dict.fromkeys(result.lang for result in results):
            ids = [r.id for r in results if r.lang == lang and "article R@1" in values.get(r.id, {})]
            if ids:
                first, five = ([values[i][f"article {name}"] for i in ids] for name in _MEASURES)
                yield _quality(f"{question_set.name}: {lang}", leg, library.encoder.name, first, five)


def _measure_task(
    task: RetrievalTask,
    contexts: Sequence[Article],
    library: Library,
    most_queries: int | None,
    with_lexical: bool,
) -> Iterator[Quality]:
    ids = {article.text: article.id for article in contexts}
    asked = _spread(range(len(task.queries)), most_queries)
    legs = Legs(library)
    needed: Qrels = {str(n): [ids[task.texts[task.gold[n]]]] for n in asked}
    for leg in LEGS[0 if with_lexical else 1 :]:
        found: Ranking = {str(n): [hit.article.id for hit in legs.search(leg, task.queries[n])] for n in asked}
        values = evaluate(needed, found, _MEASURES).values()
        first, five = ([value[name] for value in values] for name in _MEASURES)
        yield _quality(task.name, leg, library.encoder.name, first, five)


def _quality(task: str, leg: str, encoder: str, first: Sequence[float], five: Sequence[float]) -> Quality:
    at_1, at_5 = mean_interval(first), mean_interval(five)
    return Quality(
        task=task,
        leg=leg,
        encoder="" if leg == LEXICAL else encoder,
        queries=at_1.count,
        r1=at_1.mean,
        r1_low=at_1.low,
        r1_high=at_1.high,
        r5=at_5.mean,
        r5_low=at_5.low,
        r5_high=at_5.high,
    )


def _articles(kind: str, texts: Sequence[str]) -> list[Article]:
    """One article per different text."""
    unique = dict.fromkeys(texts)
    return [Article(f"{kind}#{number}", "", text, f"{kind}.txt") for number, text in enumerate(unique, start=1)]


def _add(library: Library, name: str, articles: Sequence[Article]) -> None:
    """Make the file `name` of the library hold `articles`, each as one passage."""
    vectors = library.encoder.encode_passages([article.text for article in articles])
    encoded = [
        EncodedArticle(article, [Passage(article.id, 0, len(article.text), article.text)], vectors[i : i + 1])
        for i, article in enumerate(articles)
    ]
    record = FileRecord(path=name, identity=f"bench:{name}", size=0, sha256="", recipe="", format="bench")
    library.store.replace_file(dataclasses.replace(record, articles=len(articles)), encoded)


def _spread(numbers: Sequence[int], most: int | None) -> list[int]:
    """About `most` of `numbers`, at equal distances."""
    step = max(1, len(numbers) // most) if most else 1
    return list(numbers[::step])
