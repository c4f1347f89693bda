"""The reader: what a question asks, how words match, which sentence is chosen."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split

from rag.answering.judging import JUDGE_FEATURES, Judge
from rag.answering.question_type import AnswerType, profile
from rag.answering.reader import (
    READER_NAME,
    OverlapReader,
    TrainedReader,
    load_own_encoder,
    load_reader,
    rank_sentences,
)
from rag.answering.reader_features import FEATURES, FeatureExtractor
from rag.answering.reader_matching import TextIndex, find_term, query_terms
from rag.answering.reader_model import Network, load_ranker
from rag.answering.reader_spans import has_unit, typed_spans
from rag.answering.reader_text import fold_keep, terms
from rag.config import MODELS_DIR, EncoderSettings
from rag.encoder import StaticEncoder, load_encoder
from rag.errors import ModelError
from rag.lexicon import Lexicon, load_lexicon, save_lexicon, stem
from rag.pinyin import find_by_sound
from rag.types import Article, Hit, Passage


def hits(*texts):
    articles = [Article(id=f"a{i}", title="", text=text, file="f") for i, text in enumerate(texts, 1)]
    return [Hit(i, 1 / i, Passage(a.id, 0, len(a.text), a.text), a) for i, a in enumerate(articles, 1)]


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    """A static encoder of single characters."""
    chars = sorted(set("白鹭渡口昨日恢复每天有多少班轮明年还要扩建青石大桥全长米0128?。"))
    vocabulary = {char: i for i, char in enumerate([*chars, "?unk"])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="?unk"))
    tokenizer.pre_tokenizer = Split(Regex("."), "isolated")
    table = np.random.default_rng(0).normal(size=(len(vocabulary), 16)).astype(np.float32)
    return StaticEncoder(EncoderSettings().name, tmp_path_factory.mktemp("letters"), tokenizer, table)


@pytest.mark.parametrize(
    ("question", "kind", "units"),
    [
        ("全市有多少家图书馆?", AnswerType.NUMBER, "家"),
        ("公园面积有多大?", AnswerType.NUMBER, "平方米"),
        ("新桥哪天通车?", AnswerType.DATE, None),
        ("这条线修了多久?", AnswerType.DURATION, "个月"),
        ("开幕式由谁主持?", AnswerType.PERSON, None),
        ("展馆建在哪个区?", AnswerType.PLACE, None),
        ("设备由哪家公司制造?", AnswerType.ORGANISATION, None),
        ("这个奖叫什么名称?", AnswerType.NAME, None),
        ("新线经过哪些站?", AnswerType.LIST, None),
        ("为什么停航?", AnswerType.OTHER, None),
        ("How many ferries run each day?", AnswerType.NUMBER, None),
        ("How much did the plant invest?", AnswerType.NUMBER, "亿元"),
        ("When did the line open?", AnswerType.DATE, None),
        ("In which year was the school founded?", AnswerType.DATE, None),
        ("Who chairs the council?", AnswerType.PERSON, None),
        ("Which company built the tower?", AnswerType.ORGANISATION, None),
        ("From which reservoir does the water come?", AnswerType.PLACE, None),
    ],
)
def test_the_kind_of_answer(question, kind, units):
    asked = profile(question)
    assert asked.types[0] is kind
    assert units is None or units in asked.units


def test_years_and_ordinals_that_bind():
    asked = profile("第二十七批信访件2025年办结多少件?")
    assert (asked.years, asked.ordinals) == (("2025",), (27,))
    assert profile("Who won the 13th award?").ordinals == (13,)
    assert profile("What did the sixth conference decide?").ordinals == (6,)


def test_folding_keeps_offsets_and_terms_carry_them():
    text = "臺灣ＡＢ共20,260項…"
    folded = fold_keep(text)
    assert (folded, len(folded)) == ("台湾ab共20,260项…", len(text))
    assert [(t.text, text[t.start : t.end]) for t in terms(folded)] == [
        ("台湾", "臺灣"), ("台", "臺"), ("湾", "灣"), ("ab", "ＡＢ"), ("共", "共"), ("20260", "20,260"), ("项", "項"),
    ]  # fmt: skip


def test_spans_of_each_kind():
    def found(text, kind):
        return [text[a:b] for a, b in typed_spans(text, kind)]

    assert found("建成5.4万个站点,完成27次迭代", AnswerType.NUMBER) == ["5.4万个", "27次"]
    assert found("2024年3月5日开工,去年完工", AnswerType.DATE) == ["2024年3月5日", "去年"]
    assert found("历时三年,仅用3个月", AnswerType.DURATION) == ["三年", "3个月"]
    assert "林晓舟" in found("项目负责人林晓舟介绍", AnswerType.PERSON)
    assert found("出版了《海的那边》", AnswerType.NAME) == ["《海的那边》"]
    assert found("什么都有", AnswerType.OTHER) == []
    assert has_unit("4.6亿元", ("元",)) and not has_unit("1280米", ("元",))


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [("labelling", "label"), ("organised", "organiz"), ("companies", "company"), ("metres", "meter"), ("boxes", "box")],
)
def test_stems(word, stemmed):
    assert stem(word) == stemmed


def test_pinyin_finds_names():
    assert find_by_sound("jianning", "院长张建宁表示") == [(3, 5)]
    assert find_by_sound("harbour", "院长张建宁表示") == []


def test_english_words_match_by_translation_by_sound_and_as_they_are():
    lexicon = Lexicon({"bridg": 7.0}, {"bridg": [("大桥", 1.0), ("桥", 0.5)]})
    asked = profile("How long is the Qingshi bridge on the G95?")
    found = {t.text: find_term(t, TextIndex.of("G95线上的青石桥")) for t in query_terms(asked, lexicon)}
    assert found == {"qingshi": (1.0, [(6, 8)]), "bridge": (0.5, [(8, 9)]), "g95": (1.0, [(0, 3)])}


def test_a_lexicon_is_read_as_it_was_written(tmp_path):
    lexicon = Lexicon({"桥": 5.0, "大桥": 7.5}, {"bridge": [("大桥", 1.0), ("桥", 0.5)], "a": []})
    save_lexicon(lexicon, tmp_path / "lexicon.safetensors")
    assert load_lexicon(tmp_path / "lexicon.safetensors") == lexicon
    assert [lexicon.weight(t) for t in ("大桥", "渡口", "ferry")] == [7.5, 9.0, 8.0]


def test_features_tell_the_answering_sentence_from_its_neighbours(letters):
    found = hits("白鹭渡口昨日恢复。渡口每天有18班轮渡。明年还要扩建。", "青石大桥全长1280米。")
    candidates, features = FeatureExtractor(Lexicon(), letters).extract("白鹭渡口每天有多少班轮渡?", found)
    assert [c.text for c in candidates] == [
        "白鹭渡口昨日恢复。", "渡口每天有18班轮渡。", "明年还要扩建。", "青石大桥全长1280米。",
    ]  # fmt: skip
    assert features.shape == (4, len(FEATURES)) and features.dtype == np.float32
    assert np.isfinite(features).all()
    column = {name: features[:, i] for i, name in enumerate(FEATURES)}
    assert column["near_unit"].argmax() == 1 and column["cover"].argmax() == 1
    assert column["typed"].tolist() == [0.0, 1.0, 0.0, 1.0] and column["unit"].tolist() == [0.0, 1.0, 0.0, 0.0]
    assert column["cover_below_best"].max() == 0.0
    assert column["soft_cover"].argmax() == 1 and column["similar"].argmax() == 1
    assert column["soft_cover"].max() <= 1.0 + 1e-6
    answer = candidates[1].answer
    assert answer is not None and found[0].article.text[answer[0] : answer[1]] == "18班"


def test_no_hits_give_no_features():
    candidates, features = FeatureExtractor(Lexicon()).extract("多少?", [])
    assert candidates == [] and features.shape == (0, len(FEATURES))
    assert OverlapReader().read("多少?", []).answerable == 0.0


def test_shares_add_up_and_ties_keep_their_order():
    candidates, _ = FeatureExtractor(Lexicon()).extract("哪里?", hits("甲在东。乙在西。丙在北。"))
    ranked = rank_sentences(candidates, np.array([1.0, 2.0, 1.0], np.float32))
    assert [r.candidate.text for r in ranked] == ["乙在西。", "甲在东。", "丙在北。"]
    assert sum(r.share for r in ranked) == pytest.approx(1.0)


def arrays(columns, prefix, rng):
    return {
        f"{prefix}.mean": np.zeros(columns, np.float32),
        f"{prefix}.spread": np.ones(columns, np.float32),
        f"{prefix}.inner.weight": rng.normal(size=(3, columns)).astype(np.float32),
        f"{prefix}.inner.bias": np.zeros(3, np.float32),
        f"{prefix}.outer.weight": np.ones((1, 3), np.float32),
        f"{prefix}.outer.bias": np.zeros(1, np.float32),
    }


def write_model(folder, features=FEATURES):
    rng = np.random.default_rng(0)
    columns = len(JUDGE_FEATURES)
    judge = arrays(columns, "answerable", rng) | arrays(columns, "right", rng)
    judge["shifts"] = np.array([0.0, 1.0], np.float32)
    save_file(arrays(len(FEATURES), "ranker", rng), folder / "model.safetensors", {"features": json.dumps(features)})
    save_file(judge, folder / "judge.safetensors", {"features": json.dumps(JUDGE_FEATURES)})
    save_lexicon(Lexicon({"桥": 5.0}, {"bridge": [("桥", 1.0)]}), folder / "lexicon.safetensors")


def test_a_network_is_two_linear_layers_with_rectified_units_between():
    network = Network(
        mean=np.array([1.0, 0.0], np.float32),
        spread=np.array([2.0, 1.0], np.float32),
        inner=np.array([[1.0, 0.0], [0.0, -1.0]], np.float32),
        inner_bias=np.array([0.5, 0.0], np.float32),
        outer=np.array([[2.0, 3.0]], np.float32),
        outer_bias=np.array([-1.0], np.float32),
    )
    # (3-1)/2 = 1 -> 1.5 -> 3; -(-2) = 2 -> 6; 3 + 6 - 1. The second row is clipped at 5 deviations: 5.5 -> 11 - 1.
    assert network(np.array([[3.0, -2.0], [99.0, 2.0]], np.float32)).tolist() == [8.0, 10.0]


def test_a_trained_reader_ranks_by_its_network(tmp_path, letters):
    write_model(tmp_path)
    ranker, lexicon = load_ranker(tmp_path / "model.safetensors"), load_lexicon(tmp_path / "lexicon.safetensors")
    judge = Judge.load(tmp_path, lexicon, letters)
    reader = TrainedReader(ranker, judge, lexicon, letters)
    found = hits("白鹭渡口昨日恢复。渡口每天有18班轮渡。", "青石大桥全长1280米。")
    question = "渡口每天有多少班轮渡?"
    reading = reader.read(question, found)
    candidates, features = FeatureExtractor(lexicon, letters).extract(question, found)
    logits = ranker(features)
    order = np.argsort(-logits)
    assert [s.candidate.text for s in reading.sentences] == [candidates[i].text for i in order]
    verdict = judge.judge(question, judge.features(question, candidates, features, logits))
    assert (reading.answerable, reading.right) == (verdict.answerable, verdict.right)
    assert reading.confidence == verdict.right and reader.name == "jinwen-reader"


def test_a_model_for_other_features_is_refused(tmp_path):
    write_model(tmp_path, features=FEATURES[:-1])
    with pytest.raises(ModelError, match="trained on other features"):
        load_ranker(tmp_path / "model.safetensors")


@pytest.mark.parametrize("name", ["model.safetensors", "judge.safetensors", "lexicon.safetensors"])
def test_a_damaged_reader_is_one_clear_line(tmp_path, letters, monkeypatch, name):
    monkeypatch.setattr("rag.answering.reader.load_own_encoder", lambda folder: letters)
    write_model(tmp_path)
    (tmp_path / name).write_bytes(b"not a model")
    with pytest.raises(ModelError, match=f"{name} cannot be read") as caught:
        load_reader(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_reader_without_its_encoder_is_one_clear_line(tmp_path):
    write_model(tmp_path)
    with pytest.raises(ModelError, match="no model folder .*encoder"):
        load_reader(tmp_path)


def test_the_shipped_reader_brings_its_own_encoder():
    own = load_own_encoder(MODELS_DIR / READER_NAME)
    assert own.dim != load_encoder(EncoderSettings()).dim
