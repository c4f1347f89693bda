"""The recipe of the shipped encoder: its parts on data small enough to work out by hand."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

pytest.importorskip("scipy", reason="the recipe's own dependency")

sys.path.insert(0, str(Path(__file__).parent.parent))  # recipes are run from the checkout, not installed

from eval.bench_results import Quality
from training.encoder.batches import Questions, Surroundings, Translations, gather, pack
from training.encoder.charsmap import compile_charsmap, folding_table
from training.encoder.data import Pair, QuestionPair, Spans, build_corpus, cut, sentences_of, tokenize
from training.encoder.evaluate import table
from training.encoder.lexicon import aligned, lexicon
from training.fusion.lexical import Lexical

LETTERS = {"[UNK]": 0} | {letter: i for i, letter in enumerate("abcdefghij", 1)}


def letters():
    tokenizer = Tokenizer(models.WordLevel(LETTERS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


@pytest.fixture(scope="module")
def folding():
    return normalizers.Precompiled(compile_charsmap(folding_table()))


class TestFolding:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("臺灣國語", "台湾国语"),
            ("ＡＩ１２", "ai12"),
            ("Café Ørsted", "cafe ørsted"),
            ("e\u0301", "e"),
            ("冷\u0488", "冷"),
            ("生产总值，增长", "生产总值,增长"),
            ("が한", "が한"),
        ],
    )
    def test_examples(self, folding, text, expected):
        assert folding.normalize_str(text) == expected

    def test_every_mapped_character_becomes_its_target_and_no_other_changes(self, folding):
        table = folding_table()
        assert len(table) > 5_000
        assert [c for c in table if folding.normalize_str(c) != table[c]] == []
        rest = [chr(c) for c in range(0x20, 0x10000) if not 0xD800 <= c < 0xE000 and chr(c) not in table]
        assert [c for c in rest if folding.normalize_str(c) != c] == []


class TestTokenizer:
    def test_whole_words_of_both_languages(self):
        pytest.importorskip("rjieba", reason="the recipe's own dependency")
        from training.encoder.tokenizer import VocabularySettings, build

        chinese = ["港口吞吐量增長，港口很忙。"] * 5
        english = ["The harbour handled many containers"] * 5 + ["Zyx"]
        tokenizer = build(chinese, english, VocabularySettings(size=1_000, bpe_pieces=20, min_character_count=1))
        assert tokenizer.encode("港口增长").tokens == ["港口", "增长"]
        assert tokenizer.encode("MANY Harbour, 2026").tokens[:2] == ["many", "harbour"]
        assert "".join(tokenizer.encode("zyx").tokens) == "zyx"


class TestData:
    def test_sentences_keep_their_ends(self):
        assert sentences_of("甲。“乙！”丙") == ["甲。", "“乙！”", "丙"]

    def test_cut_respects_size_and_limit(self):
        assert [len(p) for p in cut(["a" * 900, "b" * 10], 10)] == [400, 400, 100, 10]
        assert len(cut(["a" * 900, "b" * 10], 2)) == 2

    def test_unknown_tokens_are_left_out(self):
        spans = tokenize(letters(), ["a x b", "", "c"])
        assert spans.tokens.tolist() == [1, 2, 3]
        assert spans.starts.tolist() == [0, 2, 2, 3]

    def test_passages_hold_whole_sentences_up_to_the_size(self):
        corpus = build_corpus(letters(), [["a b c", "d e f", "g h i"], ["j"]], size=7)
        assert corpus.passages.tolist() == [0, 1, 2, 3, 4]
        assert corpus.groups.tolist() == [0, 0, 0, 1]


class TestBatches:
    def test_gather_and_pack(self):
        spans = Spans(np.array([5, 6, 7, 8], np.int32), np.array([0, 1, 3, 4]))
        tokens, places, rows = gather(spans, np.array([1, 0]), np.array([3, 1]))
        assert (tokens.tolist(), places.tolist(), rows.tolist()) == ([6, 7, 8, 5], [1, 2, 3, 0], [0, 0, 0, 1])
        bags = pack(tokens, rows, 3, np.array([True, False, True, True]))
        assert (bags.tokens.tolist(), bags.starts.tolist()) == ([6, 8, 5], [0, 2, 3, 3])

    def test_a_sentence_meets_its_own_passage(self):
        tokenizer = letters()
        news = Surroundings(build_corpus(tokenizer, [["a a"], ["b b"], ["c c"]]))
        batch = news.sample(3, np.random.default_rng(0))
        for i in range(3):
            left = set(batch.left.tokens[batch.left.starts[i] : batch.left.starts[i + 1]].tolist())
            right = set(batch.right.tokens[batch.right.starts[i] : batch.right.starts[i + 1]].tolist())
            assert left <= right
            assert len(right) == 1

    def test_repeated_sentences_are_no_negatives_of_each_other(self):
        pairs = [Pair("a", "d", "s"), Pair("b", "d", "s"), Pair("c", "e", "s")]
        batch = Translations(letters(), pairs).sample(3, np.random.default_rng(0), surroundings=False)
        rows, columns = (places.tolist() for places in batch.same)
        assert len(rows) == 2
        assert rows == columns[::-1]
        assert rows[0] != rows[1]

    def test_questions_come_one_to_a_paragraph_with_news_as_negatives(self):
        tokenizer = letters()
        news = Surroundings(build_corpus(tokenizer, [["i"], ["j"]]))
        pairs = [QuestionPair("a", "b c", "g"), QuestionPair("d", "b c", "g"), QuestionPair("e", "f", "g")]
        batch = Questions(tokenizer, pairs, news).sample(2, np.random.default_rng(0))
        assert len(batch.left) == 2
        assert len(batch.right) == 4


def test_translations_start_where_their_words_are():
    far = Spans(np.array([1, 2, 1, 2, 1], np.int32), np.array([0, 1, 2, 3, 4, 5]))
    near = Spans(np.array([6, 7, 6, 7, 6], np.int32), np.array([0, 1, 2, 3, 4, 5]))
    worth = lexicon(near, far, 9)
    assert worth[6].indices.tolist() == [1]
    assert worth[7].indices.tolist() == [2]
    table = np.random.default_rng(0).standard_normal((9, 32)).astype(np.float32)
    turned = aligned(table, worth, own=0.0)
    cosine = turned @ table.T / np.outer(np.linalg.norm(turned, axis=1), np.linalg.norm(table, axis=1))
    assert cosine[6, 1] == pytest.approx(1.0, abs=1e-5)
    assert cosine[7, 2] == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(table, axis=1), rtol=1e-5)
    np.testing.assert_array_equal(turned[[1, 2, 8]], table[[1, 2, 8]])


@pytest.mark.model
def test_gradients_of_the_fast_bag_sum_are_those_of_torch():
    import torch
    from torch.nn import functional

    from training.encoder.batches import Bags
    from training.encoder.model import embed

    bags = Bags(np.array([1, 1, 2, 0, 3], np.int32), np.array([0, 3, 3, 5]))
    table = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    ours, theirs = table.clone().requires_grad_(True), table.clone().requires_grad_(True)
    weights = torch.randn(3, 5, generator=torch.Generator().manual_seed(1))
    (embed(ours, bags) * weights).sum().backward()
    flat, often = torch.tensor([1, 2, 0, 3]), torch.tensor([1 + math.log(2), 1, 1, 1])
    sums = functional.embedding_bag(flat, theirs, torch.tensor([0, 2, 2]), mode="sum", per_sample_weights=often)
    (functional.normalize(sums, dim=1) * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_bm25_prefers_the_rare_word_and_the_shorter_text():
    lexical = Lexical(["港口 港口", "港口 很忙 的 一 天", "很忙"])
    first, second, third = lexical.weighted({"港口": 1.0, "没有": 1.0})
    assert first > second > third == 0
    assert lexical.weighted({"没有": 1.0}).tolist() == [0, 0, 0]
    assert lexical.most("港口") > first


def test_scores_become_a_markdown_table():
    rows = [Quality("XQuAD", "dense", "toy", 1190, 0.8141, 0.8, 0.83, 0.9312, 0.92, 0.94)]
    assert table(rows).splitlines()[-1] == "| XQuAD | dense | 1,190 | 0.814 | 0.931 |"
