"""Runs on the page: start, watch, stop, resume, list. Knows nothing of Gradio.

A run works on its own thread and belongs to no browser session, so that a page that is closed or loaded
again finds it as it is. One runs at a time.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from eval import runner
from eval.export import ragas_lines, trec_qrels, trec_run
from eval.judge import judge_run, load_judge
from eval.question_set import QuestionSet
from eval.report import Failure, failures
from eval.runner import Progress
from eval.runs import Run, RunError, delete_run, describe, list_runs, rename_run
from rag.assistant import Assistant
from rag.config import AnswerMode, Settings, Strictness
from rag.errors import JinwenError
from rag.types import Article, Filters, Hit

if TYPE_CHECKING:
    from eval.results import QuestionResult
    from eval.summary import Metrics
    from rag.encoder import Encoder
    from rag.library import Library
    from rag.retriever import Retriever

_LOG = logging.getLogger(__name__)
REPORT_FILES = {
    "report.html": "text/html", "report.md": "text/markdown", "results.csv": "text/csv",
    "run.trec": "text/plain", "qrels.trec": "text/plain", "ragas.jsonl": "application/x-ndjson",
}  # fmt: skip
"""What the page offers of a run, with its media type; the files of others are made when they are asked for."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person has set for a run; the rest is as in the settings of the library."""

    mode: AnswerMode
    strictness: Strictness
    top_k: int
    judge: bool = False
    """Whether the judge of the settings is asked afterwards."""


@dataclass
class Job:
    """A run under way, or the last one."""

    name: str
    total: int
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Progress | None = None
    judging: tuple[int, int] | None = None
    """Answers judged and to be judged, once that has begun."""
    unjudged: int = 0
    """Answers that the judge was asked about in vain."""
    judge_error: str = ""
    """Why; empty where its replies could not be read."""
    folder: str = ""
    """Name of the run's folder, once it has ended."""
    error: str = ""
    """Why it failed: the text of an error, or `failed_unknown`."""
    state: Literal["running", "finished", "stopped", "failed"] = "running"


class Configured:
    """A library searched with other settings than its own."""

    def __init__(self, library: Library, settings: Settings) -> None:
        self._library = library
        self.settings = settings

    @property
    def fingerprint(self) -> str:
        """That of the library."""
        return self._library.fingerprint

    @property
    def encoder(self) -> Encoder:
        """That of the library."""
        return self._library.encoder

    def articles(self) -> Sequence[Article]:
        """All articles."""
        return self._library.articles()

    def search(self, query: str, k: int = 20, filters: Filters | None = None) -> list[Hit]:
        """The `k` best passages for `query`."""
        return self._retriever.retrieve(query, k=k, filters=filters or Filters())

    @cached_property
    def assistant(self) -> Assistant:
        """Question answering with these settings."""
        if self.settings == self._library.settings:
            return self._library.assistant
        return self._library.assistant_for(self._retriever, self.settings.answer)

    @cached_property
    def _retriever(self) -> Retriever:
        return self._library.retriever_for(self.settings.retrieval)


@dataclass(frozen=True, slots=True)
class Finished:
    """A run with everything that the page shows of it."""

    run: Run
    metrics: Metrics
    results: list[QuestionResult]
    failures: list[Failure]


class RunDesk:
    """The runs under `root`, over one library."""

    def __init__(self, library: Library, root: Path) -> None:
        self._library = library
        self.root = root
        self._lock = threading.Lock()
        self.job: Job | None = None
        self._looked_at: tuple[tuple[str, str, str], list[str]] = (("", "", ""), [])
        """The run that `changes` was last asked about, with the state of the library, and the answer."""

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        job = self.job
        return job is not None and job.state == "running"

    def start(self, question_set: QuestionSet, choices: Choices, name: str) -> bool:
        """Run a set; False when another run is under way."""
        settings = self._library.settings
        settings = replace(
            settings,
            answer=replace(settings.answer, mode=choices.mode, strictness=choices.strictness),
            retrieval=replace(settings.retrieval, top_k=choices.top_k),
        )
        return self._begin(question_set, settings, None, name.strip(), judged=choices.judge)

    def resume(self, folder: str) -> bool:
        """Go on with an interrupted run; False when another run is under way.

        :raises RunError: there is no such run, or it was made by another version.
        """
        found = self.find(folder)
        return self._begin(found.questions(), settings_of(found), found.folder, found.info.name)

    def stop(self) -> None:
        """End the run after the question in hand."""
        if self.job is not None:
            self.job.stop.set()

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        return list_runs(self.root)

    def interrupted(self) -> Run | None:
        """The newest run that was not finished, unless one is under way."""
        return None if self.running else next((run for run in self.runs() if not run.finished), None)

    def changes(self, run: Run) -> list[str]:
        """Why an interrupted run cannot go on: what has changed since; empty when it can.

        Worked out once per state of the library, because that reads all of its articles.
        """
        key = (run.folder.name, run.info.created, self._library.fingerprint)
        if self._looked_at[0] != key:
            try:
                now = Configured(self._library, settings_of(run))
                found = run.info.differences(describe(run.questions(), now, run.info.name))
            except JinwenError as error:
                found = [str(error)]
            self._looked_at = (key, found)
        return self._looked_at[1]

    def find(self, folder: str) -> Run:
        """The run in a folder of this name.

        :raises RunError: there is none.
        """
        for run in self.runs():
            if run.folder.name == folder:
                return run
        raise RunError(f"there is no run {folder!r} any more; choose another")

    def finished(self, folder: str) -> Finished:
        """A run with its results.

        :raises RunError: there is none, or it is not finished.
        """
        run = self.find(folder)
        results = run.results()
        return Finished(run, run.metrics(), results, failures(run, results))

    def rename(self, folder: str, name: str) -> None:
        """Give a run another name.

        :raises RunError: there is no such run, or the name is empty.
        """
        rename_run(self.find(folder), name)

    def delete(self, folder: str) -> None:
        """Delete a run.

        :raises RunError: there is no such run, or it is under way.
        """
        run = self.find(folder)
        if self.running and not run.finished:
            raise RunError("a run is under way; stop it before deleting an unfinished one")
        delete_run(run)

    def _begin(
        self, question_set: QuestionSet, settings: Settings, folder: Path | None, name: str, *, judged: bool = False
    ) -> bool:
        with self._lock:
            if self.running:
                return False
            job = self.job = Job(name or question_set.name, len(question_set.questions))
        arguments = (job, question_set, settings, folder, name, judged)
        work = threading.Thread(target=self._work, args=arguments, daemon=True, name="jinwen-evaluation")
        work.start()
        return True

    def _work(
        self, job: Job, question_set: QuestionSet, settings: Settings, folder: Path | None, name: str, judged: bool
    ) -> None:
        def note(progress: Progress) -> None:
            job.progress = progress

        state: Literal["finished", "stopped", "failed"] = "failed"
        try:
            library = Configured(self._library, settings)
            run = runner.run(
                question_set, library, library.assistant, folder, name=name, runs_dir=self.root,
                progress=note, stop=job.stop,
            )  # fmt: skip
            job.name, job.folder = run.info.name, run.folder.name
            state = "finished" if run.finished else "stopped"
            if judged and run.finished:
                _judge(job, run, settings)
        except JinwenError as error:
            job.error = str(error)
        except Exception:
            _LOG.exception("a run failed")
            job.error = "failed_unknown"
        finally:
            job.state = state


def _judge(job: Job, run: Run, settings: Settings) -> None:
    """Ask the judge of the settings about a finished run; what it does not answer is noted, and the run stays."""

    def note(done: int, total: int) -> None:
        job.judging = (done, total)

    try:
        found = judge_run(run, load_judge(settings.judge), progress=note, stop=job.stop)
    except JinwenError as error:
        job.judge_error = str(error)
        return
    job.unjudged, job.judge_error = found.wanted - found.judged, found.error


def exported(run: Run, file: str) -> bytes:
    """A file of `REPORT_FILES` of a finished run.

    :raises OSError: it cannot be read.
    """
    if file == "run.trec":
        return trec_run(run.results(), run.info.name).encode("utf-8", "replace")
    if file == "qrels.trec":
        return trec_qrels(run.results()).encode("utf-8", "replace")
    if file == "ragas.jsonl":
        return ragas_lines(run.results()).encode("utf-8", "replace")
    return (run.folder / file).read_bytes()


def settings_of(run: Run) -> Settings:
    """The settings that a run was started with."""
    hints = typing.get_type_hints(Settings)
    try:
        return Settings(**{f.name: hints[f.name](**run.info.settings[f.name]) for f in dataclasses.fields(Settings)})
    except (KeyError, TypeError) as error:
        raise RunError(f"run {run.info.name} was made by another version ({error}); start a new one") from error
