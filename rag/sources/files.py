"""Paths -> files that may be read, and their bytes: only regular files, nothing that a link leads out to."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from rag.errors import SourceError, UnfinishedError
from rag.sources.reading import Problem
from rag.sources.sidecar import is_sidecar

_BLOCK = 1 << 20


def find_files(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """Files to read under `paths` (files and folders, folders walked in sorted order), each once, and what was refused.

    Hidden files and side-cars are passed over silently; a missing path, a link that leaves the named folder, a FIFO,
    socket or device is a Problem. A file that is named itself is taken even if it is hidden or a link.
    """
    files: dict[Path, None] = {}
    problems: list[Problem] = []
    for path in paths:
        if _try_is_dir(path):
            files.update(dict.fromkeys(_walk(path, problems)))
        elif _is_readable(path, None, problems):
            files[path] = None
    return list(files), problems


def _try_is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _walk(folder: Path, problems: list[Problem]) -> list[Path]:
    """Readable files below `folder`; links to folders are never followed, so there are no loops."""
    root = folder.resolve()

    def refuse(error: OSError) -> None:
        problems.append(Problem(str(error.filename), None, f"folder cannot be read: {_reason(error)}"))

    found: list[Path] = []
    for here, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in [n for n in folders if (Path(here) / n).is_symlink()]:
            problems.append(Problem(str(Path(here) / name), None, "link to a folder; name that folder itself"))
        for name in sorted(names):
            path = Path(here) / name
            if not name.startswith(".") and not is_sidecar(path) and _is_readable(path, root, problems):
                found.append(path)
    return found


def _is_readable(path: Path, root: Path | None, problems: list[Problem]) -> bool:
    """Whether `path` is a regular file (inside `root`, when given); why not is added to `problems`."""
    try:
        if root and path.is_symlink() and not path.resolve(strict=True).is_relative_to(root):
            problems.append(Problem(str(path), None, "link that leaves the folder"))
            return False
        kind = _kind(path.stat().st_mode)
    except (OSError, RuntimeError, ValueError) as error:
        problems.append(Problem(str(path), None, _reason(error)))
        return False
    if kind:
        problems.append(Problem(str(path), None, f"{kind}; expected a regular file"))
    return not kind


def _kind(mode: int) -> str:
    """What a file that is not a regular one is, empty for a regular one."""
    if stat.S_ISREG(mode):
        return ""
    names = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "named pipe"), (stat.S_ISSOCK, "socket"))
    return next((name for test, name in names if test(mode)), "device")


def read_bytes(path: Path, max_mb: float) -> bytes:
    """Bytes of the regular file `path`, never more than `max_mb` (1 MB = 1,000,000 bytes).

    :raises SourceError: not a regular file, or too large.
    :raises UnfinishedError: unreadable, or it changed while being read.
    """
    limit = int(max_mb * 1_000_000)
    try:
        # Without O_NONBLOCK, opening a FIFO that appeared since it was listed would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as stream:
            before = os.fstat(descriptor)
            if kind := _kind(before.st_mode):
                raise SourceError(f"{kind}; expected a regular file")
            data = _read(stream, limit, before.st_size, max_mb)
            after = os.fstat(descriptor)
    except (OSError, ValueError) as error:
        raise UnfinishedError(f"cannot be read: {_reason(error)}") from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise UnfinishedError("changed while it was being read; index it again")
    return data


def _read(stream: BinaryIO, limit: int, size: int, max_mb: float) -> bytes:
    """All of `stream`; the size is checked before and while reading, as /proc files and growing files lie about it."""
    parts: list[bytes] = []
    total = size
    if size <= limit:
        total = 0
        while total <= limit and (block := stream.read(_BLOCK)):
            parts.append(block)
            total += len(block)
    if total > limit:
        raise SourceError(f"{total / 1e6:.1f} MB; the limit is {max_mb:g} MB (sources.max_file_mb)")
    return b"".join(parts)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    if isinstance(error, RuntimeError) or getattr(error, "errno", None) == errno.ELOOP:
        return "loop of links"
    return getattr(error, "strerror", None) or str(error)
