"""RTF -> text by striprtf, which knows code pages and Unicode escapes."""

from __future__ import annotations

import re

from rag.errors import SourceError
from rag.sources.extracted import MAX_ARTICLE, Extracted, said_author, said_title, too_long
from rag.sources.extraction import Extraction, pictures_lost

_INFO = r"\{\\info\b(?:[^{}]|\{[^{}]{0,2000}\}){0,100}\}"
_FIELD = r"\{{\\{name}\s(?P<value>[^{{}}]{{1,1000}})\}}"
_CELL_END = re.compile(r"[ \t]*\|[ \t]*(?=\n|$)")


def extract_rtf(data: bytes) -> Extraction:
    """Text, title and writer of an RTF file.

    :raises SourceError: it is damaged or holds no text.
    """
    from striprtf.striprtf import rtf_to_text  # it has no types

    raw = data.decode("latin-1")
    text = str(rtf_to_text(raw, encoding=_code_page(raw), errors="replace"))  # type: ignore[no-untyped-call]
    text = "\n".join(_CELL_END.sub("", line) for line in text.split("\n"))
    if not any(char.isalnum() for char in text):
        raise SourceError("no text in it")
    if len(text) > MAX_ARTICLE:
        raise SourceError(too_long(text))
    info = re.search(_INFO, raw[:50_000])
    title, author = (_said(info.group() if info else "", name, raw) for name in ("title", "author"))
    document = Extracted(text=text, title=said_title(title), author=said_author(author))
    return Extraction((document,), losses=pictures_lost(raw.count("{\\pict")))


def _code_page(raw: str) -> str:
    match = re.search(r"\\ansicpg(\d{3,5})", raw[:2_000])
    number = match[1] if match else "1252"
    return {"936": "gb18030", "950": "big5hkscs", "65001": "utf-8"}.get(number, f"cp{number}")


def _said(info: str, name: str, raw: str) -> str:
    from striprtf.striprtf import rtf_to_text  # it has no types

    match = re.search(_FIELD.format(name=name), info)
    if not match:
        return ""
    head = f"{{\\rtf1\\ansi\\ansicpg{(re.search(r'ansicpg([0-9]{3,5})', raw[:2_000]) or ['', '1252'])[1]} "
    return str(rtf_to_text(f"{head}{match['value']}}}", encoding=_code_page(raw), errors="replace")).strip()  # type: ignore[no-untyped-call]
