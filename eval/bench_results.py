"""What a benchmark run found, and its JSON form."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path

_PACKAGES = ("jinwen", "faiss-cpu", "tantivy", "tokenizers", "numpy", "torch", "sentence-transformers")


@dataclass(frozen=True, slots=True)
class Quality:
    """How well one leg finds the right text of one set; shares in [0, 1] with 95 % intervals."""

    task: str
    leg: str
    """`BM25`, `dense` or `hybrid`."""
    encoder: str
    """Empty for BM25, which has none."""
    queries: int
    r1: float
    """Share of queries whose text is the first hit."""
    r1_low: float
    r1_high: float
    r5: float
    """Share of queries whose text is among the first five."""
    r5_low: float
    r5_high: float


@dataclass(frozen=True, slots=True)
class EncodeSpeed:
    """How fast an encoder turns passages into vectors on one core."""

    encoder: str
    dim: int
    disk_mb: float
    load_s: float
    """Reading the model, without the import of the libraries that it needs."""
    passages_per_s: float
    """Passages of 400 Chinese characters per second of processor time, best round."""
    wall_passages_per_s: float
    """The same per second on the clock: lower when the core was busy with something else."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile, in milliseconds."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class IndexFigures:
    """What it took to index files, in a process of its own."""

    articles: int
    passages: int
    seconds: float
    cpu_s: float
    """Processor time of all threads: what a busy machine changes little."""
    peak_rss_mb: float
    disk_mb: float


@dataclass(frozen=True, slots=True)
class QueryFigures:
    """What queries took, in a process of its own that did nothing else."""

    queries: int
    open_s: float
    """From opening the index to the first hits, the caches loaded on the way."""
    encode: Spread
    dense: Spread
    """The scan alone, without encoding the query."""
    lexical: Spread
    fused: Spread
    """The whole of it: encoding, both legs, fusion, reading the hits."""
    fused_cpu: Spread
    """Processor time of the whole, all threads."""
    peak_rss_mb: float


@dataclass(frozen=True, slots=True)
class Scale:
    """Index and query figures at one size."""

    size: str
    """As asked for: a number of passages, or `all`."""
    index: IndexFigures
    query: QueryFigures


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """Answering the questions of the sample library, milliseconds a question; and starting the command."""

    questions: int
    retrieve: Spread
    answer: Spread
    total: Spread
    first_start_s: float
    """`jinwen ask` as a whole process, the first time."""
    start_s: float
    """The same, median of several."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it ran."""

    processor: str
    cores: int
    memory_gb: float
    python: str
    versions: dict[str, str]
    load_before: float
    """One-minute load average when the run began: above a small fraction of the cores, times are too long."""
    load_after: float = 0.0


@dataclass(frozen=True, slots=True)
class Bench:
    """A whole run."""

    created: str
    """ISO 8601, UTC."""
    code: str
    """Fingerprint of the engine's code: figures of two runs with the same one differ by machine and load only."""
    models: dict[str, str]
    """Fingerprints of the shipped models by name."""
    options: dict[str, str]
    """What was asked for, by name."""
    machine: Machine
    quality: Sequence[Quality] = ()
    speeds: Sequence[EncodeSpeed] = ()
    baseline: str = ""
    """The encoder of `speeds` that the others are compared with; empty when it is not there."""
    scales: Sequence[Scale] = ()
    answers: AnswerFigures | None = None
    notes: Sequence[str] = field(default=())
    """What was left out or differs, in whole sentences."""

    def ratio(self, speed: EncodeSpeed) -> float | None:
        """How many times faster than the baseline an encoder is."""
        base = next((s.passages_per_s for s in self.speeds if s.encoder == self.baseline), None)
        return None if base is None else speed.passages_per_s / base


def to_json(bench: Bench) -> str:
    """The run as indented JSON, its ratios written out."""
    record = asdict(bench)
    for entry, speed in zip(record["speeds"], bench.speeds, strict=True):
        entry["ratio"] = bench.ratio(speed)
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def describe_machine() -> Machine:
    """The machine at this moment."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(
        processor=_processor(),
        cores=cores,
        memory_gb=round(_memory_bytes() / 2**30, 1),
        python=platform.python_version(),
        versions={name: version for name in _PACKAGES if (version := _version(name))},
        load_before=load_average(),
    )


def finished(machine: Machine) -> Machine:
    """`machine` with its load now, at the end of a run."""
    return replace(machine, load_after=load_average())


def load_average() -> float:
    """Of the last minute; 0 where the system has none."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0


def peak_rss_mb() -> float:
    """Most memory that this process has held, in MB of 2^20 bytes; 0 where the system does not say.

    Not `resource.getrusage`: a new process inherits its parent's peak there.
    """
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0.0
    line = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM:")), "VmHWM: 0")
    return int(line.split()[1]) / 1024


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
