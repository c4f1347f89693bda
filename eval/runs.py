"""A run is a folder of plain files: what was asked of what, and what came of it.

    run.json         name, time, settings, versions, fingerprints of question set, index and encoder
    questions.jsonl  the question set as it was read
    results.jsonl    one line per question, written as soon as it is answered
    metrics.json     the figures; there only when the run is finished
    report.html, report.md, results.csv

A run that was interrupted has no metrics.json; starting it again answers only what is missing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from eval.engine import Searchable
from eval.fingerprints import code_fingerprint, model_fingerprints
from eval.question_set import QuestionSet, read_question_set, write_question_set
from eval.results import QuestionResult, from_line, to_line
from eval.summary import Metrics, from_json, to_json
from rag.config import PROJECT_DIR, to_dict
from rag.errors import JinwenError
from rag.store.atomic import write_checked

DEFAULT_RUNS_DIR = PROJECT_DIR / "runs"
FORMAT = 1
_INFO, _QUESTIONS, _RESULTS, _METRICS = "run.json", "questions.jsonl", "results.jsonl", "metrics.json"
_REPORTS = ("report.html", "report.md", "results.csv")
_PACKAGES = ("jinwen", "faiss-cpu", "tantivy", "numpy", "ir-measures", "tokenizers", "sentence-transformers")


class RunError(JinwenError):
    """A run is missing, damaged, or cannot be written or resumed as asked."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a run is a run of."""

    name: str
    created: str
    """ISO 8601, UTC, seconds."""
    as_of: str
    """ISO date on which questions without a date of their own are asked."""
    question_set: str
    question_set_fingerprint: str
    questions: int
    index_fingerprint: str
    articles: int
    encoder: str
    encoder_fingerprint: str
    settings: dict[str, dict[str, Any]]
    versions: dict[str, str]
    models: dict[str, str] = field(default_factory=dict)
    """Shipped model -> hash of its files."""
    code: str = ""
    """Hash of the engine's code."""
    format: int = FORMAT

    def differences(self, other: RunInfo) -> list[str]:
        """What makes the answers of two runs incomparable as one run; empty when a run may go on as the other."""
        found = [
            f"{label} {getattr(self, key)!s:.24} → {getattr(other, key)!s:.24}"
            for key, label in (
                ("question_set_fingerprint", "question set"),
                ("index_fingerprint", "index"),
                ("encoder_fingerprint", "encoder"),
            )
            if getattr(self, key) != getattr(other, key)
        ]
        return found + setting_differences(self, other) + model_differences(self, other)


@dataclass(frozen=True, slots=True)
class Run:
    """A run on disk."""

    folder: Path
    info: RunInfo

    @property
    def finished(self) -> bool:
        """Whether every question was asked and the figures are there."""
        return (self.folder / _METRICS).is_file()

    def questions(self) -> QuestionSet:
        """The questions of the run."""
        return dataclasses.replace(read_question_set(self.folder / _QUESTIONS), name=self.info.question_set)

    def results(self) -> list[QuestionResult]:
        """The results so far, in the order of the question set; a torn last line is ignored."""
        found: dict[str, QuestionResult] = {}
        try:
            lines = (self.folder / _RESULTS).read_text("utf-8", "replace").split("\n")
        except FileNotFoundError:
            return []
        for line in lines:
            try:
                result = from_line(line)
            except ValueError:
                continue
            found[result.id] = result
        order = [question.id for question in self.questions().questions]
        return [found[question_id] for question_id in order if question_id in found]

    def metrics(self) -> Metrics:
        """The figures of the run.

        :raises RunError: the run is not finished, or its metrics.json is damaged.
        """
        path = self.folder / _METRICS
        if not path.is_file():
            raise RunError(f"run {self.info.name} is not finished; start it again with --out {self.folder} to go on")
        try:
            return from_json(path.read_text("utf-8"))
        except ValueError as error:
            raise RunError(f"{path} is damaged ({error}); delete it and start the run again to rebuild it") from error

    def append(self, result: QuestionResult) -> None:
        """Write one result; it is on its way to disk when this returns."""
        with (self.folder / _RESULTS).open("a", encoding="utf-8", errors="replace") as file:
            file.write(to_line(result) + "\n")

    def rewrite(self, results: Iterable[QuestionResult]) -> None:
        """Replace all results at once, in order."""
        replace_file(self.folder / _RESULTS, "".join(to_line(result) + "\n" for result in results))

    def finish(self, metrics: Metrics) -> None:
        """Write the figures, which marks the run as finished."""
        replace_file(self.folder / _METRICS, to_json(metrics))


def describe(question_set: QuestionSet, library: Searchable, name: str, as_of: dt.date | None = None) -> RunInfo:
    """What a run of `question_set` over `library` would be."""
    now = dt.datetime.now(dt.UTC)
    return RunInfo(
        name=name or f"{now:%Y%m%d-%H%M%S}-{slug(question_set.name)}",
        created=now.isoformat(timespec="seconds"),
        as_of=(as_of or dt.date.today()).isoformat(),
        question_set=question_set.name,
        question_set_fingerprint=question_set.fingerprint,
        questions=len(question_set.questions),
        index_fingerprint=library.fingerprint,
        articles=len(library.articles()),
        encoder=library.encoder.name,
        encoder_fingerprint=library.encoder.fingerprint,
        settings=to_dict(library.settings),
        versions=_versions(),
        models=model_fingerprints(),
        code=code_fingerprint(),
    )


def create_run(folder: Path, info: RunInfo, question_set: QuestionSet) -> Run:
    """Start a run in `folder`, which must not hold one.

    :raises RunError: it holds one, or cannot be written.
    """
    if (folder / _INFO).exists():
        raise RunError(f"{folder} already holds a run; name another folder or use --replace")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_question_set(folder / _QUESTIONS, question_set)
        replace_file(folder / _INFO, json.dumps(dataclasses.asdict(info), ensure_ascii=False, indent=1) + "\n")
    except OSError as error:
        raise RunError(f"run folder {folder} cannot be written: {error.strerror}; name another with --out") from error
    return Run(folder, info)


def open_run(folder: Path) -> Run:
    """The run in `folder`.

    :raises RunError: there is none, or it was written by another version of the format.
    """
    try:
        record = json.loads((folder / _INFO).read_text("utf-8"))
        if record.get("format") != FORMAT:
            raise RunError(f"{folder} holds a run of format {record.get('format')}; this version reads {FORMAT}")
        return Run(folder, RunInfo(**record))
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"{folder} holds no run; `jinwen eval list` shows the runs there are") from None
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise RunError(f"{folder / _INFO} cannot be read as a run: {error}") from error


def list_runs(root: Path = DEFAULT_RUNS_DIR) -> list[Run]:
    """The runs under `root`, newest first; folders that hold none, or a damaged one, are passed over."""
    runs: list[Run] = []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        try:
            runs.append(open_run(folder))
        except RunError:
            continue
    return sorted(runs, key=lambda run: (run.info.created, run.info.name), reverse=True)


def find_run(name: str, root: Path = DEFAULT_RUNS_DIR) -> Run:
    """The run called `name`, or the one in the folder `name`; `latest` is the newest finished one.

    :raises RunError: there is none, or several have this name.
    """
    runs = list_runs(root)
    if name == "latest":
        finished = [run for run in runs if run.finished]
        if finished:
            return finished[0]
    named = [run for run in runs if name in (run.info.name, run.folder.name)]
    if len(named) > 1:
        raise RunError(f"{len(named)} runs are called {name!r}; give the folder of one")
    if named:
        return named[0]
    if (Path(name) / _INFO).is_file():
        return open_run(Path(name))
    known = ", ".join(run.info.name for run in runs[:5]) or "none yet"
    raise RunError(f"there is no run {name!r}; expected a run's name or folder (newest: {known})")


def rename_run(run: Run, name: str) -> Run:
    """Give a run another name; its folder stays.

    :raises RunError: the name is empty.
    """
    if not name.strip():
        raise RunError("a run needs a name of at least one character")
    info = dataclasses.replace(run.info, name=name.strip())
    replace_file(run.folder / _INFO, json.dumps(dataclasses.asdict(info), ensure_ascii=False, indent=1) + "\n")
    return Run(run.folder, info)


def delete_run(run: Run) -> None:
    """Delete the files of a run, and its folder when nothing else lies in it."""
    for name in (_METRICS, *_REPORTS, _RESULTS, _QUESTIONS, _INFO):
        (run.folder / name).unlink(missing_ok=True)
    if not any(run.folder.iterdir()):
        run.folder.rmdir()


def setting_differences(first: RunInfo, second: RunInfo) -> list[str]:
    """The settings that differ, as `section.key old → new`, in order."""
    found: list[str] = []
    for section in sorted({*first.settings, *second.settings}):
        a, b = first.settings.get(section, {}), second.settings.get(section, {})
        if section in ("ui", "judge"):
            continue  # the page's port and the judge change no answer
        found += [
            f"{section}.{key} {a.get(key)} → {b.get(key)}" for key in sorted({*a, *b}) if a.get(key) != b.get(key)
        ]
    return found


def model_differences(first: RunInfo, second: RunInfo) -> list[str]:
    """Shipped models and engine code that differ, in order."""
    names = sorted({*first.models, *second.models})
    found = [
        f"model {name} {first.models.get(name, '-')[:8]} → {second.models.get(name, '-')[:8]}"
        for name in names
        if first.models.get(name) != second.models.get(name)
    ]
    return found if first.code == second.code else [*found, f"code {first.code[:8]} → {second.code[:8]}"]


def slug(name: str) -> str:
    """`name` as part of a folder name."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:40] or "questions"


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def replace_file(path: Path, text: str) -> None:
    """Write a whole file or nothing."""
    write_checked(path, [text.encode("utf-8", "replace")])
