"""The sentence scorer: numpy runs what torch trains, and the shipped one reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from rag.answering.sentence_scorer import SCORER_FILE, SentenceScorer, Window, metadata_of
from rag.config import EncoderSettings
from rag.encoder import StaticEncoder, load_encoder
from rag.errors import ModelError
from training.reader.scorer_network import PADDING, TITLE, ScorerNetwork

QUESTION = "青石大桥有多长？"
WINDOWS = (
    Window("大桥通车", ("青石大桥昨日通车。", "全桥长3.2公里，双向六车道。", "市民称赞。"), 1),
    Window("", ("图书馆下月闭馆。",), 4),
    Window("公告", ("……", "A new ferry leaves at noon.", "票价十元。"), 2),
)


@pytest.fixture(scope="module")
def encoder() -> StaticEncoder:
    shipped = load_encoder(EncoderSettings())
    assert isinstance(shipped, StaticEncoder)
    return shipped


@pytest.fixture(scope="module")
def network(encoder: StaticEncoder) -> ScorerNetwork:
    torch.manual_seed(5)
    made = ScorerNetwork(encoder.table, width=16, free=40).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
        made.free_row[:400:10] = torch.arange(40, dtype=torch.int32)
    return made


def arrays_of(network: ScorerNetwork) -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(value.numpy()) for name, value in network.state_dict().items()}


def padded(encoder: StaticEncoder) -> tuple[torch.Tensor, ...]:
    """The windows as the network is trained with them."""
    rows, sentences = [], []
    for window in WINDOWS:
        title, *told = encoder.token_ids([window.title, *window.sentences])
        rows.append(np.concatenate([title, *told]) + 1)
        marks = [np.full(len(title), TITLE)] + [np.full(len(ids), i) for i, ids in enumerate(told)]
        sentences.append(np.concatenate(marks))
    longest = max(map(len, rows))
    text = torch.zeros(len(rows), longest, dtype=torch.long)
    place = torch.full((len(rows), longest), PADDING)
    for i, (row, numbers) in enumerate(zip(rows, sentences, strict=True)):
        text[i, : len(row)] = torch.from_numpy(row)
        place[i, : len(row)] = torch.from_numpy(numbers)
    question = torch.from_numpy(encoder.token_ids([QUESTION])[0] + 1)[None]
    owner = torch.zeros(len(rows), dtype=torch.long)
    return question, text, place, owner, torch.tensor([float(w.rank) for w in WINDOWS])


def test_numpy_gives_what_torch_gives(encoder: StaticEncoder, network: ScorerNetwork) -> None:
    with torch.no_grad():
        expected, none, _ = network(*padded(encoder), 3)
    scores = SentenceScorer(encoder, arrays_of(network)).score(QUESTION, WINDOWS)
    assert scores.none == pytest.approx(float(none[0]), abs=1e-4)
    assert [len(s) for s in scores.sentences] == [3, 1, 3]
    for row, window in zip(expected.numpy(), scores.sentences, strict=True):
        np.testing.assert_allclose(window, row[: len(window)], atol=1e-3)


def test_windows_do_not_see_each_other(encoder: StaticEncoder, network: ScorerNetwork) -> None:
    scorer = SentenceScorer(encoder, arrays_of(network))
    together = scorer.score(QUESTION, WINDOWS)
    for window, scores in zip(WINDOWS, together.sentences, strict=True):
        (alone,) = scorer.score(QUESTION, [window]).sentences
        np.testing.assert_allclose(alone, scores, atol=1e-4)


def test_a_question_without_words_scores_nothing(encoder: StaticEncoder, network: ScorerNetwork) -> None:
    scores = SentenceScorer(encoder, arrays_of(network)).score(" ", WINDOWS)
    assert [s.tolist() for s in scores.sentences] == [[0, 0, 0], [0], [0, 0, 0]]


def test_a_scorer_of_another_encoder_is_refused(encoder: StaticEncoder, network: ScorerNetwork, tmp_path: Path) -> None:
    save_file(arrays_of(network), tmp_path / SCORER_FILE, metadata={"encoder": '["other"]'})
    with pytest.raises(ModelError, match="retrain it"):
        SentenceScorer.load(tmp_path, encoder)
    save_file(arrays_of(network), tmp_path / SCORER_FILE, metadata=metadata_of(encoder))
    assert SentenceScorer.load(tmp_path, encoder).score(QUESTION, WINDOWS).none != 0
