"""A checksum in every row, so that a flipped byte is found wherever it hits.

SQLite checks the shape of its pages, not what stands in them. The checksums are made in SQL, by functions that every
connection gets, so that rows changed by the hundred are sealed by the statement that changes them.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Mapping

Value = int | str | bytes | None

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "meta": ("name", "value"),
    "changes": ("counter", "token", "at"),
    "files": (
        "key", "identity", "path", "size", "sha256", "recipe", "state", "error", "format", "encoding",
        "encoding_guessed", "stale", "ingested_at",
    ),
    "articles": ("key", "file", "position", "content", "digest"),
    "duplicates": ("file", "content"),
}  # fmt: skip
"""What `crc` covers, in this order. `digest` covers the rest of an article; passages have a form of their own."""
_PASSAGE_HEAD = struct.Struct("<qqqq")


def _conversation(row: str) -> str:
    return f"row_crc({row}.id, {row}.title)"


def _exchange(row: str) -> str:
    return f"row_crc({row}.conversation, {row}.position, {row}.question, {row}.answer, {row}.problem)"


def row_crc(*values: Value) -> int:
    """CRC-32 of a row: each value with its type and length, so that nothing can move from one to the next."""
    crc = 0
    for value in values:
        if isinstance(value, str):
            data = value.encode("utf-8", "surrogatepass")
            piece = b"s%d:%b" % (len(data), data)
        elif isinstance(value, bytes):
            piece = b"b%d:%b" % (len(value), value)
        else:
            piece = b"%a:" % (value,)
        crc = zlib.crc32(piece, crc)
    return crc


def passage_crc(passage_id: int, article: int, start: int, end: int, vector: bytes) -> int:
    """CRC-32 of a row of `passages`."""
    return zlib.crc32(vector, zlib.crc32(_PASSAGE_HEAD.pack(passage_id, article, start, end)))


def crc_of(table: str, prefix: str = "", **changed: str) -> str:
    """The SQL expression for `crc` of a row of `table`, with the columns `changed` as they are to become."""
    columns = (changed.get(name, f"{prefix}{name}") for name in COLUMNS[table])
    return f"row_crc({', '.join(columns)})"


def seal(connection: sqlite3.Connection, table: str, where: str, values: tuple[object, ...]) -> None:
    """Give the rows of `table` that were just written as a whole their checksum."""
    connection.execute(f"UPDATE {table} SET crc = {crc_of(table)} WHERE {where}", values)


def update(
    connection: sqlite3.Connection, table: str, column: str, value: str, where: str, values: tuple[object, ...]
) -> int:
    """Set one column to the SQL expression `value`; a row that was damaged before stays recognisable as such.

    The bound `values` are those of `where`. Returns how many rows were changed.
    """
    sealed = f"CASE WHEN crc = {crc_of(table)} THEN {crc_of(table, **{column: f'({value})'})} ELSE crc END"
    return connection.execute(f"UPDATE {table} SET {column} = {value}, crc = {sealed} WHERE {where}", values).rowcount


CONVERSATIONS = f"""
CREATE TABLE IF NOT EXISTS checksums (  -- position 0: the conversation itself, else the exchange at that position
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    crc          INTEGER NOT NULL,
    PRIMARY KEY (conversation, position)
) STRICT;
CREATE TRIGGER IF NOT EXISTS seal_conversation AFTER INSERT ON conversations BEGIN
    INSERT OR REPLACE INTO checksums VALUES (new.id, 0, {_conversation("new")});
END;
CREATE TRIGGER IF NOT EXISTS seal_exchange AFTER INSERT ON exchanges BEGIN
    INSERT OR REPLACE INTO checksums VALUES (new.conversation, new.position, {_exchange("new")});
END;
INSERT OR IGNORE INTO checksums SELECT id, 0, {_conversation("conversations")} FROM conversations;
INSERT OR IGNORE INTO checksums SELECT conversation, position, {_exchange("exchanges")} FROM exchanges;
"""
"""SQL that lets a database of conversations have checksums too; what is in it is sealed as it is, once."""
DAMAGED_CONVERSATIONS = f"""
SELECT 'conversation ' || id FROM conversations LEFT JOIN checksums k ON k.conversation = id AND k.position = 0
    WHERE k.crc IS NOT {_conversation("conversations")}
UNION ALL
SELECT 'exchange ' || e.position || ' of conversation ' || e.conversation FROM exchanges e
    LEFT JOIN checksums k ON k.conversation = e.conversation AND k.position = e.position
    WHERE k.crc IS NOT {_exchange("e")}
"""
"""SQL that names the rows which are not what was written."""


def add_functions(connection: sqlite3.Connection) -> None:
    """Make `row_crc` and `passage_crc` known to the SQL of `connection`."""
    connection.create_function("row_crc", -1, row_crc, deterministic=True)
    connection.create_function("passage_crc", 5, passage_crc, deterministic=True)
