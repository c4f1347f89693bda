"""Where given passages stand in each leg of the retrieval, after fusion and in the result list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.assistant import search_query
from rag.config import RetrievalSettings
from rag.types import Filters, Hit, Passage, Question

if TYPE_CHECKING:
    from rag.library import Library

UNLIMITED = 1_000_000
"""More hits than any result list has."""


@dataclass(frozen=True, slots=True)
class Leg:
    """Where one search ranks a passage among all passages that the filters allow."""

    rank: int | None
    """1-based; None when the search does not find it at all."""
    score: float | None
    """Cosine similarity (dense) or BM25 (lexical)."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A passage that holds the expected text, and how it fared."""

    passage: Passage
    dense: Leg
    lexical: Leg
    fused_rank: int | None
    """Rank after fusion, before anything is left out."""
    fused_score: float | None
    final_rank: int | None
    """Rank in the result list; the first `top_k` are read."""


class Tracer:
    """Ranks given passages in each leg, after fusion and in the result list, for one question."""

    def __init__(self, library: Library, asked: Question) -> None:
        self.library = library
        self.asked = asked
        self.query = search_query(asked)

    def trace(self, passages: Sequence[Passage], filters: Filters) -> list[Trace]:
        """How each passage fares, best first."""
        if not passages:
            return []
        everything = max(1, self.library.store.counts().passages)
        dense, lexical = self.library.retriever.legs(self.query, everything, filters)
        settings = self.library.settings.retrieval
        crowded = {
            key_of(h.passage): h for h in self.hits(replace(settings, per_article=UNLIMITED), filters, UNLIMITED)
        }
        final = {key_of(hit.passage): hit.rank for hit in self.hits(settings, filters, UNLIMITED)}
        traces: list[Trace] = []
        for passage in passages:
            stored_id, fused = self._stored_id(passage), crowded.get(key_of(passage))
            traces.append(
                Trace(
                    passage,
                    Leg(*dense.get(stored_id, (None, None))),
                    Leg(*lexical.get(stored_id, (None, None))),
                    fused.rank if fused else None,
                    fused.score if fused else None,
                    final.get(key_of(passage)),
                )
            )
        return sorted(traces, key=lambda t: (t.final_rank or UNLIMITED, t.fused_rank or UNLIMITED, best_rank(t)))

    def hits(self, settings: RetrievalSettings, filters: Filters, k: int) -> list[Hit]:
        """What retrieval with these settings finds."""
        return self.library.retriever_for(settings).retrieve(self.query, k=k, filters=filters)

    def _stored_id(self, passage: Passage) -> int:
        """The store's id of a passage: searching for its own text finds it; -1 when it is gone."""
        found = self.library.store.search_lexical(passage.text, 50)
        stored = self.library.store.passages([hit.passage_id for hit in found])
        return next((s.id for s in stored.values() if key_of(s.passage) == key_of(passage)), -1)


def best_rank(trace: Trace) -> int:
    """The better of its ranks in the two legs."""
    return min(trace.dense.rank or UNLIMITED, trace.lexical.rank or UNLIMITED)


def key_of(passage: Passage) -> tuple[str, int, int]:
    """What makes two passages the same one."""
    return passage.article_id, passage.start, passage.end
