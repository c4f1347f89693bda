"""Entries -> the articles they cite, each once, with what a list of sources says of them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from rag.export.entry import Entry
from rag.sources.newspaper_markers import names_of
from rag.types import Article, Citation
from rag.visible import file_name, flat, safe_url

_NEWSPAPER = re.compile(
    r"报(?:数字报|电子版)?$|\b(?:Chronicle|Courier|Daily|Gazette|Guardian|Herald|Independent|Journal|Mail|News|Observer"
    r"|Post|Telegraph|Times|Tribune)\b",
    re.IGNORECASE,
)
_ACCOUNT_HOSTS = ("mp.weixin.qq.com",)
"""What is published there is a post of an account, whoever runs the account."""
_HAN = re.compile(r"[㐀-鿿]")
_HAN_NAME = re.compile(r"[㐀-鿿]{2,4}|[㐀-鿿]{1,12}·[㐀-鿿·]{1,24}")
_LATIN_NAME = re.compile(r"[A-ZÀ-Þ][\w.'’-]*(?: [A-ZÀ-Þ][\w.'’-]*){1,3}")
_NO_PERSON = re.compile(
    r"\b(?:agency|bureau|correspondent|desk|editors?|news|office|reporters?|staff)\b", re.IGNORECASE
)
_NAME_DOT, _KEPT_DOT = re.compile(r"(?<=[㐀-鿿])·(?=[㐀-鿿])"), "‧"
"""The dot of a name of several parts, which a newspaper page otherwise prints as a bullet."""
_BETWEEN = re.compile(r"\s*[、，,;；/|&]\s*|\s+and\s+")


class Medium(StrEnum):
    """What kind of publication an article stands in."""

    NEWSPAPER = "newspaper"
    WEB = "web"
    FILE = "file"
    """Nothing is known but the file it was read from."""


@dataclass(frozen=True, slots=True)
class Author:
    """A writer: a person, or a body such as a news desk."""

    name: str
    person: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A cited article as a list of sources names it; texts are single lines, empty when not known."""

    article_id: str
    title: str
    authors: tuple[Author, ...]
    publication: str
    """Newspaper, account or site."""
    date: dt.date | None
    url: str | None
    file: str
    """The file's name without its folders."""
    medium: Medium

    @property
    def chinese(self) -> bool:
        """Whether it is listed by the rules for Chinese works."""
        return bool(_HAN.search(self.title or self.publication))


def sources(entries: Sequence[Entry], articles: Mapping[str, Article] | None = None) -> tuple[Source, ...]:
    """The cited articles in the order in which they are first cited; `articles`, by id, tell who wrote them."""
    found: dict[str, Source] = {}
    for entry in entries:
        for citation in entry.answer.citations if entry.answer else ():
            if citation.article_id not in found:
                found[citation.article_id] = _source(citation, (articles or {}).get(citation.article_id))
    return tuple(found.values())


def _source(citation: Citation, article: Article | None) -> Source:
    publication, url = flat(citation.source), safe_url(citation.url)
    return Source(
        citation.article_id,
        flat(citation.title),
        authors(article.byline or "") if article else (),
        publication,
        citation.date,
        url,
        flat(file_name(citation.file)),
        _medium(publication, url),
    )


def _medium(publication: str, url: str | None) -> Medium:
    if url is None:
        return Medium.NEWSPAPER if publication else Medium.FILE
    account = urlsplit(url).hostname in _ACCOUNT_HOSTS
    return Medium.NEWSPAPER if _NEWSPAPER.search(publication) and not account else Medium.WEB


def authors(byline: str) -> tuple[Author, ...]:
    """The writers that a byline names; one whose parts are not all names stays whole, as a body."""
    line = flat(byline)
    if _HAN.search(line):
        bare = flat(names_of(_NAME_DOT.sub(_KEPT_DOT, line))).replace(_KEPT_DOT, "·")
        names = [name for part in _BETWEEN.split(bare) for name in part.split()]
        known = bool(names) and all(map(_HAN_NAME.fullmatch, names))
    else:
        bare = re.sub(r"^by\s+", "", line, flags=re.IGNORECASE)
        names = [name for name in _BETWEEN.split(bare) if name]
        known = bool(names) and all(_LATIN_NAME.fullmatch(name) and not _NO_PERSON.search(name) for name in names)
    if known:
        return tuple(Author(name, person=True) for name in dict.fromkeys(names))
    return (Author(line, person=False),) if line else ()
