"""Invented answers to export, and the text of an exported Word document by its own XML."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from dataclasses import dataclass

from lxml import etree

from rag.types import Answer, AnswerSentence, Article, Citation, NearArticle, Support

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"

DAM = Article(
    id="南坡晚报/7",
    title="南坡水库完成扩建",
    text="南坡水库扩建工程3月2日完工，库容增至4.6亿立方米。\n工程总投资12.4亿元。",
    file="news/南坡晚报.json",
    source="南坡晚报",
    date=dt.date(2026, 3, 3),
    url="https://news.example/dam?id=7&page=a_b",
    byline="本报记者 林小满 通讯员 高远 陈一舟 赵阿大",
)
SCAN = Article(
    id="p4.txt#2",
    title="旧磨坊改成书店",
    text="旧磨坊的石碾留在书店中央，藏书两万册。",
    file="scans/p4.txt",
    source="青禾日报",
    date=dt.date(2026, 2, 11),
)
ACCOUNT = Article(
    id="青禾发布/3",
    title="青禾的三条新公交线",
    text="三条新公交线4月1日起运行，票价两元。",
    file="news/青禾发布.json",
    source="青禾发布",
    date=None,
    url="https://mp.weixin.qq.com/s/abc",
)
HOSTILE = Article(
    id="bad",
    title='=HYPERLINK("http://evil.example") \\input{/etc/passwd} <script>x</script> ![a](http://evil.example/a) $x$',
    text="1. 行\x00一\u202e [点我](javascript:x) *星* <img src=x> [^9]: 假注 {MERGEFIELD x} \ufffe\ud800尾。",
    file="../../etc/<b>.txt",
    source="} @misc{x, note={假} 100% & co_",
    date=dt.date(2026, 1, 2),
    url="javascript:alert(1)",
)


def cite(article: Article, quote: str, marker: int) -> Citation:
    start = article.text.index(quote)
    return Citation(
        marker, article.id, article.title, article.source, article.date, article.url, article.file,
        quote, start, start + len(quote),
    )  # fmt: skip


def answer(question: str, *said: tuple[AnswerSentence, Citation], language: str = "zh", **changes: object) -> Answer:
    """An answer of sentences, each with its one citation."""
    citations = {citation.marker: citation for _, citation in said}
    values: dict[str, object] = {
        "question": question,
        "answer": "".join(sentence.text + "".join(f"[{m}]" for m in sentence.markers) for sentence, _ in said),
        "refused": False,
        "mode": "extractive",
        "language": language,
        "citations": tuple(citations.values()),
        "sentences": tuple(sentence for sentence, _ in said),
    }
    return Answer(**(values | changes))  # type: ignore[arg-type]


def quoted(article: Article, quote: str, marker: int, **changes: object) -> tuple[AnswerSentence, Citation]:
    values: dict[str, object] = {"text": quote, "markers": (marker,), "support": Support.QUOTED}
    return AnswerSentence(**(values | changes)), cite(article, quote, marker)  # type: ignore[arg-type]


DAM_ANSWER = answer(
    "南坡水库扩建花了多少钱？",
    quoted(DAM, "工程总投资12.4亿元。", 1, emphasis=((5, 11),)),
    quoted(DAM, "库容增至4.6亿立方米。", 2, before="南坡晚报："),
    quoted(SCAN, "旧磨坊的石碾留在书店中央，藏书两万册。", 3, apart=True),
)
AGAIN = answer("水库的投资？", quoted(DAM, "工程总投资12.4亿元。", 1), searched="南坡水库的投资？")
REFUSED = Answer(
    question="明天下雨吗？",
    answer="在已收录的文章中没有找到这个问题的答案。",
    refused=True,
    mode="extractive",
    language="zh",
    nearest=(
        NearArticle(DAM.id, DAM.title, DAM.source, DAM.date, DAM.url, DAM.file, DAM.text, 0, len(DAM.text)),
        NearArticle(SCAN.id, SCAN.title, SCAN.source, SCAN.date, SCAN.url, SCAN.file, SCAN.text, 0, len(SCAN.text)),
    ),
)
ATTACK = answer("![q](http://evil.example/q.png)\x07 # 问", quoted(HOSTILE, HOSTILE.text, 1))


@dataclass(frozen=True)
class WordText:
    """What Word shows: paragraphs with `{n}` for footnote marks, footnotes by number, addresses of its links."""

    paragraphs: list[str]
    footnotes: dict[int, str]
    links: list[str]
    again: list[str]
    """Numbers shown by fields, where a footnote is referred to again."""


def read_word(content: bytes) -> WordText:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    body = etree.fromstring(archive.read("word/document.xml"))
    notes = etree.fromstring(archive.read("word/footnotes.xml"))
    footnotes = {
        int(note.get(f"{W}id")): "".join(note.itertext(f"{W}t")).strip()
        for note in notes.iter(f"{W}footnote")
        if note.get(f"{W}type") is None
    }
    links = []
    for part, root in (("document", body), ("footnotes", notes)):
        name = f"word/_rels/{part}.xml.rels"
        relations = etree.fromstring(archive.read(name)) if name in archive.namelist() else []
        targets = {relation.get("Id"): relation.get("Target") for relation in relations}
        links += [targets[link.get(f"{R}id")] for link in root.iter(f"{W}hyperlink")]
    fields = [code.text.split()[0] for code in body.iter(f"{W}instrText")]
    assert set(fields) <= {"NOTEREF"} and not list(notes.iter(f"{W}instrText"))
    return WordText([_shown(p) for p in body.iter(f"{W}p")], footnotes, links, fields)


def _shown(paragraph: etree._Element) -> str:
    shown = ""
    for element in paragraph.iter(f"{W}t", f"{W}footnoteReference", f"{W}br"):
        if element.tag == f"{W}footnoteReference":
            shown += f"{{{element.get(f'{W}id')}}}"
        else:
            shown += "\n" if element.tag == f"{W}br" else element.text or ""
    return shown
