"""Article records in JSON: a WeChat export (a list), or any list, object or JSON Lines of records.

The keys of the WeChat export come first; common other names are accepted, so that a crawler's export reads as well.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from rag.errors import SourceError
from rag.sources.cleaning import clean, clean_line, hidden_tags
from rag.sources.dating import parse_date
from rag.sources.extracted import MAX_ARTICLE, too_long
from rag.sources.json_bounds import check_json
from rag.sources.markup import without_tags
from rag.sources.reading import Problem
from rag.sources.sidecar import Defaults
from rag.sources.web import web_address
from rag.types import Article

_ID = ("文章标识符aid", "aid", "id", "article_id", "文章标识符", "文章id", "msgid", "guid")
_TITLE = ("标题title", "title", "标题", "headline", "name", "subject")
_URL = ("链接url", "url", "link", "链接", "content_url", "href", "source_url")
_DATE = ("时间time", "date", "time", "时间", "日期", "发布时间", "publish_time", "publish_date", "pub_date", "pubDate",
         "published", "published_at", "created_at", "create_time", "datetime")  # fmt: skip
_SOURCE = (
    "公众号名称",
    "source",
    "来源",
    "account",
    "nickname",
    "公众号",
    "account_name",
    "publisher",
    "site",
    "media",
)
_TEXT = ("finalContent", "content", "text", "正文", "内容", "body", "article", "content_text", "full_text")
_BYLINE = ("作者", "author", "byline", "authors", "记者")
_LISTS = ("articles", "data", "items", "records", "list", "results", "docs", "documents", "文章")
_MAX_TITLE = 300
Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Record:
    """One JSON value of the file and how to name it in a message."""

    name: str
    value: object


def looks_like_records(text: str) -> bool:
    """Whether `text` is JSON or JSON Lines, by its first character and the shape of what follows."""
    return re.match(r"\s*(?:\[\s*(?:[{\[\"]|\]\s*\Z)|\{\s*(?:\"|\}\s*\Z))", text[:2000]) is not None


def read_records(text: str, file: str, defaults: Defaults) -> tuple[list[Article], list[Problem]]:
    """Articles of the records in `text`, in file order, and what was skipped or repaired.

    :raises SourceError: the text is neither JSON nor JSON Lines, holds no record, or far too many values.
    """
    check_json(text)
    articles: list[Article] = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for number, record in enumerate(_records(text, file, problems), 1):
        article = _article(record, number, file, defaults, problems)
        if article is None:
            continue
        if article.id in seen:
            cause = "same text" if seen[article.id] == article.text else "other text"
            problems.append(Problem(file, record.name, f"id {article.id!r} was used before ({cause}); record skipped"))
            continue
        seen[article.id] = article.text
        articles.append(article)
    return articles, problems


def _records(text: str, file: str, problems: list[Problem]) -> Iterator[_Record]:
    try:
        value = _loads(text)
    except ValueError as error:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if len(lines) < 2 or not _is_json_lines(lines):
            raise SourceError(f"not valid JSON: {error}") from None
        yield from _json_lines(lines, file, problems)
        return
    except RecursionError:
        raise SourceError("JSON nested too deeply; expected a list of article records") from None
    if isinstance(value, dict):
        inner = next((value[key] for key in _LISTS if isinstance(value.get(key), list)), None)
        value = [value] if inner is None or _first(value, _TEXT)[1] else inner
    if not isinstance(value, list) or not value:
        raise SourceError("JSON without articles; expected a list of records with a title and a text")
    for number, item in enumerate(value, 1):
        yield _Record(f"record {number}", item)


def _is_json_lines(lines: list[tuple[int, str]]) -> bool:
    """Whether one of the first lines is a complete JSON object, so that a bad line is one bad record of many."""
    for _, line in lines[:20]:
        try:
            if isinstance(_loads(line), dict):
                return True
        except (ValueError, RecursionError):
            continue
    return False


def _json_lines(lines: list[tuple[int, str]], file: str, problems: list[Problem]) -> Iterator[_Record]:
    for number, line in lines:
        try:
            yield _Record(f"line {number}", _loads(line))
        except (ValueError, RecursionError) as error:
            cause = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            problems.append(Problem(file, f"line {number}", f"not valid JSON: {cause}"))


def _loads(text: str) -> object:
    def no_constant(name: str) -> None:
        return None  # NaN and Infinity are not JSON; such a field counts as missing

    return json.loads(text, parse_constant=no_constant)


def _article(record: _Record, number: int, file: str, defaults: Defaults, problems: list[Problem]) -> Article | None:
    fields = record.value
    if not isinstance(fields, dict):
        problems.append(
            Problem(file, record.name, f"is {_json_type(fields)}; expected an object with a title and a text")
        )
        return None

    def warn(cause: str) -> None:
        problems.append(Problem(file, record.name, cause))

    text = _text(fields, warn)
    if not any(char.isalnum() for char in text):
        warn(f"no text; expected one of {', '.join(_TEXT[:4])}")
        return None
    if len(text) > MAX_ARTICLE:
        warn(too_long(text))
        return None
    source = _line(fields, _SOURCE, warn) or defaults.source
    aid = _line(fields, _ID, warn)
    return Article(
        id=f"{source}/{aid}" if aid and source else f"{PurePath(file).name}#{aid or number}",
        title=_line(fields, _TITLE, warn)[:_MAX_TITLE],
        text=text,
        file=file,
        source=source,
        date=_date(fields, warn) or defaults.date,
        url=_url(fields, warn),
        byline=_line(fields, _BYLINE, warn) or None,
    )


def _first(fields: dict[str, object], keys: tuple[str, ...]) -> tuple[str, object]:
    """Key and value of the first of `keys` that holds something."""
    for key in keys:
        value = fields.get(key)
        if value is not None and value != "" and value != []:
            return key, value
    return "", None


def _line(fields: dict[str, object], keys: tuple[str, ...], warn: Warn) -> str:
    key, value = _first(fields, keys)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = " ".join(value)
    if isinstance(value, bool) or (value is not None and not isinstance(value, (str, int))):
        warn(f"{key} is {_json_type(value)}; expected a string, ignored")
        return ""
    return clean_line(without_tags(str(value))) if value is not None else ""


def _text(fields: dict[str, object], warn: Warn) -> str:
    key, value = _first(fields, _TEXT)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = "\n".join(value)
    if value is not None and not isinstance(value, str):
        warn(f"{key} is {_json_type(value)}; expected a string")
        return ""
    if not value:
        return ""
    raw = str(value)
    if any("\ud800" <= char <= "\udfff" for char in raw):
        warn("text holds half of a surrogate pair; replaced by U+FFFD")
    if tags := hidden_tags(raw):
        warn(f"{tags} invisible tag characters removed from the text")
    return clean(without_tags(raw))


def _date(fields: dict[str, object], warn: Warn) -> dt.date | None:
    key, value = _first(fields, _DATE)
    date = parse_date(value)
    if value is not None and date is None:
        warn(f"{key} is {str(value)[:40]!r}; expected a date like 2026-01-20, ignored")
    return date


def _url(fields: dict[str, object], warn: Warn) -> str | None:
    key, value = _first(fields, _URL)
    if value is None:
        return None
    url = web_address(value)
    if url is None:
        warn(f"{key} is {str(value)[:60]!r}; expected an http or https address, ignored")
    return url


def _json_type(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", int: "a number",
             float: "a number", type(None): "null"}  # fmt: skip
    return names.get(type(value), type(value).__name__)
