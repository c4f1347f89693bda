"""Which format a file has, by its content; a name says nothing certain."""

from __future__ import annotations

from rag.errors import SourceError
from rag.sources.containers import container
from rag.sources.formats import FORMATS, FileFormat, Sample, Way
from rag.sources.html import looks_like_xml

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Entries of an old Office file, by which it says what it is.
_OLE_KINDS = (
    ("__substg1.0_", "an Outlook message (.msg); save it as .eml"),
    ("EncryptedPackage", "a password-protected Office file; save it without a password"),
    ("WordDocument", "an old Word file (.doc); save it as .docx"),
    ("Workbook", "an old Excel file (.xls); save it as .xlsx"),
    ("PowerPoint Document", "an old PowerPoint file (.ppt); save it as .pptx"),
)
_READABLE = "expected text, JSON, a table, HTML, a feed, PDF or an Office file"


def detect_binary(data: bytes, suffix: str = "") -> FileFormat | None:
    """The format of `data` where its bytes tell; None for what may be text.

    :raises SourceError: an old or encrypted Office file, or one of OpenDocument that is not read.
    """
    sample = Sample(suffix, data=data)
    found = next((row for row in FORMATS if row.way is Way.BYTES and row.recognises(sample)), None)
    if found is not None and found.name == "zip" and "content.xml" in sample.entries:
        raise SourceError("an OpenDocument table or drawing; save it as .xlsx, .odt or PDF")
    if data.startswith(_OLE):
        kinds = (what for entry, what in _OLE_KINDS if entry.encode("utf-16-le") in data)
        raise SourceError(
            next(kinds, "old (.doc) or password-protected Office file; save it as .docx without a password")
        )
    return found


def detect_text(text: str, suffix: str = "") -> FileFormat:
    """The format of a decoded text file.

    :raises SourceError: a container that is not unpacked, such as encoded data or XML that is not HTML.
    """
    sample = Sample(suffix, text=text)
    found = next(row for row in FORMATS if row.way is not Way.BYTES and row.recognises(sample))
    if found.way is Way.TEXT and found.name not in ("wechat", "table"):
        if wrapping := container(text):
            raise SourceError(wrapping)
        if looks_like_xml(text):
            raise SourceError(f"XML that is neither HTML nor a feed; {_READABLE}")
    return found
