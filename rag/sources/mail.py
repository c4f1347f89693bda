"""Mails (EML, MBOX) and pages saved with their parts (MHTML): decoded by the standard library's email parser."""

from __future__ import annotations

import email
import email.utils
import re
from collections.abc import Iterator
from dataclasses import replace
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from typing import Any

from rag.errors import SourceError
from rag.sources.encoding import decode
from rag.sources.extracted import Extracted
from rag.sources.extraction import Extraction, Loss, Member, pictures_lost
from rag.sources.html import extract_html
from rag.sources.html_text import html_text

_MAILBOX = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From \S{1,200} [^\r\n]{0,100}\d{4}[^\r\n]{0,20}\r?\n")
_MAX_MAILS = 20_000
_MAX_PARTS = 500
_MAX_HEADER = 10_000
_MOSTLY = 0.7
"""A plain part with so much of the text of the HTML part says the same without the debris of its layout."""
_QUOTED = re.compile(r"^>From ", re.M)


def extract_mails(data: bytes) -> Extraction:
    """The mail, or the mails of a mailbox: each an article with its subject, sender and day; attachments as members.

    :raises SourceError: too many mails, or none with text.
    """
    parts = list(_mails(data))
    documents: list[Extracted] = []
    members: list[Member] = []
    losses: list[Loss] = []
    for number, raw in enumerate(parts, 1):
        message = email.message_from_bytes(raw)
        name = f"mail {number}, " if len(parts) > 1 else ""
        document, found, lost = _read(message)
        if document is not None:
            documents.append(document)
        elif not found:
            losses.append(Loss(f"mail {number}", f"no text in it ({_header(message, 'Subject')[:60]})"))
        members += [replace(member, name=f"{name}{member.name}") for member in found]
        losses += [replace(loss, part=f"{name}{loss.part}") for loss in lost]
    if not documents and not members:
        raise SourceError("mail without text")
    return Extraction(tuple(documents), members=tuple(members), losses=tuple(losses))


def extract_mhtml(data: bytes) -> Extraction:
    """The page of a web archive; the day on which it was saved is not its own.

    :raises SourceError: there is no HTML page in it, or one without main text.
    """
    message = email.message_from_bytes(data)
    page = next((part for part in _leaves(message) if part.get_content_type() in _PAGES), None)
    if page is None:
        raise SourceError("web archive (MHTML) without an HTML page")
    extracted = extract_html(_text(page))
    places = (message.get("Snapshot-Content-Location"), page.get("Content-Location"))
    place = next((str(url).strip() for url in places if url and str(url).startswith("http")), "")
    document = replace(extracted, url=extracted.url or place, title=extracted.title or _header(message, "Subject"))
    return Extraction(documents=(document,))


_PAGES = ("text/html", "application/xhtml+xml")


def archive_text(data: bytes) -> str:
    """The HTML in a web archive (MHTML), empty when there is none."""
    parts = _leaves(email.message_from_bytes(data))
    return next((_text(part) for part in parts if part.get_content_type() in _PAGES), "")


def _mails(data: bytes) -> Iterator[bytes]:
    starts = [match.span() for match in _MAILBOX.finditer(data)] if data.lstrip().startswith(b"From ") else []
    if not starts:
        yield data.lstrip()
        return
    if len(starts) > _MAX_MAILS:
        raise SourceError(f"mailbox of {len(starts)} mails; the limit is {_MAX_MAILS}, split it")
    for (_, start), (end, _) in zip(starts, [*starts[1:], (len(data), 0)], strict=True):
        yield data[start:end]


def _read(message: Message[str, str]) -> tuple[Extracted | None, list[Member], list[Loss]]:
    """The article of one mail, None without text; what is attached; what is not read."""
    plain: list[str] = []
    pages: list[str] = []
    members: list[Member] = []
    losses: list[Loss] = []
    pictures = 0
    for number, part in enumerate(_leaves(message), 1):
        if number > _MAX_PARTS:
            losses.append(Loss("parts", f"more than {_MAX_PARTS}; the rest is not read"))
            break
        kind, name = part.get_content_type(), _file_name(part)
        attached = part.get_content_disposition() == "attachment" or (name and kind not in ("text/plain", *_PAGES))
        if part.get_content_maintype() == "image":
            pictures += 1
        elif kind == "message/rfc822":
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                members.append(Member(name or f"mail-{number}.eml", inner[0].as_bytes()))
        elif kind in ("application/pkcs7-mime", "application/x-pkcs7-mime") or name == "encrypted.asc":
            losses.append(Loss("text", "encrypted, not read"))
        elif attached:
            if kind not in ("application/pkcs7-signature", "application/pgp-signature", "text/calendar", "text/vcard"):
                members.append(Member(name or f"part-{number}", _payload(part)))
        elif kind == "text/plain":
            plain.append(_QUOTED.sub("From ", _text(part)))
        elif kind in _PAGES:
            pages.append(html_text(_text(part)))
    text = _fuller("\n\n".join(plain), "\n\n".join(pages))
    losses += pictures_lost(pictures)
    if not any(char.isalnum() for char in text):
        return None, members, losses
    sender, address = email.utils.parseaddr(_header(message, "From"))
    document = Extracted(
        text=text,
        title=_header(message, "Subject"),
        date=str(message.get("Date") or "").strip(),
        site=sender or address.rpartition("@")[2],
    )
    return document, members, losses


def _fuller(plain: str, page: str) -> str:
    """The plain part, unless the HTML part says much more: newsletters often keep it to a line."""
    dense, full = len("".join(plain.split())), len("".join(page.split()))
    return plain if dense and dense >= _MOSTLY * full else page or plain


def _leaves(message: Message[str, str]) -> Iterator[Message[str, str]]:
    """Parts without parts, in order; a mail in a mail stays whole."""
    todo: list[Any] = [message]
    while todo:
        part = todo.pop()
        if part.is_multipart() and part.get_content_type() != "message/rfc822":
            todo += reversed(part.get_payload())
        else:
            yield part


def _payload(part: Message[str, str]) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: Message[str, str]) -> str:
    """Text of `part`: as its header says, else as its bytes tell."""
    data = _payload(part)
    if not data.strip():
        return ""
    charset = (part.get_content_charset() or "").replace("gb2312", "gb18030").replace("gbk", "gb18030")
    try:
        return data.decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        pass
    try:
        return decode(data).text
    except SourceError:
        return data.decode(charset if charset in ("gb18030", "big5") else "utf-8", "replace")


def _header(message: Message[str, str], name: str) -> str:
    """The header field `name` as people read it, on one line."""
    # As it stands in the file: get() puts question marks for bytes that are not ASCII.
    raw = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    return _decoded(str(raw))


def _decoded(value: str) -> str:
    try:
        pieces = decode_header(value[:_MAX_HEADER])
    except (HeaderParseError, ValueError):
        return " ".join(value[:_MAX_HEADER].split())
    text = ""
    for piece, charset in pieces:
        if isinstance(piece, str):
            text += piece
            continue
        try:
            text += piece.decode((charset or "utf-8").replace("gb2312", "gb18030"))
        except (LookupError, UnicodeDecodeError):
            text += piece.decode("gb18030", "replace")
    raw = text.encode("utf-8", "surrogateescape")
    try:
        text = raw.decode("utf-8")  # a header in raw UTF-8
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    return " ".join(text.split())


def _file_name(part: Message[str, str]) -> str:
    name = part.get_filename()
    return re.sub(r"[\x00-\x1f/\\]", "_", _decoded(name))[:200] if name else ""
