"""Sources -> BibTeX. Only entry types and fields that plain BibTeX styles, biblatex and gbt7714 all know.

LaTeX runs what stands in a field, so every character that means something to it is written as the sign it shows.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence

from rag.export.sources import Author, Medium, Source

_SIGNS = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    }
)  # fmt: skip
_IN_ADDRESS = str.maketrans({"{": "%7B", "}": "%7D", "^": "%5E", "`": "%60", "|": "%7C"})
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def bibtex(found: Sequence[Source], seen: dt.date) -> str:
    """One entry a source; `seen` is the day on which addresses were looked up."""
    return "\n".join(_entry(source, seen) for source in found)


def _entry(source: Source, seen: dt.date) -> str:
    kind = "article" if source.medium is Medium.NEWSPAPER else "misc"
    fields = "".join(f"  {name} = {value},\n" for name, value in _fields(source, seen).items())
    return f"@{kind}{{{key(source)},\n{fields}}}\n"


def key(source: Source) -> str:
    """A key that stays the same in every export."""
    day = source.date.strftime("%Y%m%d") if source.date else "undated"
    return f"jinwen{day}-{hashlib.sha256(source.article_id.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _fields(source: Source, seen: dt.date) -> dict[str, str]:
    writers = source.authors
    if not writers and source.publication and source.medium is Medium.WEB:
        writers = (Author(source.publication, person=False),)
    fields = {"title": f"{{{{{_sign(source.title)}}}}}" if source.title else ""}
    fields["author"] = f"{{{' and '.join(map(_author, writers))}}}" if writers else ""
    publication = f"{{{_sign(source.publication)}}}" if source.publication else ""
    if source.medium is Medium.NEWSPAPER:
        fields["journal"] = publication
    elif source.authors:
        fields["howpublished"] = publication
    if source.date:
        fields |= {"year": f"{{{source.date.year:04d}}}", "month": _MONTHS[source.date.month - 1]}
        fields["day"] = f"{{{source.date.day}}}"
    if source.url:
        fields |= {"url": f"{{{source.url.translate(_IN_ADDRESS)}}}", "urldate": f"{{{seen.isoformat()}}}"}
    if source.medium is Medium.FILE:
        fields["note"] = f"{{{_sign(source.file)}}}"
    return {name: value for name, value in fields.items() if value}


def _author(author: Author) -> str:
    return _sign(author.name) if author.person else f"{{{_sign(author.name)}}}"


def _sign(text: str) -> str:
    return text.translate(_SIGNS)
