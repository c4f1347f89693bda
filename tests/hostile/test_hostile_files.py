"""Bad files, made by code: each is read or refused in one line, and never stops the others."""

from __future__ import annotations

import io
import json
import os
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rag.config import SourceSettings
from rag.errors import SourceError
from rag.ingest import ingest
from rag.sources import read_source

STORY = "新桥通车\n\n云陵市的新桥昨天通车，全长420米，市民可以步行过河，公交车也将改道，老渡轮月底停运。\n"
RECORD = {"title": "新桥通车", "text": STORY}
PAGE = f"<!doctype html><html><body><article><h1>新桥</h1>{'<p>' + STORY + '</p>' * 3}</article></body></html>"


def archive(*entries: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries:
            packed.writestr(name, data)
    return out.getvalue()


def bad_files(rounds: int) -> Iterator[tuple[str, bytes]]:
    """Names and bytes; `rounds` of random damage to each seed."""
    text, export = STORY.encode(), json.dumps([RECORD] * 3, ensure_ascii=False).encode()
    yield from {
        "empty": b"",
        "blank": b" \n\t",
        "invisible": "\u200b\u2060".encode(),
        "nul": b"a\0b",
        "bom only": b"\xef\xbb\xbf",
        "utf-16 odd": STORY.encode("utf-16")[:-1],
        "utf-32": STORY.encode("utf-32"),
        "invalid": text[:30] + b"\xff\xfe" + text,
        "surrogates": "a\ud83d".encode("utf-8", "surrogatepass") * 9,
        "controls": b"\x1b[2J\x07" * 90 + text,
        "bidi": "\u202e\u2066".encode() * 50 + text,
        "tags": "\U000e0041".encode() * 50 + text,
        "marks": ("e" + "\u0301" * 5_000).encode(),
        "ligature": "\ufdfa".encode() * 5_000,
        "png": b"\x89PNG\r\n\x1a\n" + text,
        "elf": b"\x7fELF" + text,
        "gzip": b"\x1f\x8b" + text,
        "late nul": text * 3_000 + b"\0",
        "pdf head": b"%PDF-1.7\n",
        "pdf rubbish": b"%PDF-1.7\n1 0 obj\n" + b"<<" * 9_000,
        "zip head": b"PK\x03\x04 broken",
        "zip other": archive(("a.txt", text)),
        "docx bad": archive(("word/document.xml", b"<w:document>")),
        "docx bomb": archive(("word/document.xml", b" " * 20_000_000)),
        "xlsx": archive(("xl/workbook.xml", b"<a/>")),
        "json cut": export[:-20],
        "json deep": b"[" * 50_000,
        "json two": b"{}{}",
        "json huge int": b'[{"id":' + b"9" * 5_000 + b"}]",
        "json nan": b'[{"title": NaN, "text": Infinity}]',
        "json types": b'[1, null, [], "x", {"text": {}}]',
        "json keys": b'{"' + b"k" * 100_000 + b'": 1}',
        "jsonl half": export + b"\n" + export[:9],
        "html deep": b"<html>" + b"<div>" * 20_000 + PAGE.encode(),
        "html open": b"<html><body><p>" + b"<" * 20_000,
        "html attributes": b"<html><p " + b"a=b " * 20_000 + b">" + text,
        "svg": b"<svg onload=x></svg>",
        "rss": b"<rss></rss>",
        "front matter": b"---\n" + b"a: b\n" * 5_000 + b"---\n" + text,
        "links": b"[a](" * 20_000,
        "script": b"<script>x()</script>" * 900,
    }.items()
    dice = random.Random(7)
    for name, seed in (
        ("text", text * 3),
        ("export", export),
        ("page", PAGE.encode()),
        ("gbk", STORY.encode("gbk") * 3),
    ):
        for number in range(rounds):
            data = bytearray(seed)
            for _ in range(dice.randint(1, 12)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            yield f"{name} flipped {number}", bytes(data[: dice.randint(1, len(data))] if number % 3 == 0 else data)


NAMES = (
    "a\u202etxt.exe",
    "a\nb.txt",
    "a\x1b[2J.txt",
    " .txt",
    "'; DROP TABLE articles; --.txt",
    "<img src=x>.txt",
    "桥" * 83 + ".txt",
)


def test_every_bad_file_is_read_or_refused(attack, amount: Callable[[int, int], int], tmp_path: Path) -> None:
    for number, (name, data) in enumerate(bad_files(amount(6, 150))):
        file = tmp_path / f"{number}.txt"
        file.write_bytes(data)
        with attack("bad files", name):
            try:
                for article in read_source(file, SourceSettings()).articles:
                    assert article.text.strip() and "\x1b" not in article.text and "\u202e" not in article.text
                    article.text.encode()
            except SourceError as error:
                assert str(error).strip() and "\n" not in str(error)


def test_odd_names_and_good_neighbours(attack, tmp_path: Path, empty_store, encoder, settings) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        (folder / name).write_text(f"第{number}号新桥\n\n{STORY}编号{number}。\n", "utf-8")
    (folder / "broken.txt").write_bytes(b"\x89PNG\r\n\0")
    os.mkfifo(folder / "pipe.txt")
    with attack("bad files", "odd names"):
        report = ingest(empty_store, [folder], encoder, settings)
        assert report.articles == len(NAMES) and len(report.skipped) == 2
        summary = report.summary()
        assert "\x1b" not in summary and "\u202e" not in summary and "binary file" in summary


def test_one_story_under_two_names_and_in_three_formats_is_one(tmp_path: Path, empty_store, encoder, settings) -> None:
    from docx import Document

    body = "云陵市的新桥昨天通车，全长420米，市民可以步行过河，公交车也将改道，老渡轮月底停运，码头改作公园。"
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.txt").write_text(f"新桥通车\n\n{body}\n", "utf-8")
    (folder / "b.txt").write_text(f"{body}\n", "utf-8")
    os.link(folder / "a.txt", folder / "c.txt")
    (folder / "d.html").write_text(
        f"<!doctype html><html><body><article><h1>新桥通车</h1><p>{body}</p></article></body></html>", "utf-8"
    )
    document = Document()
    document.add_heading("新桥通车", 0)
    document.add_paragraph(body)
    document.save(folder / "e.docx")
    report = ingest(empty_store, [folder], encoder, settings)
    assert empty_store.counts().articles == 1
    assert sum("the same story as" in problem.cause for problem in report.skipped) == 4
