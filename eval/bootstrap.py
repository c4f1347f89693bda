"""Confidence intervals and significance by resampling; deterministic for equal input.

Percentile bootstrap (Efron and Tibshirani, 1993); paired bootstrap and sign-flip permutation test for two
systems on the same questions (Koehn, EMNLP 2004; Smucker, Allan and Carterette, CIKM 2007); Holm's
correction for several measures tested at once (Holm, 1979; Tarone, 1990).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 2_000
PERMUTATIONS = 10_000
CONFIDENCE = 0.95
_EXACT_UP_TO = 12
"""With at most this many questions that differ, all 2^n sign flips are counted instead of drawn."""
_SEED = 20_09


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its confidence interval."""

    mean: float
    low: float
    high: float
    count: int
    """Questions that the mean is over."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """How two runs differ on the questions that both have."""

    first: float
    """Mean of the first run."""
    second: float
    difference: float
    """Second minus first."""
    low: float
    high: float
    """95 % interval of the difference, by paired bootstrap."""
    p_value: float
    """Two-sided sign-flip permutation test; 1 when no question differs."""
    least_p: float
    """The p value if every question that differs differed in one direction: 2^(1-n) for n of them."""
    count: int


def mean_interval(values: Sequence[float]) -> Interval:
    """Mean of `values` with its 95 % percentile-bootstrap interval.

    :raises ValueError: there are no values.
    """
    if not values:
        raise ValueError("a mean needs at least one value")
    mean = math.fsum(values) / len(values)
    low, high = _percentiles(values)
    return Interval(mean, low, high, len(values))


def paired_test(first: Sequence[float], second: Sequence[float]) -> PairedTest:
    """Compare two runs question by question; `first[i]` and `second[i]` belong to the same question.

    :raises ValueError: the lengths differ or there are no values.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"paired values must align: {len(first)} against {len(second)}")
    differences = [b - a for a, b in zip(first, second, strict=True)]
    low, high = _percentiles(differences)
    count = len(first)
    return PairedTest(
        first=math.fsum(first) / count,
        second=math.fsum(second) / count,
        difference=math.fsum(differences) / count,
        low=low,
        high=high,
        p_value=permutation_p(differences),
        least_p=min(1.0, 2.0 ** (1 - sum(bool(d) for d in differences))),
        count=count,
    )


def permutation_p(differences: Sequence[float]) -> float:
    """Share of sign flips of `differences` whose sum is at least as far from 0 as the one observed.

    Exact up to 12 non-zero differences; beyond, (hits + 1) / (draws + 1) over 10,000 random flips.
    """
    import numpy as np

    values = np.array([d for d in differences if d], dtype=np.float64)
    if not len(values):
        return 1.0
    observed = abs(values.sum()) - 1e-9
    if len(values) <= _EXACT_UP_TO:
        bits = (np.arange(2 ** len(values))[:, None] >> np.arange(len(values))) & 1
        return float((np.abs((1 - 2 * bits) @ values) >= observed).mean())
    rng = np.random.default_rng(_SEED)
    # One row at a time would be slow, all rows at once large: 10,000 questions x 10,000 flips are 100 MB of int8.
    signs = rng.integers(0, 2, size=(PERMUTATIONS, len(values)), dtype=np.int8) * np.int8(2) - np.int8(1)
    hits = int((np.abs(signs @ values) >= observed).sum())
    return (hits + 1) / (PERMUTATIONS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values corrected for being tested together (Holm's step-down), aligned with `p_values`, at most 1.

    >>> holm([0.01, 0.04, 0.03])  # 0.01 * 3, then 0.03 * 2, then max(0.06, 0.04 * 1)
    [0.03, 0.06, 0.06]
    """
    corrected = [1.0] * len(p_values)
    running = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        running = max(running, min(1.0, p_values[index] * (len(p_values) - place)))
        corrected[index] = running
    return corrected


def holm_of_tests(tests: Sequence[PairedTest]) -> list[float]:
    """The p values of `tests` corrected by Holm over those that can be significant at all, aligned with `tests`.

    A test on fewer than six questions that differ cannot reach 5 %, whatever their signs, so it cannot be a false
    alarm and needs no correction of the others (Tarone, Biometrics 1990); it keeps its own p value.
    """
    corrected = [test.p_value for test in tests]
    testable = [number for number, test in enumerate(tests) if test.least_p < 1 - CONFIDENCE]
    for number, p_value in zip(testable, holm([tests[number].p_value for number in testable]), strict=True):
        corrected[number] = p_value
    return corrected


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    import numpy as np

    data = np.asarray(values, dtype=np.float64)
    if data.min() == data.max():
        return float(data[0]), float(data[0])
    rng = np.random.default_rng(_SEED)
    means = data[rng.integers(0, len(data), size=(RESAMPLES, len(data)), dtype=np.int32)].mean(axis=1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)
