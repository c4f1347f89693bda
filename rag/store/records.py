"""What the store takes and gives, beside the words of `rag.types`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rag.types import Article, Passage

Vectors = npt.NDArray[np.float32]


class FileState(StrEnum):
    """How far the reading of a file got."""

    INGESTED = "ingested"
    PARTIAL = "partial"
    """Only its first articles are in; the next ingest goes on."""
    FAILED = "failed"
    """It could not be read; `error` says why. Articles of an earlier reading stay."""
    UNFINISHED = "unfinished"
    """The same, for it or a file inside it, for a cause that may lie outside, such as a crash: read again next time."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What was ingested from where."""

    path: str
    """As it was named."""
    identity: str
    """Absolute, so that one file named in two ways is one file."""
    size: int
    """Bytes."""
    sha256: str
    """Of the bytes, in hexadecimal."""
    recipe: str
    """What else decides which articles come out: parser version, encoding, default date, side-car."""
    state: FileState = FileState.INGESTED
    error: str | None = None
    format: str | None = None
    encoding: str | None = None
    encoding_guessed: bool = False
    articles: int = 0
    """Articles of it that the index holds."""
    stale: bool = False
    """A story that was left out as a duplicate of another file's is gone there: read again."""
    ingested_at: str = ""
    """ISO 8601, UTC; for people, nothing is ordered by it."""


@dataclass(frozen=True, slots=True)
class EncodedArticle:
    """An article ready to be stored: `vectors` is float32 `(len(passages), dim)`, aligned with `passages`."""

    article: Article
    passages: Sequence[Passage]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class FileArticles:
    """The articles of one file, or a slice of them.

    A large file comes in several slices, `first` counting up, so that an interrupted run can go on;
    what the file held before and holds no longer is removed with the slice that is `last`.
    """

    record: FileRecord
    articles: Sequence[Article]
    moved_from: str | None = None
    """Identity under which the index knew the file before it was moved or renamed."""
    first: int = 0
    """Position in the file of `articles[0]`, 0-based."""
    last: bool = True


class Duplicate(NamedTuple):
    """A story left out because the index already holds the very same one."""

    path: str
    article_id: str
    kept_id: str
    kept_path: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a call of `replace_files` did."""

    articles: int
    """New or changed articles that were stored."""
    kept: int
    """Articles that were there already, word for word."""
    removed: int
    passages: int
    """Passages of the new or changed articles."""
    duplicates: tuple[Duplicate, ...]
    renamed: tuple[tuple[str, str], ...]
    """Ids that another file's story had already, and what they became."""


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage of the index with its article."""

    id: int
    """Never used again, not even after the passage is gone."""
    passage: Passage
    article: Article


class Counts(NamedTuple):
    """How much an index holds."""

    files: int
    articles: int
    passages: int


class Scored(NamedTuple):
    """A passage and its score, higher is better."""

    passage_id: int
    score: float


class Version(NamedTuple):
    """State of the truth: the number of the last change and a random token that tells forks apart."""

    counter: int
    token: str


class Level(StrEnum):
    """How bad a finding is."""

    WARNING = "warning"
    """Answers are right; something is slow, missing or behind."""
    ERROR = "error"
    """Answers may be wrong or impossible."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that `check` found, and what to do about it."""

    level: Level
    what: str
    cure: str

    def __str__(self) -> str:
        return f"{self.level}: {self.what}; {self.cure}"
