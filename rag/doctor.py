"""Checks of an index, the models and the environment. Reads only; never changes anything."""

from __future__ import annotations

import contextlib
import importlib.metadata
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.config import Settings
from rag.encoder import load_encoder
from rag.errors import JinwenError
from rag.store.check import conversation_problems
from rag.store.info import CONVERSATIONS_FILE

_PACKAGES = (
    "faiss-cpu", "gradio", "langchain-text-splitters", "numpy", "sentence-transformers", "tantivy", "tokenizers",
    "torch", "transformers",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    check: str
    ok: bool
    detail: str
    """One line: what was seen, and when not ok, what to do."""


def examine(index_dir: Path, settings: Settings) -> Iterator[Finding]:
    """Run every check, in the order in which a person would look for a fault."""
    yield _python()
    for package in _PACKAGES:
        yield _package(package)
    yield _guard("encoder", lambda: _encoder(settings))
    yield _guard("reader", _reader)
    if settings.answer.mode == "generative":
        yield _guard("generator", lambda: _generator(settings))
    yield from _index(index_dir, settings)


def _guard(check: str, run: Callable[[], str]) -> Finding:
    try:
        return Finding(check, True, run())
    except JinwenError as error:
        return Finding(check, False, str(error))


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", sys.version_info >= (3, 11), f"{version} (3.11 or newer is needed)")


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, "not installed; run `make install`")


def _encoder(settings: Settings) -> str:
    encoder = load_encoder(settings.encoder)
    return f"{encoder.name}, {encoder.dim} dimensions, fingerprint {encoder.fingerprint[:12]}"


def _reader() -> str:
    from rag.answering.decision import Decision
    from rag.reader import load_reader
    from rag.understanding import Understander

    reader = load_reader()
    Decision.of(reader.weights.calibration)
    Understander(reader)
    return f"{reader.name}, fingerprint {reader.weights.fingerprint[:12]}"


def _generator(settings: Settings) -> str:
    from rag.answering.generative import load_generator

    return load_generator(settings.answer).name


def _index(index_dir: Path, settings: Settings) -> Iterator[Finding]:
    from rag.store import LocalStore

    try:
        with LocalStore.open(
            index_dir, encoder=load_encoder(settings.encoder), passages=settings.passages, read_only=True
        ) as store:
            counts = store.counts()
            yield Finding("index", True, f"{index_dir}: {counts.articles} articles, {counts.passages} passages")
            problems = store.check()
            yield Finding("index contents", not problems, "; ".join(map(str, problems)) or "database and caches agree")
    except JinwenError as error:
        yield Finding("index", False, str(error))
    if (index_dir / CONVERSATIONS_FILE).exists():
        yield examine_conversations(index_dir / CONVERSATIONS_FILE)


def examine_conversations(file: Path) -> Finding:
    """Whether every conversation of the page is what was written."""
    count = 0
    try:
        uri = f"{file.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=30)) as connection:
            problems = conversation_problems(connection)
            (count,) = connection.execute("SELECT count(*) FROM conversations").fetchone()
    except sqlite3.Error as error:
        problems = [str(error)]
    cure = "restore a backup with jinwen restore; the page puts aside what cannot be read, and begins a new file"
    detail = f"{file}: {problems[0]}; {cure}" if problems else f"{file}: {count} conversations"
    return Finding("conversations", not problems, detail)
