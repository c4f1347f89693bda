"""Small files that would cost a lot of memory or time are refused before they do."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rag.config import Settings, SourceSettings
from rag.errors import SourceError
from rag.ingest import ingest
from rag.sources import read_source
from rag.sources.extracted import MAX_ARTICLE

STORY = '{"title": "新桥通车", "text": "云陵市的新桥昨天通车，市民可以步行过河。"}'
BOMBS = {
    "empty records": "[" + "{}," * 260_000 + STORY + "]",
    "tiny records": "[" + '{"a":1},' * 100_000 + STORY + "]",
    "numbers": "[[" + "1," * 400_000 + "1]," + STORY + "]",
    "empty lines": STORY + "\n" + "{}\n" * 260_000,
    "lists in a record": STORY[:-1] + ', "x": [' + "[]," * 260_000 + "[]]}",
    "keys": "[{" + ",".join(f'"{i}":0' for i in range(80_000)) + "}," + STORY + "]",
    "strings": "[[" + '"",' * 260_000 + '""],' + STORY + "]",
}


@pytest.mark.parametrize("name", BOMBS)
def test_json_of_values_instead_of_articles(attack, tmp_path: Path, name: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(BOMBS[name], "utf-8")
    with attack("bounded work", f"JSON, {name}"):
        if name == "keys":  # cost no more than their text
            assert len(read_source(file, SourceSettings()).articles) == 1
        else:
            with pytest.raises(SourceError, match="too many to be articles"):
                read_source(file, SourceSettings())


def test_an_honest_export_is_read_whatever_its_size(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    record = STORY[:-1] + ', "tags": ["桥", "河"], "stats": {"read": 5, "like": 1}, "id": %d}'
    file.write_text("[" + ",".join(record % i for i in range(10_000)) + "]", "utf-8")
    assert len(read_source(file, SourceSettings()).articles) == 10_000


def test_one_article_has_a_limit(attack, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    for name, line in (("short lines", "a \n"), ("prose", "The bridge opened on Monday. ")):
        with attack("bounded work", f"45 MB of {name}"):
            file.write_text(line * (MAX_ARTICLE // len(line) + 1))
            started = time.process_time()
            with pytest.raises(SourceError, match=r"one article of 5,\d{3},\d{3} characters; the limit is 5,000,000"):
                read_source(file, SourceSettings())
            assert time.process_time() - started < 2


def test_what_is_too_large_is_not_even_hashed(attack, tmp_path: Path, empty_store, encoder, settings: Settings) -> None:
    file = tmp_path / "sparse.txt"
    file.touch()
    os.truncate(file, 20 * 10**9)
    with attack("bounded work", "20 GB sparse file"):
        started = time.process_time()
        report = ingest(empty_store, [file], encoder, settings)
        assert "the limit is 50 MB" in report.skipped[0].cause
        assert time.process_time() - started < 1
        os.truncate(file, 0)
        file.write_text("新桥通车\n\n云陵市的新桥昨天通车。\n", "utf-8")
        assert ingest(empty_store, [file], encoder, settings).articles == 1
