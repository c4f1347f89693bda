"""Questions to the truth: articles, files, passages, and what the caches are made of."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from rag.errors import IndexDamagedError
from rag.store.cache_file import Ids
from rag.store.checksums import COLUMNS
from rag.store.records import Counts, FileRecord, Scored, StoredPassage, Vectors
from rag.store.rows import (
    ARTICLE_COLUMNS,
    FILE_COLUMNS,
    STORED_VECTOR,
    check_passage,
    check_row,
    to_article,
    to_file_record,
)
from rag.types import Article, Filters, Passage

_ARTICLE_ROW, _FILE_ROW = (*COLUMNS["articles"], "crc"), (*COLUMNS["files"], "crc")
_ARTICLE = ", ".join(
    [f"a.{name}" for name in (*ARTICLE_COLUMNS.split(", "), *_ARTICLE_ROW)] + [f"f.{name}" for name in _FILE_ROW]
)
_WIDTH = len(ARTICLE_COLUMNS.split(", "))
_PATH = _FILE_ROW.index("path")
_BATCH = 4_096


def counts(connection: sqlite3.Connection) -> Counts:
    """How much there is."""
    query = "SELECT (SELECT count(*) FROM files), (SELECT count(*) FROM articles), (SELECT count(*) FROM passages)"
    return Counts(*connection.execute(query).fetchone())


def articles(connection: sqlite3.Connection) -> Iterator[Article]:
    """All articles, by file and position."""
    query = f"SELECT {_ARTICLE} FROM articles a JOIN files f ON f.key = a.file ORDER BY f.path, f.key, a.position"
    for row in connection.execute(query):
        yield _article(row)


def article(connection: sqlite3.Connection, article_id: str) -> Article | None:
    """The article with this id."""
    query = f"SELECT {_ARTICLE} FROM articles a JOIN files f ON f.key = a.file WHERE a.id = ?"
    row = connection.execute(query, (article_id,)).fetchone()
    return None if row is None else _article(row)


def damaged_articles(connection: sqlite3.Connection) -> Iterator[str]:
    """Ids of the articles whose rows are not what was written."""
    for row in connection.execute(f"SELECT {_ARTICLE} FROM articles a JOIN files f ON f.key = a.file ORDER BY a.key"):
        try:
            _article(row)
        except (IndexDamagedError, ValueError, TypeError):
            yield str(row[0])


def files(connection: sqlite3.Connection, identity: str | None = None) -> list[FileRecord]:
    """What was ingested, by path; only the file `identity`, if given."""
    columns = ", ".join(f"f.{name}" for name in FILE_COLUMNS.split(", "))
    where, values = ("", ()) if identity is None else ("WHERE f.identity = ?", (identity,))
    query = (
        f"SELECT {columns}, (SELECT count(*) FROM articles a WHERE a.file = f.key) FROM files f {where} ORDER BY f.path"
    )
    return [to_file_record(row) for row in connection.execute(query, values)]


def passages(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, StoredPassage]:
    """Those of the passages `ids` that are there, with their articles."""
    wanted = json.dumps([int(i) for i in ids])
    query = (
        "SELECT p.id, p.article, p.start, p.end, p.vector, p.crc FROM passages p "
        "WHERE p.id IN (SELECT value FROM json_each(?))"
    )
    rows = connection.execute(query, (wanted,)).fetchall()
    by_key = _articles_by_key(connection, {row[1] for row in rows})
    found: dict[int, StoredPassage] = {}
    for passage_id, key, start, end, vector, crc in rows:
        check_passage(passage_id, key, start, end, vector, crc)
        story = by_key[key]
        found[passage_id] = StoredPassage(passage_id, Passage(story.id, start, end, story.text[start:end]), story)
    return found


def passage_ids(connection: sqlite3.Connection) -> Ids:
    """All passage ids, ascending."""
    rows = connection.execute("SELECT id FROM passages ORDER BY id")
    return np.fromiter((row[0] for row in rows), dtype=np.int64)


def newest(connection: sqlite3.Connection, k: int, last: dt.date, filters: Filters) -> Iterator[Article]:
    """The `k` newest articles of a date up to `last` that pass `filters`, newest first, then by id."""
    conditions, values = _conditions(filters)
    query = (
        f"SELECT {_ARTICLE} FROM articles a JOIN files f ON f.key = a.file "
        f"WHERE a.date <= ? AND {' AND '.join(conditions)} ORDER BY a.date DESC, a.id LIMIT ?"
    )
    for row in connection.execute(query, (last.isoformat(), *values, k)):
        yield _article(row)


def matching_ids(connection: sqlite3.Connection, filters: Filters) -> Ids:
    """Ids of the passages whose article passes `filters`, in no order."""
    conditions, values = _conditions(filters)
    query = f"SELECT p.id FROM articles a JOIN passages p ON p.article = a.key WHERE {' AND '.join(conditions)}"
    return np.fromiter((row[0] for row in connection.execute(query, values)), dtype=np.int64)


def _conditions(filters: Filters) -> tuple[list[str], list[str]]:
    """What an article `a` must meet to pass `filters`, and the values for its placeholders."""
    conditions, values = ["1"], []
    if filters.date_from:
        conditions.append("a.date >= ?")
        values.append(filters.date_from.isoformat())
    if filters.date_to:
        conditions.append("a.date <= ?")
        values.append(filters.date_to.isoformat())
    if filters.sources:
        conditions.append("a.source IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(filters.sources))
    return conditions, values


def vectors(connection: sqlite3.Connection, ids: Ids, dim: int) -> Iterator[tuple[Ids, Vectors]]:
    """Vectors of the passages `ids`, ascending, in batches: ids and float32 `(n, dim)`."""
    for batch, rows in _passage_rows(connection, ids, "article, start, end, vector, crc"):
        for row in rows:
            check_passage(*row)
        block = np.frombuffer(b"".join(row[4] for row in rows), dtype=STORED_VECTOR).reshape(len(rows), dim)
        yield batch, block.astype(np.float32)


def inner_products(connection: sqlite3.Connection, ids: Sequence[int], vector: Vectors) -> list[Scored]:
    """Those of the passages `ids` that are there, in no order, with their inner product with `vector`."""
    rows = connection.execute(
        "SELECT id, vector FROM passages WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
    ).fetchall()
    try:
        block = np.frombuffer(b"".join(row[1] for row in rows), dtype=STORED_VECTOR).reshape(len(rows), len(vector))
    except (TypeError, ValueError):
        raise IndexDamagedError(
            "a vector of the index is damaged; rebuild it with: jinwen index --rebuild PATH..."
        ) from None
    scores = block.astype(np.float32) @ vector.astype(np.float32)
    return [Scored(row[0], float(score)) for row, score in zip(rows, scores, strict=True)]


def texts(connection: sqlite3.Connection, ids: Ids) -> Iterator[StoredPassage]:
    """The passages `ids`, ascending, with their articles."""
    for batch, _ in _passage_rows(connection, ids, "article"):
        found = passages(connection, batch.tolist())
        yield from (found[i] for i in sorted(found))


def fingerprint(connection: sqlite3.Connection, identity: Iterable[str]) -> str:
    """Hash over all articles (their ids and content, not their files) and `identity`; 16 hexadecimal digits."""
    digest = hashlib.sha256("\n".join(identity).encode())
    for row in connection.execute("SELECT id, content FROM articles ORDER BY id"):
        digest.update(b"\n" + row[0].encode() + b"\0" + row[1])
    return digest.hexdigest()[:16]


def _article(row: tuple[Any, ...]) -> Article:
    """The article of a row of _ARTICLE."""
    place, file = row[_WIDTH : -len(_FILE_ROW)], row[-len(_FILE_ROW) :]
    check_row(f"article {row[0]!r}", place[:-1], place[-1])
    check_row(f"the file of article {row[0]!r}", file[:-1], file[-1])
    return to_article(row[:_WIDTH], digest=place[-2], path=file[_PATH])


def _articles_by_key(connection: sqlite3.Connection, keys: set[int]) -> dict[int, Article]:
    query = (
        f"SELECT a.key, {_ARTICLE} FROM articles a JOIN files f ON f.key = a.file "
        "WHERE a.key IN (SELECT value FROM json_each(?))"
    )
    return {row[0]: _article(row[1:]) for row in connection.execute(query, (json.dumps(sorted(keys)),))}


def _passage_rows(
    connection: sqlite3.Connection, ids: Ids, columns: str
) -> Iterator[tuple[Ids, list[tuple[Any, ...]]]]:
    """Batches of rows `(id, *columns)` of the passages `ids` (ascending) that are there, with their ids."""
    for start in range(0, len(ids), _BATCH):
        wanted = ids[start : start + _BATCH]
        query = f"SELECT id, {columns} FROM passages WHERE id BETWEEN ? AND ? ORDER BY id"
        members = set(wanted.tolist())
        rows = [r for r in connection.execute(query, (int(wanted[0]), int(wanted[-1]))) if r[0] in members]
        yield np.array([row[0] for row in rows], dtype=np.int64), rows
