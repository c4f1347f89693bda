"""Reading, repairing, writing and validating question sets."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from eval_fakes import ARTICLES

from eval.gold import ArticleFinder, validate
from eval.question import GoldArticle, Question
from eval.question_set import make_question_set, parse_questions, read_question_set, write_question_set
from rag.errors import QuestionSetError
from rag.types import Turn

FULL = {
    "id": "q1",
    "question": "它有多长？",
    "lang": "zh",
    "type": "followup",
    "answers": ["410米"],
    "match": "any",
    "evidence": ["泊位长410米"],
    "articles": [{"file": "paper.txt", "id": "1", "title": "新泊位启用"}],
    "as_of": "2025-03-05",
    "history": [["user", "三号泊位启用了吗？"], ["assistant", "启用了。"]],
    "difficulty": {"level": 2},
}


def test_every_field_is_read_and_written_back(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(FULL, ensure_ascii=False) + "\n", "utf-8")
    found = read_question_set(path)
    assert found.problems == ()
    assert found.name == "set"
    assert found.questions == (
        Question(
            id="q1",
            text="它有多长？",
            lang="zh",
            type="followup",
            answers=("410米",),
            evidence=("泊位长410米",),
            articles=(GoldArticle("paper.txt", "1", "新泊位启用"),),
            as_of=dt.date(2025, 3, 5),
            history=(Turn("user", "三号泊位启用了吗？"), Turn("assistant", "启用了。")),
            extra={"difficulty": {"level": 2}},
            line=1,
        ),
    )
    write_question_set(path, found)
    assert json.loads(path.read_text("utf-8")) == FULL


def test_each_broken_line_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    lines = [
        b'{"id": "a", "question": "Who?", "type": "fact", "answers": ["x"]}',
        b'{"id": "b", "question": ',
        b"[1, 2]",
        b"",
        b'{"id": "a", "question": "Where?", "type": "fact", "answers": ["y"]}',
        b'{"id": "c", "type": "fact"}',
        b'{"id": "d\xff"}',
        b'{"question": 5, "type": "fact", "answers": 7}',
    ]
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\n".join(lines))
    found = read_question_set(path)
    assert [(q.id, q.text, q.answers) for q in found.questions] == [
        ("a", "Who?", ("x",)),
        ("a~2", "Where?", ("y",)),
        ("line-8", "5", ("7",)),
    ]
    assert [str(p) for p in found.problems] == [
        "line 2: is not JSON (Expecting value at column 25); left out",
        "line 3: holds a JSON list; expected an object; left out",
        "line 5 (a): id 'a' was used before; this one is kept as 'a~2'",
        "line 6 (c): has no question; expected a text in the field 'question'; left out",
        "line 7: is not UTF-8 text; save the file as UTF-8; left out",
        "line 8 (line-8): has no id; kept as 'line-8'",
        "line 8 (line-8): question is 5; expected a text; read as '5'",
        "line 8 (line-8): answers is 7; expected a list of texts; read as a list of one",
    ]
    write_question_set(path, found)
    written = path.read_bytes().split(b"\n")
    assert written[1:3] == lines[1:3]
    assert written[4:6] == lines[5:7]
    assert [q.text for q in read_question_set(path).questions] == ["Who?", "Where?", "5"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"match": "some"}, 'match is "some"; expected any or all; read as any'),
        ({"as_of": "2025-13-01"}, 'as_of is "2025-13-01"; expected a date like 2026-01-31; ignored'),
        ({"as_of": 20250101}, "as_of is 20250101; expected a date like 2026-01-31; ignored"),
        ({"history": [["robot", "hi"]]},
         'history is ["robot", "hi"]; expected ["user" or "assistant", text]; this turn is ignored'),
        ({"evidence": {"a": 1}}, 'evidence is {"a": 1}; expected a list of texts; read as empty'),
        ({"answers": ["x", None]}, "answers is null; expected texts; this entry is ignored"),
        ({"articles": "p#1"}, 'articles is "p#1"; expected a list of objects with file, id or title; ignored'),
        ({"articles": [3]}, "articles is 3; expected objects with file, id or title; this entry is ignored"),
        ({"lang": "fr"}, 'lang is "fr"; expected zh or en; read as en'),
        ({"any_article": "yes"}, 'any_article is "yes"; expected true or false; read as false'),
        ({"match": "all", "aliases": [["x"], ["y"]]},
         "has 1 answers and 2 lists of aliases; expected one list per answer; the aliases decide"),
    ],
)  # fmt: skip
def test_wrong_types_are_repaired_by_name(fields: dict[str, object], message: str) -> None:
    record = {"id": "q", "question": "Who?", "type": "fact", "answers": ["x"], **fields}
    found = parse_questions([json.dumps(record)], "set")
    assert [p.message for p in found.problems] == [message]
    assert found.questions[0].answers == ("x",)


def test_a_set_without_questions_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text("not json\n", "utf-8")
    with pytest.raises(QuestionSetError, match="holds no question; expected a JSON object a line; line 1: is not JSON"):
        read_question_set(path)
    with pytest.raises(QuestionSetError, match="does not exist"):
        read_question_set(tmp_path / "none.jsonl")


def test_equal_questions_have_equal_fingerprints() -> None:
    one = make_question_set("one", [Question("a", "Who?", "en", "fact", line=3)])
    two = make_question_set("two", [Question("a", "Who?", "en", "fact", line=9)])
    other = make_question_set("one", [Question("a", "Where?", "en", "fact")])
    assert one.fingerprint == two.fingerprint != other.fingerprint


def test_gold_articles_are_found_by_id_title_file_and_evidence() -> None:
    finder = ArticleFinder(ARTICLES)

    def ids(*articles: GoldArticle, evidence: tuple[str, ...] = (), any_article: bool = False) -> list[set[str]]:
        question = Question("q", "?", "zh", "fact", evidence=evidence, articles=articles, any_article=any_article)
        return [set(unit) for unit in finder.gold(question).articles]

    assert ids(GoldArticle(file="elsewhere/paper.txt", id="2")) == [{"报/2"}]
    assert ids(GoldArticle(id="报/1")) == [{"报/1"}]
    assert ids(GoldArticle(file="paper.txt", title="图书馆 延长开放")) == [{"报/2"}]
    assert ids(GoldArticle(file="ferry.md")) == [{"ferry.md"}]
    # Two stories share the file and the title is not the printed one: the evidence decides.
    assert ids(GoldArticle(file="paper.txt", title="座位"), evidence=("增加到 860 个",)) == [{"报/2"}]
    assert ids(GoldArticle(file="paper.txt", title="别的")) == [set()]
    assert ids(evidence=("240 passengers", "泊位长410米")) == [{"ferry.md"}, {"报/1"}]
    both = (GoldArticle(id="报/1"), GoldArticle(id="报/2"))
    assert ids(*both, any_article=True) == [{"报/1", "报/2"}]


def test_validation_names_evidence_and_articles_that_are_nowhere() -> None:
    lines = [
        json.dumps(
            {
                "id": "a",
                "question": "?a",
                "type": "fact",
                "answers": ["1250万吨"],
                "evidence": ["吞吐量预计达到 1250万吨"],
            }
        ),
        json.dumps({"id": "b", "question": "?b", "type": "fact", "answers": ["9"], "evidence": ["座位增加到900个"]}),
        json.dumps({"id": "c", "question": "?c", "type": "fact", "answers": ["9"], "articles": [{"id": "7_1"}]}),
        json.dumps({"id": "d", "question": "?d", "type": "fact", "answers": ["9"]}),
    ]
    problems = validate(parse_questions(lines, "set"), ARTICLES)
    assert [str(p) for p in problems] == [
        "line 2 (b): evidence “座位增加到900个” stands in none of the articles; quote it verbatim or index them",
        "line 3 (c): article “7_1” is not in the library",
        "line 4 (d): has neither evidence nor articles; its citations cannot be judged",
    ]


def test_files_put_together_and_articles_that_go_by_another_name() -> None:
    whole = (
        '{"id": "%s", "question": "泊位多长？", "type": "fact", "answers": ["410米"], "evidence": ["泊位长410米"]%s}'
    )
    found = parse_questions(
        [
            "\ufeff" + whole % ("a", ', "articles": [{"file": "paper.txt", "title": "不是这个标题"}]'),
            "\ufeff" + whole % ("b", ', "articles": [{"file": "gone.txt"}]'),
            whole % ("c", ', "articles": [{"id": "报/9"}, {"id": "报/1"}], "any_article": true'),
        ],
        "joined",
    )
    assert found.problems == ()
    assert [str(problem) for problem in validate(found, ARTICLES)] == [
        "line 2 (b): article “gone.txt” is not in the library; found by its evidence",
        "line 3 (c): article “报/9” is not in the library; found by its evidence",
    ]
