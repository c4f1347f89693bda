"""An index -> a verified backup in a folder or one file, while others read and write.

A backup holds `index.sqlite3`, `conversations.sqlite3`, the files of `uploads/`, and `manifest.json` with the size and
SHA-256 of each. Databases are copied by SQLite's backup API, so that a copy is one state of the database whatever is
written meanwhile. `rag.store.restore` is the way back.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import secrets
import shutil
import sqlite3
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import BackupError
from rag.store import reading
from rag.store.atomic import hash_file, sync_file, sync_folder
from rag.store.check import check_database, conversation_problems
from rag.store.database import Database, errors_in_words
from rag.store.info import CONVERSATIONS_FILE, DATABASE_FILE, UPLOADS_FOLDER, read_info
from rag.store.migration import open_up_to_date
from rag.store.records import Counts, Level

MANIFEST = "manifest.json"
VERSION = 1
"""Of the manifest."""
_ARCHIVE = ".zip"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was backed up or restored."""

    place: Path
    """The backup, or the index that it was restored to."""
    counts: Counts
    files: int
    """Files of the backup, without the manifest."""
    bytes: int
    left_out: tuple[str, ...] = ()
    """What could not be taken along, with its cause."""
    kept: Path | None = None
    """Where a restore put what it replaced."""


def make_backup(index_dir: Path, target: Path, *, as_it_is: bool = False) -> BackupReport:
    """Back the index in `index_dir` up to `target`: a file that ends in `.zip`, a new folder, or inside a folder.

    The index may be written meanwhile; the backup is complete and verified when it gets its name. An index of an
    older format is brought up to date first, unless it is to stay `as_it_is`.

    :raises IndexMissingError: there is no index.
    :raises IndexOutdatedError: it is of an older format and must or can not be changed.
    :raises BackupError: the index is damaged, `target` exists already, or it cannot be written.
    """
    if target.is_dir():
        target = target / f"jinwen-{dt.datetime.now():%Y%m%d-%H%M%S}"
    if os.path.lexists(target):
        raise BackupError(f"{target} exists already; name a new file (.zip) or folder")
    draft = target.with_name(f"{target.name}.new-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir(mode=0o700)
        manifest, left_out = _collect(index_dir, draft, as_it_is)
        if target.suffix == _ARCHIVE:
            _pack(draft, manifest, target)
        else:
            for name in [*manifest["files"], MANIFEST]:
                sync_file(draft / name)
            draft.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise BackupError(
            f"backup {target} cannot be written: {error.strerror or error}; name another place"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    files = manifest["files"].values()
    size = sum(file["bytes"] for file in files)
    return BackupReport(target, Counts(**manifest["counts"]), len(files), size, tuple(left_out))


def _collect(index_dir: Path, draft: Path, as_it_is: bool) -> tuple[dict[str, Any], list[str]]:
    """Copy everything to the folder `draft`; the manifest, and what was left out."""
    file = index_dir / DATABASE_FILE
    open_up_to_date(file, read_only=as_it_is).close()
    with errors_in_words(file):
        _copy_database(file, draft / DATABASE_FILE)
    with contextlib.closing(Database.open(draft / DATABASE_FILE, read_only=True)) as database:
        counts, dim = verify_index(database, f"index {index_dir}")
        with database.reading() as connection:
            (index_format,) = connection.execute("PRAGMA user_version").fetchone()
    left_out = []
    conversations = index_dir / CONVERSATIONS_FILE
    if conversations.is_file():
        try:
            _copy_database(conversations, draft / CONVERSATIONS_FILE)
            verify_conversations(draft / CONVERSATIONS_FILE)
        except (BackupError, sqlite3.Error) as error:
            (draft / CONVERSATIONS_FILE).unlink(missing_ok=True)
            left_out.append(f"{conversations}: {error}")
    left_out += _copy_uploads(index_dir / UPLOADS_FOLDER, draft / UPLOADS_FOLDER)
    names = sorted(path.relative_to(draft).as_posix() for path in draft.rglob("*") if path.is_file())
    manifest = {
        "jinwen_backup": VERSION,
        "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "index_format": index_format,
        "dim": dim,
        "counts": counts._asdict(),
        "files": {n: {"bytes": (draft / n).stat().st_size, "sha256": hash_file(draft / n)} for n in names},
    }
    (draft / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return manifest, left_out


def _copy_database(source: Path, target: Path) -> None:
    """One state of the database `source` as a single file, without a write-ahead log."""
    with (
        contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as old,
        contextlib.closing(sqlite3.connect(target, isolation_level=None)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")


def verify_index(database: Database, what: str) -> tuple[Counts, int]:
    """Numbers and dimension of an index whose every row is what was written."""
    info = read_info(database.file.parent, database)
    findings, _ = check_database(database, info.dim)
    harm = [finding.what for finding in findings if finding.level is Level.ERROR]
    if harm:
        raise BackupError(f"{what} is damaged: {'; '.join(harm[:3])}; see jinwen doctor")
    with database.reading() as connection:
        return reading.counts(connection), info.dim


def verify_conversations(file: Path) -> None:
    """Refuse a damaged file of conversations.

    :raises BackupError: it is one.
    """
    with contextlib.closing(sqlite3.connect(file)) as connection:
        problems = conversation_problems(connection)
    if problems:
        raise BackupError(f"damaged: {problems[0]}")


def _copy_uploads(source: Path, target: Path) -> list[str]:
    """Copy the uploaded files; what could not be read."""
    left_out = []
    files = sorted(path for path in source.rglob("*") if path.is_file() and not path.is_symlink())
    for file in files:
        copy = target / file.relative_to(source)
        try:
            before = hash_file(file)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        except FileNotFoundError:
            continue  # removed on the page meanwhile
        if hash_file(copy) != before:
            copy.unlink()
            left_out.append(f"{file}: it changed while it was copied")
    return left_out


def _pack(draft: Path, manifest: Mapping[str, Any], target: Path) -> None:
    """The folder `draft` as one archive, read back and compared."""
    archive = target.with_name(f"{draft.name}{_ARCHIVE}")
    try:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for name in [MANIFEST, *manifest["files"]]:
                packed.write(draft / name, name)
        with zipfile.ZipFile(archive) as packed:
            bad = packed.testzip()
            if bad is not None:
                raise OSError(f"{bad} does not hold what was written to it")
        archive.chmod(0o600)
        sync_file(archive)
        archive.rename(target)
    finally:
        archive.unlink(missing_ok=True)
