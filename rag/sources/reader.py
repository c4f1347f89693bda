"""A file -> its articles: read the bytes, find the format in the table, read it; what lies inside it likewise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from rag.config import SourceSettings
from rag.errors import SourceError, UnfinishedError
from rag.sources import sandbox
from rag.sources.archives import MAX_UNPACKED
from rag.sources.cleaning import clean, clean_line
from rag.sources.dating import date_in_name, parse_date
from rag.sources.detect import detect_binary, detect_text
from rag.sources.encoding import Decoded, decode, raw_text
from rag.sources.extracted import Extracted
from rag.sources.extraction import Extraction, Member
from rag.sources.files import read_bytes
from rag.sources.formats import FileFormat, Way
from rag.sources.reading import Problem, Reading
from rag.sources.sidecar import Defaults, is_sidecar, read_defaults
from rag.sources.text import Front, make_article
from rag.sources.web import web_address
from rag.sources.wechat import Row, read_rows
from rag.types import Article

_MAX_DEPTH = 4
"""Containers in containers: a page in a web archive in gzip in a ZIP archive."""
_MAX_NAMED = 10
"""Problems of one cause that are named one by one."""


def read_source(path: Path, settings: SourceSettings) -> Reading:
    """The articles of the file `path`, in file order, and the problems of single records.

    :raises SourceError: the whole file cannot be read as articles; the message is one line without the file's name.
    """
    _check_name(path)
    data = read_bytes(path, settings.max_file_mb)
    defaults, problems = read_defaults(path, settings.date)
    reading = _Reader(settings).read(data, str(path), defaults)
    problems += reading.problems
    if not reading.articles:
        first = f" ({problems[0].record}: {problems[0].cause})" if problems else ""
        raise SourceError(f"no article in it{first}")
    return replace(reading, problems=tuple(problems))


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


@dataclass
class _Reader:
    """One reading of a file and all that lies inside it, which together may unpack to so many bytes only."""

    settings: SourceSettings
    unpacked: int = 0

    def read(self, data: bytes, file: str, defaults: Defaults, depth: int = 0, encoding: str | None = None) -> Reading:
        """:raises SourceError: `data`, called `file`, cannot be read."""
        if not data.strip():
            raise SourceError("empty file")
        suffix = PurePath(file).suffix.lower()
        form = detect_binary(data, suffix)
        if form is not None:
            extraction = sandbox.shared.extract(form.name, data)
            articles, problems = self._articles(extraction, file, defaults, depth)
            return Reading(tuple(articles), tuple(problems), form.name, None, encoding_guessed=False)
        decoded = decode(data, self.settings.encoding or encoding)
        if not any(char.isalnum() for char in decoded.text):
            raise SourceError("no text in it")
        form = detect_text(decoded.text, suffix)
        if form.name == "wechat":
            articles, problems = _read_json(form, data, decoded, file, defaults)
        else:
            articles, problems = self._read_text(form, decoded.text, file, defaults, depth)
        return Reading(tuple(articles), tuple(problems), form.name, decoded.encoding, decoded.guessed)

    def _read_text(
        self, form: FileFormat, text: str, file: str, defaults: Defaults, depth: int
    ) -> tuple[list[Article], list[Problem]]:
        if form.way is Way.MARKUP:
            return self._articles(sandbox.shared.extract(form.name, text.encode("utf-8")), file, defaults, depth)
        articles, problems = form.load_reader()(text, file, defaults)
        return articles, problems

    def _articles(
        self, extraction: Extraction, file: str, defaults: Defaults, depth: int
    ) -> tuple[list[Article], list[Problem]]:
        articles: list[Article] = []
        problems = [Problem(file, loss.part, loss.cause) for loss in extraction.losses]
        for number, extracted in enumerate(extraction.documents, 1):
            try:
                articles.append(_document(extracted, file, number, defaults))
            except SourceError as error:
                if len(extraction.documents) == 1 and not extraction.members:
                    raise
                problems.append(Problem(file, extracted.title or f"part {number}", str(error)))
                continue
            if articles[-1].date is None and extracted.made:
                cause = f"none printed; the file was made on {extracted.made}, which need not be its day: give --date"
                problems.append(Problem(file, "date", cause))
        rows = [Row(record.name, record.fields) for record in extraction.records]
        if rows:
            found, of_rows = read_rows(rows, file, defaults)
            articles += found
            problems += of_rows
        inside, of_members = self._members(extraction.members, file, defaults, depth)
        if len(extraction.members) == 1 and not articles and not inside and of_members:
            raise SourceError(": ".join(part for part in (of_members[0].record, of_members[0].cause) if part))
        return [*articles, *inside], [*problems, *of_members]

    def _members(
        self, members: tuple[Member, ...], file: str, defaults: Defaults, depth: int
    ) -> tuple[list[Article], list[Problem]]:
        if members and depth >= _MAX_DEPTH:
            raise SourceError(f"containers in containers, more than {_MAX_DEPTH} deep; unpack it")
        articles: list[Article] = []
        problems: list[Problem] = []
        for member in members:
            if is_sidecar(Path(member.name)):
                continue
            self.unpacked += len(member.data)
            if self.unpacked > MAX_UNPACKED:
                raise SourceError(f"unpacks to more than {MAX_UNPACKED / 1e6:.0f} MB; unpack and split it")
            try:
                found = self._member(member, file, defaults, depth)
            except SourceError as error:
                again = isinstance(error, UnfinishedError)
                problems.append(Problem(file, member.name or None, str(error), again=again))
                continue
            articles += found.articles
            problems += found.problems
        return articles, _grouped(problems)

    def _member(self, member: Member, file: str, defaults: Defaults, depth: int) -> Reading:
        """What lies inside `file`, its articles called after both."""
        inner = member.name or file.removesuffix(".gz")
        day = None if defaults.exact else date_in_name(PurePath(inner).name)
        reading = self.read(
            member.data, inner, replace(defaults, date=day) if day else defaults, depth + 1, member.encoding or None
        )
        own = PurePath(inner).name
        place = f"{PurePath(file).name}/{member.name}" if member.name else PurePath(file).name
        return replace(
            reading,
            articles=tuple(
                replace(
                    article,
                    id=place + article.id.removeprefix(own)
                    if article.id.startswith((f"{own}#", f"{own}/"))
                    else article.id,
                    file=file,
                    spans=(),
                    url=article.url or web_address(member.url),
                )
                for article in reading.articles
            ),
            problems=tuple(
                replace(p, file=file, record=": ".join(part for part in (member.name, p.record or "") if part) or None)
                for p in reading.problems
            ),
        )


def _read_json(
    form: FileFormat, data: bytes, decoded: Decoded, file: str, defaults: Defaults
) -> tuple[list[Article], list[Problem]]:
    """Parsed as the file stands: a line separator (U+2028) is a character like others inside a JSON string."""
    reader = form.load_reader()
    try:
        articles, problems = reader(raw_text(data, decoded), file, defaults)
    except SourceError:
        articles, problems = reader(decoded.text, file, defaults)  # with no-break spaces between the tokens, say
    return articles, problems


def _document(extracted: Extracted, file: str, number: int, defaults: Defaults) -> Article:
    front = Front(
        stamp=parse_date(extracted.date),
        source=clean_line(extracted.site),
        byline=clean_line(extracted.author),
        url=web_address(extracted.url),
    )
    article = make_article(clean(extracted.text), file, defaults, front, title=clean_line(extracted.title))
    return replace(article, id=f"{PurePath(file).name}#{number}")


def _grouped(problems: list[Problem]) -> list[Problem]:
    """`problems`, of those with one cause only the first named and the rest counted."""
    seen: Counter[str] = Counter()
    kept: list[Problem] = []
    for problem in problems:
        seen[problem.cause] += 1
        if seen[problem.cause] <= _MAX_NAMED:
            kept.append(problem)
    more = [
        Problem(problems[0].file, f"{count - _MAX_NAMED} more", cause)
        for cause, count in seen.items()
        if count > _MAX_NAMED
    ]
    return kept + more
