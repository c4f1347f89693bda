import datetime as dt
from pathlib import Path

import pytest

from rag.batch import BadLine, BatchEntry, read_batch
from rag.errors import QuestionSetError
from rag.types import Turn


def test_a_batch_keeps_its_order(tmp_path: Path) -> None:
    file = tmp_path / "b.jsonl"
    file.write_text(
        '\ufeff{"id": 7, "question": "几座桥？", "as_of": "2026-01-18", "history": [["user", "早"]], "extra": 1}\n\n'
        '{"id": "b", "question": "Why?"}\n',
        "utf-8",
    )
    first, second = read_batch(file)
    assert isinstance(first, BatchEntry)
    assert isinstance(second, BatchEntry)
    assert (first.id, first.as_of, first.history) == ("7", dt.date(2026, 1, 18), (Turn("user", "早"),))
    assert (second.id, second.question, second.as_of, second.history) == ("b", "Why?", None, ())


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        '{"id": "a"}',
        '{"question": "x"}',
        '{"id": "a", "question": "x", "as_of": "18.1."}',
        '{"id": "a", "question": "x", "as_of": 5}',
        '{"id": "a", "question": "x", "history": [["robot", "x"]]}',
        '{"id": "a", "question": "x", "history": "x"}',
        '{"id": "a", "question": "x", "history": [["user", 5]]}',
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "b.jsonl"
    file.write_text('{"id": "ok", "question": "x"}\n' + line, "utf-8")
    first, second = read_batch(file)
    assert isinstance(first, BatchEntry)
    assert isinstance(second, BadLine)
    assert (second.number, second.id) == (2, "a" if '"id"' in line else None)
    assert "expected" in second.cause


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError, match=r"none\.jsonl"):
        read_batch(tmp_path / "none.jsonl")
