"""EPUB books and magazines: a chapter an article, with the title of the book as its source and its day as fallback."""

from __future__ import annotations

import posixpath
import re
import zipfile
from typing import Any
from urllib.parse import unquote

from rag.errors import SourceError
from rag.sources.archives import open_archive
from rag.sources.encoding import decode
from rag.sources.extracted import Extracted
from rag.sources.extraction import Extraction, Loss, pictures_lost
from rag.sources.hidden import drop_hidden
from rag.sources.html_text import parse_html, pictures_in, tree_text
from rag.sources.markup_xml import parse_xml

_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbncx+xml")
_CONTENTS = re.compile(
    r"(?:目\s*录|目次|版权(?:页|信息|所有)?|封面|扉页|contents|table of contents|copyright|cover|title page)", re.I
)


def extract_book(data: bytes) -> Extraction:
    """The chapters of a book in reading order.

    :raises SourceError: it is damaged, protected, or holds no text.
    """
    archive = open_archive(data)
    root = _package(archive)
    package = parse_xml(_read(archive, root))
    manifest = {item.get("id"): item for item in package.iterfind(".//{*}manifest/{*}item")}
    spine = [manifest.get(item.get("idref")) for item in package.iterfind(".//{*}spine/{*}itemref")]
    protected = _protected(archive)
    about = {name: _said(package, name) for name in ("title", "date", "creator")}
    chapters: list[Extracted] = []
    losses: list[Loss] = []
    pictures = 0
    names = _contents(archive, root, list(manifest.values()))
    for item in spine:
        if item is None or "nav" in (item.get("properties") or "").split() or item.get("media-type") not in _PAGES:
            continue
        path = _inside(root, item.get("href") or "")
        if path in protected:
            losses.append(Loss(path, "protected (DRM), not read"))
            continue
        try:
            tree = parse_html(decode(_read(archive, path)).text)
        except SourceError as error:
            losses.append(Loss(path, str(error)))
            continue
        drop_hidden(tree)
        pictures += pictures_in(tree)
        text = tree_text(tree)
        title = _title(tree) or names.get(path, "")
        if any(char.isalnum() for char in text) and not _CONTENTS.fullmatch(title.strip()):
            chapters.append(
                Extracted(text=text, title=title, author=about["creator"], date=about["date"], site=about["title"])
            )
    if not chapters:
        raise SourceError("EPUB protected by DRM" if protected else "EPUB without text (perhaps scanned pages)")
    return Extraction(tuple(chapters), losses=(*losses, *pictures_lost(pictures)))


def _package(archive: zipfile.ZipFile) -> str:
    container = parse_xml(_read(archive, "META-INF/container.xml"))
    rootfile = container.find(".//{*}rootfile")
    path = rootfile.get("full-path") if rootfile is not None else None
    if not path:
        raise SourceError("damaged EPUB: META-INF/container.xml names no package")
    return str(path)


def _read(archive: zipfile.ZipFile, path: str) -> bytes:
    try:
        return archive.read(path)
    except KeyError:
        raise SourceError(f"damaged EPUB: {path} is missing") from None


def _inside(base: str, href: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(href.split("#")[0])))


def _said(package: Any, name: str) -> str:
    values = [" ".join((e.text or "").split()) for e in package.iterfind(f".//{{*}}metadata/{{*}}{name}")]
    return ", ".join(value for value in values if value) if name == "creator" else next(filter(None, values), "")


def _title(tree: Any) -> str:
    for tag in ("h1", "h2", "h3"):
        if (heading := next(tree.iter(tag), None)) is not None and (text := " ".join(heading.text_content().split())):
            return str(text)
    return ""


def _contents(archive: zipfile.ZipFile, root: str, items: list[Any]) -> dict[str, str]:
    """How the table of contents calls the chapters, by path."""
    found: dict[str, str] = {}
    for item in items:
        nav = "nav" in (item.get("properties") or "").split()
        if not nav and item.get("media-type") != "application/x-dtbncx+xml":
            continue
        path = _inside(root, item.get("href") or "")
        try:
            tree = parse_xml(_read(archive, path))
        except SourceError:
            continue
        entries = (
            [(a.get("href") or "", "".join(a.itertext())) for a in tree.iterfind(".//{*}nav//{*}a")]
            if nav
            else [
                ((p.find("{*}content").get("src") or "") if p.find("{*}content") is not None else "",
                 p.findtext("{*}navLabel/{*}text") or "")
                for p in tree.iterfind(".//{*}navPoint")
            ]
        )  # fmt: skip
        for href, text in entries:
            found.setdefault(_inside(path, href), " ".join(text.split()))
    return found


def _protected(archive: zipfile.ZipFile) -> set[str]:
    """Paths of encrypted files; obfuscated fonts are among them, which is no matter."""
    try:
        tree = parse_xml(archive.read("META-INF/encryption.xml"))
    except KeyError:
        return set()
    return {unquote(e.get("URI") or "") for e in tree.iterfind(".//{*}CipherReference")}
