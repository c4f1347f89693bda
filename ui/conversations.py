"""Conversations on disk: one small SQLite database beside the index.

They are kept on the server and not in the browser, so they survive a reload, a restart and another port. Each
belongs to an owner (see visitors.py), and every method that touches one asks for whose it is: what belongs to
another is as if it did not exist. The file is readable by the person who runs Jinwen only. What is stored is the
answer itself, not its markup, so an old conversation is shown in today's language and design.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from rag.errors import StoreError
from rag.types import Answer, Turn

_LOG = logging.getLogger(__name__)
FILE_NAME = "conversations.sqlite3"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, updated REAL NOT NULL, owner TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS exchanges (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    question TEXT NOT NULL,
    answer TEXT,
    problem TEXT NOT NULL,
    PRIMARY KEY (conversation, position)
) STRICT;
"""
_ADD_OWNER = "ALTER TABLE conversations ADD COLUMN owner TEXT NOT NULL DEFAULT ''"
"""For a database of before; empty means not yet anyone's."""
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)
_MAX_TITLE = 60


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and what became of it."""

    question: str
    answer: Answer | None = None
    """None when there was none; `problem` then says why."""
    problem: str = ""
    """`stopped`, `failed_unknown`, `unreadable` (keys of ui.strings), or the text of an error."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation in the list."""

    id: str
    title: str


class ConversationStore:
    """Conversations of one index; every method may be called from any thread."""

    def __init__(self, directory: Path) -> None:
        """Use (or make) the database in `directory`.

        :raises StoreError: it cannot be written, or is not one of ours; so do the methods.
        """
        self._file = directory / FILE_NAME
        try:
            directory.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._file, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise self._error(error) from error
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(_SCHEMA)
            if "owner" not in {row[1] for row in connection.execute("PRAGMA table_info(conversations)")}:
                connection.execute(_ADD_OWNER)

    def adopt(self, owner: str) -> None:
        """Give conversations of the time before owners to `owner`, the first who asks for them."""
        with self._connection() as connection:
            connection.execute("UPDATE conversations SET owner = ? WHERE owner = ''", (owner,))

    def summaries(self, owner: str, limit: int = 200) -> list[Summary]:
        """The conversations of `owner`, latest first."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT id, title FROM conversations WHERE owner = ? ORDER BY updated DESC, rowid DESC LIMIT ?",
                (owner, limit),
            )
            return [Summary(*row) for row in rows]

    def start(self, owner: str, question: str) -> str:
        """A new conversation named after its first question; its id."""
        conversation = secrets.token_hex(8)
        title = " ".join(question.split())[:_MAX_TITLE]
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO conversations (id, title, updated, owner) VALUES (?, ?, ?, ?)",
                (conversation, title, time.time(), owner),
            )
        return conversation

    def exchanges(self, owner: str, conversation: str) -> list[Exchange]:
        """What was asked and answered, in order; empty for an unknown conversation and for one of someone else."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT question, answer, problem FROM exchanges JOIN conversations ON id = conversation "
                "WHERE conversation = ? AND owner = ? ORDER BY position",
                (conversation, owner),
            )
            return [_exchange(*row) for row in rows]

    def append(self, owner: str, conversation: str, exchange: Exchange) -> None:
        """Add an exchange; does nothing when `owner` has no such conversation (any more)."""
        stored = _ANSWER.dump_json(exchange.answer).decode() if exchange.answer else None
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            known = connection.execute(
                "UPDATE conversations SET updated = ? WHERE id = ? AND owner = ?", (time.time(), conversation, owner)
            ).rowcount
            if known:
                connection.execute(
                    "INSERT INTO exchanges SELECT ?, COALESCE(MAX(position), 0) + 1, ?, ?, ? "
                    "FROM exchanges WHERE conversation = ?",
                    (conversation, exchange.question, stored, exchange.problem, conversation),
                )

    def delete(self, owner: str, conversation: str) -> None:
        """Remove a conversation of `owner` and all that was said in it."""
        with self._connection() as connection:
            connection.execute("DELETE FROM conversations WHERE id = ? AND owner = ?", (conversation, owner))

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._file, timeout=10)) as connection:
                connection.execute("PRAGMA foreign_keys=ON")
                connection.execute("PRAGMA secure_delete=ON")
                with connection:
                    yield connection
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> StoreError:
        return StoreError(f"conversations cannot be kept in {self._file}: {error}; check the file, the disk and rights")


def open_store(directory: Path) -> ConversationStore:
    """The conversations in `directory`; where that cannot be written, a store that lasts until the program ends."""
    try:
        return ConversationStore(directory)
    except StoreError as error:
        _LOG.warning("%s (until then they last as long as this run)", error)
        passing = tempfile.TemporaryDirectory(prefix="jinwen-", ignore_cleanup_errors=True)
        atexit.register(passing.cleanup)
        return ConversationStore(Path(passing.name))


def turns(exchanges: list[Exchange]) -> list[Turn]:
    """The history that a follow-up question is understood with: only what was answered."""
    history: list[Turn] = []
    for exchange in exchanges:
        if exchange.answer is not None:
            history += [Turn("user", exchange.question), Turn("assistant", exchange.answer.answer)]
    return history


def _exchange(question: str, stored: str | None, problem: str) -> Exchange:
    if stored is None:
        return Exchange(question, None, problem)
    try:
        return Exchange(question, _ANSWER.validate_json(stored), problem)
    except ValidationError:
        return Exchange(question, None, "unreadable")
