"""The words of the house: Article -> Passage -> Hit -> Citation -> Answer.

Everything that one step hands to the next is a frozen dataclass of this module.
This module imports nothing of ours.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum


class ArticleKind(StrEnum):
    """What a story is: newspaper pages hold more than whole articles."""

    ARTICLE = "article"
    PHOTO_CAPTION = "photo_caption"
    CONTINUED_FRAGMENT = "continued_fragment"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Article:
    """One story.

    `text` is what passages, sentences and citations index into; it never changes after reading.
    For a story of a plain-text file, `spans` says where it stands: `text` equals the concatenation of
    `decoded_file[start:end]` over `spans`, in order (line breaks that a column break put into a
    sentence lie between two spans). `spans` is empty where the text is not a literal part of its file
    (JSON, HTML, PDF, DOCX).
    """

    id: str
    """Stable: `<account>/<文章标识符aid>` for a WeChat record, `<file name>#<n>` for the n-th story of a file."""
    title: str
    """As printed; empty when the page has none (see `display_title`)."""
    text: str
    file: str
    """The file as ingested."""
    source: str = ""
    """Account, newspaper or site; empty when unknown."""
    date: dt.date | None = None
    url: str | None = None
    byline: str | None = None
    subtitle: str | None = None
    """Kicker or deck."""
    kind: ArticleKind = ArticleKind.ARTICLE
    spans: tuple[tuple[int, int], ...] = ()
    body_start: int = 0
    """Offset in `text` where the body begins; what stands before it is headline, kicker and lead marker."""

    @property
    def display_title(self) -> str:
        """The title, or the first words of the body for a story printed without one."""
        if self.title:
            return self.title
        body = " ".join(self.text[self.body_start :].split())
        return body[:24] + ("…" if len(body) > 24 else "")


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of one article: `article.text[start:end] == text` always holds."""

    article_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query, best first."""

    rank: int
    """1-based."""
    score: float
    """Fused score, higher is better; comparable only within one result list."""
    passage: Passage
    article: Article
    dense_rank: int | None = None
    dense_score: float | None = None
    """Cosine similarity in [-1, 1]."""
    lexical_rank: int | None = None
    lexical_score: float | None = None
    """BM25, at least 0."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of a conversation."""

    role: str
    """`user` or `assistant`."""
    text: str
    refused: bool = False
    """Whether an answer was a refusal, or no answer at all (small talk, an error)."""
    articles: tuple[str, ...] = ()
    """Ids of the articles that an answer cites."""


class Intent(StrEnum):
    """What is wanted of the articles, or of the program."""

    ANSWER = "answer"
    """Facts that an article may hold."""
    OVERVIEW = "overview"
    """What is reported on a thing as a whole."""
    LATEST = "latest"
    """The newest, without a subject."""
    TIMELINE = "timeline"
    """The course of events."""
    SMALLTALK = "smalltalk"
    HELP = "help"
    """How this program works."""
    COMPUTE = "compute"
    """Sums, conversions, the day or the weather: nothing of articles."""
    WRITE = "write"
    """A text to be written or translated."""
    GIBBERISH = "gibberish"


@dataclass(frozen=True, slots=True)
class Filters:
    """What may be retrieved; empty means everything. An article without a date fails a date filter."""

    date_from: dt.date | None = None
    date_to: dt.date | None = None
    """Inclusive."""
    sources: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.date_from or self.date_to or self.sources)


@dataclass(frozen=True, slots=True)
class Question:
    """What the user asked, ready to be answered."""

    text: str
    """As asked."""
    standalone: str
    """Complete without the history; this is what was searched. Equals `text` when nothing was missing."""
    language: str
    """`zh` or `en`: the language to answer in."""
    as_of: dt.date
    """The day on which it is asked; relative date words resolve against it."""
    history: tuple[Turn, ...] = ()
    intent: Intent = Intent.ANSWER
    several: bool = False
    """Whether it asks for several things: two facts, a list, a comparison."""


class Support(StrEnum):
    """How well a sentence of an answer is backed by what it cites."""

    QUOTED = "quoted"
    """Verbatim span of a cited article."""
    SUPPORTED = "supported"
    PARTIAL = "partial"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker in an answer and the quoted span it stands for: `article.text[start:end] == quote`."""

    marker: int
    """1-based, as in `[1]`."""
    article_id: str
    title: str
    source: str
    date: dt.date | None
    url: str | None
    file: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of an answer, without its markers."""

    text: str
    """The quote or the written sentence itself."""
    markers: tuple[int, ...]
    support: Support
    emphasis: tuple[tuple[int, int], ...] = ()
    """Spans of `text` that hold what was asked for."""
    problems: tuple[str, ...] = ()
    """Numbers, dates or names of a written sentence that stand in none of the cited passages."""
    before: str = ""
    """Shown before `text`, not part of it: the thing it is about, its source and date, an ellipsis where it was cut."""
    after: str = ""
    """Shown behind `text`: an ellipsis where it was cut."""
    derived: bool = False
    """Whether it was worked out by rule from the quote before it (a date, a conversion) and is marked as such."""
    apart: bool = False
    """Whether it begins a new line: it is about another thing or from another article."""


@dataclass(frozen=True, slots=True)
class NearArticle:
    """An article offered beside a refusal: related, not an answer."""

    article_id: str
    title: str
    source: str
    date: dt.date | None
    url: str | None
    file: str
    text: str
    """The nearest passage."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReadPassage:
    """A hit that the reader read."""

    rank: int
    """Of the hit, 1-based."""
    logit: float
    """Log-odds that its passage answers, before calibration."""


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds spent per step."""

    retrieve: float = 0.0
    answer: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, or a refusal (`refused`), which has no citations."""

    question: str
    answer: str
    """The whole text with its `[n]` markers."""
    refused: bool
    mode: str
    """`extractive` or `generative`."""
    language: str
    citations: tuple[Citation, ...] = ()
    sentences: tuple[AnswerSentence, ...] = ()
    nearest: tuple[NearArticle, ...] = ()
    searched: str = ""
    """The standalone question that was searched."""
    confidence: float = 0.0
    """In [0, 1]; the answerer's own estimate that the answer is right."""
    model: str = ""
    """Which model or reader made it."""
    notices: tuple[str, ...] = ()
    """What the reader must know: a fallback, invented citations that were dropped."""
    final: bool = True
    """False for the growing snapshots of a streamed answer."""
    timings: Timings = field(default_factory=Timings)
    hits: tuple[Hit, ...] = ()
    """What was found and handed to the answerer, best first."""
    read: tuple[ReadPassage, ...] = ()
    """What of it the reader read; hits that are missing there was no time for."""
