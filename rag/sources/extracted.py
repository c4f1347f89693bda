"""What a parser of an untrusted format (HTML, PDF, DOCX) hands back."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MADE_TITLE = re.compile(
    r"(?:Microsoft|Adobe|WPS|Kingsoft|LibreOffice)\b.*|.{0,200}\.(?:docx?|pdf|wps|indd|txt|html?|rtf|odt|xlsx?|pptx?)"
    r"|\(?(?:untitled|anonymous|unspecified)\)?|无标题|(?:新建)?(?:文档|文件|文稿|Document)\s?\d*"
    r"|(?:PowerPoint )?演示文稿\s?\d*|doc\d+",
    re.I,
)
_NOBODY = re.compile(
    r"\(?(?:administrator|admin|user|owner|root|anonymous|unknown|author|python-docx|guest|pc|dell|lenovo|hp|asus|acer"
    r"|微软用户|用户|管理员|匿名|未知|(?:windows|microsoft(?: office)?) ?(?:user|用户))\s?\d*\)?",
    re.I,
)
MAX_ARTICLE = 5_000_000
"""Most characters of one article: ten long books. More would be taken for one sentence list, one set of vectors."""


def too_long(text: str) -> str:
    """Why an article of this `text` is refused."""
    return f"one article of {len(text):,} characters; the limit is {MAX_ARTICLE:,}: split it"


@dataclass(frozen=True, slots=True)
class Extracted:
    """Main text of a file and what its metadata say; empty where they say nothing. Nothing is cleaned yet."""

    text: str
    title: str = ""
    author: str = ""
    date: str = ""
    """When it was published, as it says itself."""
    made: str = ""
    """When the file was made, which need not be the day of what stands in it."""
    url: str = ""
    site: str = ""


def said_title(title: str) -> str:
    """`title` as metadata have it, empty when a program wrote it."""
    return "" if _MADE_TITLE.fullmatch(title.strip()) else title


def said_author(author: str) -> str:
    """`author` as metadata have it, empty when it names an account of a computer."""
    return "" if _NOBODY.fullmatch(author.strip()) else author
