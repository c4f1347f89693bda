"""question set + library + assistant -> a run on disk."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from eval.engine import Answering, Searchable
from eval.gold import ArticleFinder, Gold
from eval.judging import judge
from eval.question import Question
from eval.question_set import QuestionSet
from eval.report import write_reports
from eval.results import QuestionResult
from eval.runs import DEFAULT_RUNS_DIR, Run, RunError, RunInfo, create_run, delete_run, describe, open_run, slug
from eval.summary import summarise
from rag.errors import JinwenError
from rag.types import Answer, Article, Filters, Hit

RETRIEVAL_DEPTH = 20
"""Hits kept per question: what RR looks at, and enough to see how far away a missed passage was."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    done: int
    total: int
    correct: int
    """Right answers (and right refusals) so far."""
    question: str
    """The question just asked."""


def run(
    question_set: QuestionSet,
    library: Searchable,
    assistant: Answering,
    folder: Path | None = None,
    *,
    name: str = "",
    runs_dir: Path = DEFAULT_RUNS_DIR,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    replace_run: bool = False,
) -> Run:
    """Ask every question, write the results and, when all were asked, the figures and reports.

    A folder that holds an unfinished run of the same questions, index and settings is taken up where it
    stopped, and gives the figures that it would have given. `stop` ends the run after the question in hand.

    :param folder: where the run goes; default: a new folder under `runs_dir`.
    :raises RunError: `folder` holds a finished run, or an unfinished one of something else, and `replace_run`
        is off.
    """
    info = describe(question_set, library, name)
    the_run = _start(info, question_set, folder or _free_folder(runs_dir / slug(info.name)), replace_run)
    done = {result.id: result for result in the_run.results()}
    the_run.rewrite(done.values())
    articles = library.articles()
    finder = ArticleFinder(articles, library.settings.passages)
    asker = _Asker(library, assistant, {a.id: a for a in articles}, dt.date.fromisoformat(the_run.info.as_of))
    correct = sum(result.correct is True for result in done.values())
    for question in question_set.questions:
        if question.id in done:
            continue
        if stop is not None and stop.is_set():
            return the_run
        result = asker.ask(question, finder.gold(question))
        the_run.append(result)
        done[question.id] = result
        correct += result.correct is True
        if progress is not None:
            progress(Progress(len(done), len(question_set.questions), correct, question.text))
    results = the_run.results()
    metrics = summarise(results)
    write_reports(the_run, results, metrics)
    the_run.finish(metrics)
    return the_run


@dataclass(frozen=True, slots=True)
class _Asker:
    library: Searchable
    assistant: Answering
    articles: Mapping[str, Article]
    today: dt.date

    def ask(self, question: Question, gold: Gold) -> QuestionResult:
        """Search and answer one question; an error of the assistant is a result, not the end of the run."""
        as_of = question.as_of or self.today
        filters = Filters(sources=question.sources)
        started = time.perf_counter()
        error = ""
        hits: list[Hit] = []
        try:
            answer = self.assistant.ask(question.text, history=question.history, filters=filters, as_of=as_of)
        except JinwenError as failure:
            error = str(failure)
            answer = Answer(question.text, "", refused=False, mode="", language=question.lang)
        total_ms = (time.perf_counter() - started) * 1000
        if not error:
            hits = self._hits(answer, filters)
        read = self.library.settings.retrieval.top_k
        result = judge(question, gold, answer, hits, read, self.articles)
        return replace(result, error=error, timings_ms={**result.timings_ms, "total": round(total_ms, 2)})

    def _hits(self, answer: Answer, filters: Filters) -> list[Hit]:
        """What the answer was made from, then what the search for it finds besides, as far as is looked at."""
        hits = list(answer.hits)
        if len(hits) < RETRIEVAL_DEPTH:
            read = {(hit.article.id, hit.passage.start) for hit in hits}
            found = self.library.search(answer.searched or answer.question, k=RETRIEVAL_DEPTH, filters=filters)
            hits += [hit for hit in found if (hit.article.id, hit.passage.start) not in read]
        return [replace(hit, rank=rank) for rank, hit in enumerate(hits[:RETRIEVAL_DEPTH], start=1)]


def _start(info: RunInfo, question_set: QuestionSet, folder: Path, replace_run: bool) -> Run:
    if not (folder / "run.json").exists():
        return create_run(folder, info, question_set)
    if replace_run:
        delete_run(open_run(folder))
        return create_run(folder, info, question_set)
    found = open_run(folder)
    if found.finished:
        raise RunError(
            f"{folder} already holds the finished run {found.info.name!r}; name another folder or use --replace"
        )
    different = found.info.differences(info)
    if different:
        raise RunError(
            f"{folder} holds an unfinished run of something else ({'; '.join(different)}); "
            "name another folder or use --replace"
        )
    return found


def _free_folder(folder: Path) -> Path:
    number = 2
    free = folder
    while free.exists():
        free = folder.with_name(f"{folder.name}-{number}")
        number += 1
    return free
