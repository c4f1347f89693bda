# ruff: noqa: T201  (this module is the part of the command line that prints)
"""Running a question set from the command line: progress, the table, the gate."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from eval.console import print_json, runs_root, say
from eval.question_set import QuestionSet
from eval.runs import Run, find_run

if TYPE_CHECKING:
    from eval.gate import Floor
    from eval.judge import Judge
    from eval.runner import Progress
    from rag.library import Library


def ask_all(args: argparse.Namespace, question_set: QuestionSet, library: Library, out: Path | None) -> Run:
    """Run a question set with the options of the command line."""
    from eval import runner

    return runner.run(
        question_set,
        library,
        library.assistant,
        out,
        name=args.name,
        runs_dir=runs_root(args),
        progress=_show_progress(),
        replace_run=args.replace,
    )


def print_run(args: argparse.Namespace, found: Run) -> None:
    """The table of a finished run, or its figures as JSON."""
    from eval.report import closing_lines, failures, table

    metrics = found.metrics()
    if args.json:
        figures = json.loads((found.folder / "metrics.json").read_text("utf-8"))
        print_json({"run": dataclasses.asdict(found.info), "folder": str(found.folder), **figures})
        return
    print(table(metrics))
    results = found.results()
    for line in closing_lines(metrics, failures(found, results), results):
        print(line)
    say(f"run {found.info.name}: {found.folder / 'report.html'}")


def prepare_judge(args: argparse.Namespace) -> Judge | None:
    """The judge that `--judge` asks for, before minutes of work.

    :raises SettingsError: it is asked for but not named.
    """
    from eval.judge import load_judge
    from rag.cli import read_settings

    return load_judge(read_settings(args).judge) if args.judge else None


def ask_judge(judge: Judge, finished: Run) -> int:
    """Have a run judged: 0, or 1 with what is missing."""
    from eval.judge import judge_run

    def show(done: int, total: int) -> None:
        if done == total or done % max(1, total // 10) == 0:
            say(f"{done}/{total} judged")

    lines = judge_run(finished, judge, progress=show).lines()
    for line in lines:
        say(line)
    if lines:
        say(f"judge: `jinwen eval judge {finished.folder}` asks for what is missing")
    return 1 if lines else 0


def gate(args: argparse.Namespace, finished: Run, floors: list[Floor]) -> int:
    """Whether the run passes the gate: 0, or 1 with a line per measure that fell."""
    from eval.gate import below_floors, worse_than

    lines = below_floors(finished.metrics(), floors)
    if args.no_worse_than:
        other = find_run(args.no_worse_than, runs_root(args))
        lines += worse_than(finished.results(), other.results(), other.info.name)
    for line in lines:
        say(f"gate: {line}")
    return 1 if lines else 0


def _show_progress() -> Callable[[Progress], None]:
    """Show progress on stderr: in place on a terminal, else a line every tenth of the way."""
    terminal = sys.stderr.isatty()

    def show(progress: Progress) -> None:
        line = f"{progress.done}/{progress.total} asked, {progress.correct} right"
        if terminal:
            end = "\n" if progress.done == progress.total else ""
            print(f"\r\x1b[K{line}  {progress.question[:60]}", end=end, file=sys.stderr, flush=True)
        elif progress.done == progress.total or progress.done % max(1, progress.total // 10) == 0:
            say(line)

    return show
