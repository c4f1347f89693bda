# ruff: noqa: T201  (this module is the part of the command line that prints)
"""The forms of `jinwen eval`: one library call each, then printing. Figures to stdout, everything else to stderr."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from eval.question_set import QuestionSet, make_question_set, read_question_set
from eval.runs import DEFAULT_RUNS_DIR, Run, delete_run, find_run, list_runs, rename_run, replace_file
from rag.errors import JinwenError

if TYPE_CHECKING:
    from eval.gate import Floor
    from eval.runner import Progress
    from rag.library import Library

_PROBLEMS_SHOWN = 20


class UsageError(JinwenError):
    """A form of `jinwen eval` got too few or too many words."""


def run(args: argparse.Namespace) -> int:
    """Carry out the form that `args.words` begins with; a single other word is a question set."""
    form, *words = args.words
    forms: dict[str, Callable[[argparse.Namespace, list[str]], int]] = {
        "compare": _compare,
        "convert": _convert,
        "export": _export,
        "public": _public,
        "trec": _trec,
        "list": _list,
        "show": _show,
        "rename": _rename,
        "delete": _delete,
        "validate": _validate,
    }
    if form in forms:
        return forms[form](args, words)
    _expect(words, 0, "jinwen eval QUESTIONS")
    return _run_set(args, read_question_set(Path(form)))


def _run_set(args: argparse.Namespace, question_set: QuestionSet) -> int:
    from eval.gate import parse_floors
    from rag.cli import open_library

    floors = parse_floors(args.fail_under)
    if args.no_worse_than:
        find_run(args.no_worse_than, _root(args))  # before minutes of work, not after
    if args.count:
        question_set = make_question_set(question_set.name, question_set.questions[: args.count], question_set.problems)
    _report_problems(question_set)
    with open_library(args) as library:
        finished = _ask_all(args, question_set, library, args.out)
    _print_run(args, finished)
    return _gate(args, finished, floors)


def _ask_all(args: argparse.Namespace, question_set: QuestionSet, library: Library, out: Path | None) -> Run:
    from eval import runner

    return runner.run(
        question_set,
        library,
        library.assistant,
        out,
        name=args.name,
        runs_dir=_root(args),
        progress=_progress(),
        replace_run=args.replace,
    )


def explain(args: argparse.Namespace) -> int:
    """Carry out `jinwen explain`."""
    from eval.explain import explain as explain_question
    from eval.explain_report import explanation_json, explanation_text
    from rag.cli import open_library
    from rag.types import Filters

    filters = Filters(_date(args.date_from), _date(args.date_to), tuple(args.source))
    with open_library(args) as library:
        explanation = explain_question(library, args.question, args.expect, filters=filters)
    if args.json:
        _print_json(explanation_json(explanation))
    else:
        print(explanation_text(explanation))
    return 0


def _compare(args: argparse.Namespace, words: list[str]) -> int:
    from eval.compare import compare
    from eval.compare_report import comparison_json, comparison_text

    _expect(words, 2, "jinwen eval compare A B")
    comparison = compare(*(find_run(name, _root(args)) for name in words))
    if args.json:
        _print_json(comparison_json(comparison))
    else:
        print(comparison_text(comparison))
    return 0


def _list(args: argparse.Namespace, words: list[str]) -> int:
    _expect(words, 0, "jinwen eval list")
    for found in list_runs(_root(args)):
        correct = found.metrics().overall.get("correct") if found.finished else None
        if args.json:
            _print_json(
                {
                    "name": found.info.name,
                    "folder": str(found.folder),
                    "created": found.info.created,
                    "question_set": found.info.question_set,
                    "questions": found.info.questions,
                    "finished": found.finished,
                    "correct": None if correct is None else round(correct.mean, 4),
                }
            )
        else:
            state = f"correct {correct.mean:.3f}" if correct else ("finished" if found.finished else "unfinished")
            print(f"{found.info.created}  {found.info.name}  {found.info.question_set}  {state}")
    return 0


def _show(args: argparse.Namespace, words: list[str]) -> int:
    _expect(words, 1, "jinwen eval show RUN")
    _print_run(args, find_run(words[0], _root(args)))
    return 0


def _rename(args: argparse.Namespace, words: list[str]) -> int:
    _expect(words, 2, "jinwen eval rename RUN NAME")
    found = find_run(words[0], _root(args))
    _say(f"{found.info.name} is now called {rename_run(found, words[1]).info.name}")
    return 0


def _delete(args: argparse.Namespace, words: list[str]) -> int:
    _expect(words, 1, "jinwen eval delete RUN")
    found = find_run(words[0], _root(args))
    delete_run(found)
    _say(f"deleted run {found.info.name} ({found.folder})")
    return 0


def _validate(args: argparse.Namespace, words: list[str]) -> int:
    from eval.gold import validate
    from rag.cli import open_library

    _expect(words, 1, "jinwen eval validate QUESTIONS")
    question_set = read_question_set(Path(words[0]))
    with open_library(args) as library:
        nowhere = validate(question_set, library.articles())
    problems = sorted([*question_set.problems, *nowhere], key=lambda problem: problem.line)
    for problem in problems:
        if args.json:
            _print_json({"line": problem.line, "id": problem.question_id, "message": problem.message})
        else:
            print(problem)
    _say(f"{len(question_set.questions)} questions, {len(problems)} problems")
    return 1 if problems else 0


def _convert(args: argparse.Namespace, words: list[str]) -> int:
    from eval.formats import read_collection, write_collection

    _expect(words, 1, "jinwen eval convert SOURCE --out DIR")
    if args.out is None:
        raise UsageError("where to? jinwen eval convert SOURCE --out DIR")
    collection = read_collection(Path(words[0]))
    write_collection(collection, args.out)
    count = len(collection.question_set.questions)
    _say(f"{len(collection.articles)} articles in {args.out / 'articles'}, {count} questions in {args.out}")
    return 0


def _export(args: argparse.Namespace, words: list[str]) -> int:
    from eval.export import ragas_lines, trec_qrels, trec_run

    _expect(words, 1, "jinwen eval export RUN --format trec|ragas --out DIR")
    found = find_run(words[0], _root(args))
    results = found.results()
    folder = args.out or found.folder
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "trec": {"run.trec": trec_run(results, found.info.name), "qrels.trec": trec_qrels(results)},
        "ragas": {"ragas.jsonl": ragas_lines(results)},
    }
    for name, text in files[args.format or "trec"].items():
        replace_file(folder / name, text)
        _say(f"wrote {folder / name}")
    return 0


def _public(args: argparse.Namespace, words: list[str]) -> int:
    from eval.gate import parse_floors
    from eval.public import build_index, read_public
    from rag.cli import read_settings
    from rag.encoder import load_encoder
    from rag.library import Library

    _expect(words, 1, "jinwen eval public NAME --data DIR")
    if args.data is None:
        raise UsageError("where does the set lie? jinwen eval public NAME --data DIR")
    floors = parse_floors(args.fail_under)
    collection = read_public(words[0], args.data)
    question_set = collection.question_set
    if args.count:
        question_set = make_question_set(question_set.name, question_set.questions[: args.count])
    settings = read_settings(args)
    index_dir = _root(args) / "public" / words[0]
    _say(f"{len(collection.articles)} articles into {index_dir}")
    build_index(collection.articles, question_set.name, index_dir, settings, load_encoder(settings.encoder))
    with Library(index_dir, settings) as library:
        finished = _ask_all(args, question_set, library, args.out)
    _print_run(args, finished)
    return _gate(args, finished, floors)


def _trec(args: argparse.Namespace, words: list[str]) -> int:
    from eval.export import evaluate_trec

    _expect(words, 2, "jinwen eval trec QRELS RUN")
    figures = evaluate_trec(Path(words[0]), Path(words[1]))
    if args.json:
        _print_json(figures)
    else:
        print("\n".join(f"{name:<10}{value:.4f}" for name, value in figures.items()))
    return 0


def _gate(args: argparse.Namespace, finished: Run, floors: list[Floor]) -> int:
    from eval.gate import below_floors, worse_than

    lines = below_floors(finished.metrics(), floors)
    if args.no_worse_than:
        other = find_run(args.no_worse_than, _root(args))
        lines += worse_than(finished.results(), other.results(), other.info.name)
    for line in lines:
        _say(f"gate: {line}")
    return 1 if lines else 0


def _print_run(args: argparse.Namespace, found: Run) -> None:
    from eval.report import closing_lines, failures, table

    metrics = found.metrics()
    if args.json:
        figures = json.loads((found.folder / "metrics.json").read_text("utf-8"))
        _print_json({"run": dataclasses.asdict(found.info), "folder": str(found.folder), **figures})
        return
    print(table(metrics))
    for line in closing_lines(metrics, failures(found, found.results())):
        print(line)
    _say(f"run {found.info.name}: {found.folder / 'report.html'}")


def _report_problems(question_set: QuestionSet) -> None:
    for problem in question_set.problems[:_PROBLEMS_SHOWN]:
        _say(f"{question_set.name}: {problem}")
    more = len(question_set.problems) - _PROBLEMS_SHOWN
    if more > 0:
        _say(f"{question_set.name}: {more} more problems; `jinwen eval validate` shows them all")


def _progress() -> Callable[[Progress], None]:
    """Show progress on stderr: in place on a terminal, else a line every tenth of the way."""
    terminal = sys.stderr.isatty()

    def show(progress: Progress) -> None:
        line = f"{progress.done}/{progress.total} asked, {progress.correct} right"
        if terminal:
            end = "\n" if progress.done == progress.total else ""
            print(f"\r\x1b[K{line}  {progress.question[:60]}", end=end, file=sys.stderr, flush=True)
        elif progress.done == progress.total or progress.done % max(1, progress.total // 10) == 0:
            _say(line)

    return show


def _date(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(f"{text!r} is not a date; expected year-month-day such as 2026-01-18") from None


def _root(args: argparse.Namespace) -> Path:
    root: Path = args.runs or DEFAULT_RUNS_DIR
    return root


def _expect(words: list[str], count: int, form: str) -> None:
    if len(words) != count:
        raise UsageError(f"got {len(words)} more words, expected: {form}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)
