"""Tables -> articles: a row an article where the head row names columns of articles, else the table as one text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Any

from rag.errors import SourceError
from rag.sources.cleaning import clean
from rag.sources.containers import MARKS
from rag.sources.extracted import MAX_ARTICLE, too_long
from rag.sources.extraction import Record
from rag.sources.fields import is_head
from rag.sources.reading import Problem
from rag.sources.sidecar import Defaults
from rag.sources.text import Front, make_article
from rag.sources.wechat import Row, read_rows
from rag.types import Article

_HEAD_ROWS = 10
"""Rows in which the head of a table is looked for."""
_MAX_FIELD = 10_000_000


def read_table(text: str, file: str, defaults: Defaults) -> tuple[list[Article], list[Problem]]:
    """Articles of the CSV or TSV `text`, and the rows that were skipped.

    :raises SourceError: it is no table, or without text.
    """
    rows = list(_csv_rows(text))
    records = to_records(rows)
    if records:
        return read_rows([Row(record.name, record.fields) for record in records], file, defaults)
    whole = clean(to_text(rows))
    if len(whole) > MAX_ARTICLE:
        raise SourceError(too_long(whole))
    return [make_article(whole, file, defaults, Front(), title=PurePath(file).stem)], []


def to_records(rows: Sequence[Sequence[Any]]) -> tuple[Record, ...]:
    """Records of `rows` below the one that names columns of articles; none where no row does."""
    at = next((i for i, row in enumerate(rows[:_HEAD_ROWS]) if is_head(list(row))), None)
    if at is None:
        return ()
    head = [str(cell).strip() if cell is not None else "" for cell in rows[at]]
    return tuple(
        Record(f"row {number}", {name: cell for name, cell in zip(head, row, strict=False) if name})
        for number, row in enumerate(rows[at + 1 :], at + 2)
        if any(cell not in (None, "") for cell in row)
    )


def to_text(rows: Iterable[Sequence[Any]]) -> str:
    """`rows` as lines, cells with ` | ` between them; empty rows and empty cells at the end left out."""
    lines = []
    for row in rows:
        cells = [" ".join(str(cell).split()) if cell is not None else "" for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            lines.append(" | ".join(cells))
    return "\n".join(lines)


def _csv_rows(text: str) -> Iterator[list[str]]:
    csv.field_size_limit(_MAX_FIELD)
    first = text.lstrip().split("\n", 1)[0]
    if first.lower().startswith("sep=") and len(first) == 5:  # as Excel writes it
        mark, text = first[4], text.lstrip().split("\n", 1)[-1]
    else:
        mark = max(MARKS, key=first.count)
    try:
        yield from csv.reader(io.StringIO(text.lstrip("\n")), delimiter=mark)
    except csv.Error as error:
        raise SourceError(f"table that cannot be read: {error}") from error
