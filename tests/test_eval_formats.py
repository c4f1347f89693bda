"""Reading the formats of others and writing theirs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from eval_fakes import FERRY, HARBOUR, ToyAssistant, ToyLibrary

from eval.export import evaluate_trec, ragas_lines, trec_qrels, trec_run
from eval.formats import read_beir, read_collection, read_squad, write_collection
from eval.public import read_public
from eval.question_set import parse_questions, read_question_set
from eval.runner import run
from rag.errors import QuestionSetError

CONTEXT = "老灯塔建于1893年。塔高21米，海上十里外可见！看塔人姓陶。"
SQUAD = {
    "data": [
        {
            "title": "Old_lighthouse",
            "paragraphs": [
                {
                    "context": CONTEXT,
                    "qas": [
                        {"id": "a", "question": "老灯塔多高？", "answers": [
                            {"text": "21米", "answer_start": CONTEXT.index("21米")},
                            {"text": "21米", "answer_start": 0}]},
                        {"id": "b", "question": "看塔人姓什么？", "answers": [{"text": "陶", "answer_start": -1}]},
                        {"id": "c", "question": "Who built it?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        }
    ]
}  # fmt: skip


def test_squad(tmp_path: Path) -> None:
    path = tmp_path / "toy.json.gz"
    path.write_bytes(gzip.compress(json.dumps(SQUAD).encode()))
    found = read_squad(path)
    assert [(a.id, a.title, a.text) for a in found.articles] == [("toy#1", "Old lighthouse", CONTEXT)]
    a, b, c = found.question_set.questions
    assert (a.id, a.type, a.lang, a.answers, a.evidence) == (
        "a",
        "fact",
        "zh",
        ("21米",),
        ("塔高21米，海上十里外可见！",),
    )
    # A wrong offset: the first place of the answer counts.
    assert b.evidence == ("看塔人姓陶。",)
    assert (c.type, c.lang, c.answers, c.evidence, c.articles) == ("unanswerable", "en", (), (), ())
    assert read_collection(path) == found


def test_files_that_are_something_else_are_named(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"version": 1}', "utf-8")
    with pytest.raises(QuestionSetError, match=r"other.json is not SQuAD JSON .*expected data > paragraphs > qas"):
        read_collection(path)
    with pytest.raises(QuestionSetError, match="cannot be read"):
        read_collection(tmp_path / "none.json")


def beir(folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": "d1", "title": "T", "text": "One."}, {"_id": "d2", "title": "", "text": "Two."}]
    queries = [{"_id": "q1", "text": "which?"}, {"_id": "q2", "text": "unjudged"}, {"_id": "q3", "text": "哪个？"}]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)), "utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), "utf-8")
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t1\nq3\td2\t1\nq3\td1\t0\n"
    )
    return folder


def test_beir(tmp_path: Path) -> None:
    found = read_beir(beir(tmp_path / "toy"))
    assert [(a.id, a.title, a.text) for a in found.articles] == [("d1", "T", "One."), ("d2", "", "Two.")]
    assert [(q.id, q.lang, [a.id for a in q.articles]) for q in found.question_set.questions] == [
        ("q1", "en", ["d1", "d2"]),
        ("q3", "zh", ["d2"]),
    ]
    with pytest.raises(QuestionSetError, match=r"dev.tsv does not exist; .*splits here: test"):
        read_beir(tmp_path / "toy", "dev")
    (tmp_path / "toy" / "qrels" / "test.tsv").write_text("q1\td1\t1\nq1 d2 1\n")
    with pytest.raises(QuestionSetError, match=r"test.tsv line 2: expected query-id, corpus-id, score"):
        read_beir(tmp_path / "toy")


def test_a_collection_becomes_files_to_index_and_ask(tmp_path: Path) -> None:
    (tmp_path / "toy.json").write_text(json.dumps(SQUAD), "utf-8")
    write_collection(read_squad(tmp_path / "toy.json"), tmp_path / "out")
    assert (tmp_path / "out/articles/000001.txt").read_text("utf-8") == f"Old lighthouse\n\n{CONTEXT}\n"
    found = read_question_set(tmp_path / "out/questions.jsonl")
    assert found.problems == ()
    assert [(q.id, [(a.id, a.title) for a in q.articles]) for q in found.questions] == [
        ("a", [("", "Old lighthouse")]), ("b", [("", "Old lighthouse")]), ("c", []),
    ]  # fmt: skip


def test_public_sets_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "xquad.zh.json").write_text(json.dumps(SQUAD), "utf-8")
    english = json.loads(json.dumps(SQUAD))
    english["data"][0]["paragraphs"][0]["context"] = "It is 21 metres high."
    english["data"][0]["paragraphs"][0]["qas"] = [
        {"id": "a", "question": "How high is it?", "answers": [{"text": "21 metres", "answer_start": 6}]}
    ]
    (tmp_path / "xquad.en.json").write_text(json.dumps(english), "utf-8")
    found = read_public("xquad-en-zh", tmp_path)
    assert [a.text for a in found.articles] == [CONTEXT]
    (only,) = found.question_set.questions
    assert (only.text, only.lang, only.type) == ("How high is it?", "en", "crosslingual")
    assert (only.answers, only.evidence) == (("21米", "21 metres"), ("塔高21米，海上十里外可见！",))
    with pytest.raises(QuestionSetError, match="there is no public set 'squad'; expected one of cmrc2018, drcd"):
        read_public("squad", tmp_path)
    with pytest.raises(QuestionSetError, match=r"holds no rgb_zh_refine.jsonl or zh_refine.json; give the folder"):
        read_public("rgb-zh", tmp_path)


def test_trec_and_ragas(tmp_path: Path) -> None:
    lines = [
        {"id": "q 1", "question": "三号泊位有多长？", "type": "fact", "answers": ["410米"], "evidence": ["泊位长410米"],
         "articles": [{"id": "1"}]},
        {"id": "q2", "question": "ferry cars port 港", "type": "fact", "answers": ["30"], "articles": [{"id": "2"}]},
    ]  # fmt: skip
    says = {"三号泊位有多长？": (HARBOUR, "泊位长410米，可靠泊20万吨级货轮。", 0.9)}
    toy = parse_questions([json.dumps(line) for line in lines], "toy")
    done = run(toy, ToyLibrary(), ToyAssistant(says), tmp_path / "r", name="my run")
    results = done.results()
    assert trec_qrels(results) == "q%201 0 报/1 1\nq2 0 报/2 1\n"
    assert trec_run(results, "my run").splitlines()[0] == "q%201 Q0 报/1 1 1 my%20run"
    assert trec_run(results, "x").splitlines()[1].split()[2] == FERRY.id
    (tmp_path / "qrels").write_text(trec_qrels(results), "utf-8")
    (tmp_path / "run").write_text(trec_run(results, "x"), "utf-8")
    # q 1 found first, q2 (the library) never: R@1 = RR = 1/2
    assert evaluate_trec(tmp_path / "qrels", tmp_path / "run") == {"R@1": 0.5, "R@5": 0.5, "RR": 0.5, "nDCG@10": 0.5}
    with pytest.raises(QuestionSetError, match="unknown measure"):
        evaluate_trec(tmp_path / "qrels", tmp_path / "run", ["Wow@3"])
    first = json.loads(ragas_lines(results).splitlines()[0])
    assert list(first) == [
        "user_input", "response", "retrieved_contexts", "retrieved_context_ids", "reference", "reference_contexts",
        "reference_context_ids",
    ]  # fmt: skip
    assert first["reference"] == "410米"
    assert first["retrieved_contexts"][0].startswith("新泊位启用")
    assert first["reference_context_ids"] == ["报/1"]
