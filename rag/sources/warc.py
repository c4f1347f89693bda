"""Web archives (WARC) by warcio: each answer of a server that is a page is read as a file of its own."""

from __future__ import annotations

import io
import re
from collections import Counter

from rag.errors import SourceError
from rag.sources.archives import MAX_UNPACKED
from rag.sources.extraction import Extraction, Loss, Member

_READ = re.compile(
    r"text/(?:html|plain|csv|markdown|xml)|application/(?:xhtml\+xml|json|pdf|rss\+xml|atom\+xml|xml|epub\+zip|msword"
    r"|vnd\.openxmlformats[\w.-]*)", re.I
)  # fmt: skip
_PAGELESS = ("robots.txt", "favicon.ico")


def extract_warc(data: bytes) -> Extraction:
    """The pages in an archive, each once.

    :raises SourceError: it is damaged, unpacks to too much, or holds no page.
    """
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    members: list[Member] = []
    left_out: Counter[str] = Counter()
    seen: set[str] = set()
    losses: list[Loss] = []
    size = 0
    try:
        for record in ArchiveIterator(io.BytesIO(data)):
            if record.rec_type not in ("response", "resource"):
                continue
            url = record.rec_headers.get_header("WARC-Target-URI") or ""
            headers = record.http_headers or record.rec_headers
            kind = headers.get_header("Content-Type") or "unknown"
            status = record.http_headers.get_statuscode() if record.http_headers else "200"
            if status != "200" or url in seen or url.endswith(_PAGELESS):
                continue
            if not _READ.match(kind):
                left_out[kind.split("/")[0].split(";")[0].strip().lower()] += 1
                continue
            content = record.content_stream().read(MAX_UNPACKED + 1 - size)
            size += len(content)
            if size > MAX_UNPACKED:
                raise SourceError(f"unpacks to more than {MAX_UNPACKED / 1e6:.0f} MB; split it")
            if not content.strip():
                continue
            seen.add(url)
            charset = re.search(r"charset=[\"']?([\w-]{2,40})", kind, re.I)
            members.append(Member(url or f"record {len(members) + 1}", content, url, charset[1] if charset else ""))
    except (ArchiveLoadFailed, EOFError, ValueError) as error:
        if not members:
            raise SourceError(f"damaged WARC archive: {error}") from error
        losses.append(Loss("end of the archive", f"damaged, what follows is missing: {error}"))
    losses += [Loss(f"{kind} records", f"{count} not read") for kind, count in left_out.items()]
    if not members:
        raise SourceError("WARC archive without pages")
    return Extraction(members=tuple(members), losses=tuple(losses))
