"""The SQLite database of an index: opening, reading, transactions, and errors said in words."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from rag.errors import IndexDamagedError, IndexMissingError, IndexOutdatedError, StoreError
from rag.store.atomic import sync_folder
from rag.store.checksums import add_functions, seal
from rag.store.records import Version
from rag.store.rows import check_row
from rag.store.schema import APPLICATION_ID, FORMAT, SCHEMA

_BUSY_TIMEOUT_S = 30.0
_NO_SPACE = 64 * 1024
"""Bytes."""
_REBUILD = "rebuild it with: jinwen index --rebuild PATH..."


class Database:
    """One connection, used by one thread at a time."""

    def __init__(self, file: Path, connection: sqlite3.Connection, *, frozen: bool = False) -> None:
        """Use `create` or `open`; `frozen` when SQLite was told that nobody changes the file."""
        self.file = file
        self._connection = connection
        self._guard = threading.RLock()
        self._seen = _look(file, frozen)
        self._frozen = frozen

    def is_current(self) -> bool:
        """Whether this is still the database at its place: a restored or rebuilt folder holds another file.

        :raises IndexMissingError: there is none any more.
        """
        return _look(self.file, self._frozen) == self._seen

    @classmethod
    def create(cls, file: Path, meta: Mapping[str, str]) -> Database:
        """A new database holding `meta` and nothing else; complete or not there at all after a crash.

        The caller holds the writer lock and has seen that there is none yet.
        """
        draft = file.with_name(f"{file.name}.new-{os.getpid()}-{secrets.token_hex(4)}")
        try:
            connection = sqlite3.connect(draft, isolation_level=None)
            try:
                connection.executescript(
                    f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={FORMAT};"
                    f"PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; BEGIN; {SCHEMA} COMMIT;"
                )
                add_functions(connection)
                connection.execute("BEGIN")
                connection.executemany("INSERT INTO meta VALUES (?1, ?2, row_crc(?1, ?2))", meta.items())
                _count_change(connection)
                connection.execute("COMMIT")
                connection.execute("PRAGMA journal_mode=WAL")
            finally:
                connection.close()
            # A leftover write-ahead log of a database that was deleted by hand would be replayed into the new one.
            for leftover in ("-wal", "-shm"):
                file.with_name(file.name + leftover).unlink(missing_ok=True)
            os.replace(draft, file)
            sync_folder(file.parent)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"index {file.parent} cannot be created: {error}") from error
        finally:
            draft.unlink(missing_ok=True)
        return cls.open(file)

    @classmethod
    def open(cls, file: Path, *, read_only: bool = False, must_write: bool = False) -> Database:
        """An existing database; one that cannot be written (no right, a full disk) is opened for reading.

        With `must_write` that is an error instead.

        :raises IndexMissingError: there is none.
        :raises IndexDamagedError: it is not an index database, or SQLite cannot read it.
        :raises IndexOutdatedError: it is of an older format; `migration.migrate` brings it up to date.
        :raises StoreError: it was written by a newer version, or cannot be opened.
        """
        if not file.is_file():
            raise IndexMissingError(f"there is no index in {file.parent}; make one with: jinwen index PATH...")
        writable = not read_only and os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)
        with errors_in_words(file):
            if writable or must_write:
                try:
                    return cls(file, _connect(file, "mode=rw", for_writing=True))
                except sqlite3.OperationalError as error:
                    if must_write or not _is_of_the_disk(error):
                        raise
            try:
                return cls(file, _connect(file, "mode=ro"))
            except sqlite3.OperationalError as error:
                # A write-ahead log needs a shared-memory file beside it, for which a read-only folder or a full disk
                # has no place. Without a log to replay the database alone is complete, and nobody is writing;
                # `is_current` notices when somebody begins to.
                log = file.with_name(file.name + "-wal")
                if not _is_of_the_disk(error) or (log.exists() and log.stat().st_size):
                    raise
                return cls(file, _connect(file, "mode=ro&immutable=1"), frozen=True)

    def close(self) -> None:
        """Close the connection; the last one folds the write-ahead log into the database."""
        with self._guard:
            self._connection.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread alone, with SQLite's errors turned into ours."""
        with self._guard, errors_in_words(self.file):
            yield self._connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: committed, and counted as one change, when the block ends without an error."""
        with self._guard, errors_in_words(self.file):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                _count_change(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """One unchanging state for several reads, whatever is written meanwhile."""
        with self.reading() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

    def version(self) -> Version:
        """The last change."""
        with self.reading() as connection:
            row = connection.execute("SELECT counter, token FROM changes ORDER BY counter DESC LIMIT 1").fetchone()
        if row is None:
            raise IndexDamagedError(f"index {self.file.parent} holds no record of its changes; {_REBUILD}")
        return Version(*row)

    def knows(self, version: Version) -> bool:
        """Whether `version` is a state that this database was in."""
        with self.reading() as connection:
            query = "SELECT 1 FROM changes WHERE counter = ? AND token = ?"
            return connection.execute(query, version).fetchone() is not None

    def meta(self) -> dict[str, str]:
        """The facts about the index as a whole, by name."""
        with self.reading() as connection:
            rows = connection.execute("SELECT name, value, crc FROM meta").fetchall()
        for name, value, crc in rows:
            check_row(f"the entry {name!r} of meta", (name, value), crc)
        return {name: value for name, value, _ in rows}

    def copy_into(self, other: Database) -> None:
        """Make `other` equal to this database, in one transaction of `other`."""
        with self.reading() as source, other.reading() as target:
            source.backup(target)


def _check_header(file: Path, connection: sqlite3.Connection) -> None:
    """Refuse what is no index, or one of a newer format, before anything is done to it."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise IndexDamagedError(f"{file} is not the database of a Jinwen index; {_REBUILD}")
    if found > FORMAT:
        raise StoreError(f"index {file.parent} has format {found}, this Jinwen reads up to {FORMAT}; update Jinwen")
    if 0 < found < FORMAT:
        raise IndexOutdatedError(
            f"index {file.parent} has format {found}, this Jinwen reads {FORMAT}; it is brought up to date by any "
            "command that may write there, such as: jinwen index PATH..."
        )
    if found < FORMAT:
        raise IndexDamagedError(f"{file} does not say its format; {_REBUILD}")


def _connect(file: Path, options: str, *, for_writing: bool = False) -> sqlite3.Connection:
    """A connection that has read the database once, so that what cannot be opened fails here."""
    uri = f"{file.absolute().as_uri()}?{options}"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        add_functions(connection)
        _check_header(file, connection)
        if for_writing:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA cache_size=-32000")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _is_of_the_disk(error: sqlite3.OperationalError) -> bool:
    """Whether something could not be written or opened, as opposed to a database that is damaged or busy."""
    return _code(error).startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN"))


def _code(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", None) or ""


_Look = tuple[int, ...]


def _look(file: Path, closely: bool) -> _Look:
    """Which file is at this place; `closely`: and whether it, or its log, has been written to.

    :raises IndexMissingError: there is none.
    """
    try:
        now = os.stat(file)
    except OSError as error:
        raise IndexMissingError(
            f"the index {file.parent} is gone ({error.strerror}); put it back, or make one with: jinwen index PATH..."
        ) from None
    if not closely:
        return now.st_dev, now.st_ino
    log = file.with_name(file.name + "-wal")
    pending = log.stat().st_size if log.exists() else 0
    return now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, pending


def _count_change(connection: sqlite3.Connection) -> None:
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    change = connection.execute("INSERT INTO changes (token, at, crc) VALUES (?, ?, 0)", (secrets.token_hex(8), now))
    seal(connection, "changes", "counter = ?", (change.lastrowid,))


@contextlib.contextmanager
def errors_in_words(file: Path) -> Iterator[None]:
    """Turn SQLite's errors into one clear line."""
    try:
        yield
    except sqlite3.ProgrammingError as error:
        if "closed" not in str(error):
            raise
        raise StoreError(f"index {file.parent} was closed; open it again") from error
    except sqlite3.OperationalError as error:
        raise _operational(file, error) from error
    except sqlite3.IntegrityError:
        raise
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise IndexDamagedError(f"index {file.parent} is damaged ({error}); {_REBUILD}") from error


def _is_full(folder: Path) -> bool:
    """Whether the disk has no room for even the files that SQLite keeps beside a database."""
    try:
        return shutil.disk_usage(folder).free < _NO_SPACE
    except OSError:
        return False


def _operational(file: Path, error: sqlite3.OperationalError) -> StoreError:
    code = _code(error)
    if code.startswith("SQLITE_FULL") or (_is_of_the_disk(error) and _is_full(file.parent)):
        return StoreError(f"no space left for index {file.parent}; nothing was lost: free some and run it again")
    if code.startswith("SQLITE_READONLY"):
        return StoreError(f"index {file.parent} is read-only; make the folder writable or use another with --index")
    if code.startswith("SQLITE_IOERR"):
        return StoreError(f"index {file.parent} cannot be read or written ({error}); check the disk and its free space")
    if code.startswith("SQLITE_BUSY"):
        return StoreError(f"index {file.parent} is busy; wait for the other process and try again")
    if code.startswith("SQLITE_CANTOPEN"):
        return StoreError(f"index {file.parent} cannot be opened ({error}); check the permissions of the folder")
    return IndexDamagedError(f"index {file.parent} is damaged ({error}); {_REBUILD}")
