"""`jinwen eval` and `jinwen explain`: what they accept, and which function carries it out.

Imported whenever the command line starts, so it imports nothing heavy.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

_USAGE = """\
forms:
  jinwen eval QUESTIONS             ask every question, print the table, write run and report
  jinwen eval compare A B           two runs: differences, significance, changed questions (--out FILE: as HTML)
  jinwen eval list                  the runs there are
  jinwen eval show RUN              the table of a run
  jinwen eval judge RUN             ask the judge about a run that there is; goes on where it stopped
  jinwen eval rename RUN NAME
  jinwen eval delete RUN
  jinwen eval validate QUESTIONS    what is wrong with a set, by line, and evidence that is nowhere
  jinwen eval convert SOURCE --out DIR     SQuAD or RGB file, or BEIR folder, to a question set and its articles
  jinwen eval export RUN --format FORMAT   trec (run and qrels) or ragas (JSONL)
  jinwen eval trec QRELS RUN               measures of a TREC run file
  jinwen eval public NAME --data DIR       cmrc2018, drcd, xquad-zh, rgb, rgb-facts, …: index it, run it
  jinwen eval draft [PATH...] -n 50        propose questions from the articles of the index or of files
A RUN is a run's name, its folder, or `latest`.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the arguments of `jinwen eval`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _USAGE
    _accept_words_anywhere(parser)
    parser.add_argument(
        "words",
        nargs="+",
        metavar="QUESTIONS",
        help="a question set (JSONL; SQuAD, RGB, BEIR), or one of the forms below",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="where the run, the export or the drafts go (runs: a new folder in runs/)",
    )
    parser.add_argument("--name", default="", help="what to call the run")
    parser.add_argument("--replace", action="store_true", help="replace the run that --out holds")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="where runs are kept (default: runs/)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--fail-under", action="append", default=[], metavar="MEASURE=SHARE",
        help="exit with 1 when a measure stays below (correct=.80); repeatable",
    )  # fmt: skip
    parser.add_argument("--no-worse-than", metavar="RUN", help="exit with 1 when a measure fell significantly")
    parser.add_argument(
        "--judge", action="store_true",
        help="also ask the OpenAI-compatible model that judge.model and judge.base_url name (--set judge.model=NAME)",
    )  # fmt: skip
    parser.add_argument("--format", choices=["trec", "ragas"], help="of an export")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the files of a public set lie")
    parser.add_argument("-n", "--count", type=int, metavar="N", help="how many questions to draft, or to take of a set")


def run(args: argparse.Namespace) -> int:
    """Carry out `jinwen eval`; returns the exit status."""
    from eval import commands

    return commands.run(args)


def explain(args: argparse.Namespace) -> int:
    """Carry out `jinwen explain`; returns the exit status."""
    from eval import commands

    return commands.explain(args)


def _accept_words_anywhere(parser: argparse.ArgumentParser) -> None:
    """Let options stand between the words, as in `eval compare --json A B`.

    argparse takes a positional argument of several words in one piece and calls the words behind an option
    unknown; its remedy (parse_intermixed_args) does not work below a subcommand.
    """
    parse = parser.parse_known_args

    def parse_all(*args: Any, **options: Any) -> tuple[argparse.Namespace, list[str]]:
        namespace, left = parse(*args, **options)
        namespace.words = [*namespace.words, *(word for word in left if not word.startswith("-"))]
        return namespace, [word for word in left if word.startswith("-")]

    parser.parse_known_args = parse_all  # type: ignore[method-assign, assignment]
