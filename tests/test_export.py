"""Answers and conversations as Markdown, Word, GB/T 7714-2015 and BibTeX."""

from __future__ import annotations

import dataclasses
import datetime as dt
import html
import io
import re
import zipfile
from pathlib import Path

import pytest
from docx import Document
from export_support import (
    ACCOUNT,
    AGAIN,
    ATTACK,
    DAM,
    DAM_ANSWER,
    HOSTILE,
    REFUSED,
    SCAN,
    W,
    answer,
    cite,
    quoted,
    read_word,
)
from lxml import etree

from rag.export import Entry, ExportError, Form, export, export_name, form_of, write_export
from rag.export.entry import entry_of
from rag.export.sources import Author, authors
from rag.sources.docx import extract_docx
from rag.types import Answer, AnswerSentence, Support

DAY = dt.date(2026, 4, 5)
ARTICLES = {article.id: article for article in (DAM, SCAN, ACCOUNT, HOSTILE)}
TALK = [entry_of(DAM_ANSWER), entry_of(REFUSED), entry_of(AGAIN), Entry("还有呢？", None, "已停止，没有得到回答。")]


def made(form: Form, *answers: Answer | Entry, language: str = "zh") -> bytes:
    entries = [entry_of(item) if isinstance(item, Answer) else item for item in answers]
    return export(entries, form, language=language, made=DAY, articles=ARTICLES)


def text(form: Form, *answers: Answer | Entry, language: str = "zh") -> str:
    return made(form, *answers, language=language).decode()


# --- Markdown


def test_an_answer_as_markdown_has_a_footnote_for_every_quote() -> None:
    assert text(Form.MARKDOWN, DAM_ANSWER) == (
        "# 南坡水库扩建花了多少钱？\n\n"
        "工程总投资**12.4亿元**。[^1]南坡晚报：库容增至4.6亿立方米。[^2]\n\n"
        "旧磨坊的石碾留在书店中央，藏书两万册。[^3]\n\n"
        "原文摘句 · 津问 Jinwen 导出于 2026-04-05\n\n"
        "[^1]: 《南坡水库完成扩建》，南坡晚报，2026-03-03，<https://news.example/dam?id=7&page=a_b>：“工程总投资12.4亿元。”\n"
        "[^2]: 《南坡水库完成扩建》，南坡晚报，2026-03-03，<https://news.example/dam?id=7&page=a_b>：“库容增至4.6亿立方米。”\n"
        "[^3]: 《旧磨坊改成书店》，青禾日报，2026-02-11：“旧磨坊的石碾留在书店中央，藏书两万册。”\n"
    )


def test_a_conversation_counts_its_notes_through_and_keeps_refusals_and_failures() -> None:
    shown = text(Form.MARKDOWN, *TALK)
    assert shown.startswith("# 对话：南坡水库扩建花了多少钱？\n\n## 南坡水库扩建花了多少钱？\n")
    assert [line for line in shown.splitlines() if line.startswith("## ")][1:] == [
        "## 明天下雨吗？", "## 水库的投资？", "## 还有呢？",
    ]  # fmt: skip
    assert "相关报道，并非答案：\n\n- 《南坡水库完成扩建》，南坡晚报，2026-03-03 <https://news.example/dam" in shown
    assert "工程总投资12.4亿元。[^1]\n\n> 实际检索：南坡水库的投资？" in shown, "the same quote keeps its note"
    assert "> 已停止，没有得到回答。" in shown
    assert shown.count("\n原文摘句 · ") == 2, "a refusal is not made of quoted sentences"
    assert re.findall(r"^\[\^(\d+)\]: ", shown, re.MULTILINE) == ["1", "2", "3"]


def test_words_beside_an_answer_follow_the_language_asked_for() -> None:
    shown = text(Form.MARKDOWN, DAM_ANSWER, language="en")
    assert "Quoted sentences · Exported from Jinwen 津问 on 2026-04-05" in shown
    assert "[^3]: “旧磨坊改成书店”, 青禾日报, 2026-02-11: “旧磨坊" in shown


def test_what_a_model_wrote_without_support_says_so() -> None:
    sentence = AnswerSentence("总投资为99亿元。", (1,), Support.UNSUPPORTED, problems=("99亿元",))
    written = answer(
        "投资？",
        (sentence, cite(DAM, "工程总投资12.4亿元。", 1)),
        mode="generative",
        model="tiny",
        notices=("改用摘句",),
    )
    shown = text(Form.MARKDOWN, written)
    assert "总投资为99亿元。[^1]〔未见依据；引文中没有：99亿元〕" in shown
    assert "> 提示：改用摘句" in shown and "模型撰写 (tiny) · " in shown
    assert "总投资为99亿元。{1}〔未见依据；引文中没有：99亿元〕" in read_word(made(Form.WORD, written)).paragraphs


def test_an_answer_that_is_not_in_sentences_keeps_its_marks() -> None:
    first, second = cite(DAM, "工程总投资12.4亿元。", 1), cite(SCAN, "藏书两万册。", 2)
    loose = dataclasses.replace(
        DAM_ANSWER, sentences=(), citations=(first, second), answer="花了12.4亿元[1]，见[7]。\n完"
    )
    shown = text(Form.MARKDOWN, loose)
    assert "花了12.4亿元[^1]，见\\[7\\]。\n\n完[^2]\n" in shown, "an unknown mark is text, an unused source is not lost"


def test_lines_of_a_list_stay_lines() -> None:
    listed = dataclasses.replace(DAM, text="一是修路；\n\n二是架桥。", id="l")
    shown = answer("哪两件？", quoted(listed, listed.text, 1))
    assert "一是修路；\\\n二是架桥。[^1]" in text(Form.MARKDOWN, shown)
    assert "一是修路；\n二是架桥。{1}" in read_word(made(Form.WORD, shown)).paragraphs


def test_markdown_shows_foreign_text_literally() -> None:
    markdown_it = pytest.importorskip("markdown_it")
    shown = text(Form.MARKDOWN, ATTACK)
    page = markdown_it.MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(shown)
    assert set(re.findall(r"<(\w+)", page)) == {"h1", "p"}, page
    seen = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert "# 问" in seen and "![q](http://evil.example/q.png)" in seen
    assert "1. 行一 [点我](javascript:x) *星* <img src=x> [^9]: 假注 {MERGEFIELD x} 尾。[^1]" in seen
    assert "\x00" not in shown and "\u202e" not in shown and "\n[^9]" not in shown
    assert len(re.findall(r"^\[\^\d+\]:", shown, re.MULTILINE)) == 1


# --- Word


def test_word_has_real_footnotes_equal_to_those_of_markdown() -> None:
    content, plain = made(Form.WORD, *TALK), text(Form.MARKDOWN, *TALK)
    shown = read_word(content)
    notes = {int(n): re.sub(r"[<>]", "", line) for n, line in re.findall(r"^\[\^(\d+)\]: (.*)$", plain, re.MULTILINE)}
    assert shown.footnotes == notes and len(notes) == 3
    assert "工程总投资12.4亿元。{1}南坡晚报：库容增至4.6亿立方米。{2}" in shown.paragraphs
    assert shown.links == [DAM.url] * 3, "two footnotes and one related article"


def test_a_quote_that_is_cited_again_shows_the_number_of_its_footnote() -> None:
    shown = read_word(made(Form.WORD, *TALK))
    assert sum(p.count("{1}") for p in shown.paragraphs) == 1, "Word allows one reference to a footnote"
    assert shown.again == ["NOTEREF"] and "工程总投资12.4亿元。1" in shown.paragraphs


def test_marks_that_follow_each_other_do_not_read_as_one_number() -> None:
    both = AnswerSentence("水库与书店。", (1, 2), Support.SUPPORTED)
    two = dataclasses.replace(DAM_ANSWER, sentences=(both,), citations=DAM_ANSWER.citations[:2])
    assert "水库与书店。{1},{2}" in read_word(made(Form.WORD, two)).paragraphs


def test_a_word_file_is_what_word_expects() -> None:
    content = made(Form.WORD, DAM_ANSWER)
    archive = zipfile.ZipFile(io.BytesIO(content))
    types, settings = archive.read("[Content_Types].xml").decode(), etree.fromstring(archive.read("word/settings.xml"))
    assert "wordprocessingml.footnotes+xml" in types
    named = [child.tag.removeprefix(W) for child in settings]
    assert named.index("footnotePr") < named.index("compat"), "the order of the schema"
    notes = etree.fromstring(archive.read("word/footnotes.xml"))
    assert [(n.get(f"{W}type"), n.get(f"{W}id")) for n in notes][:3] == [
        ("separator", "-1"), ("continuationSeparator", "0"), (None, "1"),
    ]  # fmt: skip
    ids = {style.get(f"{W}styleId") for style in etree.fromstring(archive.read("word/styles.xml")).iter(f"{W}style")}
    used = {
        element.get(f"{W}val")
        for part in ("document", "footnotes")
        for element in etree.fromstring(archive.read(f"word/{part}.xml")).iter(f"{W}rStyle", f"{W}pStyle")
    }
    assert used <= ids, "every style that is used is there"
    document = Document(io.BytesIO(content))
    properties = document.core_properties
    assert (properties.title, properties.author) == (DAM_ANSWER.question, "Jinwen 津问")
    assert properties.created is not None and properties.created.date() == DAY
    bold = [run.text for p in document.paragraphs[1:] for run in p.runs if run.bold]
    assert bold == ["12.4亿元"]
    assert "工程总投资12.4亿元" in extract_docx(content).documents[0].text, "our own reader takes it back in"


def test_word_takes_any_text_and_makes_nothing_of_it() -> None:
    shown = read_word(made(Form.WORD, ATTACK))
    assert shown.links == [] and shown.again == []
    assert any("[点我](javascript:x) *星* <img src=x> [^9]: 假注 {MERGEFIELD x} 尾。{1}" in p for p in shown.paragraphs)
    assert shown.footnotes[1].startswith('《=HYPERLINK("http://evil.example") \\input{/etc/passwd} <script>')


# --- lists of sources


def test_references_by_gbt_7714_name_each_article_once_by_its_kind() -> None:
    other = answer("公交？", quoted(ACCOUNT, "票价两元。", 1))
    bare = dataclasses.replace(SCAN, id="x", source="", date=None, title="")
    last = answer("藏书？", quoted(bare, "藏书两万册。", 1))
    assert text(Form.REFERENCES, DAM_ANSWER, AGAIN, other, last) == (
        "[1] 林小满, 高远, 陈一舟, 等. 南坡水库完成扩建[N/OL]. 南坡晚报, 2026-03-03[2026-04-05]. "
        "https://news.example/dam?id=7&page=a_b.\n"
        "[2] 旧磨坊改成书店[N]. 青禾日报, 2026-02-11.\n"
        "[3] 青禾发布. 青禾的三条新公交线[EB/OL]. [2026-04-05]. https://mp.weixin.qq.com/s/abc.\n"
        "[4] [no title][Z]. [no date]. p4.txt.\n"
    )


def test_a_web_page_with_an_author_stands_in_its_site() -> None:
    page = dataclasses.replace(
        ACCOUNT, source="Aldermoor Portal", title="A new pier", date=DAY, byline="By Ann B. Moor"
    )
    shown = answer("pier?", quoted(page, "票价两元。", 1))
    content = export([entry_of(shown)], Form.REFERENCES, language="en", made=DAY, articles={page.id: page})
    assert content.decode() == (
        "[1] MOOR A B. A new pier[EB/OL]//Aldermoor Portal. (2026-04-05)[2026-04-05]. https://mp.weixin.qq.com/s/abc.\n"
    )


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("记者 林小满", ["林小满"]),
        ("林小满、高远", ["林小满", "高远"]),
        ("阿里木·买买提", ["阿里木·买买提"]),
        ("By Jane Doe and John A. Roe", ["Jane Doe", "John A. Roe"]),
        ("", []),
    ],
)
def test_persons_of_a_byline(byline: str, names: list[str]) -> None:
    assert authors(byline) == tuple(Author(name, person=True) for name in names)


@pytest.mark.parametrize("byline", ["青禾市融媒体中心新闻采编部", "Staff Reporter", "the night desk"])
def test_a_byline_that_names_no_person_stays_whole(byline: str) -> None:
    assert authors(byline) == (Author(byline, person=False),)


def test_bibtex_entries() -> None:
    shown = text(Form.BIBTEX, DAM_ANSWER, answer("公交？", quoted(ACCOUNT, "票价两元。", 1)))
    keys = re.findall(r"^@(\w+)\{([^,]+),$", shown, re.MULTILINE)
    assert [kind for kind, _ in keys] == ["article", "article", "misc"]
    assert len({key for _, key in keys}) == 3 and all(key.isascii() for _, key in keys)
    assert text(Form.BIBTEX, AGAIN).splitlines()[0] == f"@article{{{keys[0][1]},", "a key never changes"
    for field in (
        "  author = {林小满 and 高远 and 陈一舟 and 赵阿大},\n  journal = {南坡晚报},\n",
        "  year = {2026},\n  month = mar,\n  day = {3},\n  url = {https://news.example/dam?id=7&page=a_b},\n",
        "  author = {{青禾发布}},\n  url = {https://mp.weixin.qq.com/s/abc},\n  urldate = {2026-04-05},\n",
    ):
        assert field in shown


def test_bibtex_shows_foreign_text_literally() -> None:
    shown = text(Form.BIBTEX, ATTACK)
    assert len(re.findall("^@", shown, re.MULTILINE)) == 1 and shown.count("{") == shown.count("}")
    assert r"\textbackslash{}input\textbraceleft{}/etc/passwd\textbraceright{}" in shown
    assert r"100\% \& co\_" in shown and r"\$x\$" in shown and "javascript" not in shown


@pytest.mark.parametrize("form", [Form.REFERENCES, Form.BIBTEX])
def test_a_list_without_sources_says_so(form: Form) -> None:
    assert "没有引用任何报道。" in text(form, REFUSED)
    assert "No article is cited." in text(form, REFUSED, language="en")


# --- files


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("南坡水库，花了多少钱？", "jinwen-2026-04-05-南坡水库-花了多少钱.docx"),
        ("../../etc/passwd\x00\n", "jinwen-2026-04-05-etc-passwd.docx"),
        ('a<b>:"|?*\\/.exe', "jinwen-2026-04-05-a-b-exe.docx"),
        ("？？", "jinwen-2026-04-05.docx"),
        ("\u202efdp.问", "jinwen-2026-04-05-fdp-问.docx"),
    ],
)
def test_file_names_are_safe_everywhere(question: str, name: str) -> None:
    assert export_name([Entry(question, None)], Form.WORD, DAY) == name


def test_a_long_question_gives_a_name_that_every_file_system_takes() -> None:
    assert len(export_name([Entry("字" * 900, None)], Form.WORD, DAY).encode()) < 255


def test_the_ending_chooses_the_form_and_others_are_refused_in_one_line(tmp_path: Path) -> None:
    assert [form_of(tmp_path / f"a.{ending}") for ending in ("md", "DOCX", "txt", "bib")] == list(Form)
    with pytest.raises(ExportError, match=r"'.*a\.pdf': its name must end in one of \.md, \.docx, \.txt, \.bib$"):
        form_of(tmp_path / "a.pdf")
    with pytest.raises(ExportError, match="there is no folder"):
        form_of(tmp_path / "missing" / "a.md")


def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "a.md").mkdir()
    with pytest.raises(ExportError, match=r"cannot export to '.*a\.md': .*; choose another file$"):
        write_export(tmp_path / "a.md", b"x")
    assert [file.name for file in tmp_path.iterdir()] == ["a.md"], "no draft is left"
