"""The index on disk: articles, passages and vectors, and the two searches over them (see indexes/README.md)."""

from rag.store.info import IndexInfo
from rag.store.local import LocalStore
from rag.store.records import (
    Counts,
    Duplicate,
    EncodedArticle,
    FileArticles,
    FileRecord,
    FileState,
    Finding,
    Level,
    Scored,
    StoredPassage,
    Written,
)

__all__ = [
    "Counts",
    "Duplicate",
    "EncodedArticle",
    "FileArticles",
    "FileRecord",
    "FileState",
    "Finding",
    "IndexInfo",
    "Level",
    "LocalStore",
    "Scored",
    "StoredPassage",
    "Written",
]
