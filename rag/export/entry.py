"""What is exported: one question and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from rag.types import Answer


@dataclass(frozen=True, slots=True)
class Entry:
    """One question of a conversation with its answer."""

    question: str
    answer: Answer | None
    """None when there was none; `remark` then says why."""
    remark: str = ""
    """Shown below the answer, in words for the reader."""


def entry_of(answer: Answer) -> Entry:
    """An answer that stands alone."""
    return Entry(answer.question, answer)
