# ruff: noqa: T201  (this module is the part of the command line that prints)
"""The forms of `jinwen eval`: one library call each, then printing. Figures to stdout, everything else to stderr."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from eval import set_commands
from eval.asking import ask_all, ask_judge, gate, prepare_judge, print_run
from eval.console import expect, parse_date, print_json, read_questions, runs_root, say
from eval.question_set import QuestionSet, make_question_set
from eval.runs import delete_run, find_run, list_runs, rename_run, replace_file

_PROBLEMS_SHOWN = 20
_Form = Callable[[argparse.Namespace, list[str]], int]


def run(args: argparse.Namespace) -> int:
    """Carry out the form that `args.words` begins with; a single other word is a question set."""
    form, *words = args.words
    forms: dict[str, _Form] = {
        "compare": _compare,
        "list": _list,
        "show": _show,
        "judge": _judge,
        "rename": _rename,
        "delete": _delete,
        "validate": set_commands.validate_set,
        "convert": set_commands.convert,
        "export": set_commands.export,
        "public": set_commands.public,
        "trec": set_commands.trec,
        "draft": set_commands.draft,
    }
    if form in forms:
        return forms[form](args, words)
    expect(words, 0, "jinwen eval QUESTIONS")
    return _run_set(args, read_questions(Path(form)))


def _run_set(args: argparse.Namespace, question_set: QuestionSet) -> int:
    from eval.gate import parse_floors
    from rag.cli import open_library

    floors = parse_floors(args.fail_under)
    if args.no_worse_than:
        find_run(args.no_worse_than, runs_root(args))  # before minutes of work, not after
    if args.count:
        question_set = make_question_set(question_set.name, question_set.questions[: args.count], question_set.problems)
    _report_problems(question_set)
    judge = prepare_judge(args)
    with open_library(args) as library:
        finished = ask_all(args, question_set, library, args.out)
    unjudged = ask_judge(judge, finished) if judge else 0
    print_run(args, finished)
    return gate(args, finished, floors) or unjudged


def explain(args: argparse.Namespace) -> int:
    """Carry out `jinwen explain`."""
    from eval.explain import explain as explain_question
    from eval.explain_report import explanation_json, explanation_text
    from rag.cli import open_library
    from rag.types import Filters

    filters = Filters(parse_date(args.date_from), parse_date(args.date_to), tuple(args.source))
    with open_library(args) as library:
        explanation = explain_question(library, args.question, args.expect, filters=filters)
    if args.json:
        print_json(explanation_json(explanation))
    else:
        print(explanation_text(explanation))
    return 0


def _compare(args: argparse.Namespace, words: list[str]) -> int:
    from eval.compare import compare
    from eval.compare_html import comparison_page
    from eval.compare_report import comparison_json, comparison_text

    expect(words, 2, "jinwen eval compare A B")
    comparison = compare(*(find_run(name, runs_root(args)) for name in words))
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        replace_file(args.out, comparison_page(comparison))
        say(f"wrote {args.out}")
    if args.json:
        print_json(comparison_json(comparison))
    else:
        print(comparison_text(comparison))
    return 0


def _list(args: argparse.Namespace, words: list[str]) -> int:
    expect(words, 0, "jinwen eval list")
    for found in list_runs(runs_root(args)):
        correct = found.metrics().overall.get("correct") if found.finished else None
        if args.json:
            print_json(
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
    expect(words, 1, "jinwen eval show RUN")
    print_run(args, find_run(words[0], runs_root(args)))
    return 0


def _judge(args: argparse.Namespace, words: list[str]) -> int:
    from eval.judge import load_judge
    from rag.cli import read_settings

    expect(words, 1, "jinwen eval judge RUN")
    found = find_run(words[0], runs_root(args))
    unjudged = ask_judge(load_judge(read_settings(args).judge), found)
    print_run(args, found)
    return unjudged


def _rename(args: argparse.Namespace, words: list[str]) -> int:
    expect(words, 2, "jinwen eval rename RUN NAME")
    found = find_run(words[0], runs_root(args))
    say(f"{found.info.name} is now called {rename_run(found, words[1]).info.name}")
    return 0


def _delete(args: argparse.Namespace, words: list[str]) -> int:
    expect(words, 1, "jinwen eval delete RUN")
    found = find_run(words[0], runs_root(args))
    delete_run(found)
    say(f"deleted run {found.info.name} ({found.folder})")
    return 0


def _report_problems(question_set: QuestionSet) -> None:
    for problem in question_set.problems[:_PROBLEMS_SHOWN]:
        say(f"{question_set.name}: {problem}")
    more = len(question_set.problems) - _PROBLEMS_SHOWN
    if more > 0:
        say(f"{question_set.name}: {more} more problems; `jinwen eval validate` shows them all")
