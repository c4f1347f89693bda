"""Question sets from files of any format; all texts are invented."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from eval.importing import import_questions
from eval.question import GoldArticle
from rag.errors import QuestionSetError

CONTEXT = "The tower is 21 m high. It was built in 1893."
ASKED = {"id": "s1", "question": "How high is it?", "answers": [{"text": "21 m", "answer_start": 13}]}
SQUAD = {"data": [{"title": "Old_lighthouse", "paragraphs": [{"context": CONTEXT, "qas": [ASKED]}]}]}
RGB = {
    "id": 4,
    "query": "塔多高？",
    "answer": "21米",
    "positive": ["塔高21米。"],
    "negative": ["港口扩建。", "渡轮复航。"],
}


def test_squad_plain_and_gzipped(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.json", tmp_path / "a.json.gz"
    plain.write_text(json.dumps(SQUAD, indent=1), "utf-8")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, packed):
        found = import_questions(path)
        (question,) = found.question_set.questions
        assert (found.question_set.name, found.articles) == ("a", 1)
        assert (question.id, question.answers, question.evidence) == ("s1", ("21 m",), ("The tower is 21 m high.",))
        assert question.articles == (GoldArticle(title="Old lighthouse"),)  # an id would name no article of the library


def test_rgb(tmp_path: Path) -> None:
    path = tmp_path / "rgb.jsonl"
    path.write_text(json.dumps(RGB, ensure_ascii=False), "utf-8")
    found = import_questions(path)
    (question,) = found.question_set.questions
    assert (found.articles, question.answers, question.evidence, question.articles) == (
        3,
        ("21米",),
        ("塔高21米。",),
        (),
    )


def test_our_own_format_keeps_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"id": "a", "question": "塔多高？", "type": "fact", "answers": ["21米"]}\nnot json\n', "utf-8")
    found = import_questions(path)
    assert (len(found.question_set.questions), found.articles) == (1, 0)
    assert [problem.line for problem in found.question_set.problems] == [2]


def zipped(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


BEIR = {
    "toy/corpus.jsonl": '{"_id": "d1", "title": "Tower", "text": "It is 21 m high."}',
    "toy/queries.jsonl": '{"_id": "q1", "text": "how high?"}',
    "toy/qrels/dev.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t1\n",
}


def test_a_zipped_beir_folder_one_folder_down(tmp_path: Path) -> None:
    found = import_questions(zipped(tmp_path / "toy.zip", **BEIR, **{"../../evil.jsonl": "x", "toy/corpus.txt": "x"}))
    (question,) = found.question_set.questions
    assert (question.id, question.text, question.articles) == ("q1", "how high?", (GoldArticle(title="Tower"),))
    assert (found.question_set.name, found.articles) == ("toy", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toy.zip"]


def test_what_a_zip_lacks_is_named_without_the_place_where_it_was_unpacked(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError, match=r"^half\.zip/corpus\.jsonl does not exist; a BEIR folder has"):
        import_questions(zipped(tmp_path / "half.zip", **{k: v for k, v in BEIR.items() if "corpus" not in k}))
    with pytest.raises(QuestionSetError, match=r"bad\.zip is no zip file that can be read: File is not a zip file"):
        (tmp_path / "bad.zip").write_text("x")
        import_questions(tmp_path / "bad.zip")
