"""Changes to the truth, inside a transaction of the caller: files and articles in, files and articles out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sqlite3
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from rag.errors import StoreError
from rag.store.checksums import passage_crc, seal, update
from rag.store.records import Duplicate, EncodedArticle, FileArticles, FileRecord, Written
from rag.store.rows import (
    ARTICLE_COLUMNS,
    FILE_COLUMNS,
    article_values,
    content_digest,
    file_values,
    row_digest,
    vector_blobs,
)
from rag.types import Article

Encode = Callable[[Sequence[Article]], Iterable[EncodedArticle]]
"""Gives back each article it was given, in order, with passages and vectors."""


def replace_files(connection: sqlite3.Connection, batch: Sequence[FileArticles], encode: Encode, dim: int) -> Written:
    """Make each file of `batch` hold its articles; those it holds already, word for word, stay untouched."""
    totals = _Totals()
    new: list[tuple[int, Article]] = []
    for entry in batch:
        if entry.moved_from is not None and entry.first == 0:
            connection.execute(
                "UPDATE files SET identity = ? WHERE identity = ?", (entry.record.identity, entry.moved_from)
            )  # sealed with all of the row by put_file
        file = put_file(connection, entry.record)
        if entry.first == 0:
            update(connection, "articles", "position", "-1 - position", "file = ? AND position >= 0", (file,))
            connection.execute("DELETE FROM duplicates WHERE file = ?", (file,))
        for position, article in enumerate(entry.articles, start=entry.first):
            key = _put_article(connection, file, entry.record, position, article, totals)
            if key is not None:
                new.append((key, article))
        if entry.last:
            totals.removed += _remove_articles(connection, "file = ? AND position < 0", (file,))
    passages = _put_passages(connection, new, encode, dim)
    return Written(
        articles=len(new),
        kept=totals.kept,
        removed=totals.removed,
        passages=passages,
        duplicates=tuple(totals.duplicates),
        renamed=tuple(totals.renamed),
    )


def put_file(connection: sqlite3.Connection, record: FileRecord) -> int:
    """Store what is known about a file; the key of its row."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    updates = ", ".join(f"{name} = excluded.{name}" for name in FILE_COLUMNS.split(", ")[1:])
    marks = ", ".join("?" * len(FILE_COLUMNS.split(", ")))
    (key,) = connection.execute(
        f"INSERT INTO files ({FILE_COLUMNS}, crc) VALUES ({marks}, 0) "
        f"ON CONFLICT (identity) DO UPDATE SET {updates} RETURNING key",
        file_values(record, now),
    ).fetchone()
    seal(connection, "files", "key = ?", (key,))
    return int(key)


def remove_file(connection: sqlite3.Connection, identity: str) -> int:
    """Forget a file and its articles; how many articles it had."""
    row = connection.execute("SELECT key FROM files WHERE identity = ?", (identity,)).fetchone()
    if row is None:
        return 0
    removed = _remove_articles(connection, "file = ?", row)
    connection.execute("DELETE FROM files WHERE key = ?", row)
    return removed


def remove_article(connection: sqlite3.Connection, article_id: str) -> bool:
    """Remove one article; whether there was one.

    Its duplicates in other files do not take its place: whoever removes a story wants it gone.
    """
    return connection.execute("DELETE FROM articles WHERE id = ?", (article_id,)).rowcount > 0


@dataclasses.dataclass
class _Totals:
    kept: int = 0
    removed: int = 0
    duplicates: list[Duplicate] = dataclasses.field(default_factory=list)
    renamed: list[tuple[str, str]] = dataclasses.field(default_factory=list)


def _put_article(
    connection: sqlite3.Connection,
    file: int,
    record: FileRecord,
    position: int,
    article: Article,
    totals: _Totals,
) -> int | None:
    """Store an article without its passages; the key of its row, or None when there is nothing to encode."""
    content = content_digest(article)
    twin = connection.execute(
        "SELECT a.id, f.path FROM articles a JOIN files f ON f.key = a.file "
        "WHERE a.content = ? AND (a.file != ? OR a.position >= 0) ORDER BY a.key LIMIT 1",
        (content, file),
    ).fetchone()
    if twin is not None:
        connection.execute("INSERT OR IGNORE INTO duplicates VALUES (?1, ?2, row_crc(?1, ?2))", (file, content))
        totals.duplicates.append(Duplicate(record.path, article.id, *twin))
        return None
    final_id, row = _own_id(connection, file, article.id)
    if final_id != article.id:
        totals.renamed.append((article.id, final_id))
    values = article_values(dataclasses.replace(article, id=final_id))
    digest = row_digest(values)
    if row is not None and row[1] == digest:
        update(connection, "articles", "position", str(position), "key = ?", (row[0],))
        totals.kept += 1
        return None
    if row is not None:
        _remove_articles(connection, "key = ?", (row[0],))
    marks = ", ".join("?" * (len(values) + 4))
    cursor = connection.execute(
        f"INSERT INTO articles ({ARTICLE_COLUMNS}, file, position, content, digest, crc) VALUES ({marks}, 0)",
        (*values, file, position, content, digest),
    )
    seal(connection, "articles", "key = ?", (cursor.lastrowid,))
    return cursor.lastrowid


def _own_id(connection: sqlite3.Connection, file: int, article_id: str) -> tuple[str, tuple[int, bytes] | None]:
    """The id for an article of `file`, and the row (key, digest) that has it from an earlier reading.

    An id that another story has is told apart by a suffix: `page.txt#1~2`.
    """
    candidate, n = article_id, 1
    while True:
        row = connection.execute(
            "SELECT key, digest, file, position FROM articles WHERE id = ?", (candidate,)
        ).fetchone()
        if row is None:
            return candidate, None
        if row[2] == file and row[3] < 0:
            return candidate, (row[0], row[1])
        n += 1
        candidate = f"{article_id}~{n}"


def _remove_articles(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> int:
    """Delete articles with their passages; files that left one of them out as a duplicate must be read again."""
    left_out = f"SELECT d.file FROM duplicates d WHERE d.content IN (SELECT content FROM articles WHERE {where})"
    update(connection, "files", "stale", "1", f"key IN ({left_out})", values)
    return connection.execute(f"DELETE FROM articles WHERE {where}", values).rowcount


def _put_passages(connection: sqlite3.Connection, new: Sequence[tuple[int, Article]], encode: Encode, dim: int) -> int:
    """Encode and store the passages of new articles; how many there are."""
    if not new:
        return 0
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'passages'").fetchone()
    first = last
    for (key, _), encoded in zip(new, encode([article for _, article in new]), strict=True):
        _check_vectors(encoded, dim)
        rows = []
        for passage, vector in zip(encoded.passages, vector_blobs(encoded.vectors), strict=True):
            last += 1
            crc = passage_crc(last, key, passage.start, passage.end, vector)
            rows.append((last, key, passage.start, passage.end, vector, crc))
        connection.executemany(
            "INSERT INTO passages (id, article, start, end, vector, crc) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
    return int(last - first)


def _check_vectors(encoded: EncodedArticle, dim: int) -> None:
    shape = encoded.vectors.shape
    if shape != (len(encoded.passages), dim):
        raise StoreError(f"the encoder gave vectors {shape}, expected {(len(encoded.passages), dim)}")
    if not np.isfinite(encoded.vectors).all():
        raise StoreError(f"the encoder gave a vector that is not finite for article {encoded.article.id!r}")
