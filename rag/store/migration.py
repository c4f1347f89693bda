"""An index of an older format -> the present one.

The rule: whoever opens an index that it may write brings it up to date first, under the writer lock. The new database
is made beside the old one and takes its place in one transaction, so that a crash leaves the one or the other. The
changes keep their numbers, so the caches stay good. Each format has one step here, to the one that follows it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sqlite3
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from rag.errors import IndexOutdatedError, StoreError
from rag.locking import LockPurpose, WriterLock
from rag.store.checksums import COLUMNS, add_functions, crc_of
from rag.store.database import Database, errors_in_words
from rag.store.info import LOCK_FILE
from rag.store.schema import APPLICATION_ID, FORMAT, SCHEMA

_log = logging.getLogger(__name__)


def open_up_to_date(file: Path, *, read_only: bool = False) -> Database:
    """The database `file`, migrated first if it is of an older format and may be written.

    :raises IndexOutdatedError: it is of an older format and must not be written.
    :raises StoreError: as `Database.open`, or the migration failed.
    """
    try:
        return Database.open(file, read_only=read_only)
    except IndexOutdatedError:
        if read_only:
            raise
        migrate(file, WriterLock(file.with_name(LOCK_FILE)))
        return Database.open(file)


def migrate(file: Path, lock: WriterLock) -> None:
    """Bring the database `file` up to date, unless another process was faster.

    :raises StoreError: it cannot be written, no space is left, or there is no step from its format.
    """
    with lock.hold(LockPurpose.CACHE), errors_in_words(file):
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as old:
            (found,) = old.execute("PRAGMA user_version").fetchone()
            if found == FORMAT:
                return
            if found not in _STEPS:
                raise StoreError(f"index {file.parent} has format {found}, from which there is no way; rebuild it")
            draft = file.with_name(f"{file.name}.new-{os.getpid()}-{secrets.token_hex(4)}")
            try:
                with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as new:
                    _make(new, file, found)
                    new.backup(old)
            finally:
                draft.unlink(missing_ok=True)
        _log.warning("index %s was brought from format %d to %d", file.parent, found, FORMAT)


def _make(new: sqlite3.Connection, old: Path, found: int) -> None:
    """Fill the empty database `new` from `old`, of format `found`."""
    add_functions(new)
    new.create_function("passage_crc_1", 4, _passage_crc_1, deterministic=True)
    new.execute(f"PRAGMA application_id={APPLICATION_ID}")
    new.execute(f"PRAGMA user_version={FORMAT}")
    new.execute("ATTACH ? AS old", (str(old),))
    new.executescript(f"BEGIN; {SCHEMA}")
    _STEPS[found](new)
    new.execute("COMMIT")
    new.execute("DETACH old")


def _from_1(new: sqlite3.Connection) -> None:
    """Format 2: a checksum in every row. A passage whose old checksum is wrong keeps a wrong one."""
    for table, columns in COLUMNS.items():
        names = ", ".join(columns)
        if table == "articles":
            names = ", ".join(row[1] for row in new.execute("PRAGMA old.table_info(articles)"))
        new.execute(f"INSERT INTO {table} ({names}, crc) SELECT {names}, {crc_of(table)} FROM old.{table}")
    new.execute(
        "INSERT INTO passages (id, article, start, end, vector, crc) SELECT id, article, start, end, vector, "
        "passage_crc(id, article, start, end, vector) + (crc != passage_crc_1(id, start, end, vector)) "
        "FROM old.passages"
    )
    new.execute("DELETE FROM sqlite_sequence")
    new.execute("INSERT INTO sqlite_sequence SELECT * FROM old.sqlite_sequence")


def _passage_crc_1(passage_id: int, start: int, end: int, vector: bytes) -> int:
    head = b"".join(number.to_bytes(8, "little", signed=True) for number in (passage_id, start, end))
    return zlib.crc32(vector, zlib.crc32(head))


_STEPS: Mapping[int, Callable[[sqlite3.Connection], None]] = {1: _from_1}
