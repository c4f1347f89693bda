"""Is an index sound? Reads everything, changes nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from rag.errors import IndexDamagedError
from rag.store import lexical_cache
from rag.store.atomic import drafts
from rag.store.cache_file import CacheDamagedError, CacheFile, read_cache
from rag.store.caches import DENSE_FILE, LEXICAL_FILE, LEXICAL_FOLDER
from rag.store.checksums import COLUMNS, DAMAGED_CONVERSATIONS, add_functions, crc_of
from rag.store.database import Database
from rag.store.dense_cache import KIND as DENSE
from rag.store.reading import damaged_articles
from rag.store.records import FileState, Finding, Level
from rag.store.rows import STORED_VECTOR, check_passage
from rag.store.schema import SCHEMA
from rag.store.truth import Truth

_REBUILD = "rebuild it with: jinwen index --rebuild PATH..."
_NEXT_SEARCH = "nothing to do: the next search mends it"


def check_index(folder: Path, truth: Truth) -> list[Finding]:
    """What is wrong with the index in `folder`; empty when nothing is."""
    findings, readable = check_database(truth.database, truth.dim)
    if not readable:
        return findings
    findings += _cache(truth, "dense", lambda: read_cache(folder / DENSE_FILE, DENSE))
    findings += _cache(truth, "lexical", lambda: lexical_cache.verify(folder / LEXICAL_FOLDER, folder / LEXICAL_FILE))
    for draft in drafts(folder):
        findings.append(Finding(Level.WARNING, f"{draft.name} is left from a killed run", "the next ingest removes it"))
    return findings


def check_database(database: Database, dim: int) -> tuple[list[Finding], bool]:
    """What is wrong with the truth, and whether it could be read to its end."""
    with database.reading() as connection:
        broken = [Finding(Level.ERROR, f"SQLite: {line}", _REBUILD) for line in sqlite_problems(connection)]
        if broken:
            return broken, False  # what stands on broken pages need not be looked at
        findings = [
            *_schema(connection),
            *_rows(connection),
            *_articles(connection),
            *_passages(connection, dim),
            *_files(connection),
        ]
    return findings, True


def sqlite_problems(connection: sqlite3.Connection) -> list[str]:
    """What SQLite itself finds wrong with a database: broken pages, rows that belong to nothing."""
    lines = [row[0] for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
    orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    return lines + [f"row {rowid} of {table} belongs to no {parent}" for table, rowid, parent, _ in orphans[:20]]


def conversation_problems(connection: sqlite3.Connection) -> list[str]:
    """What is wrong with a database of conversations: its pages, its links, rows that are not what was written.

    :raises sqlite3.Error: it cannot be read at all.
    """
    problems = sqlite_problems(connection)
    if problems or not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'checksums'").fetchone():
        return problems
    add_functions(connection)
    return [f"{row[0]} is not what was written" for row in connection.execute(DAMAGED_CONVERSATIONS)]


def _schema(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Tables that are not those of this format, and ids that would be used again."""
    query = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"
    with contextlib.closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(SCHEMA)
        if connection.execute(query).fetchall() != fresh.execute(query).fetchall():
            yield Finding(Level.ERROR, "the tables are not those of this format", _REBUILD)
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'passages'").fetchone()
    (highest,) = connection.execute("SELECT coalesce(max(id), 0) FROM passages").fetchone()
    if not isinstance(last, int) or last < highest:
        yield Finding(Level.ERROR, f"passage ids would be used again: {last} is the last, {highest} is there", _REBUILD)


def _rows(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Rows that are not what was written, but for articles and passages, which are told by their ids."""
    for table in ("meta", "changes", "files", "duplicates"):
        name = "path" if table == "files" else COLUMNS[table][0]
        for (which,) in connection.execute(f"SELECT {name} FROM {table} WHERE crc IS NOT {crc_of(table)}"):
            yield Finding(Level.ERROR, f"the row {which!r} of {table} is not what was written", _REBUILD)


def _articles(connection: sqlite3.Connection) -> Iterator[Finding]:
    for article_id in damaged_articles(connection):
        yield Finding(Level.ERROR, f"article {article_id!r} is not what was written", _REBUILD)
    query = "SELECT id FROM articles a WHERE NOT EXISTS (SELECT 1 FROM passages p WHERE p.article = a.key)"
    for (article_id,) in connection.execute(query):
        yield Finding(Level.WARNING, f"article {article_id!r} has no passage and is never found", "it has no text")


def _passages(connection: sqlite3.Connection, dim: int) -> Iterator[Finding]:
    query = "SELECT p.article, p.id, p.start, p.end, p.vector, p.crc FROM passages p ORDER BY p.article, p.start, p.id"
    for key, rows in groupby(connection.execute(query), key=lambda row: row[0]):
        (text,) = connection.execute("SELECT text FROM articles WHERE key = ?", (key,)).fetchone()
        for _, passage_id, start, end, vector, crc in rows:
            problem = _passage_problem(passage_id, key, start, end, vector, crc, len(text), dim)
            if problem:
                yield Finding(Level.ERROR, f"passage {passage_id} {problem}", _REBUILD)


def _passage_problem(
    passage_id: int, article: int, start: int, end: int, vector: bytes, crc: int, length: int, dim: int
) -> str | None:
    try:
        check_passage(passage_id, article, start, end, vector, crc)
    except IndexDamagedError:
        return "is not what was written"
    if not 0 <= start < end <= length:
        return f"stands at {start}-{end} of a text of {length} characters"
    values = np.frombuffer(vector, STORED_VECTOR)
    if len(values) != dim or not np.isfinite(values).all():
        return f"has a vector of {len(values)} numbers, expected {dim} finite ones"
    return None


def _files(connection: sqlite3.Connection) -> Iterator[Finding]:
    query = "SELECT path FROM files WHERE state IN (?, ?) ORDER BY path"
    for (path,) in connection.execute(query, (FileState.PARTIAL.value, FileState.UNFINISHED.value)):
        yield Finding(Level.WARNING, f"{path} was not read to its end", f"go on with: jinwen index {path}")


def _cache(truth: Truth, name: str, read: Callable[[], CacheFile]) -> Iterator[Finding]:
    try:
        cache = read()
    except CacheDamagedError as error:
        yield Finding(Level.WARNING, f"the {name} cache cannot be used ({error})", _NEXT_SEARCH)
        return
    if not truth.is_met(cache):
        state = "behind the database" if truth.is_ahead_of(cache) else "of another index or state"
        yield Finding(Level.WARNING, f"the {name} cache is {state}", _NEXT_SEARCH)
