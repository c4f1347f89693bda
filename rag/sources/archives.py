"""ZIP archives, opened after a look at what they declare: a small one may unpack to gigabytes."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter
from pathlib import PurePosixPath

from rag.errors import SourceError
from rag.sources.extraction import Extraction, Loss, Member

_MAX_ENTRIES = 5_000
MAX_UNPACKED = 200_000_000
"""Most bytes that a file may unpack to."""
_MAX_RATIO = 200
_SMALL = 10_000_000
# What stands beside saved pages and is never an article of its own.
_ASSETS = frozenset({".css", ".js", ".map", ".woff", ".woff2", ".ttf", ".eot", ".otf", ".ico", ".exe", ".dll"})
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp", ".tif", ".tiff", ".heic", ".avif"})
_OTHERS = {".mp3": "sound", ".m4a": "sound", ".wav": "sound", ".mp4": "film", ".mov": "film", ".avi": "film"}


def entry_names(data: bytes) -> frozenset[str]:
    """Names in the ZIP archive `data`; empty when it is none."""
    try:
        return frozenset(zipfile.ZipFile(io.BytesIO(data)).namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return frozenset()


def open_archive(data: bytes) -> zipfile.ZipFile:
    """The ZIP archive `data`.

    What is read later never exceeds the declared sizes: zipfile stops there.

    :raises SourceError: it is damaged or encrypted, or the sizes it declares are out of bounds.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise SourceError(f"damaged or unsupported archive: {error}") from error
    entries = archive.infolist()
    if any(entry.flag_bits & 1 for entry in entries):
        raise SourceError("password-protected archive; save it without a password")
    if len(entries) > _MAX_ENTRIES:
        raise SourceError(f"archive with {len(entries)} entries; the limit is {_MAX_ENTRIES}")
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries), len(data) // 2)
    if unpacked > MAX_UNPACKED or (unpacked > _SMALL and unpacked > _MAX_RATIO * packed):
        raise SourceError(
            f"unpacks from {len(data) / 1e6:.1f} to {unpacked / 1e6:.0f} MB: refused as a decompression bomb"
        )
    return archive


def extract_zip(data: bytes) -> Extraction:
    """The files of a ZIP archive that may hold articles, in the order of their names.

    :raises SourceError: see `open_archive`.
    """
    archive = open_archive(data)
    members: list[Member] = []
    left_out: Counter[str] = Counter()
    losses: list[Loss] = []
    for entry in sorted(archive.infolist(), key=_name):
        name = _name(entry)
        path = PurePosixPath(name)
        suffix = path.suffix.lower()
        if entry.is_dir() or any(part.startswith((".", "__MACOSX")) for part in path.parts) or suffix in _ASSETS:
            continue
        if suffix in _PICTURES or suffix in _OTHERS:
            left_out[_OTHERS.get(suffix, "picture")] += 1
            continue
        try:
            members.append(Member(name, archive.read(entry)))
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error) as error:
            losses.append(Loss(name, f"cannot be unpacked: {error}"))
    losses += [Loss(f"{kind} files", f"{count} not read") for kind, count in left_out.items()]
    return Extraction(members=tuple(members), losses=tuple(losses))


def extract_gzip(data: bytes) -> Extraction:
    """The one file that gzip has packed, its parts put together.

    :raises SourceError: it is damaged or unpacks to too much.
    """
    parts: list[bytes] = []
    size = 0
    rest = data
    while rest.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(rest, MAX_UNPACKED + 1 - size)
        except zlib.error as error:
            raise SourceError(f"damaged gzip file: {error}") from error
        size += len(part)
        if size > MAX_UNPACKED or (size > _SMALL and size > _MAX_RATIO * len(data)):
            raise SourceError(f"unpacks to more than {size / 1e6:.0f} MB: refused as a decompression bomb")
        if not unpacker.eof:
            raise SourceError("damaged gzip file: it ends too early")
        parts.append(part)
        rest = unpacker.unused_data
    return Extraction(members=(Member("", b"".join(parts)),))


def _name(entry: zipfile.ZipInfo) -> str:
    """Its name; Chinese Windows writes names in GBK, which zipfile takes for code page 437."""
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    raw = entry.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return re.sub(r"[\x00-\x1f]", "_", raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return entry.filename
