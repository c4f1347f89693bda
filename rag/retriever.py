"""Query -> hits: dense and lexical search, fused, the best of them read again."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from rag.config import RetrievalSettings
from rag.encoder import Encoder
from rag.expansion import QueryExpander
from rag.fusion import FittedFusion, reciprocal_rank_fusion
from rag.passages import split_article
from rag.reranker import RERANKED, Reranker
from rag.sentences import sentence_spans
from rag.store import LocalStore, Scored, StoredPassage
from rag.tokens import is_chinese, tokenize
from rag.types import Article, Filters, Hit

_LANGUAGE_SAMPLE = 150
"""In characters."""

Leg = Mapping[int, tuple[int, float]]
"""What one search found: rank and score by passage id, best first."""


class Retriever:
    """Finds passages of a store for a query.

    Legs are fused with the weights fitted to the encoder where there are any, else by reciprocal rank; then the
    first passages are ordered again by the reranker, if the encoder has one.
    """

    def __init__(
        self,
        store: LocalStore,
        encoder: Encoder,
        settings: RetrievalSettings,
        fusion: FittedFusion | None = None,
        expander: QueryExpander | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self._store = store
        self._encoder = encoder
        self._settings = settings
        self._fusion = fusion
        self._expander = expander
        self._reranker = reranker

    def retrieve(
        self, query: str, k: int | None = None, filters: Filters | None = None, *, reprints: bool = False
    ) -> list[Hit]:
        """The `k` best passages (default: `top_k` of the settings), best first.

        At most `per_article` of one story, and none whose every sentence stands in better ones already, so that
        a story printed twice does not fill the list, unless `reprints` asks for all that print it. The same index
        gives the same list.
        """
        wanted = self._settings.top_k if k is None else k
        filters = filters or Filters()
        dense, lexical = self.legs(query, self._settings.depth, filters)
        stored = self._store.passages(list({**dense, **lexical}))
        ranked = self.rank(query, dense, lexical, stored)
        hits: list[Hit] = []
        for passage, score in self._select(ranked, stored, reprints=reprints):
            if len(hits) >= wanted:
                break
            dense_rank, dense_score = dense.get(passage.id, (None, None))
            lexical_rank, lexical_score = lexical.get(passage.id, (None, None))
            hits.append(
                Hit(
                    rank=len(hits) + 1,
                    score=score,
                    passage=passage.passage,
                    article=passage.article,
                    dense_rank=dense_rank,
                    dense_score=dense_score,
                    lexical_rank=lexical_rank,
                    lexical_score=lexical_score,
                )
            )
        return hits

    def within(self, article: Article, query: str, k: int) -> list[Hit]:
        """The `k` passages of one article that share the most words with `query`, best first; scored by how many."""
        asked = set(tokenize(query))
        passages = split_article(article, self._store.info.passages)
        shared = [len(asked & set(tokenize(passage.text))) for passage in passages]
        order = sorted(range(len(passages)), key=lambda i: (-shared[i], i))[:k]
        return [Hit(rank, float(shared[i]), passages[i], article) for rank, i in enumerate(order, start=1)]

    def newest(self, k: int, last: dt.date, filters: Filters | None = None) -> list[Article]:
        """The `k` newest dated articles printed up to `last`, newest first."""
        return self._store.newest(k, last, filters)

    def legs(self, query: str, depth: int, filters: Filters) -> tuple[Leg, Leg]:
        """The `depth` best passages of the dense and of the lexical search."""
        vector = self._encoder.encode_queries([query])[0]
        also = self._expander.expand(query) if self._expander else {}
        dense = self._store.search_dense(vector, depth, filters)
        lexical = self._store.search_lexical(query, depth, filters, also)
        return _by_id(dense), _by_id(lexical)

    def rank(
        self, query: str, dense: Leg, lexical: Leg, stored: Mapping[int, StoredPassage]
    ) -> list[tuple[int, float]]:
        """Passage ids with their scores, best first.

        `stored` holds the passages of both legs; one that is missing was deleted after the search.
        """
        fused = [entry for entry in self._fuse(query, dense, lexical, stored) if entry[0] in stored]
        return self._rerank(query, fused, stored) if self._reranker and fused else fused

    def _rerank(
        self, query: str, fused: Sequence[tuple[int, float]], stored: Mapping[int, StoredPassage]
    ) -> list[tuple[int, float]]:
        """The first of `fused` in their new order, then the others, whose scores keep their distances."""
        assert self._reranker is not None
        head, tail = fused[:RERANKED], fused[RERANKED:]
        texts = [stored[i].passage.text for i, _ in head]
        chinese = is_chinese(query)
        before = np.array([score for _, score in head])
        same = np.array([is_chinese(_beginning(stored[i])) == chinese for i, _ in head], dtype=np.bool_)
        scores = self._reranker.scores(query, texts, before, same)
        ranked = sorted(
            zip((i for i, _ in head), scores.tolist(), strict=True), key=lambda entry: (-entry[1], entry[0])
        )
        lower = min(ranked[-1][1], before[-1]) - before[-1]
        return [*ranked, *((i, score + lower) for i, score in tail)]

    def _fuse(
        self, query: str, dense: Leg, lexical: Leg, stored: Mapping[int, StoredPassage]
    ) -> list[tuple[int, float]]:
        if self._fusion is None:
            return reciprocal_rank_fusion([list(dense), list(lexical)], self._settings.rrf_k)
        ids = list(stored)
        most = self._store.most_lexical(query) or 1.0
        # Of a passage that is in one list only, the other score is at most the last one of that list.
        least = min((score for _, score in dense.values()), default=0.0)
        cosine = np.array([dense[i][1] if i in dense else least for i in ids])
        coverage = np.array([lexical[i][1] / most if i in lexical else 0.0 for i in ids])
        chinese = is_chinese(query)
        same = np.array([is_chinese(_beginning(stored[i])) == chinese for i in ids], dtype=np.bool_)
        scores = self._fusion.scores(cosine, coverage, same)
        return sorted(zip(ids, scores.tolist(), strict=True), key=lambda entry: (-entry[1], entry[0]))

    def _select(
        self, fused: Sequence[tuple[int, float]], stored: Mapping[int, StoredPassage], *, reprints: bool = False
    ) -> Iterator[tuple[StoredPassage, float]]:
        """Those that may stand in a result list, in order."""
        taken: Counter[str] = Counter()
        said: set[str] = set()
        for passage_id, score in fused:
            found = stored.get(passage_id)
            if found is None or taken[found.article.id] >= self._settings.per_article:
                continue
            sentences = _sentences(found.passage.text)
            if not reprints and sentences and sentences <= said:
                continue
            taken[found.article.id] += 1
            said |= sentences
            yield found, score


def _by_id(hits: Sequence[Scored]) -> dict[int, tuple[int, float]]:
    """Rank and score by passage id, best first."""
    return {hit.passage_id: (rank, hit.score) for rank, hit in enumerate(hits, start=1)}


def _beginning(found: StoredPassage) -> str:
    """Enough of a passage to tell its language; counting characters in all of it takes as long as the search."""
    return found.passage.text[:_LANGUAGE_SAMPLE]


def _sentences(text: str) -> set[str]:
    """The sentences of `text` without regard to width, case, script, spaces and punctuation."""
    return {" ".join(tokenize(text[start:end])) for start, end in sentence_spans(text)}
