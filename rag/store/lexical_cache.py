"""BM25 over our own tokens, kept by Tantivy in a folder, with a checksum of each of its files.

Tantivy sees tokens joined by spaces and gets term queries only, so nothing that a user types is query syntax.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.store.atomic import hash_file
from rag.store.cache_file import Access, CacheDamagedError, CacheFile, CacheMissingError, Ids, read_cache, write_cache
from rag.store.records import Scored, Version
from rag.store.truth import Truth
from rag.tokens import tokenize
from rag.types import Article, Filters

if TYPE_CHECKING:
    import tantivy

_KIND = "lexical"
_HEAP_BYTES = 96_000_000
_BM25_K1 = 1.2
"""Tantivy's own, which it does not let one change."""
_MAX_QUERY_TOKENS = 256
"""A longer query is cut: it is a pasted text, and its first words say what it is about."""

_log = logging.getLogger(__name__)


class LexicalCache:
    """An immutable state of the lexical index."""

    def __init__(
        self, index_id: str, version: Version, ids: Ids, index: tantivy.Index, hashes: Mapping[str, str] | None = None
    ) -> None:
        self.index_id = index_id
        self.version = version
        self.ids = ids
        self.hashes: Mapping[str, str] = hashes or {}
        """SHA-256 by file name; empty for an index in memory."""
        self._index = index
        self._searcher = index.searcher()

    @classmethod
    def load(cls, folder: Path, state_file: Path) -> LexicalCache:
        """The index in `folder` as `state_file` describes it.

        :raises CacheDamagedError: something is not there, or not what was written.
        """
        state = verify(folder, state_file)
        hashes = state.facts["files"]
        try:
            with _openable(folder, hashes) as place:
                return cls(state.index_id, state.version, state.ids, tantivy_index(place), hashes)
        except (ValueError, OSError) as error:
            raise CacheDamagedError(f"tantivy cannot open it: {error}") from error

    @classmethod
    def in_memory(cls, truth: Truth) -> LexicalCache:
        """An index without files."""
        started = time.perf_counter()
        index = tantivy_index(None)
        none = np.empty(0, np.int64)
        ids = _write(index, none, truth.texts(truth.changes(none)[1]), none)
        _log.info("lexical index in memory: %d passages, %.2f s", len(ids), time.perf_counter() - started)
        return cls(truth.index_id, truth.version, ids, index)

    def search(self, query: str, k: int, filters: Filters, also: Mapping[str, float]) -> list[Scored]:
        """The `k` passages with the highest BM25 for the tokens of `query`, best first, equal scores by id.

        `also` holds further tokens, each with the weight of its part of the score.
        """
        import tantivy

        tokens = list(dict.fromkeys(tokenize(query)))[:_MAX_QUERY_TOKENS]
        if k <= 0 or not (tokens or also) or not len(self.ids):
            return []
        schema = self._index.schema
        terms = [tantivy.Query.term_query(schema, "body", token, "freq") for token in tokens]
        terms += [
            tantivy.Query.boost_query(tantivy.Query.term_query(schema, "body", token, "freq"), weight)
            for token, weight in also.items()
            if token not in tokens and self._searcher.doc_freq("body", token)
        ]
        combined = tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms])
        conditions = _conditions(schema, filters)
        if conditions:
            combined = tantivy.Query.boolean_query([(tantivy.Occur.Must, q) for q in (combined, *conditions)])
        hits = self._searcher.search(combined, min(k, len(self.ids)), count=False).hits
        ids = self._searcher.fast_field_values("id", [address for _, address in hits])
        found = [(float(score), int(i or 0)) for (score, _), i in zip(hits, ids, strict=True)]
        return [Scored(i, score) for score, i in sorted(found, key=lambda hit: (-hit[0], hit[1]))]

    def most(self, query: str) -> float:
        """More than any passage can score for `query`: a passage full of every token of it."""
        tokens = list(dict.fromkeys(tokenize(query)))[:_MAX_QUERY_TOKENS]
        total = self._searcher.num_docs
        # Frequencies count deleted passages until Tantivy merges their segment away; the number of passages does not.
        frequencies = [min(self._searcher.doc_freq("body", token), total) for token in tokens]
        return sum((_BM25_K1 + 1) * _idf(frequency, total) for frequency in frequencies)


def _idf(frequency: int, total: int) -> float:
    """Inverse document frequency as Tantivy computes it for BM25."""
    return math.log1p((total - frequency + 0.5) / (frequency + 0.5))


def verify(folder: Path, state_file: Path) -> CacheFile:
    """What `state_file` says about the index in `folder`, whose files have the checksums it names.

    :raises CacheDamagedError: something is not there, or not what was written.
    """
    state = read_cache(state_file, _KIND)
    hashes: dict[str, str] = state.facts["files"]
    if _hashes(folder, hashes) != hashes:
        raise CacheDamagedError("a file of it is missing or its checksum is wrong")
    return state


def sync(folder: Path, state_file: Path, truth: Truth, current: LexicalCache | None, access: Access) -> LexicalCache:
    """An index that matches `truth`: the one in `folder`, brought up to date if `access` allows.

    While somebody else writes it may be an earlier state; where nothing can be written it is built in memory.
    """
    found = _load(folder, state_file, truth, current)
    if found is not None and (truth.is_met(found) or access is Access.BUSY):
        return found
    if access is Access.WRITE:
        try:
            _update(folder, state_file, truth, found)
            return LexicalCache.load(folder, state_file)
        except (OSError, CacheDamagedError) as error:
            _log.warning("lexical cache %s cannot be written, it stays in memory: %s", folder, error)
    return LexicalCache.in_memory(truth)


def _load(folder: Path, state_file: Path, truth: Truth, current: LexicalCache | None) -> LexicalCache | None:
    """The index in `folder` if it is a state of this index, else None."""
    try:
        if current is not None and truth.is_ahead_of(current) and _is_on_disk(state_file, current):
            return current
        found = LexicalCache.load(folder, state_file)
        if truth.is_ahead_of(found):
            return found
        _log.warning("lexical cache %s belongs to another index or state; rebuilding it from the database", folder)
    except CacheMissingError:
        _log.info("lexical cache %s: building it from the database", folder)
    except CacheDamagedError as error:
        _log.warning("lexical cache %s is damaged, rebuilding it from the database: %s", folder, error)
    return None


def _is_on_disk(state_file: Path, current: LexicalCache) -> bool:
    return current.hashes != {} and read_cache(state_file, _KIND).version == current.version


def _update(folder: Path, state_file: Path, truth: Truth, found: LexicalCache | None) -> None:
    """Make the index in `folder`, which holds `found`, match `truth`. The caller holds the writer lock.

    Until the new state is written there is none, so a crash on the way costs a rebuild and no answer.

    :raises OSError: no space left.
    """
    started = time.perf_counter()
    state_file.unlink(missing_ok=True)
    ids: Ids = np.empty(0, np.int64)
    hashes: Mapping[str, str] = {}
    if found is None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    else:
        ids, hashes = found.ids, found.hashes
    removed, added = truth.changes(ids)
    try:
        ids = _write(tantivy_index(folder), ids, truth.texts(added), removed)
    except ValueError as error:  # the only exception that tantivy knows
        raise OSError(f"tantivy cannot write: {error}") from error
    names = [f.name for f in folder.iterdir() if f.is_file() and not f.name.endswith(".lock")]
    # The files of a segment never change, so their checksums hold; the lists of segments do.
    known = {name: value for name, value in hashes.items() if name in names and not name.endswith(".json")}
    fresh = _hashes(folder, [name for name in names if name not in known])
    write_cache(state_file, _KIND, truth.index_id, truth.version, ids, {"files": known | fresh})
    seconds = time.perf_counter() - started
    _log.info("lexical cache %s: %d passages out, %d in, %.2f s", folder, len(removed), len(added), seconds)


def tantivy_index(folder: Path | None) -> tantivy.Index:
    """The index in `folder`, made if there is none; in memory without a folder."""
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("id", indexed=True, fast=True)
    builder.add_text_field("body", tokenizer_name="whitespace", index_option="freq")
    builder.add_integer_field("day", indexed=True, fast=True)
    builder.add_text_field("source", tokenizer_name="raw", index_option="basic")
    index = tantivy.Index(builder.build(), path=None if folder is None else str(folder))
    index.config_reader(reload_policy="manual")
    return index


@contextlib.contextmanager
def _openable(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """A folder where Tantivy can take its lock to open the files of `folder`, while they are being opened."""
    if os.access(folder, os.W_OK):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="jinwen-") as place:
        for name in names:
            (Path(place) / name).symlink_to(folder.absolute() / name)
        yield Path(place)


def _write(index: tantivy.Index, ids: Ids, added: Iterable[tuple[int, Article, str]], removed: Ids) -> Ids:
    """Apply changes to an index that holds `ids` and commit; the ids that it holds then.

    :raises ValueError: tantivy cannot write.
    """
    import tantivy

    new: list[int] = []
    writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
    for gone in removed:
        writer.delete_documents_by_term("id", int(gone))
    for passage_id, article, text in added:
        fields = {"id": passage_id, "body": " ".join(tokenize(text)), "source": article.source}
        if article.date:
            fields["day"] = _day(article.date)
        writer.add_document(tantivy.Document(**fields))
        new.append(passage_id)
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return np.concatenate([np.setdiff1d(ids, removed, assume_unique=True), np.array(new, dtype=np.int64)])


def _hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 by file name, for those names that are there."""
    try:
        return {name: hash_file(folder / name) for name in names if (folder / name).is_file()}
    except OSError as error:
        raise CacheDamagedError(f"it cannot be read: {error.strerror}") from error


def _conditions(schema: tantivy.Schema, filters: Filters) -> list[Any]:
    """Queries that a passage must match; they add nothing to its score."""
    import tantivy

    conditions = []
    if filters.date_from or filters.date_to:
        first = _day(filters.date_from or dt.date.min)
        last = _day(filters.date_to or dt.date.max)
        conditions.append(tantivy.Query.range_query(schema, "day", tantivy.FieldType.Integer, first, last))
    if filters.sources:
        sources = [
            (tantivy.Occur.Should, tantivy.Query.term_query(schema, "source", s, "basic")) for s in filters.sources
        ]
        conditions.append(tantivy.Query.boolean_query(sources))
    return [tantivy.Query.const_score_query(condition, 0.0) for condition in conditions]


def _day(date: dt.date) -> int:
    return date.year * 10_000 + date.month * 100 + date.day
