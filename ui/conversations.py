"""Conversations on disk: one small SQLite database beside the index.

They are kept on the server and not in the browser, so they survive a reload, a restart and another port. Each
belongs to an owner (see visitors.py), and every method that touches one asks for whose it is: what belongs to
another is as if it did not exist. The file is readable by the person who runs Jinwen only. What is stored is the
answer itself, not its markup, so an old conversation is shown in today's language and design.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import sqlite3
import threading
import time
import weakref
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from rag.replies import MODE as REPLY
from rag.store.info import CONVERSATIONS_FILE
from rag.types import Answer, Turn
from ui.conversation_file import ConversationFile, enduring

FILE_NAME = CONVERSATIONS_FILE
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
        """Use (or make) the database in `directory`; where it fails, see `conversation_file`.

        :raises StoreError: it is busy beyond all patience; so do the methods.
        """
        with contextlib.suppress(OSError):
            directory.mkdir(parents=True, exist_ok=True)
        self.file = ConversationFile(directory, _prepare)
        self.file.start()

    @enduring
    def adopt(self, owner: str) -> None:
        """Give conversations of the time before owners to `owner`, the first who asks for them."""
        with self._connection() as connection:
            connection.execute("UPDATE conversations SET owner = ? WHERE owner = ''", (owner,))

    @enduring
    def summaries(self, owner: str, limit: int = 200) -> list[Summary]:
        """The conversations of `owner`, latest first."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT id, title FROM conversations WHERE owner = ? ORDER BY updated DESC, rowid DESC LIMIT ?",
                (owner, limit),
            )
            return [Summary(*row) for row in rows]

    @enduring
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

    @enduring
    def exchanges(self, owner: str, conversation: str) -> list[Exchange]:
        """What was asked and answered, in order; empty for an unknown conversation and for one of someone else."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT question, answer, problem FROM exchanges JOIN conversations ON id = conversation "
                "WHERE conversation = ? AND owner = ? ORDER BY position",
                (conversation, owner),
            )
            return [_exchange(*row) for row in rows]

    @enduring
    def append(self, owner: str, conversation: str, exchange: Exchange) -> None:
        """Add an exchange; does nothing when `owner` has no such conversation (any more)."""
        # What was found is many articles long and is not shown again.
        bare = dataclasses.replace(exchange.answer, hits=(), read=()) if exchange.answer else None
        stored = _ANSWER.dump_json(bare).decode() if bare else None
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

    @enduring
    def delete(self, owner: str, conversation: str) -> None:
        """Remove a conversation of `owner` and all that was said in it."""
        with self._connection() as connection:
            connection.execute("DELETE FROM conversations WHERE id = ? AND owner = ?", (conversation, owner))

    def _connection(self) -> AbstractContextManager[sqlite3.Connection]:
        return self.file.connection()


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables where there are none, and the owner where the table is of before owners."""
    connection.executescript(_SCHEMA)
    if not _has_owner(connection):
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if not _has_owner(connection):  # another thread may have been faster
                connection.execute(_ADD_OWNER)


def _has_owner(connection: sqlite3.Connection) -> bool:
    return "owner" in {row[1] for row in connection.execute("PRAGMA table_info(conversations)")}


_OPEN: weakref.WeakValueDictionary[Path, ConversationStore] = weakref.WeakValueDictionary()
_OPENING = threading.Lock()


def open_store(directory: Path) -> ConversationStore:
    """The conversations in `directory`, one store for everyone who asks: one that fell back to memory has them alone.

    :raises StoreError: it is busy beyond all patience.
    """
    place = directory.resolve()
    with _OPENING:
        store = _OPEN.get(place) or ConversationStore(directory)
        _OPEN[place] = store
        return store


def turns(exchanges: list[Exchange]) -> list[Turn]:
    """The history that a follow-up question is understood with: only what was answered."""
    history: list[Turn] = []
    for exchange in exchanges:
        if exchange.answer is not None and exchange.answer.mode != REPLY:
            articles = tuple(dict.fromkeys(citation.article_id for citation in exchange.answer.citations))
            reply = Turn("assistant", exchange.answer.answer, exchange.answer.refused, articles)
            history += [Turn("user", exchange.question), reply]
    return history


def _exchange(question: str, stored: str | None, problem: str) -> Exchange:
    if stored is None:
        return Exchange(question, None, problem)
    try:
        return Exchange(question, _ANSWER.validate_json(stored), problem)
    except ValidationError:
        return Exchange(question, None, "unreadable")
