"""What an ingestion would take out of the index, and when that needs a word from the user first.

A folder that is not mounted looks like a folder whose files were all deleted. So what is gone from disk is taken
out without asking only while it is a small part of what there was.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from rag.errors import SourceError
from rag.terminal import printable


def is_sudden(before: int, after: int) -> bool:
    """Whether going from `before` to `after` articles takes more than a third of them: more than tidying up."""
    return 3 * after < 2 * before


def missing_paths(paths: Sequence[Path]) -> list[str]:
    """Those of `paths` that do not exist, in order."""
    return [str(path) for path in paths if is_gone(str(path))]


def is_gone(path: str) -> bool:
    """Whether nothing is at `path`. What only cannot be looked at (no rights, a failing disk) is not gone."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return True
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    return False


def require_paths(paths: Sequence[Path], *, every: bool) -> None:
    """Refuse paths that do not exist, before anything is done to an index.

    :raises SourceError: none of `paths` exists; with `every`, one of them does not.
    """
    missing = missing_paths(paths)
    if missing and (every or len(missing) == len(paths)):
        raise SourceError(f"{named(missing)} does not exist; nothing was changed: name files or folders that exist")


def named(paths: Sequence[str]) -> str:
    """The first of `paths` for one line, and how many more."""
    more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
    return f"{printable(paths[0])}{more}"
