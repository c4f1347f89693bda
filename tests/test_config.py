from pathlib import Path

import pytest

from rag.config import Settings, load_settings, to_dict
from rag.errors import SettingsError


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "jinwen.toml"
    file.write_text(text, "utf-8")
    return file


def test_defaults_need_no_file() -> None:
    assert load_settings(environ={}) == Settings()


def test_each_layer_overrides_the_one_before(tmp_path: Path) -> None:
    file = write(tmp_path, "[retrieval]\ntop_k = 3\ndepth = 40\nrrf_k = 10\n")
    settings = load_settings(
        file,
        environ={"JINWEN_RETRIEVAL_TOP_K": "4", "JINWEN_RETRIEVAL_DEPTH": "50", "HOME": "x"},
        overrides={"retrieval.top_k": 5, "answer.mode": None},
    )
    assert (settings.retrieval.rrf_k, settings.retrieval.depth, settings.retrieval.top_k) == (10, 50, 5)
    assert settings.answer.mode == "extractive"


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[retrieval]\ntopk = 3\n", ["retrieval.topk", "top_k"]),
        ("[retrival]\n", ["retrival", "retrieval"]),
        ("top_k = 3\n", ["top_k", "section"]),
        ("[retrieval]\ntop_k = 'many'\n", ["retrieval.top_k", "'many'", "int"]),
        ("[retrieval]\ntop_k = 2.5\n", ["2.5", "int"]),
        ("[retrieval]\ntop_k = true\n", ["True", "int"]),
        ("[retrieval]\ntop_k = 0\n", ["above 0"]),
        ("[passages]\noverlap = -1\n", ["passages.overlap", "0 or more"]),
        ("[answer]\nmode = 'magic'\n", ["answer.mode", "extractive, generative"]),
        ("[answer\n", ["TOML"]),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, toml: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(write(tmp_path, toml), environ={})
    assert "\n" not in str(error.value) or "TOML" in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(environ={"JINWEN_CONFIG": str(tmp_path / "none.toml")})


def test_an_empty_value_unsets_an_optional_setting() -> None:
    assert load_settings(environ={"JINWEN_ENCODER_DEVICE": ""}).encoder.device is None
    assert load_settings(environ={"JINWEN_ENCODER_DEVICE": "cpu"}).encoder.device == "cpu"


def test_to_dict_holds_every_setting() -> None:
    assert to_dict(Settings())["retrieval"]["rrf_k"] == 60
