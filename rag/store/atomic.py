"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

_BLOCK = 1 << 20


def write_checked(file: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Write `parts` to `file`: temporary file, fsync, read back and compare, rename, fsync of the folder.

    The old content stays until the new one is known to be on the disk.

    :raises OSError: no space left, or what was read back is not what was written.
    """
    draft = file.with_name(f"{file.name}.new-{os.getpid()}-{secrets.token_hex(4)}")
    written = hashlib.sha256()
    try:
        with draft.open("wb") as stream:
            for part in parts:
                stream.write(part)
                written.update(part)
            stream.flush()
            os.fsync(stream.fileno())
        if hash_file(draft) != written.hexdigest():
            raise OSError(f"{draft} does not hold what was written to it")
        os.replace(draft, file)
        sync_folder(file.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut; silently not, where the system cannot."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_file(file: Path) -> None:
    """Make what was written to `file` survive a power cut.

    :raises OSError: it cannot be.
    """
    with file.open("rb") as stream:
        os.fsync(stream.fileno())


def hash_file(file: Path) -> str:
    """SHA-256 of the bytes of `file`, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def remove_drafts(folder: Path) -> None:
    """Remove temporary files that a killed process left in `folder`. The caller holds the writer lock."""
    for draft in drafts(folder):
        with contextlib.suppress(OSError):
            shutil.rmtree(draft) if draft.is_dir() else draft.unlink()


def drafts(folder: Path) -> list[Path]:
    """Temporary files in `folder`."""
    return sorted(folder.glob("*.new-*-*"))
