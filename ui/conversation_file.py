"""The file that conversations are kept in, and what happens when it fails: the page goes on, and says so.

A damaged file is put aside, and a new one begun. While the disk cannot be written (it is full, the folder is
read-only or gone) what can be read is copied into memory, and conversations go on there; they are written to the file
as soon as it can be.
"""

from __future__ import annotations

import functools
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from rag.errors import StoreError
from rag.store.checksums import CONVERSATIONS, add_functions
from rag.store.info import CONVERSATIONS_FILE, rename_aside

_LOG = logging.getLogger(__name__)
_RETRY_S = 2.0
"""How long a file that failed is left alone."""
_TABLES = ("conversations", "exchanges")
"""In the order in which they can be filled."""

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Prepare = Callable[[sqlite3.Connection], None]


class ConversationFile:
    """Connections to the conversations in a folder, on disk or for the time being in memory; for any thread."""

    def __init__(self, directory: Path, prepare: _Prepare) -> None:
        """`prepare` makes the tables, and does no harm where they are there already."""
        self.path = directory / CONVERSATIONS_FILE
        self._prepare = prepare
        self._prepared: tuple[int, int] | None = None
        self._lock = threading.RLock()
        self._memory: sqlite3.Connection | None = None
        self._copied: set[str] = set()
        self._next_try = 0.0
        self.put_aside: Path | None = None
        """Where a damaged file is now."""
        self.outage = ""
        """Why conversations are only in memory; empty when they are on disk."""

    def start(self) -> None:
        """Open the file once, and look whether it is whole."""
        try:
            with self.connection() as connection:
                (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if found != "ok":
                    raise _damaged(found)
        except StoreError as error:
            if not self.recover(error):
                raise

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """One transaction.

        :raises StoreError: the file fails; `recover` says whether to try again.
        """
        if self._memory is not None:
            with self._lock:
                if self._memory is not None and not self._back_on_disk():
                    with self._memory:
                        yield self._memory
                    return
        try:
            with closing(self._open()) as connection, connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"conversations cannot be kept in {self.path}: {error}; check the file, the disk and rights"
            ) from error

    def recover(self, error: StoreError) -> bool:
        """Whether what failed with `error` may be tried again, because a way round has been found."""
        cause = error.__cause__
        with self._lock:
            if _is_damage(cause):
                try:
                    self.put_aside = rename_aside(self.path, "damaged")
                    _LOG.warning("%s; the file is kept as %s, and a new one begun", error, self.put_aside)
                    return True
                except OSError as failure:
                    return self._go_to_memory(failure)
            if isinstance(cause, OSError) or _is_of_the_disk(cause):
                _LOG.warning("%s (until then they last as long as this run)", error)
                return self._go_to_memory(cause)
        return False

    def _open(self) -> sqlite3.Connection:
        """A connection to a file that has its tables, readable by its owner only."""
        descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        connection = sqlite3.connect(self.path, timeout=10)
        try:
            add_functions(connection)
            if (status.st_dev, status.st_ino) != self._prepared or status.st_size == 0:
                connection.execute("PRAGMA journal_mode=WAL")
                self._make_ready(connection)
                self._prepared = (status.st_dev, status.st_ino)
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA secure_delete=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_ready(self, connection: sqlite3.Connection) -> None:
        """Tables, and a checksum for every row of them."""
        self._prepare(connection)
        connection.executescript(CONVERSATIONS)

    def _go_to_memory(self, cause: BaseException | None) -> bool:
        if self._memory is not None:
            return False
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        add_functions(memory)
        self._copy_to(memory)
        self._make_ready(memory)
        memory.execute("PRAGMA foreign_keys=ON")
        self._copied = {row[0] for row in memory.execute("SELECT id FROM conversations")}
        self._memory, self.outage = memory, str(getattr(cause, "strerror", None) or cause)
        self._next_try = time.monotonic() + _RETRY_S
        return True

    def _copy_to(self, memory: sqlite3.Connection) -> None:
        """Take along what can be read."""
        log = self.path.with_name(f"{self.path.name}-wal")
        ways = ["mode=ro"]
        if not (log.exists() and log.stat().st_size):
            ways.append("mode=ro&immutable=1")  # complete without the log, and in need of no place beside it
        for options in ways:
            with (
                suppress(sqlite3.Error),
                closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?{options}", uri=True)) as disk,
            ):
                disk.backup(memory)
                return

    def _back_on_disk(self) -> bool:
        """Write what is in memory to the file, if that works again."""
        if self._memory is None or time.monotonic() < self._next_try:
            return self._memory is None
        self._next_try = time.monotonic() + _RETRY_S
        try:
            with closing(self._open()) as disk, disk:
                disk.execute("BEGIN IMMEDIATE")
                _merge(self._memory, disk, self._copied)
        except (sqlite3.Error, OSError) as error:
            if _is_damage(error):
                self.recover(_damaged(str(error)))
            return False
        self._memory.close()
        self._memory, self.outage = None, ""
        _LOG.warning("conversations are kept in %s again", self.path)
        return True


class HasFile(Protocol):
    """What keeps something in a ConversationFile."""

    file: ConversationFile


_Keeper = TypeVar("_Keeper", bound=HasFile)


def enduring(method: Callable[Concatenate[_Keeper, _P], _T]) -> Callable[Concatenate[_Keeper, _P], _T]:
    """Let a method that reads or writes conversations try once more when there is a way round a failure."""

    @functools.wraps(method)
    def enduring_method(self: _Keeper, /, *args: _P.args, **options: _P.kwargs) -> _T:
        for _ in range(2):  # damaged, and then no place for a new file
            try:
                return method(self, *args, **options)
            except StoreError as error:
                if not self.file.recover(error):
                    raise
        return method(self, *args, **options)

    return enduring_method


def _merge(memory: sqlite3.Connection, disk: sqlite3.Connection, copied: set[str]) -> None:
    """Bring to `disk` what is new in `memory`, and remove what was deleted of the conversations `copied` from it."""
    present = {row[0] for row in memory.execute("SELECT id FROM conversations")}
    for table in _TABLES:
        found = memory.execute(f"SELECT * FROM {table}")
        columns = [column[0] for column in found.description]
        marks = ", ".join("?" * len(columns))
        disk.executemany(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})", found)
    # What got its owner meanwhile (see ConversationStore.adopt) keeps it, or the next who comes would get it.
    owned = memory.execute("SELECT owner, id FROM conversations").fetchall()
    disk.executemany("UPDATE conversations SET owner = ? WHERE id = ? AND owner = ''", owned)
    disk.executemany("DELETE FROM conversations WHERE id = ?", [(gone,) for gone in copied - present])


def _damaged(what: str) -> StoreError:
    error = StoreError(f"the file of conversations is damaged: {what}")
    error.__cause__ = _DamageError(what)
    return error


class _DamageError(Exception):
    """SQLite can open the file, but it is not whole."""


def _is_damage(cause: BaseException | None) -> bool:
    return isinstance(cause, _DamageError) or _code(cause).startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT"))


def _is_of_the_disk(cause: BaseException | None) -> bool:
    return _code(cause).startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN"))


def _code(cause: BaseException | None) -> str:
    return getattr(cause, "sqlite_errorname", None) or ""
