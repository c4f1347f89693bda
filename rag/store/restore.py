"""A backup -> the index it was made of, verified before anything is touched, while a page has the index open.

Databases are put back by SQLite's backup API in one transaction, so that an open page goes on with what was restored.
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
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rag.errors import BackupError, IndexDamagedError, IndexOutdatedError
from rag.locking import WriterLock
from rag.store.atomic import hash_file, sync_file, sync_folder
from rag.store.backup import MANIFEST, VERSION, BackupReport, make_backup, verify_conversations, verify_index
from rag.store.database import Database, errors_in_words
from rag.store.info import CONVERSATIONS_FILE, DATABASE_FILE, LOCK_FILE, UPLOADS_FOLDER, rename_aside
from rag.store.migration import migrate
from rag.store.records import Counts

_DATABASES = (DATABASE_FILE, CONVERSATIONS_FILE)
_MOST_MANIFEST = 50_000_000
"""Bytes."""
_BLOCK = 1 << 20


def restore_backup(source: Path, index_dir: Path, *, replace: bool = False) -> BackupReport:
    """Make the index in `index_dir` what the backup `source` holds. It may be open in a page, which goes on with it.

    All of the backup is verified before anything is touched. An index that is there is only replaced with `replace`,
    and backed up inside its own folder first.

    :raises BackupError: `source` is no backup or is damaged, or there is an index and `replace` is off.
    :raises IndexLockedError: somebody is writing to the index.
    :raises StoreError: the index cannot be written, or no space is left.
    """
    if not source.exists():
        raise BackupError(f"backup {source} does not exist; name what jinwen backup made")
    try:
        index_dir.mkdir(parents=True, exist_ok=True)
        lock = WriterLock(index_dir / LOCK_FILE)
        with lock.hold(), _unpacked(source, index_dir) as (place, manifest):
            drafts = _verified_databases(place, manifest, index_dir, lock)
            try:
                if not replace:
                    _refuse_to_replace(index_dir, manifest)
                kept = _keep(index_dir) if replace else None
                for name, draft in drafts.items():
                    _put_database(draft, index_dir / name)
                _put_uploads(place, manifest, index_dir)
            finally:
                for draft in drafts.values():
                    draft.unlink(missing_ok=True)
    except OSError as error:
        raise BackupError(f"{source} cannot be restored to {index_dir}: {error.strerror or error}") from error
    files = manifest["files"].values()
    size = sum(file["bytes"] for file in files)
    return BackupReport(index_dir, Counts(**manifest["counts"]), len(files), size, kept=kept)


@contextlib.contextmanager
def _unpacked(source: Path, index_dir: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folder that holds the backup `source`, and its manifest; every file is what the manifest says."""
    if source.is_dir():
        manifest = _read_manifest(source, source / MANIFEST)
        _verify_files(source, source, manifest)
        yield source, manifest
        return
    place = index_dir / f"restore.new-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        place.mkdir(mode=0o700)
        with zipfile.ZipFile(source) as packed:
            _extract(packed, MANIFEST, place, _MOST_MANIFEST)
            manifest = _read_manifest(source, place / MANIFEST)
            size = sum(facts["bytes"] for facts in manifest["files"].values())
            if size > shutil.disk_usage(index_dir).free:
                raise BackupError(f"backup {source} needs {size / 1e6:.0f} MB in {index_dir}; free some space")
            for name, facts in manifest["files"].items():
                _extract(packed, name, place, facts["bytes"])
        _verify_files(source, place, manifest)
        yield place, manifest
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError) as error:
        raise BackupError(f"{source} is not an undamaged backup of Jinwen ({error})") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _extract(packed: zipfile.ZipFile, name: str, place: Path, most: int) -> None:
    """Write one file of the archive below `place`, never more than `most` bytes of it and one more."""
    target = place / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with packed.open(name) as stream, target.open("wb") as out:
        left = most + 1
        while left > 0 and (block := stream.read(min(_BLOCK, left))):
            out.write(block)
            left -= len(block)


def _read_manifest(source: Path, file: Path) -> dict[str, Any]:
    """The manifest, whose form is checked: it comes from outside.

    :raises BackupError: there is none, it is none, or it is of a newer version.
    """
    try:
        manifest = json.loads(file.read_text("utf-8"))
        version = manifest["jinwen_backup"]
        for name, facts in manifest["files"].items():
            if not _is_ours(name) or not isinstance(facts["bytes"], int) or not isinstance(facts["sha256"], str):
                raise ValueError(name)
        Counts(**manifest["counts"])
        if DATABASE_FILE not in manifest["files"]:
            raise ValueError(DATABASE_FILE)
    except FileNotFoundError:
        raise BackupError(
            f"{source} is not a backup of Jinwen: no {MANIFEST} in it; name what jinwen backup made"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BackupError(f"{source} is not a backup of Jinwen: its {MANIFEST} is damaged ({error})") from None
    if version != VERSION:
        raise BackupError(f"{source} is a backup of version {version}, this Jinwen reads {VERSION}; update Jinwen")
    return dict(manifest)


def _is_ours(name: str) -> bool:
    """Whether a backup has files of this name: nothing that leads out of the folder."""
    parts = name.split("/")
    inside = all(part not in ("", ".", "..") and "\0" not in part and "\\" not in part for part in parts)
    return name in _DATABASES or (inside and len(parts) > 1 and parts[0] == UPLOADS_FOLDER)


def _verify_files(source: Path, place: Path, manifest: Mapping[str, Any]) -> None:
    for name, facts in manifest["files"].items():
        file = place / name
        if file.is_symlink() or not file.is_file():
            raise BackupError(f"backup {source} is damaged: {name} is missing")
        if file.stat().st_size != facts["bytes"] or hash_file(file) != facts["sha256"]:
            raise BackupError(f"backup {source} is damaged: {name} is not what was backed up")


def _verified_databases(place: Path, manifest: Mapping[str, Any], index_dir: Path, lock: WriterLock) -> dict[str, Path]:
    """Copies of the databases beside the index, checked row by row and of the present format."""
    drafts: dict[str, Path] = {}
    mark = f"new-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        for name in _DATABASES:
            if name in manifest["files"]:
                drafts[name] = index_dir / f"{name}.{mark}"
                # What was unpacked is ours and need not be there twice.
                (shutil.move if place.parent == index_dir else shutil.copyfile)(place / name, drafts[name])
        draft = drafts[DATABASE_FILE]
        try:
            database = Database.open(draft, read_only=True)
        except IndexOutdatedError:
            migrate(draft, lock)
            database = Database.open(draft, read_only=True)
        with contextlib.closing(database):
            verify_index(database, "the backup")
        if CONVERSATIONS_FILE in drafts:
            verify_conversations(drafts[CONVERSATIONS_FILE])
    except BaseException:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
        raise
    return drafts


def _refuse_to_replace(index_dir: Path, manifest: Mapping[str, Any]) -> None:
    for name, facts in manifest["files"].items():
        present = index_dir / name
        if os.path.lexists(present) and not (present.is_file() and hash_file(present) == facts["sha256"]):
            raise BackupError(
                f"{index_dir} holds {name} already, which the backup would replace; "
                "restore to another --index, or add --yes (what is there is kept beside it)"
            )


def _keep(index_dir: Path) -> Path | None:
    """Back up what is about to be replaced; where that is damaged, it is put aside as it is."""
    kept = index_dir / f"replaced-{dt.datetime.now():%Y%m%d-%H%M%S-%f}"
    conversations = index_dir / CONVERSATIONS_FILE
    if (index_dir / DATABASE_FILE).exists():
        try:
            if make_backup(index_dir, kept, as_it_is=True).left_out and conversations.is_file():
                shutil.copyfile(conversations, kept / f"{CONVERSATIONS_FILE}.damaged")
            return kept
        except (IndexDamagedError, IndexOutdatedError, BackupError):
            kept = rename_aside(index_dir / DATABASE_FILE, "replaced")
    return rename_aside(conversations, "replaced") if conversations.exists() else kept if kept.exists() else None


def _put_database(draft: Path, file: Path) -> None:
    """Make `file` equal to the database `draft`: in one transaction, if it is one that others may have open."""
    if file.exists():
        try:
            with (
                contextlib.closing(sqlite3.connect(draft)) as new,
                contextlib.closing(sqlite3.connect(file, timeout=30)) as old,
            ):
                return new.backup(old)
        except sqlite3.DatabaseError as error:
            if not (getattr(error, "sqlite_errorname", None) or "").startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
                with errors_in_words(file):
                    raise
            rename_aside(file, "replaced")
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    sync_file(draft)
    os.replace(draft, file)
    return sync_folder(file.parent)


def _put_uploads(place: Path, manifest: Mapping[str, Any], index_dir: Path) -> None:
    for name in manifest["files"]:
        if name in _DATABASES:
            continue
        target = index_dir / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = target.with_name(f"{target.name}.new-{os.getpid()}-{secrets.token_hex(4)}")
        try:
            shutil.copyfile(place / name, draft)
            draft.chmod(0o600)
            os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
