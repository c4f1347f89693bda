"""Article records: JSON (a WeChat export, or any list, object or JSON Lines of records), rows of tables, feeds.

The keys of the WeChat export come first; common other names are accepted, so that a crawler's export reads as well
(see `fields.py`). Lists of records are found wherever they stand in the file.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from rag.errors import SourceError
from rag.sources import fields as names
from rag.sources.cleaning import clean, clean_line, hidden_tags
from rag.sources.dating import parse_date
from rag.sources.extracted import MAX_ARTICLE, too_long
from rag.sources.json_bounds import check_json
from rag.sources.markup import without_tags
from rag.sources.reading import Problem
from rag.sources.sidecar import Defaults
from rag.sources.web import web_address
from rag.types import Article

_MAX_TITLE = 300
_MAX_DEPTH = 8
"""Objects in objects in which a list of records is looked for."""
_ID, _TITLE, _URL, _SOURCE, _TEXT, _BYLINE = map(
    names.keys, (names.ID, names.TITLE, names.URL, names.SOURCE, names.TEXT, names.BYLINE)
)
_DATE, _LISTS, _OWNER = map(names.keys, (names.DATE, names.LISTS, names.OWNER))
_EXPORTER = frozenset({"accountname", "itemidx", "appmsgid", "digest"})
_EXPORTER_DATE = ("updatetime", *_DATE)
"""What WeChat's own lists call update_time is when a post went out; create_time is when it was drafted."""
_CLIENT = re.compile(
    r".{0,20}(?:网页版|网页链接|客户端|weibo\.com|超话|手机|Web App)"
    r"|(?:iPhone|iPad|Android|HUAWEI|HONOR|Xiaomi|Redmi|OPPO|vivo"
    r"|小米|华为|荣耀|Twitter for).{0,40}",
    re.I,
)
"""The program a microblog was written with, which its records call source."""
_WRAPPED = ("rendered", "text", "value", "name", "#text", "$t", "_", "content", "screen_name", "nickname")
Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the file and how to name it in a message."""

    name: str
    value: object
    owner: str = ""
    """Account or outlet as the object around it says."""


def looks_like_records(text: str) -> bool:
    """Whether `text` is JSON or JSON Lines, by its first character and the shape of what follows."""
    return re.match(r"\s*(?:\[\s*(?:[{\[\"]|\]\s*\Z)|\{\s*(?:\"|\}\s*\Z))", text[:2000]) is not None


def read_records(text: str, file: str, defaults: Defaults) -> tuple[list[Article], list[Problem]]:
    """Articles of the records in `text`, in file order, and what was skipped or repaired.

    :raises SourceError: the text is neither JSON nor JSON Lines, holds no record, or far too many values.
    """
    check_json(text)
    problems: list[Problem] = []
    articles, found = read_rows(_records(text, file, problems), file, defaults)
    return articles, problems + found


def read_rows(rows: Iterable[Row], file: str, defaults: Defaults) -> tuple[list[Article], list[Problem]]:
    """Articles of `rows`, in order, and what was skipped or repaired."""
    articles: list[Article] = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for number, record in enumerate(rows, 1):
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


def _records(text: str, file: str, problems: list[Problem]) -> Iterator[Row]:
    try:
        value = _loads(text)
    except ValueError as error:
        lines = [(number, line) for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1) if line.strip()]
        if len(lines) < 2 or not _is_json_lines(lines):
            raise SourceError(f"not valid JSON: {error}") from None
        yield from _json_lines(lines, file, problems)
        return
    except RecursionError:
        raise SourceError("JSON nested too deeply; expected a list of article records") from None
    rows = _find(value, "", _MAX_DEPTH).rows if isinstance(value, dict) else _of_list(value, "")
    if not rows:
        if not isinstance(value, dict):
            raise SourceError("JSON without articles; expected a list of records with a title and a text")
        rows = [(value, "")]
    if isinstance(value, dict) and all(item is not value for item, _ in rows):
        problems += [Problem(file, None, cause) for cause in _said_twice(value)]
    for number, (item, owner) in enumerate(rows, 1):
        yield Row(f"record {number}", item, owner)


@dataclass(slots=True)
class _Found:
    """Records found somewhere in a JSON value, with their owner, and how much text they have."""

    rows: list[tuple[object, str]] = field(default_factory=list)
    chars: int = 0


def _find(value: object, owner: str, depth: int) -> _Found:
    """The records in `value`: itself, the list under a usual name, all lists by account, or the list with most text."""
    if depth == 0:
        return _Found()
    if isinstance(value, list):
        if any(isinstance(item, dict) and _unwrapped(item) is not None for item in value[:100]):
            rows = _of_list(value, owner)
            return _Found(rows, sum(_length(item) for item, _ in rows))
        parts = [_find(item, owner, depth - 1) for item in value[:1_000] if isinstance(item, (dict, list))]
        return _Found([row for part in parts for row in part.rows], sum(part.chars for part in parts))
    if not isinstance(value, dict):
        return _Found()
    if _first(names.Fields(value), _TEXT)[1]:
        return _Found([(value, owner)], _length(value))
    owner = _owner(value) or owner
    found = {
        key: part
        for key, inner in value.items()
        if isinstance(inner, (dict, list)) and (part := _find(inner, owner, depth - 1)).rows
    }
    usual = next((key for name in _LISTS for key in found if names.key(key) == name), None)
    if usual is not None:
        return found[usual]
    if len(found) > 1 and len(found) == len(value):  # lists by account
        rows = [(row, own or str(key)) for key, part in found.items() for row, own in part.rows]
        return _Found(rows, sum(part.chars for part in found.values()))
    return max(found.values(), key=lambda part: part.chars, default=_Found())


def _of_list(value: object, owner: str) -> list[tuple[object, str]]:
    if not isinstance(value, list):
        return []
    if not any(isinstance(item, dict) and _unwrapped(item) is not None for item in value[:100]):
        inner = [item for item in value if isinstance(item, dict)]
        deeper = [row for item in inner[:1_000] for row in _find(item, owner, _MAX_DEPTH - 1).rows]
        if deeper:
            return deeper
    return [((_unwrapped(item) or item) if isinstance(item, dict) else item, owner) for item in value]


def _unwrapped(item: dict[str, Any]) -> dict[str, Any] | None:
    """`item` if it has a text, or with the one object in it that has (`_source`, `mblog`); None without a text."""
    if names.has_text(item):
        return item
    inner = [value for value in item.values() if isinstance(value, dict) and names.has_text(value)]
    if len(inner) != 1:
        return None
    merged = _Object([*{**{k: v for k, v in item.items() if v is not inner[0]}, **inner[0]}.items()])
    merged.twice = _twice(item) + _twice(inner[0])
    return merged


def _owner(value: dict[str, Any]) -> str:
    """What the object around a list says of the account that its articles are of."""
    user: dict[str, Any] = next(
        (value[key] for key in ("user", "account", "author", "channel", "feed") if isinstance(value.get(key), dict)), {}
    )
    for fields in (value, user):
        said = _first(names.Fields(fields), _OWNER)[1]
        if isinstance(said, str) and len(said) <= 60:
            return clean_line(said)
    return ""


def _length(item: object) -> int:
    value = _first(names.Fields(item), _TEXT)[1] if isinstance(item, dict) else ""
    return len(value) if isinstance(value, str) else 1


def _is_json_lines(lines: list[tuple[int, str]]) -> bool:
    """Whether one of the first lines is a complete JSON object, so that a bad line is one bad record of many."""
    for _, line in lines[:20]:
        try:
            if isinstance(_loads(line), dict):
                return True
        except (ValueError, RecursionError):
            continue
    return False


def _json_lines(lines: list[tuple[int, str]], file: str, problems: list[Problem]) -> Iterator[Row]:
    for number, line in lines:
        try:
            yield Row(f"line {number}", _loads(line))
        except (ValueError, RecursionError) as error:
            cause = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            problems.append(Problem(file, f"line {number}", f"not valid JSON: {cause}"))


def _loads(text: str) -> object:
    def no_constant(name: str) -> None:
        return None  # NaN and Infinity are not JSON; such a field counts as missing

    return json.loads(text, parse_constant=no_constant, object_pairs_hook=_Object)


class _Object(dict[str, Any]):
    """A JSON object that knows which of its keys stood in it more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice: tuple[str, ...] = ()
        if len(self) < len(pairs):
            self.twice = tuple(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)


def _twice(fields: dict[str, Any]) -> tuple[str, ...]:
    return fields.twice if isinstance(fields, _Object) else ()


def _said_twice(fields: dict[str, Any]) -> list[str]:
    """A line for each key that stands in `fields` more than once."""
    return [f"key {key[:40]!r} stands in it more than once; the last one counts" for key in _twice(fields)]


def _article(record: Row, number: int, file: str, defaults: Defaults, problems: list[Problem]) -> Article | None:
    if not isinstance(record.value, dict):
        problems.append(
            Problem(file, record.name, f"is {_json_type(record.value)}; expected an object with a title and a text")
        )
        return None
    raw = record.value
    fields = names.Fields(_unwrapped(raw) or raw)

    def warn(cause: str) -> None:
        problems.append(Problem(file, record.name, cause))

    for cause in _said_twice(raw):
        warn(cause)
    text = _text(fields, warn)
    if not any(char.isalnum() for char in text):
        summary = " (only a summary)" if any(fields.get(key) for key in ("digest", "summary", "摘要")) else ""
        if raw.get("type") != "service":  # what a chat notes of itself is no post
            warn(f"no text{summary}; expected one of {', '.join(names.TEXT[:4])}")
        return None
    if len(text) > MAX_ARTICLE:
        warn(too_long(text))
        return None
    source = _source(fields, warn) or record.owner or defaults.source
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


def _source(fields: dict[str, object], warn: Warn) -> str:
    """The outlet; of a microblog, whose `source` is the program it was written with, its account."""
    source = _line(fields, _SOURCE, warn)
    if source and not _line(fields, _TITLE, warn) and "createdat" in fields and _CLIENT.fullmatch(source):
        source = _line({key: value for key, value in fields.items() if key != "source"}, _SOURCE, warn)
    user = fields.get("user")
    if not source and isinstance(user, dict):
        source = _line(names.Fields(user), _OWNER, warn)
    return source


def _first(fields: dict[str, object], keys: tuple[str, ...]) -> tuple[str, object]:
    """Key and value of the first of `keys` that holds something; of an object that wraps one value, that value."""
    for key in keys:
        value = fields.get(key)
        if isinstance(value, dict):
            value = next((value[name] for name in _WRAPPED if isinstance(value.get(name), str)), value)
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            value = [_piece(item) for item in value]
        if value is not None and value not in ("", [], {}):
            return getattr(fields, "spelled", {}).get(key, key), value
    return "", None


def _piece(item: object) -> object:
    """The text of a piece of a formatted text or list of names."""
    if isinstance(item, dict):
        return next((item[name] for name in _WRAPPED if isinstance(item.get(name), str)), item)
    return item


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
        pieces = any(isinstance(item, dict) for item in _as_list(fields.get(names.key(key))))
        value = ("" if pieces else "\n").join(value)
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


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _date(fields: dict[str, object], warn: Warn) -> dt.date | None:
    key, value = _first(fields, _EXPORTER_DATE if _EXPORTER & fields.keys() and "title" in fields else _DATE)
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
    names = {list: "a list", str: "a string", bool: "true or false", int: "a number",
             float: "a number", type(None): "null"}  # fmt: skip
    return "an object" if isinstance(value, dict) else names.get(type(value), type(value).__name__)
