"""Encoders: the light path, the general path, and what is refused."""

import json
import subprocess
import sys
import threading

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from rag.config import MODELS_DIR, EncoderSettings
from rag.encoder import SentenceTransformerEncoder, StaticEncoder, load_encoder
from rag.errors import ModelError
from rag.model_folder import Prompts, fingerprint, read_prompts

TEXTS = [
    "天津港去年完成集装箱吞吐量两千万标箱",
    "How many containers passed the port?",
    "",
    "臺灣 ＡＩ 冷҈",
    "😀",
    "港" * 3000,
]
SHIPPED = MODELS_DIR / "jinwen-static"


def static_folder(path, *, dim=3, modules=("StaticEmbedding", "Normalize"), prompts=None, dtype=np.float16):
    """A model of four words: 港, 口, port and an unknown token whose row is zero."""
    path.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "港": 1, "口": 2, "port": 3}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(path / "tokenizer.json"))
    table = np.zeros((4, dim), dtype=dtype)
    table[1, 0], table[2, 1], table[3, :2] = 2.0, 1.0, (3.0, 4.0)
    save_file({"embedding.weight": table}, path / "model.safetensors")
    entries = [
        {
            "idx": i,
            "name": str(i),
            "path": "" if i == 0 else f"{i}_{kind}",
            "type": f"sentence_transformers.models.{kind}",
        }
        for i, kind in enumerate(modules)
    ]
    (path / "modules.json").write_text(json.dumps(entries))
    if prompts is not None:
        (path / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    return path


def load(path, models_dir=MODELS_DIR, **settings):
    return load_encoder(EncoderSettings(name=str(path), **settings), models_dir)


class TestStaticEncoder:
    def test_values_are_the_scaled_mean_of_token_rows(self, tmp_path):
        encoder = load(static_folder(tmp_path / "m"))
        assert isinstance(encoder, StaticEncoder)
        assert encoder.dim == 3
        rows = encoder.encode_passages(["港", "port", "港 口 口 口 口"])
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows, [[1, 0, 0], [0.6, 0.8, 0], [0.4472136, 0.8944272, 0]], atol=1e-6)

    def test_texts_without_known_tokens_give_zero_rows_in_place(self, tmp_path):
        rows = load(static_folder(tmp_path / "m")).encode_queries(["", "港", "unknown", " \n"])
        np.testing.assert_array_equal(rows, [[0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]])

    def test_no_texts(self, tmp_path):
        assert load(static_folder(tmp_path / "m")).encode_queries([]).shape == (0, 3)

    def test_prompts_of_the_model_stand_before_the_text(self, tmp_path):
        encoder = load(static_folder(tmp_path / "m", prompts={"query": "口 ", "document": ""}))
        np.testing.assert_allclose(
            encoder.encode_queries(["口", "", "港"]), [[0, 1, 0], [0, 0, 0], [0.894427, 0.447214, 0]], atol=1e-6
        )
        np.testing.assert_allclose(encoder.encode_passages(["港"]), [[1, 0, 0]])

    def test_a_truncation_set_in_the_tokenizer_is_ignored(self, tmp_path):
        folder = static_folder(tmp_path / "m")
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.enable_truncation(2)
        tokenizer.enable_padding(length=8)
        tokenizer.save(str(folder / "tokenizer.json"))
        np.testing.assert_allclose(load(folder).encode_passages(["unknown unknown 口"]), [[0, 1, 0]])

    def test_found_under_the_models_folder_by_name(self, tmp_path):
        static_folder(tmp_path / "small")
        encoder = load("small", models_dir=tmp_path)
        assert encoder.name == "small"

    def test_repeated_tokens_count_by_the_logarithm_where_the_model_says_so(self, tmp_path):
        folder = static_folder(tmp_path / "m")
        plain = load(folder).fingerprint
        (folder / "config_static.json").write_text('{"term_frequency": "logarithmic"}')
        encoder = load(folder)
        rows = encoder.encode_passages(["港 口 口 口", "port port", ""])
        length = np.hypot(2, 1 + np.log(3))
        np.testing.assert_allclose(
            rows, [[2 / length, (1 + np.log(3)) / length, 0], [0.6, 0.8, 0], [0, 0, 0]], atol=1e-6
        )
        assert encoder.fingerprint != plain

    @pytest.mark.parametrize("content", ['{"term_frequency": "cubic"}', "{}", "[]"])
    def test_an_unknown_way_to_count_is_one_clear_line(self, tmp_path, content):
        folder = static_folder(tmp_path / "m")
        (folder / "config_static.json").write_text(content)
        with pytest.raises(ModelError, match="expected 'logarithmic'"):
            load(folder)

    def test_from_several_threads(self, tmp_path):
        encoder = load(static_folder(tmp_path / "m"))
        expected = encoder.encode_passages(["港 口"] * 50)
        results = []
        threads = [
            threading.Thread(target=lambda: results.append(encoder.encode_passages(["港 口"] * 50))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 4
        assert all(np.array_equal(rows, expected) for rows in results)


class TestFingerprint:
    def test_same_files_same_fingerprint_whatever_the_place(self, tmp_path):
        first, second = static_folder(tmp_path / "a"), static_folder(tmp_path / "b")
        assert load(first).fingerprint == load(second).fingerprint
        assert len(load(first).fingerprint) == 64

    def test_weights_tokenizer_and_prompts_change_it_a_card_does_not(self, tmp_path):
        folder = static_folder(tmp_path / "m")
        before = fingerprint(folder, Prompts())
        (folder / "README.md").write_text("card")
        (folder / "scores.json").write_text("{}")
        assert fingerprint(folder, Prompts()) == before
        seen = {before, fingerprint(folder, Prompts("query: "))}
        static_folder(folder, dtype=np.float32)
        seen.add(fingerprint(folder, Prompts()))
        (folder / "tokenizer.json").write_text((folder / "tokenizer.json").read_text() + "\n")
        seen.add(fingerprint(folder, Prompts()))
        assert len(seen) == 4


class TestRefusals:
    def test_missing_folder_names_what_there_is(self, tmp_path):
        static_folder(tmp_path / "small")
        with pytest.raises(ModelError, match="no model folder './absent'.*one of small"):
            load("./absent", models_dir=tmp_path)

    def test_a_folder_without_a_model(self, tmp_path):
        with pytest.raises(ModelError, match="neither modules.json nor config.json"):
            load(tmp_path)

    def test_missing_weights(self, tmp_path):
        folder = static_folder(tmp_path / "m")
        (folder / "model.safetensors").unlink()
        with pytest.raises(ModelError, match="holds no .*safetensors"):
            load(folder)

    @pytest.mark.parametrize("content", [b"version https://git-lfs.github.com/spec/v1\n", None])
    def test_damaged_weights(self, tmp_path, content):
        folder = static_folder(tmp_path / "m")
        file = folder / "model.safetensors"
        file.write_bytes(content if content is not None else file.read_bytes()[:-5])
        with pytest.raises(ModelError, match="model.safetensors is damaged, cut off or a Git LFS pointer"):
            load(folder)

    def test_pickled_weights(self, tmp_path):
        folder = static_folder(tmp_path / "m")
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
        with pytest.raises(ModelError, match="only as pickle"):
            load(folder)

    def test_missing_shard(self, tmp_path):
        folder = static_folder(tmp_path / "m")
        index = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        with pytest.raises(ModelError, match="1 weight files are missing .model-00002"):
            load(folder)

    def test_custom_module(self, tmp_path):
        folder = static_folder(tmp_path / "m")
        (folder / "modules.json").write_text(json.dumps([{"idx": 0, "path": "", "type": "custom_st.Thing"}]))
        with pytest.raises(ModelError, match="custom module 'custom_st.Thing'"):
            load(folder)

    @pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', "[1]"])
    def test_broken_modules_file(self, tmp_path, content):
        folder = static_folder(tmp_path / "m")
        (folder / "modules.json").write_text(content)
        with pytest.raises(ModelError, match="modules.json"):
            load(folder)

    def test_broken_tokenizer(self, tmp_path):
        folder = static_folder(tmp_path / "m")
        (folder / "tokenizer.json").write_text("{}")
        with pytest.raises(ModelError, match="tokenizer.json cannot be read"):
            load(folder)

    def test_table_and_tokenizer_of_different_versions(self, tmp_path):
        folder = static_folder(tmp_path / "m")
        save_file({"embedding.weight": np.ones((2, 3), np.float16)}, folder / "model.safetensors")
        with pytest.raises(ModelError, match="4 tokens, the table 2 rows"):
            load(folder)

    def test_hub_name_without_network_or_cache(self, tmp_path, monkeypatch):
        import huggingface_hub
        from huggingface_hub.errors import LocalEntryNotFoundError

        asked = []

        def unreachable(repository, **options):
            asked.append((repository, options.get("local_files_only", False)))
            raise LocalEntryNotFoundError("offline")

        monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
        with pytest.raises(ModelError, match="'someone/some-model' is no folder here and could not be fetched"):
            load("someone/some-model", models_dir=tmp_path)
        assert asked == [("someone/some-model", True), ("someone/some-model", False)]


class TestHub:
    def test_a_complete_local_copy_needs_no_network(self, tmp_path, monkeypatch):
        import huggingface_hub

        folder = static_folder(tmp_path / "copy")
        asked = []

        def cached(repository, **options):
            asked.append((repository, options["local_files_only"]))
            return str(folder)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", cached)
        encoder = load("some-model", models_dir=tmp_path)
        assert asked == [("sentence-transformers/some-model", True)]
        assert encoder.name == "some-model"


class TestPrompts:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("intfloat/multilingual-e5-small", Prompts("query: ", "passage: ")),
            ("BAAI/bge-small-zh-v1.5", Prompts("为这个句子生成表示以用于检索相关文章：")),
            ("BAAI/bge-base-en-v1.5", Prompts("Represent this sentence for searching relevant passages: ")),
            ("BAAI/bge-m3", Prompts()),
            ("someone/some-model", Prompts()),
        ],
    )
    def test_conventions_of_families(self, tmp_path, name, expected):
        assert read_prompts(tmp_path, name) == expected

    def test_own_prompts_come_first(self, tmp_path):
        config = {"prompts": {"query": "Q: ", "document": "D: "}}
        (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(config))
        assert read_prompts(tmp_path, "intfloat/e5-small") == Prompts("Q: ", "D: ")


@pytest.mark.model
class TestAgainstSentenceTransformers:
    @pytest.mark.skipif(not SHIPPED.is_dir(), reason="the shipped model is not in this copy")
    def test_shipped_model_gives_the_same_vectors(self):
        from sentence_transformers import SentenceTransformer

        encoder = load("jinwen-static")
        assert isinstance(encoder, StaticEncoder)
        light = encoder.encode_passages(TEXTS)
        np.testing.assert_allclose(np.linalg.norm(light, axis=1), [1, 1, 0, 1, 0, 1], atol=1e-6)
        model = SentenceTransformer(str(SHIPPED), device="cpu")
        known = [0, 1, 3, 5]
        np.testing.assert_allclose(model.encode([TEXTS[i] for i in known]), light[known], atol=2e-3)
        np.testing.assert_allclose(model.float().encode(TEXTS), light, atol=1e-5)

    def test_models_of_several_modules_take_the_general_path(self, tmp_path):
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.models import Dense, StaticEmbedding

        base = static_folder(tmp_path / "base", dtype=np.float32)
        static = StaticEmbedding(
            Tokenizer.from_file(str(base / "tokenizer.json")), embedding_weights=np.eye(4, dtype=np.float32)
        )
        folder = tmp_path / "bge-tiny-zh"
        SentenceTransformer(modules=[static, Dense(4, 2, bias=False)], device="cpu").save_pretrained(str(folder))
        encoder = load(folder, device="cpu")
        assert isinstance(encoder, SentenceTransformerEncoder)
        assert encoder.dim == 2
        rows = encoder.encode_passages(["港", "", "口 口"])
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0, 1], atol=1e-6)
        np.testing.assert_array_equal(encoder.encode_queries(["", " "]), np.zeros((2, 2)))
        assert len(encoder.fingerprint) == 64

    def test_an_unknown_device_is_one_clear_line(self, tmp_path):
        folder = static_folder(tmp_path / "m", modules=("StaticEmbedding", "Normalize", "Normalize"))
        (folder / "modules.json").write_text((folder / "modules.json").read_text().replace("1_", "x_"))
        save_file({"embedding.weight": np.ones((4, 3), np.float32), "extra": np.ones(1)}, folder / "model.safetensors")
        with pytest.raises(ModelError, match="cannot be loaded on device 'warp'"):
            load(folder, device="warp")


def test_light_path_imports_no_torch(tmp_path):
    folder = static_folder(tmp_path / "m")
    code = (
        "import sys; from rag.encoder import load_encoder; from rag.config import EncoderSettings; "
        f"load_encoder(EncoderSettings(name={str(folder)!r})).encode_queries(['港']); "
        "print([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
