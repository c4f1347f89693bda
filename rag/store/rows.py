"""Article and passage <-> rows of the database, with the checksums that find damage."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
import struct
from typing import Any

import numpy as np

from rag.errors import IndexDamagedError
from rag.store.checksums import passage_crc, row_crc
from rag.store.records import FileRecord, FileState, Vectors
from rag.types import Article, ArticleKind

ARTICLE_COLUMNS = "id, title, text, source, date, url, byline, subtitle, kind, spans, body_start"
"""Every column that an Article needs, but `path` of its file."""
STORED_VECTOR = np.dtype("<f2")


def article_values(article: Article) -> tuple[Any, ...]:
    """Values of ARTICLE_COLUMNS."""
    return (
        article.id,
        article.title,
        article.text,
        article.source,
        article.date.isoformat() if article.date else None,
        article.url,
        article.byline,
        article.subtitle,
        article.kind.value,
        json.dumps(article.spans, separators=(",", ":")),
        article.body_start,
    )


def row_digest(values: tuple[Any, ...]) -> bytes:
    """SHA-256 of the values of ARTICLE_COLUMNS."""
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()).digest()


_FEW = 40
"""Characters."""


def content_digest(article: Article) -> bytes:
    """SHA-256 of what is told: equal for one story under two names, or as text, HTML and DOCX.

    White space and the headline above the text do not count; in a text of a few words the titles tell stories apart.
    """
    title, text = "".join(article.title.split()), "".join(article.text.split())
    told = text.removeprefix(title) or text
    heads = (article.title, article.subtitle, article.byline) if len(told) < _FEW else ()
    seen = (*heads, told, article.source, str(article.date))
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False, separators=(",", ":")).encode()).digest()


def to_article(row: tuple[Any, ...], digest: bytes, path: str) -> Article:
    """The article of a row.

    :raises IndexDamagedError: the row is not what was written.
    """
    try:
        whole = row_digest(row) == digest
    except TypeError:  # a flipped byte can make a blob of a text
        whole = False
    if not whole:
        raise IndexDamagedError(
            f"article {row[0]!r} of the index is damaged; rebuild it with: jinwen index --rebuild PATH..."
        )
    article_id, title, text, source, date, url, byline, subtitle, kind, spans, body_start = row
    return Article(
        id=article_id,
        title=title,
        text=text,
        file=path,
        source=source,
        date=dt.date.fromisoformat(date) if date else None,
        url=url,
        byline=byline,
        subtitle=subtitle,
        kind=ArticleKind(kind),
        spans=tuple((start, end) for start, end in json.loads(spans)),
        body_start=body_start,
    )


def check_row(what: str, values: tuple[Any, ...], crc: int) -> None:
    """Refuse a damaged row, whose `crc` is not that of its `values` (see `checksums.COLUMNS`).

    :raises IndexDamagedError: the row is not what was written.
    """
    if row_crc(*values) != crc:
        raise IndexDamagedError(f"{what} is damaged in the index; rebuild it with: jinwen index --rebuild PATH...")


def check_passage(passage_id: int, article: int, start: int, end: int, vector: bytes, crc: int) -> None:
    """Refuse a damaged row of `passages`.

    :raises IndexDamagedError: the row is not what was written.
    """
    try:
        whole = passage_crc(passage_id, article, start, end, vector) == crc
    except (TypeError, struct.error):  # a flipped byte can make a text of a blob, or a fraction of a number
        whole = False
    if not whole:
        raise IndexDamagedError(
            f"passage {passage_id} of the index is damaged; rebuild it with: jinwen index --rebuild PATH..."
        )


def vector_blobs(vectors: Vectors) -> list[bytes]:
    """Rows as stored: float16, little-endian."""
    return [row.tobytes() for row in vectors.astype(STORED_VECTOR)]


FILE_COLUMNS = (
    "identity, path, size, sha256, recipe, state, error, format, encoding, encoding_guessed, stale, ingested_at"
)


def file_values(record: FileRecord, now: str) -> tuple[Any, ...]:
    """Values of FILE_COLUMNS."""
    return (
        record.identity,
        record.path,
        record.size,
        record.sha256,
        record.recipe,
        record.state.value,
        record.error,
        record.format,
        record.encoding,
        int(record.encoding_guessed),
        int(record.stale),
        now,
    )


def to_file_record(row: tuple[Any, ...] | sqlite3.Row) -> FileRecord:
    """The record of a row of FILE_COLUMNS followed by the number of articles."""
    identity, path, size, sha256, recipe, state, error, format_, encoding, guessed, stale, at, articles = row
    return FileRecord(
        path=path,
        identity=identity,
        size=size,
        sha256=sha256,
        recipe=recipe,
        state=FileState(state),
        error=error,
        format=format_,
        encoding=encoding,
        encoding_guessed=bool(guessed),
        articles=articles,
        stale=bool(stale),
        ingested_at=at,
    )
