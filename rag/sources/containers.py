"""Files that hold articles in a wrapping, recognised by content so that none is read as plain text.

Read as text they would give base64, header fields and cell debris as sentences, with citations.
"""

from __future__ import annotations

import re

from rag.sources.fields import is_column

_HEAD = 20_000
MARKS = "\t,;|"
"""What parts the cells of a line."""
_FIELD = re.compile(r"^([A-Za-z][A-Za-z-]{1,40}):[ \t]?[^\n]{0,2000}$", re.M)
_MAIL_FIELDS = frozenset({
    "from", "to", "cc", "subject", "date", "message-id", "mime-version", "received", "return-path",
    "delivered-to", "reply-to", "sender", "in-reply-to", "dkim-signature", "content-type",
    "content-transfer-encoding", "snapshot-content-location", "list-unsubscribe", "x-mailer",
})  # fmt: skip
_MIME_FIELDS = frozenset({
    "mime-version", "content-type", "content-transfer-encoding", "message-id", "received", "return-path",
})  # fmt: skip
_ENCODED_LINE = re.compile(r"^(?:[A-Za-z0-9+/]{56,}={0,2}|[!-`]{58,62})$", re.M)
_ROOT = re.compile(r"\s*<(?P<name>[A-Za-z_][\w:.-]{0,60})(?:\s[^<>]{0,2000})?>")
_PROLOGUE = re.compile(r"\A\s{0,100}<\?xml[^<>]{0,300}\?>")
_STARTS = (
    (re.compile(r"\s*BEGIN:V(?:CALENDAR|CARD)\b"), "a calendar or contacts file"),
    (re.compile(r"\s*-----BEGIN [A-Z ]{2,40}-----"), "an encoded or encrypted block (PEM, PGP); decode it first"),
    (re.compile(r"\s*begin [0-7]{3,4} \S"), "a uuencoded file; decode it first"),
    (re.compile(r"\s*%!PS"), "PostScript; save it as PDF"),
)


def container(text: str) -> str | None:
    """What kind of container `text` is and what to do, None for text that may be read as such."""
    for start, name in _STARTS:
        if start.match(text):
            return name
    return _encoded(text) or _xml(text)


def looks_like_mail(text: str, *, surely: bool = False) -> bool:
    """Whether `text` begins with the header of a mail: three of its fields, one of them MIME's.

    `surely`: its name says so already, and two fields do.
    """
    names = _header_names(text)
    known = names & _MAIL_FIELDS
    return len(known) >= (2 if surely else 3) and (surely or bool(names & _MIME_FIELDS))


def looks_like_web_archive(text: str) -> bool:
    """Whether `text` is a page saved with its parts (MHTML): a header as of a mail, without a receiver."""
    names = _header_names(text)
    related = re.search(r"^content-type:\s{0,9}multipart/related", text[:_HEAD], re.M | re.I) is not None
    return "snapshot-content-location" in names or (related and "mime-version" in names and "to" not in names)


def _header_names(text: str) -> set[str]:
    """Names of the header fields up to the first blank line, in small letters; none where the first line is none."""
    head = re.sub(r"\AFrom [^\n]{1,200}\n", "", text[:_HEAD].lstrip())
    lines = head.split("\n\n", 1)[0]
    if not _FIELD.fullmatch(lines.split("\n", 1)[0]):
        return set()
    return {match[1].lower() for match in _FIELD.finditer(lines)}


def looks_like_table(text: str, *, surely: bool = False) -> bool:
    """Whether `text` is CSV or TSV: its first line names columns, two of which articles have, and more lines follow.

    `surely`: its name says so already, and any columns do.
    """
    head, _, rest = text[:_HEAD].lstrip().partition("\n")
    for mark in MARKS:
        cells = [cell.strip(' "').lower() for cell in head.split(mark)]
        if surely and len(cells) >= 2:
            return True
        if len(cells) < 3 or not rest.strip() or any(len(cell) > 30 for cell in cells):
            continue
        if sum(is_column(cell) for cell in cells) >= 2 and rest.count(mark) >= len(cells) - 1:
            return True
    return False


def _encoded(text: str) -> str | None:
    """Base64 or the like: most of the text is in long lines without a space."""
    encoded = sum(match.end() - match.start() for match in _ENCODED_LINE.finditer(text))
    return "encoded data (base64); decode it first" if encoded > 300 and encoded * 2 > len(text) else None


def _xml(text: str) -> str | None:
    text = _PROLOGUE.sub("", text)
    root = _ROOT.match(text[:_HEAD])
    if root is None or not text[-200:].rstrip().endswith(f"</{root['name']}>"):
        return None
    return f"XML ({root['name']}) that is not HTML; save its articles as text, HTML or JSON"
