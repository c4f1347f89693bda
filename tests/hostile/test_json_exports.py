"""JSON exports with what JSON allows and line-wise tools break on."""

import json
from pathlib import Path

import pytest

from rag.config import SourceSettings
from rag.sources import Reading, read_source

SEPARATORS = {"U+2028": "\u2028", "U+2029": "\u2029", "U+0085": "\u0085", "U+000B escaped": "\x0b", "U+00A0": "\u00a0"}


def record(number: int, text: str, title: str = "大桥") -> dict[str, str]:
    return {"文章标识符aid": f"{number}_1", "标题title": title, "公众号名称": "海湾发布", "finalContent": text}


def read(file: Path, text: str, encoding: str = "utf-8") -> Reading:
    file.write_bytes(text.encode(encoding))
    return read_source(file, SourceSettings())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("name", SEPARATORS)
def test_separators_inside_strings(name: str, lines: bool, encoding: str, tmp_path: Path) -> None:
    char = SEPARATORS[name]
    records = [record(i, f"大桥第{i}段合龙。{char}全长七公里。", title=f"大桥{char}合龙") for i in range(2)]
    dumped = [json.dumps(item, ensure_ascii=False) for item in records]
    reading = read(tmp_path / "posts.json", "\n".join(dumped) if lines else f"[{','.join(dumped)}]", encoding)
    assert [a.title for a in reading.articles] == ["大桥 合龙"] * 2
    between = " " if char == "\u00a0" else "\n"
    assert [a.text for a in reading.articles] == [f"大桥第{i}段合龙。{between}全长七公里。" for i in range(2)]
    assert reading.problems == ()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_three_ways(end: str, tmp_path: Path) -> None:
    lines = [json.dumps(record(i, f"第{i}艘船进港。"), ensure_ascii=False) for i in range(3)]
    assert len(read(tmp_path / "posts.jsonl", end.join(lines)).articles) == 3


def test_no_break_spaces_between_tokens_are_borne(tmp_path: Path) -> None:
    text = json.dumps([record(1, "大桥合龙。")], ensure_ascii=False, indent=2).replace("\n  ", "\n\u00a0\u00a0")
    assert len(read(tmp_path / "posts.json", text).articles) == 1


def test_keys_that_stand_twice_are_said(tmp_path: Path) -> None:
    one = '{"title": "甲", "title": "乙", "content": "大桥合龙，全长七公里。"}'
    reading = read(tmp_path / "one.json", f'[{one}, {{"title": "丙", "content": "渔民出海捕鱼。"}}]')
    assert [a.title for a in reading.articles] == ["乙", "丙"]
    (problem,) = reading.problems
    assert str(problem).endswith("one.json, record 1: key 'title' stands in it more than once; the last one counts")
    reading = read(tmp_path / "two.json", f'{{"articles": [], "articles": [{one}], "total": 1}}')
    assert [p.record for p in reading.problems] == [None, "record 1"]
    assert reading.problems[0].cause.startswith("key 'articles' stands in it more than once")
