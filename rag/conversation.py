"""History + question -> a question that stands alone.

Whether a question goes on about what was said is told by a trained classifier (`rag.understanding`); then what was said
stands before it, for search and for the reader, who was trained on such questions. Nothing is rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rag.types import Turn

REPLY_CHARS: Final = 60
"""How much of the last answer stands beside the question."""
MAX_TURNS: Final = 6
"""Earlier questions that are followed."""
_MARKERS: Final = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, slots=True)
class Said:
    """What a conversation has come to: the last question, and what was answered."""

    question: str
    """As asked."""
    root: str
    """The question that the talk began with; it stands alone."""
    reply: str = ""
    """The answer to the last question; empty for a refusal."""
    articles: tuple[str, ...] = ()
    """Ids of the articles that the answer cites, where they are known."""

    @property
    def earlier(self) -> str:
        """The questions that a further one goes on from."""
        return self.question if self.root == self.question else f"{self.root} {self.question}"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question in its conversation."""

    standalone: str
    """The question with what it goes on about; as asked where it stands alone."""
    root: str
    goes_on: Said | None = None
    """What it goes on about."""


GoesOn = Callable[[str, Said], bool]
"""Whether a question goes on about what was said."""


def in_context(question: str, earlier: str, reply: str) -> str:
    """`question` behind the `earlier` question and the beginning of the `reply` to it (empty for a refusal).

    >>> in_context("哪天开工？", "港口三期谁来建？", "由海风港务建设。[1]")
    '港口三期谁来建？ 由海风港务建设。 哪天开工？'
    """
    said = _MARKERS.sub("", reply)[:REPLY_CHARS]
    return " ".join(part for part in (earlier, said, question) if part)


def follow(question: str, history: Sequence[Turn], goes_on: GoesOn) -> FollowUp:
    """`question` in the light of `history`; each earlier question is followed in the same way."""
    asked = [i for i, turn in enumerate(history) if turn.role == "user"][-MAX_TURNS:]
    said: Said | None = None
    for number, at in enumerate(asked):
        end = asked[number + 1] if number + 1 < len(asked) else len(history)
        said = _said(_step(history[at].text, said, goes_on), history[at].text, history[at + 1 : end])
    return _step(question, said, goes_on)


def _step(question: str, said: Said | None, goes_on: GoesOn) -> FollowUp:
    if said is None or not goes_on(question, said):
        return FollowUp(question, question)
    return FollowUp(in_context(question, said.earlier, said.reply), said.root, said)


def _said(followed: FollowUp, question: str, replies: Sequence[Turn]) -> Said:
    """What the talk has come to; after a refusal it is still about the articles of the answer before."""
    answers = [turn for turn in replies if turn.role == "assistant" and not turn.refused]
    if answers:
        return Said(question, followed.root, answers[-1].text, answers[-1].articles)
    before = followed.goes_on
    return Said(question, followed.root, articles=before.articles if before else ())
