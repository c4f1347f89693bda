"""Sources -> references by GB/T 7714-2015, numbered in the order of citation (顺序编码制).

Newspaper [N], the same with an address [N/OL], other web pages [EB/OL], anything else [Z]. An unknown author is left
out, as the standard allows for numbered lists.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from rag.export.sources import Author, Medium, Source

_MOST_AUTHORS = 3


def references(found: Sequence[Source], seen: dt.date) -> str:
    """One reference a line; `seen` is the day on which addresses were looked up (引用日期)."""
    return "".join(f"[{number}] {reference(source, seen)}\n" for number, source in enumerate(found, 1))


def reference(source: Source, seen: dt.date) -> str:
    """The reference without its number."""
    return " ".join(f"{part.rstrip('.')}." for part in _parts(source, f"[{seen.isoformat()}]") if part)


def _parts(source: Source, seen: str) -> Iterable[str]:
    unknown = ("[无题名]", "[日期不详]") if source.chinese else ("[no title]", "[no date]")
    title, date = source.title or unknown[0], source.date.isoformat() if source.date else ""
    writers, url = _writers(source), source.url or ""
    if source.medium is Medium.NEWSPAPER:
        day = ", ".join(part for part in (source.publication, date or ("" if url else unknown[1])) if part)
        return (writers, f"{title}[N/OL]" if url else f"{title}[N]", day + (seen if url else ""), url)
    if source.medium is Medium.WEB:
        # Who is not known to have written it is not named; the account or site that published it then is.
        host = f"//{source.publication}" if writers and source.publication else ""
        day = (f"({date})" if date else "") + seen
        return (writers or source.publication, f"{title}[EB/OL]{host}", day, url)
    return (writers, f"{title}[Z]", date or unknown[1], source.file)


def _writers(source: Source) -> str:
    named = [_name(author) for author in source.authors[:_MOST_AUTHORS]]
    if len(source.authors) > _MOST_AUTHORS:
        named.append("等" if source.chinese else "et al")
    return ", ".join(named)


def _name(author: Author) -> str:
    """A name by the standard: family name first and in capitals, given names as initials; a Chinese one as it is."""
    *given, family = author.name.split()
    if not author.person or not given:
        return author.name
    return f"{family.upper()} {' '.join(name[0].upper() for name in given)}"
