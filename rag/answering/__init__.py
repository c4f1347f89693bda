"""Question + hits -> Answer: the Answerer protocol and its two implementations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from rag.types import Answer, Hit, Question


class Answerer(Protocol):
    """Answers a question from the hits it is given, and from nothing else."""

    def stream(self, question: Question, hits: Sequence[Hit]) -> Iterator[Answer]:
        """Growing snapshots (`final=False`), then the checked answer (`final=True`), always at least one.

        `timings.answer` is filled here; `timings.retrieve` and `searched` by the assistant.
        """
