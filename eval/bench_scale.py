"""Index and query figures at growing sizes: time, memory and disk, each in a process that does nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from eval.bench_child import in_child
from eval.bench_corpus import queries_of, write_files
from eval.bench_results import IndexFigures, QueryFigures, Scale, Spread, peak_rss_mb
from rag.config import EncoderSettings, Settings

if TYPE_CHECKING:
    from rag.library import Library

QUERIES = 300
_WARM_UP = 10
ALL = "all"


def measure_scales(
    sizes: Sequence[str],
    texts: Callable[[], Iterable[str]],
    encoder: str,
    questions: Sequence[str],
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[Scale]:
    """Figures at each of `sizes`: numbers of passages (reached to a percent or two), or `all` texts.

    :param texts: gives the articles to index, from the first.
    :param questions: asked beside words of the articles themselves, half and half.
    """
    for size in sizes:
        with TemporaryDirectory(prefix="jinwen-bench-") as name:
            folder = Path(name)
            source, index = folder / "articles", folder / "index"
            source.mkdir()
            say(f"writing articles for {size} passages")
            wanted = None if size == ALL else int(size)
            kept = write_files(texts(), source, wanted, Settings().passages)
            say(f"indexing {size} passages")
            built = in_child(index_files, index, source, encoder)
            say(f"querying {built.passages} passages")
            half = QUERIES // 2
            queries = [*_repeated(questions, QUERIES - half), *queries_of(kept, half)]
            yield Scale(size, built, in_child(time_queries, index, encoder, queries))


def index_files(index: Path, source: Path, encoder: str) -> IndexFigures:
    """Build an index of the files in `source`, as `jinwen index` does."""
    from rag.library import Library

    started, cpu = time.perf_counter(), time.process_time()
    with Library(index, _settings(encoder), create=True) as library:
        report = library.ingest([source])
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    disk = sum(file.stat().st_size for file in index.rglob("*") if file.is_file())
    return IndexFigures(report.total.articles, report.total.passages, seconds, cpu_s, peak_rss_mb(), disk / 2**20)


def time_queries(index: Path, encoder: str, queries: Sequence[str]) -> QueryFigures:
    """Time `queries` over an index, whole and leg by leg."""
    from rag.library import Library

    started = time.perf_counter()
    with Library(index, _settings(encoder)) as library:
        library.search(queries[0])
        open_s = time.perf_counter() - started
        depth = library.settings.retrieval.depth
        steps: dict[str, list[float]] = {step: [] for step in ("fused", "fused_cpu", "encode", "dense", "lexical")}
        warm_up = queries[:_WARM_UP]
        for number, query in enumerate([*warm_up, *queries]):
            seconds = _time_query(library, query, depth)
            if number >= len(warm_up):
                for step, taken in zip(steps, seconds, strict=True):
                    steps[step].append(taken)
    spreads = {step: spread(seconds) for step, seconds in steps.items()}
    return QueryFigures(queries=len(queries), open_s=open_s, peak_rss_mb=peak_rss_mb(), **spreads)


def _time_query(library: Library, query: str, depth: int) -> list[float]:
    """Seconds of the whole search (on the clock, of processor time), encoding, the dense and the lexical leg."""
    cpu, at = time.process_time(), [time.perf_counter()]
    library.search(query, k=library.settings.retrieval.top_k)
    at.append(time.perf_counter())
    cpu = time.process_time() - cpu
    vector = library.encoder.encode_queries([query])[0]
    at.append(time.perf_counter())
    library.store.search_dense(vector, depth)
    at.append(time.perf_counter())
    library.store.search_lexical(query, depth)
    at.append(time.perf_counter())
    whole, *parts = (last - first for first, last in pairwise(at))
    return [whole, cpu, *parts]


def spread(seconds: Sequence[float]) -> Spread:
    """Median and 95th percentile of `seconds`, in milliseconds."""
    p50, p95 = np.percentile(np.asarray(seconds) * 1000, [50, 95])
    return Spread(float(p50), float(p95))


def _settings(encoder: str) -> Settings:
    return Settings(encoder=EncoderSettings(name=encoder))


def _repeated(questions: Sequence[str], count: int) -> list[str]:
    return [questions[i % len(questions)] for i in range(count)] if questions else []
