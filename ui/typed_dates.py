"""Days as people type them into a field."""

from __future__ import annotations

import datetime as dt


def read_day(typed: str) -> dt.date | None:
    """The day in `typed` (2026-01-18, 2026/1/18, 2026.1.18); None for an empty field.

    :raises ValueError: it is no such day.
    """
    cleaned = typed.strip().replace("/", "-").replace(".", "-")
    if not cleaned:
        return None
    year, month, day = (int(part) for part in cleaned.split("-"))
    return dt.date(year, month, day)
