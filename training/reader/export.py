"""A checkpoint -> the shipped folder: `python -m training.reader.export CHECKPOINT DATA OUT`.

Keeps the token rows that the kept languages use (`KEPT`), as the backbone's file stores them (4 bits; they were not
trained), and rounds the layers' matrices to int8, a scale for each output.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from rag.reader.weights import FORMAT, TOKENIZER_FILE, WEIGHTS_FILE, pack_rows
from training.reader.backbone import Backbone, build_tokenizer, package_file, read_backbone
from training.reader.examples import QA_SETS, QUESTIONS_DIR, read_news
from training.reader.network import ReaderNetwork

Array = npt.NDArray[Any]

LEAST_SEEN: Final = 3
"""Times that a piece must occur in the training texts to be kept for that alone."""
FIRST: Final = {
    "LATIN": 45_000,
    "CYRILLIC": 30_000,
    "HIRAGANA": 40_000,
    "KATAKANA": 40_000,
    "HANGUL": 25_000,
    "ARABIC": 25_000,
}
"""XLM-R numbers its pieces by how common they are; of these scripts the pieces below a number are kept as well."""
NEWS: Final = 20_000


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    backbone = read_backbone(package_file())
    cache = args.checkpoint.parent / "kept.npy"
    if not cache.exists():
        np.save(cache, kept_pieces(backbone, args.data))
    export(backbone, args.checkpoint, np.load(cache), args.out)


def kept_pieces(backbone: Backbone, data: Path) -> Array:
    """Ids of the pieces to keep, in order."""
    counts = np.zeros(len(backbone.pieces), np.int64)
    tokenizer = build_tokenizer(backbone.pieces, backbone.special)
    for block in _blocks(_texts(data)):
        encodings = tokenizer.encode_batch(block, add_special_tokens=False)
        counts += np.bincount(np.concatenate([e.ids for e in encodings]).astype(np.int64), minlength=len(counts))
    keep = counts >= LEAST_SEEN
    keep[list(backbone.special.values())] = True
    for number, (piece, _) in enumerate(backbone.pieces):
        characters = piece.replace("▁", "")
        if len(characters) <= 1 and _script(characters) in {"CJK", "HIRAGANA", "KATAKANA", "LATIN", "CYRILLIC", ""}:
            keep[number] = True
        keep[number] |= number < FIRST.get(_script(characters), 0)
    return np.flatnonzero(keep)


def _script(characters: str) -> str:
    return unicodedata.name(characters[0], "").split(" ")[0] if characters else ""


def _texts(data: Path) -> Iterator[str]:
    for number, (_, _, body) in enumerate(read_news(data)):
        if number < NEWS:
            yield body
    for name in QA_SETS:
        with gzip.open(data / "qa" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            seen = ""
            for line in lines:
                row = json.loads(line)
                yield row["question"]
                if row["context"] != seen:
                    seen = row["context"]
                    yield seen
    with gzip.open(data / "parallel_zh_en.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield row["zh"]
            yield row["en"]


def _blocks(texts: Iterator[str], size: int = 2000) -> Iterator[list[str]]:
    block: list[str] = []
    for text in texts:
        block.append(text)
        if len(block) == size:
            yield block
            block = []
    yield block


def export(backbone: Backbone, checkpoint: Path, kept: Array, out: Path) -> None:
    """Write the folder."""
    masters = torch.load(checkpoint, weights_only=True)["masters"]
    network = ReaderNetwork.from_backbone(backbone)
    state = {**network.state_dict(), **masters}
    arrays = dict(quantised({name: value.float().numpy() for name, value in state.items()}))
    arrays["words.codes"], arrays["words.scales"] = pack_rows(backbone.codes[kept], backbone.scales[kept])
    out.mkdir(parents=True, exist_ok=True)
    metadata = {
        "format": FORMAT,
        "heads": str(backbone.shape["heads"]),
        "made_of": json.dumps(_made_of()),
        "pieces": str(len(kept)),
    }
    save_file(arrays, out / WEIGHTS_FILE, metadata)
    tokenizer = _tokenizer(backbone, kept)
    tokenizer.save(str(out / TOKENIZER_FILE), pretty=False)
    size = sum(path.stat().st_size for path in out.iterdir() if path.is_file())
    print(f"{len(kept)} pieces, {size / 1e6:.1f} MB in {out}")


def _tokenizer(backbone: Backbone, kept: Array) -> Tokenizer:
    new = {int(old): number for number, old in enumerate(kept)}
    special = {name: new[old] for name, old in backbone.special.items()}
    return build_tokenizer([backbone.pieces[i] for i in kept], special)


def quantised(state: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """The arrays as they ship, without the token table: the layers' matrices as int8 with a scale for each output."""
    for name, values in state.items():
        part = name.rpartition(".")[0]
        if name == "words.weight":
            continue
        if name == "positions.weight":
            yield "positions", values.astype(np.float16)
        elif name.startswith("layers.") and values.ndim == 2:
            scales = np.abs(values).max(axis=1) / 127
            yield f"{part}.codes", np.round(values / scales[:, None]).astype(np.int8)
            yield f"{part}.scales", scales.astype(np.float32)
        else:
            yield name, values.astype(np.float32 if name.startswith("layers.") else np.float16)


def _made_of() -> dict[str, str]:
    """Hashes of what the weights come from."""
    recipe = sorted(Path(__file__).parent.glob("*.py"))
    written = sorted(QUESTIONS_DIR.glob("*.jsonl"))
    return {
        "backbone": hashlib.sha256(package_file().read_bytes()).hexdigest()[:16],
        "recipe": hashlib.sha256(b"".join(path.read_bytes() for path in recipe)).hexdigest()[:16],
        "questions": hashlib.sha256(b"".join(path.read_bytes() for path in written)).hexdigest()[:16],
    }


if __name__ == "__main__":
    main()
