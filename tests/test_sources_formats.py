"""Formats of exporters, desks and archives: tables, books, feeds, mails, saved pages, slides, containers."""
# ruff: noqa: E501  (markup stays on one line)

import base64
import datetime as dt
import gzip
import io
import json
from email.message import EmailMessage

import pytest
from format_files import BRIDGE, GARDEN, ODT_NAMES, WORD, docx_with, epub, odt, page, workbook, zipped

from rag.config import SourceSettings
from rag.errors import SourceError
from rag.sources import read_source
from rag.sources.formats import FORMATS, SUFFIXES

DAY = dt.date(2024, 3, 5)


@pytest.fixture
def read(tmp_path):
    def read_(name: str, data: bytes | str):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return read_source(path, SourceSettings())

    return read_


def losses(reading) -> list[str]:
    return [f"{problem.record}: {problem.cause}" for problem in reading.problems]


def test_the_table_of_formats_is_whole():
    assert len({row.name for row in FORMATS}) == len(FORMATS)
    assert len(SUFFIXES) == len([suffix for row in FORMATS for suffix in row.suffixes])
    for row in FORMATS:
        assert callable(row.load_reader()), row.name


def test_workbook_with_columns_of_articles(read):
    head = ["公众号", "ID", "链接", "标题", "摘要", "创建时间", "发布时间（北京）", "阅读", "作者", "文章内容"]
    row = [
        "云陵发布",
        "71_1",
        "https://news.example/1",
        "新桥通车",
        "桥",
        dt.datetime(2024, 3, 1, 9),
        dt.datetime(2024, 3, 5, 20, 1),
        99.0,
        "高远",
        BRIDGE,
    ]
    rows = [
        ["导出于某日"],
        head,
        row,
        [None] * 10,
        [*row[:1], "71_2", None, "只有摘要", "摘要", None, None, 1, None, None],
    ]
    reading = read("a.xlsx", workbook({"文章": rows, "草稿": [["标题", "正文"], ["x", "草稿的内容"]]}, hidden="草稿"))
    (article,) = reading.articles
    assert (reading.format, article.id, article.title, article.text) == ("xlsx", "云陵发布/71_1", "新桥通车", BRIDGE)
    assert (article.source, article.date, article.url, article.byline) == (
        "云陵发布",
        DAY,
        "https://news.example/1",
        "高远",
    )
    assert losses(reading) == [
        "sheet 草稿: hidden, not read",
        "sheet 文章, row 5: no text (only a summary); expected one of finalContent, content, text, 正文",
    ]


def test_workbook_of_figures_is_one_text_a_sheet(read):
    reading = read(
        "a.xlsx", workbook({"食堂": [["区", "2023年", "2024年"], ["东区", 12, 12], ["西区", 8.5, None]], "空": []})
    )
    (article,) = reading.articles
    assert (article.title, article.text) == ("食堂", "区 | 2023年 | 2024年\n东区 | 12 | 12\n西区 | 8.5")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_csv_with_columns_of_articles(read, encoding):
    text = f'id,标题,正文,发布时间,来源,链接\r\n1,新桥通车,"{BRIDGE}\r\n他说：""很好。""",2024-03-05 20:01,云陵发布,https://news.example/1\r\n'
    text += f"2,植物园开放,{GARDEN},2024/3/6,云陵晚报,\r\n"
    reading = read("a.txt", text.encode(encoding))
    assert [(a.id, a.title, str(a.date), a.source, a.url) for a in reading.articles] == [
        ("云陵发布/1", "新桥通车", "2024-03-05", "云陵发布", "https://news.example/1"),
        ("云陵晚报/2", "植物园开放", "2024-03-06", "云陵晚报", None),
    ]
    assert reading.articles[0].text == f'{BRIDGE}\n他说："很好。"'


def test_tsv_and_tables_of_figures(read):
    (article,) = read("a.tsv", f"Title\tPublish Date\tBody\nBridge\tMarch 5, 2024\t{BRIDGE}\n").articles
    assert (article.title, article.date, article.text) == ("Bridge", DAY, BRIDGE)
    (table,) = read("食堂.csv", "区;2023年;2024年\n东区;12;12\n").articles
    assert (table.title, table.text) == ("食堂", "区 | 2023年 | 2024年\n东区 | 12 | 12")
    assert read("b.txt", "区,2023年,2024年\n东区去年开了十二家食堂。\n").format == "text"


TELEGRAM = {"date": "2024-03-05T20:05:00", "text": [{"type": "bold", "text": "新桥"}, BRIDGE]}
WEIBO = {"text": BRIDGE, "created_at": "Tue Mar 05 20:05:00 +0800 2024", "source": "微博网页版"}
ELASTIC = {"content": BRIDGE, "publisher": {"name": "云陵快讯"}, "pubTime": "2024-03-04T16:00:00Z"}
WORDPRESS = {"title": {"rendered": "桥"}, "content": {"rendered": f"<p>{BRIDGE}</p>"}, "date": "2024-03-05T20:00:00"}
EXPORTER = {"aid": "1_1", "title": "新桥", "content": BRIDGE, "create_time": 1709000000, "update_time": 1709640300}


@pytest.mark.parametrize(
    "value",
    [
        {"name": "云陵快讯", "messages": [{"id": 1, "type": "service", "text": ""}, TELEGRAM]},
        {"user": {"screen_name": "云陵快讯"}, "weibo": [WEIBO]},
        {"hits": {"total": 1, "hits": [{"_source": ELASTIC}]}},
        {"title": "云陵快讯", "items": [{"content_html": f"<p>{BRIDGE}</p>", "date_modified": "2024-03-05T12:01:00Z"}]},
        {
            "云陵快讯": [{"正文": BRIDGE, "发布时间": 1709640300}],
            "云陵晚报": [{"正文": GARDEN, "发布时间": "1709640300000"}],
        },
        [{**WORDPRESS, "site_name": "云陵快讯"}],
        [{**EXPORTER, "itemidx": 1, "_accountName": "云陵快讯"}],
    ],
)
def test_json_of_other_exporters(read, value):
    article = read("a.json", json.dumps(value, ensure_ascii=False)).articles[0]
    assert BRIDGE in article.text and "{" not in article.text
    assert (article.source, article.date) == ("云陵快讯", DAY)


def test_a_post_is_not_sourced_by_its_program(read):
    posts = [
        {"text": BRIDGE, "created_at": "2024-03-05", "source": s} for s in ("iPhone 13 Pro", "微博网页版", "云陵晚报")
    ]
    reading = read("a.jsonl", "\n".join(json.dumps(post, ensure_ascii=False) for post in posts))
    assert [a.source for a in reading.articles] == ["", "", "云陵晚报"]
    (article,) = read(
        "b.json", json.dumps([{"title": "新桥", "text": BRIDGE, "created_at": "2024-03-05", "source": "人民客户端"}])
    ).articles
    assert article.source == "人民客户端"


def test_feeds(read):
    item = "<item><title>新桥&amp;老桥</title><link>https://n.example/1</link><pubDate>Mon, 04 Mar 2024 16:30:00 GMT</pubDate>"
    item += f"<description>短</description><content:encoded><![CDATA[<p>第一段。</p><p>{BRIDGE}</p>]]></content:encoded></item>"
    rss = f'<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>云陵晚报</title>{item}</channel></rss>'
    for data in (f'<?xml version="1.0" encoding="gb2312"?>{rss}'.encode("gb18030"), rss.encode()):
        reading = read("feed.xml", data)
        (article,) = reading.articles
        assert (reading.format, article.title, article.source, article.date) == ("feed", "新桥&老桥", "云陵晚报", DAY)
        assert (article.text, article.url) == (f"第一段。\n{BRIDGE}", "https://n.example/1")
    entry = f'<entry><title>新桥</title><id>3</id><updated>2024-03-05T10:00:00Z</updated><content type="html">&lt;p&gt;{BRIDGE}&lt;/p&gt;</content></entry>'
    (article,) = read(
        "a.txt", f'<feed xmlns="http://www.w3.org/2005/Atom"><title>云陵发布</title>{entry}</feed>'
    ).articles
    assert (article.id, article.text, article.date) == ("云陵发布/3", BRIDGE, DAY)
    with pytest.raises(SourceError, match="feed without entries"):
        read("b.xml", "<rss version='2.0'><channel><title>x</title></channel></rss>")


def test_epub(read):
    pages = {
        "1": f"<html><body><h1>新桥通车</h1><p>{BRIDGE}</p><img src='a.jpg'/></body></html>",
        "2": f"<html><body><p>{GARDEN}</p><table><tr><th>花</th><th>盆</th></tr><tr><td>兰</td><td>128</td></tr></table></body></html>",
        "3": "<html><body><h1>版权信息</h1><p>印数一千册</p></body></html>",
    }
    reading = read("book.epub", epub(pages))
    assert [(a.id, a.title, a.source, a.byline, str(a.date)) for a in reading.articles] == [
        ("book.epub#1", "新桥通车", "云陵月刊", "高远", "2024-03-08"),
        ("book.epub#2", "目录第1条", "云陵月刊", "高远", "2024-03-08"),
    ]
    assert reading.articles[1].text == f"{GARDEN}\n花 | 盆\n兰 | 128"
    assert losses(reading) == ["pictures: 1 not read; words in them are missing"]
    locked = '<encryption><x:CipherReference xmlns:x="urn:x" URI="OEBPS/c%200.xhtml"/></encryption>'
    reading = read("locked.epub", epub({"1": "x", "2": pages["2"]}, **{"META-INF/encryption.xml": locked}))
    assert len(reading.articles) == 1 and "OEBPS/c 0.xhtml: protected (DRM), not read" in losses(reading)


def newsletter(subject: str, *, attach: bool = False) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, "云陵早报 <news@post.example>", "me@home.example"
    mail["Date"] = "Tue, 05 Mar 2024 07:30:00 +0800"
    mail.set_content("请用浏览器打开", charset="gb18030", cte="base64")
    mail.add_alternative(page("早报", BRIDGE, GARDEN), subtype="html", cte="base64")
    if attach:
        mail.add_attachment(
            zipped({"内/新桥.txt": f"新桥通车\n\n{BRIDGE}"}), maintype="application", subtype="zip", filename="稿件.zip"
        )
        mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="1.png")
        mail.add_attachment(b"\0" * 99, maintype="application", subtype="octet-stream", filename="坏.bin")
    return mail


def test_mail_with_attachments(read):
    reading = read("a.txt", newsletter("新桥通车", attach=True).as_bytes())
    article, inner = reading.articles
    assert (reading.format, article.title, article.source, article.date) == ("mail", "新桥通车", "云陵早报", DAY)
    assert article.text == f"早报\n{BRIDGE}\n{GARDEN}" and base64.b64encode(b"<").decode() not in article.title
    assert (inner.id, inner.text) == ("a.txt/稿件.zip/内/新桥.txt#1", f"新桥通车\n\n{BRIDGE}")
    assert [loss.split(":")[0] for loss in losses(reading)] == ["pictures", "坏.bin"]


def test_mail_in_raw_bytes_of_an_old_charset(read):
    head = "Subject: 新桥通车\r\nFrom: news@post.example\r\nDate: Tue, 05 Mar 2024 07:30:00 +0800\r\n"
    raw = (head + f"Content-Type: text/plain; charset=gb2312\r\n\r\n{BRIDGE}\r\n").encode("gb18030")
    (article,) = read("a.eml", raw).articles
    assert (article.title, article.source, article.text) == ("新桥通车", "post.example", BRIDGE)


def test_mailbox(read):
    mails = [newsletter("第一封"), newsletter("第二封")]
    box = b"".join(b"From news@post.example Tue Mar  5 07:30:00 2024\n" + mail.as_bytes() + b"\n" for mail in mails)
    assert [(a.id, a.title) for a in read("in.mbox", box).articles] == [
        ("in.mbox#1", "第一封"),
        ("in.mbox#2", "第二封"),
    ]


def test_mhtml(read):
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "<Saved by Blink>", "新桥通车"
    mail["Snapshot-Content-Location"], mail["Date"] = "https://post.example/1", "Wed, 20 Mar 2024 03:00:00 -0000"
    mail.set_content(
        page("新桥通车", "2024-03-05 20:01 来源：云陵网", BRIDGE, GARDEN), subtype="html", cte="quoted-printable"
    )
    mail.make_related()
    reading = read("a.mhtml", mail.as_bytes())
    (article,) = reading.articles
    assert (reading.format, article.title, article.date, article.url) == (
        "mhtml",
        "新桥通车",
        DAY,
        "https://post.example/1",
    )
    assert BRIDGE in article.text and "=E" not in article.text


def test_saved_wechat_page(read):
    html = (
        '<!DOCTYPE html><html><head><meta property="og:title" content="新桥通车"><meta property="og:site_name" content="微信公众平台">'
        '<meta property="og:url" content="https://mp.example/s?a=1"></head><body><h1 id="activity-name">新桥通车</h1>'
        '<div id="meta_content"><span class="rich_media_meta_text">原创</span><span class="rich_media_meta_text">高远</span>'
        '<a id="js_name">云陵发布</a><em id="publish_time"></em></div><div id="js_content" style="visibility: hidden">'
        f"<section><span>{BRIDGE}</span></section><section>{GARDEN}</section></div><div>阅读原文</div>"
        '<script>var nickname = htmlDecode("云陵发布"); var ct = "1709640300";</script></body></html>'
    )
    (article,) = read("a.html", html).articles
    assert (article.title, article.source, article.date, article.byline) == ("新桥通车", "云陵发布", DAY, "高远")
    assert (article.text, article.url) == (f"{BRIDGE}\n{GARDEN}", "https://mp.example/s?a=1")
    with pytest.raises(SourceError, match="1 pictures without text"):
        read(
            "b.html", '<html><body><h1 id="activity-name">图</h1><div id="js_content"><img src="a"></div></body></html>'
        )


def test_singlefile_page_and_short_table(read):
    comment = "<!--\n Page saved with SingleFile \n url: https://post.example/9 \n-->"
    table = "<table><tr><th rowspan=2>档</th><th colspan=2>电价</th></tr><tr><th>峰</th><th>谷</th></tr><tr><td>一</td><td>0.5</td><td>0.3</td></tr></table>"
    html = (
        page("电价表", "<span>来源：云陵网</span>", "本月执行。")
        .replace("<head>", f"{comment}<head>")
        .replace("</article>", f"{table}</article>")
    )
    (article,) = read("a.html", html).articles
    assert (article.url, article.source) == ("https://post.example/9", "云陵网")
    assert article.text.split("\n")[-3:] == ["档 | 电价 | 电价", "档 | 峰 | 谷", "一 | 0.5 | 0.3"]


def test_pptx(read):
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "港口简报", "吞吐量73.5万箱\n增长8.2%"
    slide.notes_slide.notes_text_frame.text = "冷藏箱9.4万箱。"
    table = deck.slides.add_slide(deck.slide_layouts[6]).shapes.add_table(1, 2, 0, 0, Inches(2), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "北码头", "41.2"
    hidden = deck.slides.add_slide(deck.slide_layouts[1])
    hidden.shapes.title.text = "草稿"
    hidden.element.set("show", "0")
    out = io.BytesIO()
    deck.save(out)
    reading = read("a.pptx", out.getvalue())
    (article,) = reading.articles
    assert article.title == "港口简报" and article.date is None
    assert article.text == "港口简报\n吞吐量73.5万箱\n增长8.2%\n冷藏箱9.4万箱。\n\n北码头 | 41.2"
    assert losses(reading) == ["hidden slides: 1 not read"]


def test_odt(read):
    body = (
        "<text:tracked-changes><text:p>删去</text:p></text:tracked-changes><text:h>新桥通车</text:h>"
        f"<text:p>{BRIDGE}<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>据市政府。</text:p></text:note-body></text:note>完</text:p>"
        '<table:table><table:table-row><table:table-cell table:number-columns-repeated="2"><text:p>12</text:p></table:table-cell>'
        "</table:table-row></table:table><text:p><draw:frame><draw:text-box><text:p>门票15元</text:p></draw:text-box></draw:frame></text:p>"
    )
    reading = read("a.odt", odt(body))
    (article,) = reading.articles
    assert article.text == f"新桥通车\n{BRIDGE}完\n12 | 12\n\n门票15元\n据市政府。"
    assert (article.title, losses(reading)) == ("新桥通车", ["pictures: 1 not read; words in them are missing"])
    assert "office" in ODT_NAMES


def test_rtf(read):
    words = "".join(f"\\u{ord(char)}?" for char in BRIDGE)
    (article,) = read(
        "a.rtf", rf"{{\rtf1\ansi\ansicpg936{{\info{{\title Bridge}}}} \'d0\'c2\'c7\'c5\par {words}\par}}"
    ).articles
    assert (article.title, article.text) == ("Bridge", f"新桥\n{BRIDGE}")


def test_docx_reads_as_with_all_changes_accepted(read):
    notes = (
        f'<w:footnotes xmlns:w="{WORD}"><w:footnote w:id="2"><w:p><w:r>'
        "<w:footnoteRef/><w:t>据市政府。</w:t></w:r></w:p></w:footnote></w:footnotes>"
    ).encode()
    chunk = f"<html><body><p>{GARDEN}</p></body></html>".encode()
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    body = (
        "<w:p><w:r><w:t>每份</w:t></w:r><w:del w:id='1'><w:r><w:delText>12元</w:delText></w:r></w:del>"
        "<w:ins w:id='2'><w:r><w:t>9元</w:t></w:r></w:ins><w:r><w:footnoteReference w:id='2'/><w:t>。</w:t></w:r></w:p>"
        "<w:p><w:r><w:pict><v:shape><v:textbox><w:txbxContent><w:p><w:r><w:t>门票15元</w:t></w:r></w:p></w:txbxContent>"
        "</v:textbox></v:shape></w:pict></w:r></w:p>"
        f"<w:sdt><w:sdtContent><w:p><w:r><w:t>{BRIDGE}</w:t></w:r></w:p></w:sdtContent></w:sdt><w:altChunk r:id='@chunk.html'/>"
        "<w:p><w:r><w:pict><v:shape><v:imagedata r:id='x'/></v:shape></w:pict></w:r></w:p>"
    )
    parts = {
        "footnotes.xml": (
            f"{relation}/footnotes",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml",
            notes,
        ),
        "chunk.html": (f"{relation}/aFChunk", "text/html", chunk),
    }
    reading = read("a.docx", docx_with(body, **parts))
    assert reading.articles[0].text.split("\n") == ["每份9元。", "门票15元", BRIDGE, GARDEN, "", "据市政府。"]
    assert losses(reading) == ["pictures: 1 not read; words in them are missing"]


def warc(*records: tuple[str, str, bytes]) -> bytes:
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)
    for url, kind, data in records:
        headers = StatusAndHeaders("200 OK", [("Content-Type", kind)], protocol="HTTP/1.1")
        writer.write_record(writer.create_warc_record(url, "response", payload=io.BytesIO(data), http_headers=headers))
    return out.getvalue()


def test_warc(read):
    html = page("新桥通车", "2024-03-05", BRIDGE).encode("gb18030")
    data = warc(
        ("https://n.example/1", "text/html; charset=gbk", html),
        ("https://n.example/a.png", "image/png", b"x"),
        ("https://n.example/1", "text/html", html),
    )
    for name, content in (("a.warc.gz", data), ("b.warc", gzip.decompress(data))):
        reading = read(name, content)
        (article,) = reading.articles
        assert (article.title, article.date, article.url) == ("新桥通车", DAY, "https://n.example/1")
        assert article.id == f"{name}/https://n.example/1#1"
        assert losses(reading) == ["image records: 1 not read"]


def test_zip_of_all_kinds(read, tmp_path):
    inner = zipped({"b.md": f"# 植物园\n\n{GARDEN}"})
    files = {
        "2024-03-05 新桥.txt": f"新桥通车\n\n{BRIDGE}", "页/index.html": page("植物园开放", GARDEN, BRIDGE), "页/a.css": "p {}",
        "页/1.png": b"x", "__MACOSX/x": b"x", "内.zip": inner, "坏.bin": b"\x00\x01\x02" * 99, "meta.toml": "date = 2024-01-01",
    }  # fmt: skip
    reading = read("出.zip", zipped(files))
    assert {(a.id, a.title, str(a.date)) for a in reading.articles} == {
        ("出.zip/2024-03-05 新桥.txt#1", "新桥通车", "2024-03-05"),
        ("出.zip/页/index.html#1", "植物园开放", "None"),
        ("出.zip/内.zip/b.md#1", "植物园", "None"),
    }
    assert all(a.file == str(tmp_path / "出.zip") and a.spans == () for a in reading.articles)
    assert [loss.split(":")[0] for loss in losses(reading)] == ["picture files", "坏.bin"]


def test_zip_names_in_gbk(read):
    data = zipped({"XXXX.txt": f"新桥\n\n{BRIDGE}"}).replace(b"XXXX", "新桥".encode("gbk"))
    assert read("a.zip", data).articles[0].id == "a.zip/新桥.txt#1"


def test_bombs_are_refused(read):
    data = zipped({"a.txt": b"a" * 1000})
    for _ in range(6):
        data = zipped({"a.zip": data})
    with pytest.raises(SourceError, match="containers in containers"):
        read("deep.zip", data)
    with pytest.raises(SourceError, match="decompression bomb"):
        read("wide.zip", zipped({"a.txt": b"a" * 30_000_000}))
    with pytest.raises(SourceError, match="decompression bomb"):
        read("a.gz", gzip.compress(b"a" * 30_000_000))


def test_what_is_not_read_is_refused_by_name(read):
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    for entry, said in (("WordDocument", "old Word"), ("Workbook", "old Excel"), ("__substg1.0_001A001F", "Outlook")):
        with pytest.raises(SourceError, match=said):
            read("a.bin", ole + entry.encode("utf-16-le"))
    with pytest.raises(SourceError, match="OpenDocument table"):
        read(
            "a.ods",
            zipped(
                {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"}, ("mimetype",)
            ),
        )
