"""The command line: parse, make one library call, print.

Exit status: 0; 1 for an error that the user can mend (one line on stderr); 2 for wrong usage; 130 after
Ctrl-C. With `--json`, stdout holds one JSON object per line and nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import DEFAULT_INDEX_DIR, Settings, load_settings
from rag.errors import JinwenError, SettingsError
from rag.terminal import printable, printable_lines

if TYPE_CHECKING:
    import datetime as dt

    from rag.batch import BatchEntry
    from rag.ingest import IngestProgress
    from rag.library import Library
    from rag.types import Answer, Filters, Hit

EXIT_USER_ERROR, EXIT_INTERRUPTED = 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    _make_output_safe()
    args = build_parser().parse_args(argv)
    try:
        return int(args.run(args) or 0)
    except JinwenError as error:
        print(f"jinwen: {printable(str(error))}", file=sys.stderr)
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        print("jinwen: stopped", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (head, say) has what it wanted; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; each sets `run` to the function that carries it out."""
    parser = argparse.ArgumentParser(
        prog="jinwen", description="Ask the news, get cited answers. 津问：问新闻，得到有出处的回答。"
    )
    from rag import __version__

    parser.add_argument("--version", action="version", version=f"jinwen {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_index(commands)
    _add_articles(commands)
    _add_search(commands)
    _add_ask(commands)
    _add_chat(commands)
    _add_eval(commands)
    _add_explain(commands)
    _add_doctor(commands)
    return parser


_Commands = Any
"""`argparse._SubParsersAction`, which has no public name."""


def _command(commands: _Commands, name: str, run: Callable[[argparse.Namespace], int | None], text: str) -> Any:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    parser.add_argument(
        "--index", type=Path, default=DEFAULT_INDEX_DIR, metavar="DIR", help="the index (default: indexes/default)"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (default: jinwen.toml, if any)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override one setting; repeatable"
    )
    return parser


def _add_index(commands: _Commands) -> None:
    parser = _command(commands, "index", _run_index, "read articles from files and folders into the index")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument("--encoder", metavar="NAME", help="folder or hub name of a sentence-transformers model")
    parser.add_argument("--date", metavar="DATE", help="date for articles that carry none (2026-01-18)")
    parser.add_argument("--encoding", metavar="NAME", help="decode text files with this encoding, do not guess")
    parser.add_argument("--rebuild", action="store_true", help="build the index anew from the given paths only")
    parser.add_argument(
        "--remove-missing", action="store_true", help="remove articles whose files are gone from the given paths"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def _add_articles(commands: _Commands) -> None:
    parser = _command(commands, "articles", _run_articles, "list the articles of the index")
    parser.add_argument("--json", action="store_true", help="one JSON object per article")


def _add_search(commands: _Commands) -> None:
    parser = _command(commands, "search", _run_search, "find passages")
    parser.add_argument("query", nargs="?", metavar="QUERY")
    parser.add_argument("-k", type=_positive, default=20, help="how many passages (default: 20)")
    parser.add_argument("--batch", type=Path, metavar="FILE", help="JSONL with id and question (- for stdin)")
    parser.add_argument("--json", action="store_true", help="one JSON object per hit, or per query of a batch")
    _add_filters(parser)


def _add_ask(commands: _Commands) -> None:
    parser = _command(commands, "ask", _run_ask, "answer a question with citations")
    parser.add_argument("question", nargs="?", metavar="QUESTION")
    parser.add_argument("--as-of", metavar="DATE", help="the day on which it is asked (default: today)")
    parser.add_argument("--batch", type=Path, metavar="FILE", help="JSONL: id, question, as_of, history (- for stdin)")
    parser.add_argument("--mode", choices=["extractive", "generative"], help="how to answer")
    parser.add_argument("--json", action="store_true", help="one JSON object per answer")
    _add_filters(parser)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="date_from", metavar="DATE", help="only articles from this day on")
    parser.add_argument("--to", dest="date_to", metavar="DATE", help="only articles up to this day")
    parser.add_argument("--source", action="append", default=[], help="only this account or newspaper; repeatable")


def _add_chat(commands: _Commands) -> None:
    parser = _command(commands, "chat", _run_chat, "open the chat page on 127.0.0.1")
    parser.add_argument("--port", type=_positive, help="port (default: 7860)")
    parser.add_argument("--mode", choices=["extractive", "generative"], help="how to answer")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def _add_eval(commands: _Commands) -> None:
    from eval import cli as eval_command

    parser = _command(commands, "eval", eval_command.run, "run question sets, compare runs, draft questions")
    eval_command.add_arguments(parser)


def _add_explain(commands: _Commands) -> None:
    from eval import cli as eval_command

    parser = _command(commands, "explain", eval_command.explain, "why was this text not found or not answered?")
    parser.add_argument("question", metavar="QUESTION")
    parser.add_argument("--expect", required=True, metavar="TEXT", help="words of the sentence you expected")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    _add_filters(parser)


def _add_doctor(commands: _Commands) -> None:
    parser = _command(commands, "doctor", _run_doctor, "check the index, the models and the environment")
    parser.add_argument("--json", action="store_true", help="one JSON object per check")


def _positive(text: str) -> int:
    number = int(text) if text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


def read_settings(args: argparse.Namespace, **overrides: Any) -> Settings:
    """Settings for a command: file, environment, `--set`, then `overrides` (`answer__mode=…`)."""
    flags: dict[str, Any] = {}
    for entry in args.set:
        name, equals, value = entry.partition("=")
        if not equals or "." not in name:
            raise SettingsError(f"--set {entry!r}: expected SECTION.KEY=VALUE, such as retrieval.top_k=5")
        flags[name.strip()] = value.strip()
    flags |= {name.replace("__", "."): value for name, value in overrides.items() if value is not None}
    return load_settings(args.config, overrides=flags)


@contextlib.contextmanager
def open_library(args: argparse.Namespace, **overrides: Any) -> Iterator[Library]:
    """The index named by `--index`, opened for asking."""
    from rag.library import Library

    with Library(args.index, read_settings(args, **overrides)) as library:
        yield library


def _run_index(args: argparse.Namespace) -> None:
    from rag.library import Library

    settings = read_settings(
        args, encoder__name=args.encoder, sources__date=_date_text(args.date), sources__encoding=args.encoding
    )
    if not args.paths and not args.rebuild:
        raise SettingsError("no PATH given; name files or folders (without any, --rebuild reads the known files again)")
    with Library(args.index, settings, create=True, rebuild=args.rebuild) as library:
        report = library.ingest(
            args.paths, progress=_progress_printer(), rebuild=args.rebuild, remove_missing=args.remove_missing
        )
    if args.json:
        _print_json(report.to_json())
    else:
        print(report.summary())


def _run_articles(args: argparse.Namespace) -> None:
    from rag.serialization import article_to_json
    from rag.store import LocalStore

    with LocalStore.open(args.index) as store:
        for article in store.articles():
            if args.json:
                _print_json(article_to_json(article))
            else:
                date = article.date.isoformat() if article.date else "----------"
                print(printable(f"{date}  {article.source or '-'}  {article.display_title}  [{article.id}]"))


def _run_search(args: argparse.Namespace) -> None:
    from rag.serialization import hit_to_json

    _need_one_of(args.query, args.batch, "QUERY")
    filters = _filters(args)
    with open_library(args) as library:
        if args.batch:
            for entry in _read_batch(args.batch):
                hits = library.search(entry.question, k=args.k, filters=filters)
                _print_json({"id": entry.id, "hits": [hit_to_json(hit) for hit in hits]})
            return
        for hit in library.search(args.query, k=args.k, filters=filters):
            if args.json:
                _print_json(hit_to_json(hit))
            else:
                _print_hit(hit)


def _run_ask(args: argparse.Namespace) -> None:
    from rag.serialization import answer_to_json

    _need_one_of(args.question, args.batch, "QUESTION")
    filters, as_of = _filters(args), _date(args.as_of)
    with open_library(args, answer__mode=args.mode) as library:
        if args.batch:
            for entry in _read_batch(args.batch):
                _print_json(_answer_entry(library, entry, as_of, filters))
            return
        answer = library.assistant.ask(args.question, as_of=as_of, filters=filters)
        if args.json:
            _print_json(answer_to_json(answer))
        else:
            _print_answer(answer)


def _answer_entry(library: Library, entry: BatchEntry, as_of: dt.date | None, filters: Filters) -> dict[str, Any]:
    """The answer to one question of a batch; a question that cannot be asked does not stop the others."""
    from rag.assistant import QuestionError
    from rag.serialization import answer_to_json

    try:
        answer = library.assistant.ask(
            entry.question, history=entry.history, as_of=entry.as_of or as_of, filters=filters
        )
    except QuestionError as error:
        print(printable(f"jinwen: question {entry.id}: {error}"), file=sys.stderr)
        return {"id": entry.id, "question": entry.question, "answer": "", "refused": True, "error": str(error),
                "citations": [], "sentences": []}  # fmt: skip
    return answer_to_json(answer, entry.id)


def _run_chat(args: argparse.Namespace) -> None:
    with open_library(args, answer__mode=args.mode, ui__port=args.port) as library:
        from ui.app import serve

        serve(library, library.assistant, port=library.settings.ui.port, open_browser=args.open)


def _run_doctor(args: argparse.Namespace) -> int:
    from rag.doctor import examine

    healthy = True
    for finding in examine(args.index, read_settings(args)):
        healthy = healthy and finding.ok
        if args.json:
            _print_json({"check": finding.check, "ok": finding.ok, "detail": finding.detail})
        else:
            print(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.check}: {printable(finding.detail)}")
    return 0 if healthy else EXIT_USER_ERROR


def _filters(args: argparse.Namespace) -> Filters:
    from rag.types import Filters

    return Filters(date_from=_date(args.date_from), date_to=_date(args.date_to), sources=tuple(args.source))


def _date(text: str | None) -> dt.date | None:
    import datetime as dt

    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{text!r} is not a date; expected year-month-day such as 2026-01-18") from None


def _date_text(text: str | None) -> str | None:
    date = _date(text)
    return date.isoformat() if date else None


def _need_one_of(value: str | None, batch: Path | None, name: str) -> None:
    if (value is None) == (batch is None):
        raise SettingsError(f"give either {name} or --batch FILE")


def _read_batch(path: Path) -> list[BatchEntry]:
    from rag.batch import read_batch

    return read_batch(path)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)


def _print_hit(hit: Hit) -> None:
    legs = f"dense {hit.dense_rank or '-'}, lexical {hit.lexical_rank or '-'}"
    date = hit.article.date.isoformat() if hit.article.date else ""
    print(printable(f"{hit.rank:>3}. {hit.article.display_title}  {hit.article.source} {date}  ({legs})"))
    print(printable(f"     {' '.join(hit.passage.text.split())[:160]}"))


def _print_answer(answer: Answer) -> None:
    print(printable_lines(answer.answer))
    for notice in answer.notices:
        print(printable(f"! {notice}"))
    for citation in answer.citations:
        origin = " ".join(filter(None, [citation.source, citation.date.isoformat() if citation.date else ""]))
        place = f"{citation.file} {citation.start}-{citation.end}"
        print(printable(f"  [{citation.marker}] {citation.title}  {origin}  {place}"))
    for near in answer.nearest:
        print(printable(f"  ~ {near.title}  {near.source} {near.date.isoformat() if near.date else ''}"))


def _progress_printer() -> Callable[[IngestProgress], None]:
    """Print progress on stderr: in place on a terminal, else a line now and then."""
    terminal = sys.stderr.isatty()
    last = ""

    def show(progress: IngestProgress) -> None:
        nonlocal last
        line = progress.line()
        if terminal:
            print(f"\r\x1b[K{line[:118]}", end="\n" if progress.finished else "", file=sys.stderr, flush=True)
        elif progress.finished or progress.milestone:
            if line != last:
                print(line, file=sys.stderr, flush=True)
            last = line

    return show


def _make_output_safe() -> None:
    """Titles may hold characters that the terminal's encoding lacks; print them as escapes, do not stop."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
