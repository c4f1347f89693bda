"""Small invented files of many formats, made by code."""
# ruff: noqa: E501  (markup stays on one line)

import io
import zipfile

BRIDGE = "云陵市的新桥昨天通车，全长420米，总投资3.6亿元。"
GARDEN = "月桥植物园本周开放，共有兰花128盆，门票15元。"


def zipped(entries: dict[str, bytes | str], stored: tuple[str, ...] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED)
    return out.getvalue()


def workbook(sheets: dict[str, list[list[object]]], hidden: str = "") -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name == hidden:
            sheet.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def page(title: str, *paragraphs: str) -> str:
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    head = f"<head><title>{title}</title></head>"
    return f"<!DOCTYPE html><html>{head}<body><article><h1>{title}</h1>{body}</article></body></html>"


CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)


def epub(chapters: dict[str, str], **more: str) -> bytes:
    items = "".join(
        f'<item id="c{n}" href="c%20{n}.xhtml" media-type="application/xhtml+xml"/>' for n, _ in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n, _ in enumerate(chapters))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>云陵月刊</dc:title><dc:creator>高远</dc:creator><dc:date>2024-03-08</dc:date></metadata>"
        f'<manifest>{items}<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/></manifest>'
        f'<spine><itemref idref="nav"/>{spine}</spine></package>'
    )
    links = "".join(f'<li><a href="c%20{n}.xhtml#top">目录第{n}条</a></li>' for n, _ in enumerate(chapters))
    nav = (
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>'
        f'<nav epub:type="toc"><ol>{links}</ol></nav></body></html>'
    )
    files: dict[str, bytes | str] = {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER}
    files |= {"OEBPS/book.opf": package, "OEBPS/nav.xhtml": nav}
    files |= {f"OEBPS/c {n}.xhtml": html for n, html in enumerate(chapters.values())}
    return zipped({**files, **more}, ("mimetype",))


ODT_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table", "draw")
)


def odt(body: str) -> bytes:
    body = f"<office:body><office:text>{body}</office:text></office:body>"
    content = f"<office:document-content {ODT_NAMES}>{body}</office:document-content>"
    kind = "application/vnd.oasis.opendocument.text"
    return zipped({"mimetype": kind, "content.xml": content, "Pictures/1.png": b"x"}, ("mimetype",))


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx_with(body: str, **parts: tuple[str, str, bytes]) -> bytes:
    """A Word document with `body` as XML, and `parts` as `name: (relation type, content type, data)`."""
    from docx import Document
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml import parse_xml

    document = Document()
    root = document.element.body
    for child in list(root):
        if not child.tag.endswith("sectPr"):
            root.remove(child)
    names = f'xmlns:w="{WORD}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    names += ' xmlns:v="urn:schemas-microsoft-com:vml"'
    for name, (relation, kind, data) in parts.items():
        part = Part(PackURI(f"/word/{name}"), kind, data, document.part.package)
        body = body.replace(f"@{name}", document.part.relate_to(part, relation))
    for child in reversed(list(parse_xml(f"<w:body {names}>{body}</w:body>"))):
        root.insert(0, child)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
