"""A file -> its articles: read the bytes, decode, detect the format, hand over to the module of that format."""

from __future__ import annotations

from pathlib import Path

from rag.config import SourceSettings
from rag.errors import SourceError
from rag.sources import sandbox
from rag.sources.cleaning import clean, clean_line, hidden_tags
from rag.sources.dating import parse_date
from rag.sources.detect import Format, detect_binary, detect_text
from rag.sources.encoding import Decoded, decode
from rag.sources.extracted import MAX_ARTICLE, Extracted, too_long
from rag.sources.files import read_bytes
from rag.sources.newspaper import read_newspaper
from rag.sources.reading import Problem, Reading
from rag.sources.sidecar import Defaults, read_defaults
from rag.sources.text import Front, make_article, read_text
from rag.sources.web import web_address
from rag.sources.wechat import read_records
from rag.types import Article


def read_source(path: Path, settings: SourceSettings) -> Reading:
    """The articles of the file `path`, in file order, and the problems of single records.

    :raises SourceError: the whole file cannot be read as articles; the message is one line without the file's name.
    """
    _check_name(path)
    data = read_bytes(path, settings.max_file_mb)
    if not data.strip():
        raise SourceError("empty file")
    defaults, problems = read_defaults(path, settings.date)
    binary = detect_binary(data)
    if binary:
        extracted = sandbox.shared.extract(binary.value, data)
        article = _extracted_article(extracted, str(path), defaults)
        if article.date is None and extracted.made:
            cause = f"none printed; the file was made on {extracted.made}, which need not be its day: give --date"
            problems.append(Problem(str(path), "date", cause))
        return Reading((article,), tuple(problems), binary.value, None, encoding_guessed=False)
    decoded = decode(data, settings.encoding)
    if not any(char.isalnum() for char in decoded.text):
        raise SourceError("no text in it")
    form = detect_text(decoded.text)
    articles = _read_text_format(decoded, form, str(path), defaults, problems)
    if not articles:
        first = f" ({problems[0].record}: {problems[0].cause})" if problems else ""
        raise SourceError(f"no article in it{first}")
    return Reading(tuple(articles), tuple(problems), form.value, decoded.encoding, decoded.guessed)


def _check_name(path: Path) -> None:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        raise SourceError("file name is not valid UTF-8; rename the file") from None


def read_decoded(path: Path, settings: SourceSettings) -> Decoded:
    """The text that the spans of the articles of the text file `path` point into.

    :raises SourceError: it cannot be read or decoded.
    """
    return decode(read_bytes(path, settings.max_file_mb), settings.encoding)


def _read_text_format(
    decoded: Decoded, form: Format, file: str, defaults: Defaults, problems: list[Problem]
) -> list[Article]:
    text = decoded.text
    if form is Format.WECHAT:
        articles, found = read_records(text, file, defaults)
        problems += found
        return articles
    if form is not Format.HTML and len(text) > MAX_ARTICLE:
        raise SourceError(too_long(text))
    if tags := hidden_tags(text):
        problems.append(Problem(file, None, f"{tags} invisible tag characters removed from the text"))
    if form is Format.NEWSPAPER:
        return read_newspaper(text, file, defaults)
    if form is Format.HTML:
        return [_extracted_article(sandbox.shared.extract("html", text.encode("utf-8")), file, defaults)]
    return [read_text(text, file, defaults, markdown=form is Format.MARKDOWN)]


def _extracted_article(extracted: Extracted, file: str, defaults: Defaults) -> Article:
    front = Front(
        stamp=parse_date(extracted.date),
        source=clean_line(extracted.site),
        byline=clean_line(extracted.author),
        url=web_address(extracted.url),
    )
    return make_article(clean(extracted.text), file, defaults, front, title=clean_line(extracted.title))
