"""HTML, PDF and DOCX, parsed in the child process."""

import io
import zipfile

import pytest

from rag.config import SourceSettings
from rag.errors import SourceError
from rag.sources import read_source
from rag.sources.archives import open_archive
from rag.sources.pdf import reflow
from rag.sources.pdf_columns import Piece, columns
from rag.sources.sandbox import Sandbox

SENTENCES = [
    "The new bridge over the river opened on Monday after four years of work.",
    "It is 420 metres long and carries two lanes, a tram and a path for bicycles.",
    "The mayor said the old ferry would run until the end of the month.",
]


def pdf(lines: list[str], info: str = "") -> bytes:
    """A one-page PDF with `lines` as its text; no text layer without lines."""
    text = "BT /F1 12 Tf 14 TL 40 800 Td " + " ".join(f"({line}) Tj T*" for line in lines) + " ET" if lines else ""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        f"<< {info} >>",
    ]
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode())
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write("".join(f"{offset:010} 00000 n \n" for offset in offsets).encode())
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 5 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def docx(**properties) -> bytes:
    from docx import Document

    document = Document()
    document.add_heading("新桥通车", 0)
    document.add_paragraph("云陵市的新桥昨天通车。")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "长度", "420米"
    for name, value in properties.items():
        setattr(document.core_properties, name, value)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def read(folder, name, data):
    (folder / name).write_bytes(data)
    return read_source(folder / name, SourceSettings())


def refused(folder, name, data):
    with pytest.raises(SourceError) as caught:
        read(folder, name, data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_html(tmp_path):
    body = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
    page = (
        "<!doctype html><html><head><meta charset='gb2312'><title>Bridge opens | Post</title>"
        "<link rel='canonical' href='javascript:alert(1)'>"
        "<meta property='article:published_time' content='2024-03-05T08:00:00+08:00'></head>"
        f"<body><nav><a href='/'>Home</a> <a href='/x'>Sport</a></nav><article><h1>Bridge opens</h1>{body}"
        "<script>steal()</script><style>p{}</style><!-- hidden --></article>"
        "<footer>All rights reserved</footer></body></html>"
    )
    reading = read(tmp_path, "a.txt", page.encode())
    article = reading.articles[0]
    assert (reading.format, reading.encoding) == ("html", "utf-8")
    assert (article.title, str(article.date), article.url, article.spans) == ("Bridge opens", "2024-03-05", None, ())
    assert all(sentence in article.text for sentence in SENTENCES)
    assert not any(word in article.text for word in ("steal", "hidden", "Sport", "rights"))


def test_html_without_main_text(tmp_path):
    assert "without main text" in refused(tmp_path, "a.html", b"<html><body><script>let x = 1</script></body></html>")


def test_deeply_nested_html_ends(tmp_path):
    page = "<html><body>" + "<div>" * 50_000 + "<p>" + " ".join(SENTENCES) + "</p></body></html>"
    (tmp_path / "a.html").write_text(page, "utf-8")
    try:
        assert "bridge" in read_source(tmp_path / "a.html", SourceSettings()).articles[0].text
    except SourceError as error:
        assert "\n" not in str(error)


def test_pdf(tmp_path):
    lines = ["Bridge opens", *SENTENCES]
    reading = read(
        tmp_path, "a.bin", pdf(lines, "/Title (Bridge opens) /Author (Ann Lee) /CreationDate (D:20240305080000)")
    )
    article = reading.articles[0]
    assert (reading.format, reading.encoding) == ("pdf", None)
    assert (article.title, article.byline, article.date) == ("Bridge opens", "Ann Lee", None)
    assert article.text.split("\n") == lines
    assert [str(problem) for problem in reading.problems] == [
        f"{tmp_path}/a.bin, date: none printed; the file was made on 2024-03-05, which need not be its day: give --date"
    ]


def test_pdf_lines_become_paragraphs():
    pages = [
        [
            "Post 1",
            "云陵市的新桥昨天正式通车，市民可以步行过",
            "河，公交车也将改道，老渡轮月底停",
            "运。",
            "第二段从这里开始，也很长很长很长很长。",
            "1",
        ],
        ["Post 1", "The committee will meet again in the com-", "ing week to discuss the plan.", "2"],
        ["Post 1", "End.", "3"],
    ]
    assert reflow(pages) == [
        "云陵市的新桥昨天正式通车，市民可以步行过河，公交车也将改道，老渡轮月底停运。",
        "第二段从这里开始，也很长很长很长很长。",
        "The committee will meet again in the coming week to discuss the plan.",
        "End.",
    ]


def test_a_hyphen_goes_only_where_a_word_is_left():
    page = [
        "The state-",
        "owned yard built a twenty-",
        "five-storey tower, a joint pro-",
        "ject of two towns of zubrovka-",
    ]
    assert reflow([[*page, "nia. Zubrovkania pays."]]) == [
        "The state-owned yard built a twenty-five-storey tower, a joint project of two towns of zubrovkania. "
        "Zubrovkania pays."
    ]


def test_running_heads_go_also_from_two_pages():
    pages = [
        ["云陵简报 2025年第45期", "方案公布", "如遇连续三日低于零下十度的低温，", "第 1 页 共 2 页"],
        ["云陵简报 2025年第46期", "将启动二级响应，每户居民每日保障用水不少于60升。", "第 2 页 共 2 页"],
    ]
    assert (
        "".join(reflow(pages))
        == "方案公布如遇连续三日低于零下十度的低温，将启动二级响应，每户居民每日保障用水不少于60升。"
    )


def test_columns_drawn_line_by_line_are_read_one_after_the_other():
    left = [
        "新桥昨天正式通车，市民可",
        "以步行过河，公交车也将改",
        "道，老渡轮月底停运，船上",
        "八名船员转到新码头工作。",
    ]
    right = [
        "图书车今年走访村镇七十三",
        "个，借出图书五万八千册，",
        "队长说明年再添四辆，把服",
        "务送到所有海岛的学校里。",
    ]

    def pieces(column, x):
        return [Piece(x, x + 10.0 * len(text), 700 - 14.0 * i, 10.0, text) for i, text in enumerate(column)]

    head = Piece(40, 300, 740, 20.0, "两条消息")
    across = [head, *(piece for row in zip(pieces(left, 40), pieces(right, 190), strict=True) for piece in row)]
    assert columns(across, []) == ["两条消息", *left, *right]
    cells = [["线路", "里程"], ["甲", "420"], ["乙线", "36"], ["丙", "8"], ["丁线路", "1200"]]
    table = [
        Piece(x, x + 5.0 * len(text), 700 - 14.0 * i, 10.0, text)
        for i, row in enumerate(cells)
        for x, text in zip((40, 190), row, strict=True)
    ]
    assert columns(table, []) == []


def test_pdf_that_cannot_be_read(tmp_path):
    from pypdf import PdfReader, PdfWriter

    assert "needs OCR" in refused(tmp_path, "scan.pdf", pdf([]))
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(SENTENCES))))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    assert "encrypted PDF" in refused(tmp_path, "locked.pdf", out.getvalue())
    assert refused(tmp_path, "cut.pdf", pdf(SENTENCES)[:60])
    assert "PDF" in refused(tmp_path, "empty.pdf", b"%PDF-1.4\n")


def test_docx(tmp_path):
    import datetime as dt

    created = dt.datetime(2024, 3, 5, 8, 0, tzinfo=dt.UTC)
    reading = read(tmp_path, "a", docx(author="高远", created=created))
    article = reading.articles[0]
    assert reading.format == "docx"
    assert (article.title, article.byline, article.date) == ("新桥通车", "高远", None)
    assert "the file was made on 2024-03-05" in reading.problems[0].cause
    assert article.text == "新桥通车\n云陵市的新桥昨天通车。\n长度 | 420米"
    assert read(tmp_path, "b", docx()).problems == ()  # the template's own date says nothing
    (tmp_path / "a.meta.toml").write_text("date = 2024-03-04", "utf-8")
    assert read(tmp_path, "a", docx(created=created)).articles[0].date == dt.date(2024, 3, 4)
    odd = read(tmp_path, "2024-03-06 c", docx(author="Administrator", title="Microsoft Word - 文档1.docx"))
    assert (str(odd.articles[0].date), odd.articles[0].byline) == ("2024-03-06", None)


def test_html_is_not_dated_by_its_neighbours(tmp_path):
    body = "".join(f"<p>{sentence * 2}</p>" for sentence in SENTENCES)
    related = "<div><h3>相关阅读</h3><ul><li><a href='/1'>旧桥封闭</a> 2023-05-01</li></ul></div>"

    def day(inside, head=""):
        page = f"<!doctype html><html><head>{head}</head><body>{inside}</body></html>"
        return str(read(tmp_path, "a.html", page.encode()).articles[0].date)

    info = "<div class='info'>2024年3月5日20:01 来源：云陵网</div>"
    assert day(f"<h1>Bridge opens</h1>{info}<article>{body}</article>{related}") == "2024-03-05"
    assert day(f"<article><h1>Bridge opens</h1>{body}</article>{related}") == "None"
    stamp = "<meta property='article:published_time' content='2024-03-05T20:00:00Z'>"
    assert day(f"<article><h1>Bridge opens</h1>{body}</article>", stamp) == "2024-03-06"  # a day in China


def test_equal_cells_are_kept_and_merged_ones_said_once(tmp_path):
    from docx import Document

    document = Document()
    document.add_paragraph("各队成绩如下。")
    table = document.add_table(2, 3)
    for cell, text in zip(table.rows[0].cells, ("东队", "3", "3"), strict=True):
        cell.text = text
    table.cell(1, 0).merge(table.cell(1, 1)).text = "合计"
    table.cell(1, 2).text = "6"
    document.save(tmp_path / "a.docx")
    text = read_source(tmp_path / "a.docx", SourceSettings()).articles[0].text
    assert text.split("\n") == ["各队成绩如下。", "东队 | 3 | 3", "合计 | 6"]


def test_docx_bombs_are_refused_before_unpacking():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * 30_000_000)
    with pytest.raises(SourceError, match="decompression bomb"):
        open_archive(out.getvalue())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "x")
        for number in range(5_001):
            archive.writestr(f"{number}", "")
    with pytest.raises(SourceError, match="5002 entries"):
        open_archive(out.getvalue())
    with pytest.raises(SourceError, match="damaged"):
        open_archive(b"PK\x03\x04 broken")


def test_docx_does_not_read_external_entities(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP SECRET", "utf-8")
    original = zipfile.ZipFile(io.BytesIO(docx()))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in original.infolist():
            data = original.read(entry)
            if entry.filename == "word/document.xml":
                text = data.decode().replace("云陵市", "&x;")
                head, _, rest = text.partition("?>")
                data = f'{head}?><!DOCTYPE d [<!ENTITY x SYSTEM "{secret.as_uri()}">]>{rest}'.encode()
            archive.writestr(entry.filename, data)
    (tmp_path / "x.docx").write_bytes(out.getvalue())
    try:
        text = read_source(tmp_path / "x.docx", SourceSettings()).articles[0].text
    except SourceError as error:
        text = str(error)
    assert "SECRET" not in text


def test_the_child_is_killed_at_its_time_limit_and_replaced():
    sandbox = Sandbox(time_limit_s=0.01)
    try:
        with pytest.raises(SourceError, match="took longer than 0.1 s"):
            sandbox.extract("pdf", pdf(SENTENCES))
        sandbox.time_limit_s = 60
        assert sandbox.extract("pdf", pdf(SENTENCES)).documents[0].text.split("\n") == SENTENCES
    finally:
        sandbox.close()
