"""Uploaded files -> our own folder beside the index, under names that are safe and never overwrite another file."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import SourceError

_LOG = logging.getLogger(__name__)
FOLDER = "uploads"
MOST_FILES = 50
_MAX_STEM = 80
_UNSAFE = re.compile('[\x00-\x1f\x7f/\\\\:*?"<>|\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]')


@dataclass(frozen=True, slots=True)
class SavedFile:
    """One uploaded file in our own folder."""

    sent_as: str
    """Its name as uploaded."""
    path: Path

    @property
    def renamed(self) -> bool:
        """Whether another file of this name was there already."""
        return self.path.name != safe_name(self.sent_as)


def safe_name(name: str) -> str:
    """A file name without folders, control, bidi or reserved characters, of bounded length."""
    cleaned = _UNSAFE.sub("", name.replace("\\", "/").rsplit("/", 1)[-1]).strip().lstrip(".").strip()
    stem, dot, suffix = cleaned.rpartition(".")
    if not dot:
        stem, suffix = cleaned, ""
    return f"{stem[:_MAX_STEM].strip() or 'file'}{dot}{suffix[:10]}"


def save(files: Sequence[Path], index_dir: Path) -> list[SavedFile]:
    """Move `files` into `<index_dir>/uploads`.

    The same content under the same name is the same file; other content under a name that is taken gets
    a numbered name, so nothing already in the library is replaced behind anyone's back.

    :raises SourceError: a file cannot be moved.
    """
    folder = index_dir / FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return [SavedFile(file.name, _save(file, folder)) for file in files]
    except OSError as error:
        reason = error.strerror or str(error)
        raise SourceError(f"the uploaded files cannot be saved in {folder}: {reason}; free space or rights") from error


def discard(file: str, index_dir: Path) -> bool:
    """Delete an uploaded file none of whose articles is left, with its sidecar; whether there was one.

    A file that was not uploaded belongs to someone else and is never touched. One that cannot be deleted is left.
    """
    path = Path(file)
    if path.parent.resolve() != (index_dir / FOLDER).resolve() or path.is_symlink() or not path.is_file():
        return False
    try:
        path.unlink()
        path.with_name(f"{path.name}.meta.toml").unlink(missing_ok=True)
    except OSError as error:
        _LOG.warning("the uploaded file %s cannot be deleted: %s", path, error.strerror or error)
        return False
    return True


def _save(file: Path, folder: Path) -> Path:
    content = _digest(file)
    wanted = Path(safe_name(file.name))
    number = 1
    target = folder / wanted
    while target.exists() and _digest(target) != content:
        number += 1
        target = folder / f"{wanted.stem} ({number}){wanted.suffix}"
    if target.exists():
        file.unlink()
    else:
        shutil.move(file, target)
        target.chmod(0o600)
    return target


def _digest(file: Path) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
