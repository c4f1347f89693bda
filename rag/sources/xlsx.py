"""Excel workbooks by openpyxl: rows of articles where a sheet has such columns, else the sheet as one text."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from rag.errors import SourceError
from rag.sources.archives import open_archive
from rag.sources.extracted import Extracted
from rag.sources.extraction import MAX_CHARS, Extraction, Loss, Record, pictures_lost
from rag.sources.tables import to_records, to_text

_MAX_CELLS = 2_000_000


def extract_workbook(data: bytes) -> Extraction:
    """The rows of all sheets that are shown.

    :raises SourceError: it is damaged, too large, or holds no text.
    """
    archive = open_archive(data)
    from openpyxl import load_workbook

    workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    records: list[Record] = []
    documents: list[Extracted] = []
    losses: list[Loss] = []
    sheets = workbook.worksheets
    cells = 0
    for sheet in sheets:
        if sheet.sheet_state != "visible":
            losses.append(Loss(f"sheet {sheet.title}", "hidden, not read"))
            continue
        sheet.reset_dimensions()  # what a file says of its size need not be so
        rows: list[list[Any]] = []
        for row in sheet.iter_rows(values_only=True):
            cells += len(row) + 1
            if cells > _MAX_CELLS:
                raise SourceError(f"workbook with more than {_MAX_CELLS:,} cells; split it")
            rows.append([_value(cell) for cell in row])
        found = to_records(rows)
        where = f"sheet {sheet.title}, " if len(sheets) > 1 else ""
        records += [Record(where + record.name, record.fields) for record in found]
        text = "" if found else to_text(rows)
        if len(text) > MAX_CHARS:
            raise SourceError(f"sheet of more than {MAX_CHARS:,} characters; split it")
        if text:
            documents.append(Extracted(text=text, title=sheet.title))
    if not records and not documents:
        raise SourceError("workbook without text")
    pictures = sum(name.startswith("xl/media/") for name in archive.namelist())
    return Extraction(tuple(documents), tuple(records), losses=(*losses, *pictures_lost(pictures)))


def _value(cell: Any) -> Any:
    """`cell` as JSON can hold it; a whole number without the decimal point that Excel gives it."""
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ", "minutes")
    if isinstance(cell, (dt.date, dt.time)):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return int(cell)
    return cell if cell is None or isinstance(cell, (str, int, float, bool)) else str(cell)
