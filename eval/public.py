"""Public test sets: from the files of a set to an index and a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from eval.collection import Collection
from eval.formats import read_squad
from eval.question import Question
from eval.question_set import make_question_set
from eval.rgb import read_facts, read_given, read_rgb
from rag.errors import QuestionSetError
from rag.types import Article

if TYPE_CHECKING:
    from rag.config import Settings
    from rag.encoder import Encoder


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A public set and what its file may be called (each also with .gz)."""

    name: str
    files: tuple[str, ...]
    about: str
    read: Callable[[Path], Collection]
    given: bool = False
    """Whether a question's texts are given, not retrieved: all of them are read."""


def _crosslingual(path: Path) -> Collection:
    """English questions over the Chinese contexts: XQuAD is aligned by question id."""
    chinese = read_squad(path)
    english = read_squad(find_file(path.parent, ("xquad.en.json",)))
    wording = {question.id: question for question in english.question_set.questions}
    questions: list[Question] = []
    for question in chinese.question_set.questions:
        other = wording.get(question.id)
        if other is not None:
            answers = (*question.answers, *other.answers)
            questions.append(replace(question, text=other.text, lang="en", type="crosslingual", answers=answers))
    return Collection(chinese.articles, make_question_set("xquad-en-zh", questions))


def _rejecting(path: Path) -> Collection:
    return read_rgb(path, negatives_only=True)


_ALL = 100
"""More passages than the texts that are given with a question have."""
_RGB = ("rgb_zh_refine.jsonl", "zh_refine.json")
_RGB_FACTS = ("rgb_zh_fact.jsonl", "zh_fact.json")
PUBLIC_SETS = {
    entry.name: entry
    for entry in (
        PublicSet("cmrc2018", ("cmrc2018_dev.json",), "extractive questions, simplified Chinese", read_squad),
        PublicSet("drcd", ("drcd_test.json", "DRCD_test.json"), "the same, traditional Chinese", read_squad),
        PublicSet("xquad-zh", ("xquad.zh.json",), "Chinese questions over Chinese texts", read_squad),
        PublicSet("xquad-en", ("xquad.en.json",), "English questions over English texts", read_squad),
        PublicSet("xquad-en-zh", ("xquad.zh.json",), "English questions over Chinese texts", _crosslingual),
        PublicSet("rgb", _RGB, "RGB's protocol: five texts given a question, four shares of noise", read_given, True),
        PublicSet("rgb-facts", _RGB_FACTS, "the same with right texts, with wrong facts, with both", read_facts, True),
        PublicSet("rgb-zh", _RGB, "RGB's texts as one library", read_rgb),
        PublicSet("rgb-zh-reject", _RGB, "the same without the texts that hold the answer", _rejecting),
    )
}  # fmt: skip


def read_public(name: str, folder: Path) -> Collection:
    """The public set called `name`, from its file in `folder`.

    :raises QuestionSetError: there is no such set, or its file is not there.
    """
    if name not in PUBLIC_SETS:
        raise QuestionSetError(f"there is no public set {name!r}; expected one of {', '.join(PUBLIC_SETS)}")
    found = PUBLIC_SETS[name]
    return found.read(find_file(folder, found.files))


def settings_for(name: str, settings: Settings) -> Settings:
    """`settings` with as many passages read as the given texts have."""
    if name not in PUBLIC_SETS or not PUBLIC_SETS[name].given:
        return settings
    return replace(settings, retrieval=replace(settings.retrieval, top_k=_ALL, per_article=_ALL))


def find_file(folder: Path, names: tuple[str, ...]) -> Path:
    """The first of `names` that lies in `folder`, plain or gzipped.

    :raises QuestionSetError: none does.
    """
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise QuestionSetError(f"{folder} holds no {' or '.join(names)}; give the folder of the set with --data")


def build_index(
    articles: tuple[Article, ...], name: str, index_dir: Path, settings: Settings, encoder: Encoder
) -> None:
    """Make an index of articles that are at hand, ids and texts as they are; what the index held is replaced."""
    from rag.ingest_writer import BatchWriter
    from rag.store import FileArticles, FileRecord, LocalStore

    with LocalStore.open(index_dir, create=True, encoder=encoder, passages=settings.passages) as store, store.writing():
        writer = BatchWriter(store, encoder, settings.passages, lambda: None)
        record = FileRecord(path=name, identity=f"collection:{name}", size=0, sha256="", recipe="", format="collection")
        writer.add(FileArticles(replace(record, articles=len(articles)), articles), lambda: False)
        writer.flush()
        store.update_caches()
