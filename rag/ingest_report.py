"""What an ingestion tells while it runs and when it is done."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rag.sources import Problem
from rag.store import Counts
from rag.terminal import printable

_MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """How far a run is."""

    done: int
    """Files looked at."""
    total: int
    file: str
    """The file at hand; empty at the end."""
    articles: int
    """New or changed articles so far."""
    passages: int
    finished: bool = False
    milestone: bool = False
    """Worth a line where lines cannot be overwritten: about one in ten seconds."""

    def line(self) -> str:
        """One line for people."""
        head = f"{self.done} of {self.total} files, {self.articles} new articles, {self.passages} passages"
        return head if self.finished or not self.file else f"{head}: {printable(self.file)}"


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What a run did. Files are named as they were given."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    skipped: tuple[Problem, ...] = ()
    """Files and records that were left out or repaired, each with its cause."""
    missing: tuple[str, ...] = ()
    """Files of the index that are gone from the given paths; their articles stay until removal is asked for."""
    removed: tuple[str, ...] = ()
    """Files whose articles were taken out."""
    guessed: tuple[tuple[str, str], ...] = ()
    """Files whose encoding was guessed, with the encoding."""
    articles: int = 0
    """New or changed articles stored."""
    passages: int = 0
    """Passages of those."""
    removed_articles: int = 0
    total: Counts = Counts(0, 0, 0)
    """What the index holds now."""
    interrupted: bool = False
    """Stopped on request; the next run goes on."""
    seconds: float = 0.0

    def summary(self) -> str:
        """Several lines for people: numbers first, then what needs their attention."""
        lines = [
            f"{len(self.added)} files added, {len(self.changed)} changed, {len(self.unchanged)} unchanged, "
            f"{len({p.file for p in self.skipped if p.record is None})} skipped, {len(self.removed)} removed: "
            f"{self.articles} articles, {self.passages} passages in {self.seconds:.1f} s",
            f"the index holds {self.total.articles} articles of {self.total.files} files "
            f"in {self.total.passages} passages",
        ]
        lines += _some("skipped", [str(problem) for problem in self.skipped])
        lines += _some("encoding guessed", [f"{printable(file)}: {encoding}" for file, encoding in self.guessed])
        lines += _some("gone from disk (remove with --remove-missing)", [printable(file) for file in self.missing])
        if self.interrupted:
            lines.append("stopped before the end; run the same command again to go on")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return asdict(self) | {
            "guessed": [{"file": file, "encoding": encoding} for file, encoding in self.guessed],
            "total": self.total._asdict(),
            "seconds": round(self.seconds, 3),
        }


@dataclass
class Tally:
    """What a run did so far; the fields are those of IngestReport."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    guessed: list[tuple[str, str]] = field(default_factory=list)
    articles: int = 0
    passages: int = 0
    removed_articles: int = 0
    interrupted: bool = False

    def report(self, total: Counts, seconds: float) -> IngestReport:
        """The report of a run that is over."""
        return IngestReport(
            added=tuple(self.added),
            changed=tuple(self.changed),
            unchanged=tuple(self.unchanged),
            skipped=tuple(self.skipped),
            missing=tuple(self.missing),
            removed=tuple(self.removed),
            guessed=tuple(self.guessed),
            articles=self.articles,
            passages=self.passages,
            removed_articles=self.removed_articles,
            total=total,
            interrupted=self.interrupted,
            seconds=seconds,
        )


def _some(what: str, items: list[str]) -> list[str]:
    lines = [f"{what}: {item}" for item in items[:_MOST_LINES]]
    if len(items) > _MOST_LINES:
        lines.append(f"{what}: and {len(items) - _MOST_LINES} more (all with --json)")
    return lines
