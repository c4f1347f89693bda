# ruff: noqa: T201  (this module is a command: figures to stdout, progress to stderr)
"""Measure retrieval quality, speed, memory and answer times in one run: `python -m eval.bench`.

Prints Markdown tables, and writes `bench.json` and `bench.html`. Without `--data` everything is measured on the
sample library and text mixed from it; with a data folder, on the public test sets and the news in it.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from eval.bench_answers import measure_answers
from eval.bench_corpus import full_passages, read_texts
from eval.bench_quality import public_quality, sample_quality
from eval.bench_report import markdown, page
from eval.bench_results import AnswerFigures, Bench, EncodeSpeed, Quality, Scale, describe_machine, finished, to_json
from eval.bench_scale import ALL, measure_scales
from eval.bench_speed import BASELINE, baseline_folder, encode_speeds
from eval.fingerprints import code_fingerprint, model_fingerprints
from eval.public_retrieval import NEWS_FILE, find_file, read_tasks, read_test_distractors
from eval.question_set import read_question_set
from eval.runs import DEFAULT_RUNS_DIR, replace_file
from rag.config import EXAMPLES_DIR, EncoderSettings, Settings
from rag.errors import JinwenError, SettingsError
from rag.library import Library
from rag.types import Article

DEFAULT_OUT = DEFAULT_RUNS_DIR / "bench"
QUESTIONS = EXAMPLES_DIR / "questions.jsonl"
PARTS = ("quality", "speed", "scale", "answers")
_QUICK_SIZES, _FULL_SIZES = ("1000", "10000"), ("1000", "10000", "50000", "150000")
_QUICK_QUERIES = 300
_SPEED_PASSAGES = 12_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured."""

    parts: tuple[str, ...] = PARTS
    folders: tuple[Path, ...] = ()
    """Where the public sets and the news lie; empty: only the sample library."""
    encoders: tuple[str, ...] = (EncoderSettings().name,)
    """The first is used for sizes and answers."""
    sizes: tuple[str, ...] = _QUICK_SIZES
    most_queries: int | None = _QUICK_QUERIES
    """Of each public set."""
    out: Path = DEFAULT_OUT


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; 1 for an error that the user can mend."""
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {line}", file=sys.stderr, flush=True)

    try:
        options = parse_options(argv)
        options.out.mkdir(parents=True, exist_ok=True)
        bench = measure(options, say)
        replace_file(options.out / "bench.json", to_json(bench))
        replace_file(options.out / "bench.html", page(bench))
    except (JinwenError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(markdown(bench))
    say(f"written: {options.out / 'bench.json'}, {options.out / 'bench.html'}")
    return 0


def parse_options(argv: Sequence[str] | None) -> Options:
    """Options from the command line.

    :raises SettingsError: a size is no number, or `all` without the news.
    """
    parser = argparse.ArgumentParser(prog="python -m eval.bench", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of public sets and news (or of their folders)")
    about = f"measure this encoder beside the shipped one; repeatable ({BASELINE}: from its package)"
    parser.add_argument("--encoder", action="append", default=[], metavar="NAME", help=about)
    parser.add_argument("--sizes", metavar="N,N", help=f"passages to index, or {ALL} (default: 1000,10000)")
    parser.add_argument("--only", action="append", choices=PARTS, metavar="PART", help=f"one of {', '.join(PARTS)}")
    parser.add_argument("--full", action="store_true", help="all queries, and sizes up to 150000 and all news")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, metavar="DIR", help="where the results go")
    args = parser.parse_args(argv)
    folders = (args.data, args.data / "public", args.data / "training") if args.data else ()
    news = find_file(folders, NEWS_FILE) is not None
    sizes = tuple(args.sizes.split(",")) if args.sizes else _QUICK_SIZES
    if args.full and not args.sizes:
        sizes = (*_FULL_SIZES, ALL) if news else _FULL_SIZES
    for size in sizes:
        if not (size.isdecimal() and int(size)) and not (size == ALL and news):
            raise SettingsError(f"--sizes: {size!r}; expected numbers of passages, or {ALL} with {NEWS_FILE} in --data")
    return Options(
        parts=tuple(args.only or PARTS),
        folders=folders,
        encoders=tuple(dict.fromkeys((*Options().encoders, *args.encoder))),
        sizes=sizes,
        most_queries=None if args.full else _QUICK_QUERIES,
        out=args.out,
    )


def measure(options: Options, say: Say) -> Bench:
    """The whole run."""
    machine = describe_machine()
    created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    with TemporaryDirectory(prefix="jinwen-bench-") as folder:
        run = _Run(options, Path(folder), say)
        quality = list(run.quality()) if "quality" in options.parts else []
        speeds = run.speeds() if "speed" in options.parts else []
        scales = run.scales() if "scale" in options.parts else []
        answers = run.answers() if "answers" in options.parts else None
    return Bench(
        created=created,
        code=code_fingerprint(),
        models=model_fingerprints(),
        options={field.name: _shown(getattr(options, field.name)) for field in dataclasses.fields(options)},
        machine=finished(machine),
        quality=quality,
        speeds=speeds,
        baseline=BASELINE if any(speed.encoder == BASELINE for speed in speeds) else "",
        scales=scales,
        answers=answers,
        notes=run.notes,
    )


class _Run:
    """One run: its sample library and what there is to say about it."""

    def __init__(self, options: Options, folder: Path, say: Say) -> None:
        self._options = options
        self._folder = folder
        self._say = say
        self._sample: Path | None = None
        self.notes: list[str] = []
        if find_file(options.folders, NEWS_FILE) is None:
            self.notes.append(
                f"No {NEWS_FILE} in the data folder: sizes and encoding are measured with text mixed from the sample "
                "library, in which words repeat far more often than in news."
            )

    def quality(self) -> Iterator[Quality]:
        tasks = read_tasks(self._options.folders) if self._options.folders else []
        news = find_file(self._options.folders, NEWS_FILE)
        distractors = read_test_distractors(news) if tasks and news else []
        if tasks and not news:
            self.notes.append("The public sets are searched without distractors from the news, which is too easy.")
        for number, name in enumerate(self._options.encoders):
            settings = _settings(name)
            found = public_quality(
                tasks,
                distractors,
                partial(Library, settings=settings, create=True),
                most_queries=self._options.most_queries,
                with_lexical=number == 0,
                say=self._say,
            )
            for quality in found:
                yield _named(quality, name)
            self._say(f"{name}: sample library")
            with Library(self._sample_index(name), settings) as library:
                for quality in sample_quality(library, QUESTIONS, with_lexical=number == 0):
                    yield _named(quality, name)

    def speeds(self) -> list[EncodeSpeed]:
        names = list(self._options.encoders)
        if baseline_folder() is None:
            self.notes.append(f"{BASELINE} is not installed (pip install {BASELINE}): encoding has no baseline.")
        elif BASELINE not in names:
            names.append(BASELINE)
        self._say(f"encoding with {', '.join(names)}")
        passages = full_passages(self._texts(), _SPEED_PASSAGES)
        return encode_speeds([(name, _model(name)) for name in names], passages)

    def scales(self) -> list[Scale]:
        questions = [question.text for question in read_question_set(QUESTIONS).questions]
        return list(
            measure_scales(self._options.sizes, self._texts, _model(self._options.encoders[0]), questions, self._say)
        )

    def answers(self) -> AnswerFigures:
        name = self._options.encoders[0]
        self._say("answering the sample questions")
        return measure_answers(self._sample_index(name), _model(name), QUESTIONS)

    def _texts(self) -> Iterator[str]:
        return read_texts(self._options.folders, self._sample_articles)

    def _sample_articles(self) -> list[Article]:
        with Library(self._sample_index(self._options.encoders[0]), _settings(self._options.encoders[0])) as library:
            return library.articles()

    def _sample_index(self, name: str) -> Path:
        """The index of the sample library by the encoder `name`, built when first asked for."""
        index = self._folder / f"sample-{self._options.encoders.index(name)}"
        if not index.exists():
            with Library(index, _settings(name), create=True) as library:
                library.ingest([EXAMPLES_DIR / "library"])
        return index


def _settings(name: str) -> Settings:
    return Settings(encoder=EncoderSettings(name=_model(name)))


def _model(name: str) -> str:
    """What loads the encoder `name`: the baseline by the folder of its package, others by name."""
    folder = baseline_folder() if name == BASELINE else None
    return str(folder) if folder else name


def _named(quality: Quality, name: str) -> Quality:
    return dataclasses.replace(quality, encoder=name) if quality.encoder else quality


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    sys.exit(main())
