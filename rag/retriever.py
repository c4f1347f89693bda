"""Query -> hits: dense and lexical search, fused by reciprocal rank."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from rag.config import RetrievalSettings
from rag.encoder import Encoder
from rag.sentences import sentence_spans
from rag.store import LocalStore, Scored, StoredPassage
from rag.tokens import tokenize
from rag.types import Filters, Hit

_FETCH = 32
"""Passages read from the database at a time while a result list fills."""


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[int]], k: int = 60, weights: Sequence[float] | None = None
) -> list[tuple[int, float]]:
    """Items of several rankings with their fused scores, best first.

    score(item) = sum over the rankings that hold it of weight / (k + rank), rank from 1 (Cormack, Clarke and
    Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009).
    Equal scores are ordered by the best single rank, then by item.

    :raises ValueError: not as many weights as rankings.
    """
    scores: defaultdict[int, float] = defaultdict(float)
    best: dict[int, int] = {}
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        for rank, item in enumerate(ranking, start=1):
            scores[item] += weight / (k + rank)
            best[item] = min(rank, best.get(item, rank))
    return sorted(scores.items(), key=lambda entry: (-entry[1], best[entry[0]], entry[0]))


class Retriever:
    """Finds passages of a store for a query."""

    def __init__(self, store: LocalStore, encoder: Encoder, settings: RetrievalSettings) -> None:
        self._store = store
        self._encoder = encoder
        self._settings = settings

    def retrieve(self, query: str, k: int | None = None, filters: Filters | None = None) -> list[Hit]:
        """The `k` best passages (default: `top_k` of the settings), best first.

        At most `per_article` of one story, and none whose every sentence stands in better ones already, so that
        a story printed twice does not fill the list. The same index gives the same list.
        """
        wanted = self._settings.top_k if k is None else k
        filters = filters or Filters()
        dense = self._store.search_dense(self._encoder.encode_queries([query])[0], self._settings.depth, filters)
        lexical = self._store.search_lexical(query, self._settings.depth, filters)
        fused = reciprocal_rank_fusion(
            [[hit.passage_id for hit in dense], [hit.passage_id for hit in lexical]], self._settings.rrf_k
        )
        in_dense, in_lexical = _by_id(dense), _by_id(lexical)
        hits: list[Hit] = []
        for stored, score in self._select(fused):
            if len(hits) >= wanted:
                break
            dense_rank, dense_score = in_dense.get(stored.id, (None, None))
            lexical_rank, lexical_score = in_lexical.get(stored.id, (None, None))
            hits.append(
                Hit(
                    rank=len(hits) + 1,
                    score=score,
                    passage=stored.passage,
                    article=stored.article,
                    dense_rank=dense_rank,
                    dense_score=dense_score,
                    lexical_rank=lexical_rank,
                    lexical_score=lexical_score,
                )
            )
        return hits

    def _select(self, fused: Sequence[tuple[int, float]]) -> Iterator[tuple[StoredPassage, float]]:
        """Those that may stand in a result list, in order."""
        taken: Counter[str] = Counter()
        said: set[str] = set()
        for start in range(0, len(fused), _FETCH):
            slice_ = fused[start : start + _FETCH]
            stored = self._store.passages([passage_id for passage_id, _ in slice_])
            for passage_id, score in slice_:
                # Missing: deleted by another process after the search.
                found = stored.get(passage_id)
                if found is None or taken[found.article.id] >= self._settings.per_article:
                    continue
                sentences = _sentences(found.passage.text)
                if sentences and sentences <= said:
                    continue
                taken[found.article.id] += 1
                said |= sentences
                yield found, score


def _by_id(hits: Sequence[Scored]) -> dict[int, tuple[int, float]]:
    """Rank and score by passage id."""
    return {hit.passage_id: (rank, hit.score) for rank, hit in enumerate(hits, start=1)}


def _sentences(text: str) -> set[str]:
    """The sentences of `text` without regard to width, case, script, spaces and punctuation."""
    return {" ".join(tokenize(text[start:end])) for start, end in sentence_spans(text)}
