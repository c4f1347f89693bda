"""What brings an expected text back: settings that were tried on the question and work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eval.matching import fold, overlaps
from eval.tracing import UNLIMITED, Trace, Tracer, best_rank, key_of
from rag.config import AnswerSettings, RetrievalSettings, Strictness
from rag.types import Answer, Filters, Hit, Passage


class Remedies:
    """Tries what could bring an expected text back, and keeps what does."""

    def __init__(self, tracer: Tracer, passages: Sequence[Passage], filters: Filters, text: str) -> None:
        self._tracer = tracer
        self._settings = tracer.library.settings
        self._keys = {key_of(passage) for passage in passages}
        self._filters = filters
        self._text = text

    def without_filters(self) -> list[str]:
        """For a text whose article the filters keep out."""
        return self._tried("without the filters", self._settings.retrieval, Filters())

    def of_retrieval(self, best: Trace) -> list[str]:
        """For a passage that is not among those read."""
        settings = self._settings.retrieval
        now = self._rank(settings, self._filters)
        found = [] if now is None else self._tried("", settings, self._filters)
        for name, changed in (
            (f"retrieval.depth={best_rank(best)}", replace(settings, depth=max(settings.depth, best_rank(best)))),
            ("retrieval.per_article=20", replace(settings, per_article=20)),
        ):
            rank = self._rank(changed, self._filters) if changed != settings else None
            if rank is not None and (now is None or rank < now):
                found += self._tried(name, changed, self._filters)
        return found

    def _tried(self, name: str, settings: RetrievalSettings, filters: Filters) -> list[str]:
        """`name` with the rank it leads to; and the cut-off that is needed beside it, if any."""
        rank = self._rank(settings, filters)
        if rank is None:
            return []
        if rank <= settings.top_k:
            return [f"{name}: rank {rank}, read"]
        needed = f"retrieval.top_k={rank}"
        return [f"{name} and {needed}" if name else f"{needed}: rank {rank}, read"]

    def _rank(self, settings: RetrievalSettings, filters: Filters) -> int | None:
        hits = self._tracer.hits(settings, filters, UNLIMITED)
        return next((hit.rank for hit in hits if key_of(hit.passage) in self._keys), None)

    def of_answering(self) -> list[str]:
        """For a passage that was read but is not cited."""
        retrieval, settings = self._settings.retrieval, self._settings.answer
        hits = self._tracer.hits(retrieval, self._filters, retrieval.top_k)
        found: list[str] = []
        looser: tuple[Strictness, ...] = ("balanced", "generous")
        for strictness in looser:
            changed = replace(settings, strictness=strictness)
            if changed != settings and self._answers(changed, hits):
                found.append(f"answer.strictness={strictness}: cited")
        alone = [hit for hit in hits if key_of(hit.passage) in self._keys]
        if not found and self._answers(settings, alone):
            found.append("a question closer to the passage: read alone, it is cited")
        return found

    def _answers(self, settings: AnswerSettings, hits: Sequence[Hit]) -> bool:
        *_, answer = self._tracer.library.make_answerer(settings).stream(self._tracer.asked, hits)
        return cites(answer, self._text)


def cites(answer: Answer, text: str) -> bool:
    """Whether a citation of the answer quotes the text, in part or as part of more."""
    return any(overlaps(citation.quote, text) or fold(text) in fold(citation.quote) for citation in answer.citations)
