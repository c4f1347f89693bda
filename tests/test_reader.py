"""The reader's network: the ONNX graph does what BERT's formulas say, and places are exact."""

import json
import math

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from rag.errors import ModelError
from rag.reader import Reader
from rag.reader.weights import BLOCK, FORMAT, TOKENIZER_FILE, WEIGHTS_FILE, pack_rows, read_weights
from rag.types import Article, Hit, Passage

HIDDEN, HEADS, LAYERS, FEED = 64, 4, 2, 96
LETTERS = "青石大桥全长米投资亿元林晓舟介绍工期三年多0123456789.。，？\n"


def matrix(rng, rows, columns):
    values = rng.normal(0, 0.2, (rows, columns)).astype(np.float32)
    scales = np.abs(values).max(1) / 127
    return np.round(values / scales[:, None]).astype(np.int8), scales


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A reader of two layers with random weights whose tokens are single characters."""
    path = tmp_path_factory.mktemp("reader")
    rng = np.random.default_rng(7)
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *LETTERS]
    tokenizer = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(pieces)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(path / TOKENIZER_FILE))
    codes = rng.integers(-8, 8, (len(pieces), HIDDEN)).astype(np.int8)
    scales = rng.uniform(0.05, 0.2, (len(pieces), HIDDEN // BLOCK)).astype(np.float16)
    arrays = dict(zip(("words.codes", "words.scales"), pack_rows(codes, scales), strict=True))
    arrays["positions"] = rng.normal(0, 0.1, (320, HIDDEN)).astype(np.float16)
    sizes = {
        "qkv": (3 * HIDDEN, HIDDEN),
        "attention_output": (HIDDEN, HIDDEN),
        "up": (FEED, HIDDEN),
        "down": (HIDDEN, FEED),
    }
    for layer in range(LAYERS):
        for name, size in sizes.items():
            at = f"layers.{layer}.{name}"
            arrays[f"{at}.codes"], arrays[f"{at}.scales"] = matrix(rng, *size)
            arrays[f"{at}.bias"] = rng.normal(0, 0.1, size[0]).astype(np.float32)
    norms = ["norm", *(f"layers.{i}.{part}" for i in range(LAYERS) for part in ("attention_norm", "output_norm"))]
    for name in norms:
        arrays[f"{name}.weight"] = rng.uniform(0.5, 1.5, HIDDEN).astype(np.float32)
        arrays[f"{name}.bias"] = rng.normal(0, 0.1, HIDDEN).astype(np.float32)
    heads = {"answer_dense": (HIDDEN, HIDDEN), "answer_score": (1, HIDDEN), "span_score": (2, HIDDEN)}
    heads |= {"sentence_dense": (HIDDEN, 2 * HIDDEN), "sentence_score": (1, HIDDEN)}
    for name, size in heads.items():
        arrays[f"{name}.weight"] = rng.normal(0, 0.3, size).astype(np.float16)
        arrays[f"{name}.bias"] = rng.normal(0, 0.3, size[0]).astype(np.float16)
    save_file(
        arrays, path / WEIGHTS_FILE, {"format": FORMAT, "heads": str(HEADS), "calibration": json.dumps({"bias": 1})}
    )
    return path


def reference(weights, ids):
    """BERT's formulas in float64 for one sequence."""
    arrays = weights.arrays

    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * arrays[f"{name}.weight"] + arrays[f"{name}.bias"]

    def linear(x, name):
        weight = arrays[f"{name}.codes"].astype(np.float64) * arrays[f"{name}.scales"][:, None]
        return x @ weight.T + arrays[f"{name}.bias"]

    x = norm(weights.rows(ids).astype(np.float64) + arrays["positions"][: len(ids)].astype(np.float64), "norm")
    for i in range(LAYERS):
        q, k, v = np.split(linear(x, f"layers.{i}.qkv"), 3, axis=-1)
        mixed = np.zeros_like(q)
        for head in range(HEADS):
            own = slice(head * HIDDEN // HEADS, (head + 1) * HIDDEN // HEADS)
            scores = q[:, own] @ k[:, own].T / math.sqrt(HIDDEN // HEADS)
            shares = np.exp(scores - scores.max(-1, keepdims=True))
            mixed[:, own] = shares / shares.sum(-1, keepdims=True) @ v[:, own]
        x = norm(x + linear(mixed, f"layers.{i}.attention_output"), f"layers.{i}.attention_norm")
        up = linear(x, f"layers.{i}.up")
        raised = up * 0.5 * (1 + np.vectorize(math.erf)(up / math.sqrt(2)))
        x = norm(x + linear(raised, f"layers.{i}.down"), f"layers.{i}.output_norm")
    return x


def hit(text, start=0, end=None, title=""):
    article = Article(id="a", title=title, text=text, file="f.txt")
    end = len(text) if end is None else end
    return Hit(1, 1.0, Passage("a", start, end, text[start:end]), article)


def test_the_graph_does_what_the_formulas_say(folder):
    reader = Reader(folder, threads=1)
    encoding = reader._tokenizer.encode("大桥全长多少", "青石大桥全长1280米。")
    expected = reference(reader.weights, np.array(encoding.ids))
    shorter = reader._tokenizer.encode("大桥", "全长米。")
    both = reader._hidden([encoding, shorter])
    # int8 activations: alike, not equal.
    for found, right in (
        (both[0], expected),
        (both[1][: len(shorter.ids)], reference(reader.weights, np.array(shorter.ids))),
    ):
        cosines = (found * right).sum(-1) / np.linalg.norm(found, axis=-1) / np.linalg.norm(right, axis=-1)
        assert cosines.min() > 0.99


def test_sentences_and_answers_are_offsets_into_the_article(folder):
    text = "林晓舟介绍。青石大桥全长1280米，投资4.6亿元。工期三年。"
    reading = Reader(folder, threads=1).read("大桥多长？", [hit(text, start=6, title="青石大桥")])
    [passage] = reading.passages
    assert [text[s.start : s.end] for s in passage.sentences] == ["青石大桥全长1280米，投资4.6亿元。", "工期三年。"]
    assert all(s.start <= s.answer[0] < s.answer[1] <= s.end for s in passage.sentences)
    assert reading.unread == 0


def test_a_passage_reads_the_same_alone_and_beside_others(folder):
    reader = Reader(folder, threads=1)
    texts = ["工期三年。", "青石大桥全长1280米，投资4.6亿元。" * 3]
    alone = [reader.read("多长？", [hit(text)]).passages[0].logit for text in texts]
    beside = [p.logit for p in reader.read("多长？", [hit(text) for text in texts]).passages]
    assert np.allclose(alone, beside, atol=0.1)


def test_what_there_is_no_time_for_is_said(folder):
    reading = Reader(folder, threads=1).read("多长？", [hit("工期三年。") for _ in range(9)], seconds=0.0)
    assert 0 < len(reading.passages) < 9 and reading.unread == 9 - len(reading.passages)


def test_a_long_passage_is_read_as_far_as_it_goes(folder):
    text = "工期三年。" * 100
    [passage] = Reader(folder, threads=1).read("多长？", [hit(text[:300], 0, 40)]).passages
    assert [s.start for s in passage.sentences] == [0, 5, 10, 15, 20, 25, 30, 35]


def test_a_question_longer_than_the_network_reads_is_cut(folder):
    reader = Reader(folder, threads=1)
    [passage] = reader.read("大桥全长多少米？" * 250, [hit("工期三年。")]).passages
    assert passage.logit == passage.logit and reader.embed("大桥全长多少米？" * 250).shape == (2 * HIDDEN,)


def test_packed_rows_come_back(folder):
    codes = np.arange(-8, 8, dtype=np.int8).repeat(4).reshape(1, 64)
    packed, scales = pack_rows(codes, np.array([[0.5, 2.0]], np.float16))
    weights = read_weights(folder)
    weights.arrays["words.codes"], weights.arrays["words.scales"] = packed, scales
    assert np.array_equal(weights.rows(np.array([0]))[0], codes[0] * np.array([0.5] * 32 + [2.0] * 32))


@pytest.mark.parametrize("damage", ["missing", "torn", "format", "tokenizer"])
def test_a_damaged_file_is_one_clear_line(folder, tmp_path, damage):
    for name in (WEIGHTS_FILE, TOKENIZER_FILE):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    if damage == "missing":
        (tmp_path / WEIGHTS_FILE).unlink()
    elif damage == "torn":
        (tmp_path / WEIGHTS_FILE).write_bytes((folder / WEIGHTS_FILE).read_bytes()[:1000])
    elif damage == "format":
        save_file({"x": np.zeros(1, np.float32)}, tmp_path / WEIGHTS_FILE, {"format": "jinwen-reader-1", "heads": "1"})
    else:
        (tmp_path / TOKENIZER_FILE).write_text("{")
    with pytest.raises(ModelError, match="restore"):
        Reader(tmp_path, threads=1).read("多长？", [hit("工期三年。")])
