"""How an index is made, what it says about itself, and whether that is what the asker expects."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from dataclasses import dataclass
from pathlib import Path

from rag.config import PassageSettings
from rag.encoder import Encoder
from rag.errors import IndexDamagedError, IndexMismatchError, StoreError
from rag.locking import LockPurpose, WriterLock
from rag.store.database import Database

DATABASE_FILE = "index.sqlite3"
LOCK_FILE = "write.lock"
CONVERSATIONS_FILE = "conversations.sqlite3"
"""What was asked on the page and answered; kept by `ui.conversations`."""
UPLOADS_FOLDER = "uploads"
"""Files that were added on the page."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """What an index says about itself."""

    index_id: str
    encoder_name: str
    encoder_fingerprint: str
    dim: int
    passages: PassageSettings


def create_index(folder: Path, encoder: Encoder | None, passages: PassageSettings | None) -> None:
    """Make an empty index in `folder`, unless another process does so first.

    :raises StoreError: the folder cannot be written.
    """
    if encoder is None or passages is None:
        raise ValueError("a new index needs an encoder and passage settings")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"index {folder} cannot be created: {error.strerror}; name another with --index") from error
    with WriterLock(folder / LOCK_FILE).hold(LockPurpose.CACHE):
        if not (folder / DATABASE_FILE).exists():  # else another process was faster
            Database.create(folder / DATABASE_FILE, _description(encoder, passages)).close()


def put_aside(file: Path, error: IndexDamagedError) -> None:
    """Rename a damaged database with its log, so that nothing of it is lost."""
    with WriterLock(file.with_name(LOCK_FILE)).hold():
        aside = rename_aside(file, "damaged")
        _log.warning("%s; the old database is kept as %s", error, aside)


def rename_aside(file: Path, why: str) -> Path:
    """Rename a database with its log to a name that says `why` and when; the new name."""
    aside = file.with_name(f"{file.name}.{why}-{dt.datetime.now():%Y%m%d-%H%M%S-%f}")
    for suffix in ("-wal", "-shm", ""):
        part = file.with_name(file.name + suffix)
        if part.exists():
            part.rename(f"{aside}{suffix}")
    return aside


def _description(encoder: Encoder, passages: PassageSettings) -> dict[str, str]:
    return {
        "index_id": uuid.uuid4().hex,
        "encoder_name": encoder.name,
        "encoder_fingerprint": encoder.fingerprint,
        "dim": str(encoder.dim),
        "passage_size": str(passages.size),
        "passage_overlap": str(passages.overlap),
    }


def read_info(folder: Path, database: Database) -> IndexInfo:
    """What the database says about itself.

    :raises IndexDamagedError: not enough.
    """
    meta = database.meta()
    try:
        return IndexInfo(
            index_id=meta["index_id"],
            encoder_name=meta["encoder_name"],
            encoder_fingerprint=meta["encoder_fingerprint"],
            dim=int(meta["dim"]),
            passages=PassageSettings(int(meta["passage_size"]), int(meta["passage_overlap"])),
        )
    except (KeyError, ValueError) as error:
        raise IndexDamagedError(
            f"index {folder} does not say how it was built ({error}); rebuild it with: jinwen index --rebuild PATH..."
        ) from error


def require_match(folder: Path, info: IndexInfo, encoder: Encoder | None, passages: PassageSettings | None) -> None:
    """Refuse an index that the asker's encoder or settings do not fit.

    :raises IndexMismatchError: with both names and the command that rebuilds.
    """
    cure = "set it back, or rebuild the index with: jinwen index --rebuild PATH..."
    if encoder is not None and (encoder.fingerprint, encoder.dim) != (info.encoder_fingerprint, info.dim):
        raise IndexMismatchError(
            f"index {folder} was built with encoder {info.encoder_name} ({info.encoder_fingerprint[:12]}, "
            f"{info.dim} dimensions), not with {encoder.name} ({encoder.fingerprint[:12]}, {encoder.dim}); {cure}"
        )
    if passages is not None and passages != info.passages:
        raise IndexMismatchError(
            f"index {folder} was built with passages of {info.passages.size} characters and "
            f"{info.passages.overlap} sentences overlap, not {passages.size} and {passages.overlap}; {cure}"
        )
