# ruff: noqa: T201  (this module is the part of the command line that prints)
"""The forms of `jinwen eval` that are about question sets and the files of others."""

from __future__ import annotations

import argparse
from pathlib import Path

from eval.asking import ask_all, ask_judge, gate, prepare_judge, print_run
from eval.console import UsageError, expect, print_json, read_questions, runs_root, say
from eval.question_set import make_question_set, write_question_set
from eval.runs import find_run, replace_file
from rag.types import Article

_DRAFTS = 50


def validate_set(args: argparse.Namespace, words: list[str]) -> int:
    """`jinwen eval validate QUESTIONS`."""
    from eval.gold import validate
    from rag.cli import open_library

    expect(words, 1, "jinwen eval validate QUESTIONS")
    question_set = read_questions(Path(words[0]))
    with open_library(args) as library:
        nowhere = validate(question_set, library.articles())
    problems = sorted([*question_set.problems, *nowhere], key=lambda problem: problem.line)
    for problem in problems:
        if args.json:
            print_json({"line": problem.line, "id": problem.question_id, "message": problem.message})
        else:
            print(problem)
    say(f"{len(question_set.questions)} questions, {len(problems)} problems")
    return 1 if problems else 0


def convert(args: argparse.Namespace, words: list[str]) -> int:
    """`jinwen eval convert SOURCE --out DIR`."""
    from eval.formats import read_collection, write_collection

    expect(words, 1, "jinwen eval convert SOURCE --out DIR")
    if args.out is None:
        raise UsageError("where to? jinwen eval convert SOURCE --out DIR")
    collection = read_collection(Path(words[0]))
    write_collection(collection, args.out)
    count = len(collection.question_set.questions)
    say(f"{len(collection.articles)} articles in {args.out / 'articles'}, {count} questions in {args.out}")
    return 0


def export(args: argparse.Namespace, words: list[str]) -> int:
    """`jinwen eval export RUN --format trec|ragas`."""
    from eval.export import ragas_lines, trec_qrels, trec_run

    expect(words, 1, "jinwen eval export RUN --format trec|ragas --out DIR")
    found = find_run(words[0], runs_root(args))
    results = found.results()
    folder = args.out or found.folder
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "trec": {"run.trec": trec_run(results, found.info.name), "qrels.trec": trec_qrels(results)},
        "ragas": {"ragas.jsonl": ragas_lines(results)},
    }
    for name, text in files[args.format or "trec"].items():
        replace_file(folder / name, text)
        say(f"wrote {folder / name}")
    return 0


def public(args: argparse.Namespace, words: list[str]) -> int:
    """`jinwen eval public NAME --data DIR`."""
    from eval.gate import parse_floors
    from eval.public import build_index, read_public, settings_for
    from rag.cli import read_settings
    from rag.encoder import load_encoder
    from rag.library import Library

    expect(words, 1, "jinwen eval public NAME --data DIR")
    if args.data is None:
        raise UsageError("where does the set lie? jinwen eval public NAME --data DIR")
    floors = parse_floors(args.fail_under)
    judge = prepare_judge(args)
    collection = read_public(words[0], args.data)
    question_set = collection.question_set
    if args.count:
        question_set = make_question_set(question_set.name, question_set.questions[: args.count])
    settings = settings_for(words[0], read_settings(args))
    index_dir = runs_root(args) / "public" / words[0]
    say(f"{len(collection.articles)} articles into {index_dir}")
    build_index(collection.articles, question_set.name, index_dir, settings, load_encoder(settings.encoder))
    with Library(index_dir, settings) as library:
        finished = ask_all(args, question_set, library, args.out)
    unjudged = ask_judge(judge, finished) if judge else 0
    print_run(args, finished)
    return gate(args, finished, floors) or unjudged


def trec(args: argparse.Namespace, words: list[str]) -> int:
    """`jinwen eval trec QRELS RUN`."""
    from eval.export import evaluate_trec

    expect(words, 2, "jinwen eval trec QRELS RUN")
    figures = evaluate_trec(Path(words[0]), Path(words[1]))
    if args.json:
        print_json(figures)
    else:
        print("\n".join(f"{name:<10}{value:.4f}" for name, value in figures.items()))
    return 0


def draft(args: argparse.Namespace, words: list[str]) -> int:
    """`jinwen eval draft [PATH...] -n N [--out FILE]`."""
    from eval.drafting import draft_questions
    from eval.question import to_json
    from rag.cli import open_library

    if words:
        articles = _read_articles(args, [Path(word) for word in words])
    else:
        with open_library(args) as library:
            articles = library.articles()
    drafts = draft_questions(articles, args.count or _DRAFTS)
    if args.out is not None:
        if args.out.exists() and not args.replace:
            raise UsageError(f"{args.out} exists; name another file or use --replace")
        write_question_set(args.out, drafts)
    else:
        print("\n".join(to_json(question) for question in drafts.questions))
    say(f"{len(drafts.questions)} drafts from {len(articles)} articles; reword and check each before use")
    return 0


def _read_articles(args: argparse.Namespace, paths: list[Path]) -> list[Article]:
    from rag.cli import read_settings
    from rag.errors import SourceError
    from rag.sources import find_files, read_source

    settings = read_settings(args)
    files, problems = find_files(paths)
    for problem in problems:
        say(str(problem))
    articles: list[Article] = []
    for file in files:
        try:
            articles += read_source(file, settings.sources).articles
        except SourceError as error:
            say(f"{file}: {error}")
    return articles
