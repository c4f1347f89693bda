"""Anything that holds questions -> a question set: JSONL of our own, SQuAD, RGB, a BEIR folder, plain or zipped."""

from __future__ import annotations

import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from eval.collection import Collection, open_text
from eval.formats import read_beir, read_squad, without_ids
from eval.question_set import QuestionSet, read_question_set
from eval.rgb import read_rgb
from rag.errors import QuestionSetError

_MOST_UNPACKED_MB = 2_000
_SPLITS = ("test", "dev", "train")


@dataclass(frozen=True, slots=True)
class Imported:
    """The questions of a file."""

    question_set: QuestionSet
    articles: int
    """Articles that the file holds beside them and that are not taken over; 0 for a question set of our own."""


def import_questions(path: Path) -> Imported:
    """The questions of `path`, told apart by content. Gold articles of others are known by title and evidence only.

    :raises QuestionSetError: it cannot be read as any of the formats.
    """
    found = _collection(path)
    if found is None:
        return Imported(read_question_set(path), 0)
    return Imported(without_ids(found), len(found.articles))


def _collection(path: Path) -> Collection | None:
    """The collection of others in `path`, None when it is none."""
    if (path / "corpus.jsonl").is_file():
        return read_beir(path)
    if path.suffix.lower() == ".zip":
        return _read_zipped_beir(path)
    try:
        text = open_text(path)
    except QuestionSetError:
        return None  # our own reader names the lines that are not UTF-8
    first = text.lstrip().partition("\n")[0]
    if '"positive"' in first and '"query"' in first:
        return read_rgb(path)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return read_squad(path) if isinstance(whole, dict) and "data" in whole else None


def _read_zipped_beir(path: Path) -> Collection:
    """A BEIR folder in a zip file, at its top or one folder down. Other members are not unpacked."""
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as unpacked:
            folder = Path(unpacked) / path.stem
            splits = _unpack(archive, folder, path)
            split = next((name for name in _SPLITS if name in splits), next(iter(sorted(splits)), "test"))
            try:
                return read_beir(folder, split)
            except QuestionSetError as error:
                raise QuestionSetError(str(error).replace(str(folder), path.name)) from error
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise QuestionSetError(f"{path} is no zip file that can be read: {error}") from error


def _unpack(archive: zipfile.ZipFile, folder: Path, path: Path) -> set[str]:
    """Write the members that BEIR names under `folder`, by our own names; returns the splits found."""
    splits: set[str] = set()
    left = _MOST_UNPACKED_MB * 1_000_000
    (folder / "qrels").mkdir(parents=True)
    for member in archive.infolist():
        name = PurePosixPath(member.filename)
        in_qrels = name.parent.name == "qrels" and name.suffix == ".tsv"
        if member.is_dir() or not (in_qrels or name.name in ("corpus.jsonl", "queries.jsonl")):
            continue
        target = folder / "qrels" / name.name if in_qrels else folder / name.name
        with archive.open(member) as source, target.open("wb") as out:
            while block := source.read(1 << 20):
                left -= len(block)
                if left < 0:
                    raise QuestionSetError(
                        f"{path} unpacks to more than {_MOST_UNPACKED_MB} MB; pack corpus, queries and qrels only"
                    )
                out.write(block)
        if in_qrels:
            splits.add(name.stem)
    return splits
