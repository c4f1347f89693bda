import json
from pathlib import Path

import numpy as np
import pytest

from rag.errors import ModelError
from rag.fusion import FUSION_FILE, FittedFusion, features, read_fusion, reciprocal_rank_fusion

COSINE = np.array([0.9, 0.4, 0.6])
COVERAGE = np.array([0.1, 0.5, 0.0])
SAME = np.array([True, True, False])
ONLY_COSINE = FittedFusion(1, 0, 0, 0, 0, 0, 1, 0)


def test_reciprocal_rank_fusion() -> None:
    assert reciprocal_rank_fusion([[7, 8], [8, 9]]) == [
        (8, 1 / (60 + 2) + 1 / (60 + 1)),
        (7, 1 / (60 + 1)),
        (9, 1 / (60 + 2)),
    ]


def test_reciprocal_rank_fusion_breaks_ties_by_best_rank_then_item() -> None:
    assert [item for item, _ in reciprocal_rank_fusion([[5, 3], [4, 6]])] == [4, 5, 3, 6]
    assert reciprocal_rank_fusion([[1], [2]], k=1, weights=[1.0, 4.0]) == [(2, 2.0), (1, 0.5)]
    with pytest.raises(ValueError, match="zip"):
        reciprocal_rank_fusion([[1]], weights=[1.0, 2.0])


def test_features_hold_one_column_per_weight() -> None:
    assert features(COSINE, COVERAGE, SAME).tolist() == [
        # cosine, coverage, relative, bonus, best, gap (.6 - .9), other cosine, other coverage
        [0.9, 0.1, 0.2, 1.0, 0.5, pytest.approx(-0.3), 0.0, 0.0],
        [0.4, 0.5, 1.0, 1.0, 0.5, pytest.approx(-0.3), 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.6, 0.0],
    ]


def test_scores_are_the_weighted_sum() -> None:
    fusion = FittedFusion(1, 2, 3, 4, 5, 6, 7, 8)
    assert fusion.scores(COSINE, COVERAGE, SAME).tolist() == [
        pytest.approx(0.9 + 0.2 + 0.6 + 4 + 2.5 - 1.8),
        pytest.approx(0.4 + 1.0 + 3.0 + 4 + 2.5 - 1.8),
        pytest.approx(7 * 0.6),
    ]


def test_no_candidates_and_no_matching_word() -> None:
    none = np.empty(0)
    assert ONLY_COSINE.scores(none, none, np.empty(0, dtype=np.bool_)).tolist() == []
    assert ONLY_COSINE.scores(COSINE, np.zeros(3), SAME).tolist() == COSINE.tolist()


def test_weights_lie_beside_the_encoder(tmp_path: Path) -> None:
    assert read_fusion(tmp_path) is None
    weights = {name: 1.5 for name in FittedFusion.__dataclass_fields__}
    (tmp_path / FUSION_FILE).write_text(json.dumps({"weights": weights}), "utf-8")
    assert read_fusion(tmp_path) == FittedFusion(*[1.5] * 8)


@pytest.mark.parametrize("content", ["", "{}", '{"weights": {"cosine": 1}}', '{"weights": 5}', "[]"])
def test_broken_weights_are_named(tmp_path: Path, content: str) -> None:
    (tmp_path / FUSION_FILE).write_text(content, "utf-8")
    with pytest.raises(ModelError, match=FUSION_FILE):
        read_fusion(tmp_path)
