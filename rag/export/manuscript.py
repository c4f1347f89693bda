"""Entries -> a manuscript: headings, paragraphs of runs, notes counted through.

Markdown and Word are both set from it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.export.entry import Entry
from rag.export.notes import Note, note, origin_line
from rag.export.words import word
from rag.types import Answer, AnswerSentence, Citation, Support
from rag.visible import flat, safe_url, visible

_MARKER = re.compile(r"\[(\d{1,6})\]")
_BLANK_LINES = re.compile(r"\s*\n\s*")


class Style(StrEnum):
    """How a run is set."""

    PLAIN = "plain"
    STRONG = "strong"
    """What was asked for."""
    ASIDE = "aside"
    """Not the sentence itself: what it is about, what was worked out by rule."""
    WARNING = "warning"
    """The sentence before is not, or not wholly, backed by what it cites."""


@dataclass(frozen=True, slots=True)
class Run:
    """Words of one style, with single line breaks."""

    text: str
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Reference:
    """The place of a footnote mark."""

    number: int


Paragraph = tuple[Run | Reference, ...]


@dataclass(frozen=True, slots=True)
class Related:
    """An article offered beside a refusal."""

    line: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Section:
    """A question and its answer."""

    question: str
    paragraphs: tuple[Paragraph, ...]
    related: tuple[Related, ...] = ()
    remarks: tuple[str, ...] = ()
    made: str = ""
    """How the answer was made, and when it was exported."""


@dataclass(frozen=True, slots=True)
class Manuscript:
    """A whole file."""

    title: str
    sections: tuple[Section, ...]
    notes: tuple[Note, ...]
    """By number: `notes[n - 1].number == n`."""
    language: str
    made: dt.date

    @property
    def alone(self) -> bool:
        """Whether it is one answer, whose question is the title."""
        return len(self.sections) == 1


class _Notes:
    """Counts notes in the order in which they are first referred to; equal quotes share one."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._numbers: dict[tuple[str, int, int, str], int] = {}
        self.all: list[Note] = []

    def refer(self, citation: Citation) -> Reference:
        key = (citation.article_id, citation.start, citation.end, citation.quote)
        if key not in self._numbers:
            self._numbers[key] = len(self.all) + 1
            self.all.append(note(citation, len(self.all) + 1, self._language))
        return Reference(self._numbers[key])


def manuscript(entries: Sequence[Entry], language: str, made: dt.date) -> Manuscript:
    """The manuscript of one answer or of a conversation, with words of its own in `language`.

    :raises ValueError: there is no entry.
    """
    if not entries:
        raise ValueError("nothing to export: no entry given")
    notes = _Notes(language)
    sections = tuple(_section(entry, notes, language, made) for entry in entries)
    first = sections[0].question
    title = first if len(sections) == 1 else word(language, "conversation", question=first)
    return Manuscript(title, sections, tuple(notes.all), language, made)


def _section(entry: Entry, notes: _Notes, language: str, made: dt.date) -> Section:
    answer, question = entry.answer, flat(entry.question)
    remarks = [flat(entry.remark)] if entry.remark.strip() else []
    if answer is None:
        return Section(question, (), remarks=tuple(remarks))
    if flat(answer.searched) not in ("", question):
        remarks.append(word(language, "searched", question=flat(answer.searched)))
    return Section(
        question,
        tuple(_paragraphs(answer, notes, language)),
        tuple(Related(origin_line(near, language), safe_url(near.url)) for near in answer.nearest),
        (*(word(language, "notice") + flat(notice) for notice in answer.notices), *remarks),
        " · ".join([*_how(answer, language), word(language, "made", date=made.isoformat())]),
    )


def _how(answer: Answer, language: str) -> list[str]:
    if answer.refused:
        return []
    if answer.mode != "generative":
        return [word(language, "extractive")]
    return [word(language, "generative") + (f" ({flat(answer.model)})" if answer.model else "")]


def _paragraphs(answer: Answer, notes: _Notes, language: str) -> Iterator[Paragraph]:
    """The answer in paragraphs; a citation that no sentence mentions is referred to at the end, not lost."""
    by_marker = {citation.marker: citation for citation in answer.citations}
    paragraphs = [[*_sentences(part, by_marker, notes, answer.language, language)] for part in _parts(answer)]
    if not answer.sentences:
        paragraphs = [[*_marked(line, by_marker, notes)] for line in _lines(answer.answer).split("\n")]
    said = {piece.number for paragraph in paragraphs for piece in paragraph if isinstance(piece, Reference)}
    for reference in map(notes.refer, answer.citations):
        if reference.number not in said:
            paragraphs[-1].append(reference)
    yield from (tuple(paragraph) for paragraph in paragraphs if paragraph)


def _parts(answer: Answer) -> list[list[AnswerSentence]]:
    parts: list[list[AnswerSentence]] = []
    for sentence in answer.sentences:
        if sentence.apart or not parts:
            parts.append([])
        parts[-1].append(sentence)
    return parts


def _sentences(
    sentences: Sequence[AnswerSentence], by_marker: dict[int, Citation], notes: _Notes, spoken: str, language: str
) -> Iterator[Run | Reference]:
    for number, sentence in enumerate(sentences):
        if number and spoken != "zh":
            yield Run(" ")
        yield from _run(sentence.before, Style.ASIDE)
        yield from _emphasised(sentence)
        yield from _run(sentence.after, Style.ASIDE)
        yield from (notes.refer(by_marker[marker]) for marker in sentence.markers if marker in by_marker)
        if sentence.support in (Support.PARTIAL, Support.UNSUPPORTED) or sentence.problems:
            yield Run(_warning(sentence, language), Style.WARNING)


def _emphasised(sentence: AnswerSentence) -> Iterator[Run]:
    if sentence.derived:
        yield from _run(sentence.text, Style.ASIDE)
        return
    done = 0
    for start, end in sorted(sentence.emphasis):
        if not done <= start < end <= len(sentence.text):
            continue
        yield from _run(sentence.text[done:start])
        yield from _run(sentence.text[start:end], Style.STRONG)
        done = end
    yield from _run(sentence.text[done:])


def _run(text: str, style: Style = Style.PLAIN) -> Iterator[Run]:
    shown = _lines(text)
    if shown:
        yield Run(shown, style)


def _warning(sentence: AnswerSentence, language: str) -> str:
    said = [word(language, sentence.support)] if sentence.support in (Support.PARTIAL, Support.UNSUPPORTED) else []
    if sentence.problems:
        items = ("、" if language == "zh" else ", ").join(map(flat, sentence.problems))
        said.append(word(language, "problems", items=items))
    return f"〔{'；'.join(said)}〕" if language == "zh" else f" ({'; '.join(said)})"


def _marked(line: str, by_marker: dict[int, Citation], notes: _Notes) -> Iterator[Run | Reference]:
    """A line of an answer that is not in sentences: its `[n]` become references where they name a citation."""
    done = 0
    for match in _MARKER.finditer(line):
        citation = by_marker.get(int(match[1]))
        if citation is not None:
            yield from _run(line[done : match.start()])
            yield notes.refer(citation)
            done = match.end()
    yield from _run(line[done:])


def _lines(text: str) -> str:
    """`text` without what is not seen; no blank lines, and no tabs."""
    return _BLANK_LINES.sub("\n", visible(text).replace("\t", " "))
