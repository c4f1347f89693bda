"""How well an assistant knows what it does not know: the risk-coverage curve.

Questions are answered from the most to the least confident. Coverage is the share of all questions
answered so far, risk the share of wrong answers among them; answering an unanswerable question is wrong.
(El-Yaniv and Wiener, JMLR 2010; area under the curve: Geifman, Uziel and El-Yaniv, ICLR 2019.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.results import QuestionResult


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """What happens when only answers of at least this confidence are given."""

    confidence: float
    coverage: float
    """Answered / all questions."""
    risk: float
    """Wrong / answered."""


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """The whole curve, by falling confidence; it ends at the coverage of the run."""

    points: tuple[RiskPoint, ...]
    area: float
    """Mean risk over the answers in order of confidence; 0 is perfect. 0 also when nothing was answered."""


def risk_coverage(results: Sequence[QuestionResult]) -> RiskCoverage:
    """The curve of the questions that can be judged. Answers of equal confidence enter together."""
    judged = [result for result in results if result.correct is not None]
    answered = sorted((r for r in judged if not r.refused and not r.error), key=lambda r: -r.confidence)
    points: list[RiskPoint] = []
    area = 0.0
    wrong = before = 0
    for number, result in enumerate(answered, 1):
        wrong += not result.correct
        if number < len(answered) and answered[number].confidence == result.confidence:
            continue
        points.append(RiskPoint(result.confidence, number / len(judged), wrong / number))
        area += wrong / number * (number - before)
        before = number
    return RiskCoverage(tuple(points), area / len(answered) if answered else 0.0)
