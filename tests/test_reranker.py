import dataclasses
import json

import numpy as np
import pytest
from library_toys import TopicEncoder
from tokenizers import Tokenizer, models, pre_tokenizers

from rag.config import RetrievalSettings
from rag.encoder import StaticEncoder
from rag.errors import ModelError
from rag.fusion import FittedFusion
from rag.reranker import FEATURES, RERANKER_FILE, Reranker, TokenReader, Weights, design
from rag.retriever import Retriever

NOTHING = Weights(0, 0, 0, 0, 0, 0, 0)
WORDS = {"[UNK]": 0, "bridge": 1, "桥": 2, "opened": 3, "port": 4, "rain": 5}
ROWS = [[0, 0, 0, 0], [2, 0, 0, 0], [1.6, 1.2, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


@pytest.fixture
def static(tmp_path):
    tokenizer = Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return StaticEncoder("toy", tmp_path, tokenizer, np.array(ROWS, np.float32), saturated=True)


class TestTokenReader:
    def test_values_of_a_passage_of_two_sentences(self, static):
        read = TokenReader(static).features("bridge opened", ["桥 rain。opened rain。"], np.array([0.3]))[0]
        found = dict(zip((field.name for field in dataclasses.fields(Weights)), read, strict=True))
        # bridge weighs 4 of 5, opened 1; 桥 is like bridge by .8 and like opened by .6.
        assert found["fused"] == pytest.approx(0.3)
        assert found["likeness"] == pytest.approx(0.8 * 0.8 + 0.2 * 1.0)
        assert found["coverage"] == pytest.approx(1.0)
        assert found["sentence_likeness"] == pytest.approx(0.8 * 0.8 + 0.2 * 0.6)
        assert found["sentence_coverage"] == pytest.approx(0.8)
        assert found["pair_likeness"] == found["likeness"]
        assert found["sentence_cosine"] == pytest.approx((2 * 1.6 + 1.2) / (5**0.5 * 5**0.5), rel=1e-5)

    def test_query_or_passage_without_known_tokens(self, static):
        reader = TokenReader(static)
        expected = np.zeros((2, FEATURES))
        expected[:, 0] = [1, 2]
        np.testing.assert_array_equal(reader.features("unknown", ["port", ""], np.array([1.0, 2.0])), expected)
        np.testing.assert_array_equal(reader.features("port", ["", " . "], np.array([1.0, 2.0])), expected)

    def test_no_passages(self, static):
        assert TokenReader(static).features("port", [], np.zeros(0)).shape == (0, FEATURES)


def test_each_language_has_weights_of_its_own():
    rows = design(np.full((2, FEATURES), 3.0), np.array([True, False]))
    assert rows.shape == (2, 2 * FEATURES + 1)
    assert rows[0].tolist() == [3.0] * FEATURES + [0.0] * FEATURES + [1.0]
    assert rows[1].tolist() == [0.0] * FEATURES + [3.0] * FEATURES + [0.0]


def test_scores_weigh_the_features(static):
    same, other = dataclasses.replace(NOTHING, fused=2.0), dataclasses.replace(NOTHING, coverage=10.0)
    scores = Reranker(static, same, other, 0.5).scores(
        "bridge opened", ["port", "opened"], np.array([3.0, 7.0]), np.array([True, False])
    )
    np.testing.assert_allclose(scores, [2 * 3 + 0.5, 10 * 0.2], rtol=1e-6)


class TestWeightsFile:
    def write(self, static, content):
        (static.folder / RERANKER_FILE).write_text(json.dumps(content))

    def test_none_without_a_file(self, static):
        assert Reranker.read(static) is None

    def test_read(self, static):
        same = dataclasses.asdict(dataclasses.replace(NOTHING, likeness=1.0))
        self.write(static, {"same": same, "other": dataclasses.asdict(NOTHING), "same_language": 2.0})
        reranker = Reranker.read(static)
        assert reranker is not None
        assert reranker.scores("port", ["port"], np.array([0.0]), np.array([True])).tolist() == pytest.approx([3.0])

    @pytest.mark.parametrize("content", [[], {}, {"same": {"fused": 1}, "other": {}, "same_language": 0}])
    def test_a_damaged_file_is_one_clear_line(self, static, content):
        self.write(static, content)
        with pytest.raises(ModelError, match=r"reranker\.json does not hold the weights of a reranker"):
            Reranker.read(static)


class TestRetrieverWithReranker:
    """Over the toy store, with a reranker that turns the list round."""

    def test_the_first_passages_are_ordered_again_and_the_rest_stay_behind(self, store, monkeypatch):
        monkeypatch.setattr("rag.retriever.RERANKED", 2)

        class Backwards:
            def scores(self, query, texts, fused, same):
                assert len(texts) == 2
                return -fused

        fusion = FittedFusion(1, 0, 0, 0, 0, 0, 1, 0)
        settings = RetrievalSettings(per_article=9)
        plain = Retriever(store, TopicEncoder(), settings, fusion).retrieve("大桥 鱼鱼", k=4)
        again = Retriever(store, TopicEncoder(), settings, fusion, reranker=Backwards()).retrieve("大桥 鱼鱼", k=4)
        texts = [[hit.passage.text for hit in hits] for hits in (plain, again)]
        assert texts[1] == [texts[0][1], texts[0][0], *texts[0][2:]]
        scores = [hit.score for hit in again]
        assert scores == sorted(scores, reverse=True)
