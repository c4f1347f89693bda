"""The reader's recipe: near misses hold no answer, labels are in place, what ships is what was trained."""

import dataclasses
import json
import random

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from rag.reader import Reader
from rag.reader.weights import FORMAT, TOKENIZER_FILE, WEIGHTS_FILE
from rag.types import Article, Hit, Passage

pytest.importorskip("scipy")

from safetensors.numpy import save_file  # noqa: E402

from training.reader.batches import encode  # noqa: E402
from training.reader.examples import Example, said_before  # noqa: E402
from training.reader.groups import CUT, Read, exchange_number, make_group  # noqa: E402
from training.reader.windows import SIZE, Window, rivals, window_around, windows  # noqa: E402

pytestmark = pytest.mark.model

TEXT = "云州大桥今天通车。" + "两岸居民前来参观。" * 30 + "大桥全长1280米。" + "记者看到桥上人来人往。" * 30
ANSWER = (TEXT.index("1280米"), TEXT.index("1280米") + 5)
EXAMPLE = Example("大桥2024年建成，多长？", TEXT, (ANSWER,), "g", "s")
OTHER = Window("灯塔高二十米。全长1280米的是别的桥。", 0, 19)


def letters():
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *sorted({*TEXT, *OTHER.text, *EXAMPLE.question, "\n"})]
    tokenizer = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(pieces)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer, len(pieces)


def test_a_window_holds_its_span_and_is_as_long_as_a_passage():
    for seed in range(20):
        window = window_around(TEXT, ANSWER, random.Random(seed))
        assert window.start <= ANSWER[0] < ANSWER[1] <= window.end
        assert 0.3 * SIZE < window.end - window.start <= 1.1 * SIZE


def test_every_group_says_what_is_true_of_its_passages():
    kinds = set()
    for seed in range(300):
        group = make_group(EXAMPLE, [OTHER], random.Random(seed), 2)
        kinds.add(group.source)
        for read in group.reads:
            answers = [read.window.text[a:b] for a, b in read.answers]
            assert answers in ([], ["1280米"])
            if group.source == "s/cut":
                assert not answers and (read.window.text == OTHER.text or "1280" not in read.window.passage)
            if group.source == "s/exchanged":
                assert not answers and group.question != EXAMPLE.question
        if group.source == "s":
            assert sum(bool(read.answers) for read in group.reads) == 1
    assert kinds == {"s", "s/cut", "s/exchanged"} and 0 < CUT < 0.5


def test_a_question_without_an_answer_gets_none():
    group = make_group(dataclasses.replace(EXAMPLE, answers=()), [OTHER], random.Random(1), 2)
    assert group.reads and not any(read.answers for read in group.reads)


def test_a_passage_with_the_answers_words_is_no_rival():
    free = Window("灯塔高二十米。", 0, 7)
    assert rivals(EXAMPLE, [OTHER, free, windows(TEXT)[0]]) == [free]


@pytest.mark.parametrize("question", ["2024年", "第三届", "没有数字"])
def test_an_exchanged_number_is_another(question):
    changed = {exchange_number(question, random.Random(seed)) for seed in range(30)} - {None}
    assert question not in changed and (bool(changed) is (question != "没有数字"))


def test_labels_stand_on_the_tokens_of_the_answer():
    tokenizer, _ = letters()
    window = dataclasses.replace(window_around(TEXT, ANSWER, random.Random(3)), header="云州大桥")
    pair = encode(tokenizer, EXAMPLE.question, Read(window, (ANSWER,)))
    shown = "".join(tokenizer.id_to_token(i) for i in pair.ids[pair.starts[0] : pair.ends[0] + 1])
    assert shown == "1280米" and pair.answers
    [at] = [i for i, right in enumerate(pair.evidence) if right]
    sentence = "".join(tokenizer.id_to_token(i) for i in pair.ids[slice(*pair.sentences[at])])
    assert sentence == "大桥全长1280米。"
    nothing = encode(tokenizer, EXAMPLE.question, Read(window))
    assert (nothing.starts, nothing.ends, nothing.answers, any(nothing.evidence)) == ([0], [0], False, False)


def test_what_was_said_before_is_found_by_offsets():
    history = [["user", "谁建的？"], ["quote", ["a", 2, 4]]]
    assert said_before(history, {"a": "零一二三四"}) == ("谁建的？", "二三")
    assert said_before([["user", "谁？"], ["refusal", None]], {}) == ("谁？", "")


def test_the_shipped_network_reads_as_the_trained_one(tmp_path):
    torch = pytest.importorskip("torch")
    from rag.reader.weights import pack_rows
    from training.reader.export import quantised
    from training.reader.network import ReaderNetwork

    torch.manual_seed(5)
    tokenizer, count = letters()
    tokenizer.save(str(tmp_path / TOKENIZER_FILE))
    network = ReaderNetwork(64, 4, 96, 2, count, 320).eval()
    rng = np.random.default_rng(5)
    codes, scales = (
        rng.integers(-8, 8, (count, 64)).astype(np.int8),
        rng.uniform(0.05, 0.2, (count, 2)).astype(np.float16),
    )
    with torch.no_grad():
        network.words.weight.copy_(torch.from_numpy(codes * scales.astype(np.float32).repeat(32, 1)))
    arrays = dict(quantised({name: value.numpy() for name, value in network.state_dict().items()}))
    arrays["words.codes"], arrays["words.scales"] = pack_rows(codes, scales)
    save_file(arrays, tmp_path / WEIGHTS_FILE, {"format": FORMAT, "heads": "4", "calibration": json.dumps({})})
    window = window_around(TEXT, ANSWER, random.Random(3))
    pair = encode(tokenizer, EXAMPLE.question, Read(window, (ANSWER,)))
    with torch.no_grad():
        out = network(torch.tensor([pair.ids]), torch.ones((1, len(pair.ids)), dtype=torch.bool))
        starts, ends = (torch.tensor(side) for side in zip(*pair.sentences, strict=True))
        logits = network.sentences(out.hidden, torch.zeros(len(starts), dtype=torch.int64), starts, ends)
    hit = Hit(
        1, 1.0, Passage("a", window.start, window.end, window.passage), Article(id="a", title="", text=TEXT, file="f")
    )
    [passage] = Reader(tmp_path, threads=1).read(EXAMPLE.question, [hit]).passages
    assert passage.logit == pytest.approx(float(out.answers[0]), abs=0.05)
    assert [s.logit for s in passage.sentences] == pytest.approx(logits.tolist(), abs=0.05)
