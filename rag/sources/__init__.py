"""Files -> articles: a detector picks the format by content, one module per format reads it.

`find_files(paths)` -> files, problems; `read_source(file, settings)` -> `Reading`.
"""

from __future__ import annotations

from rag.sources.files import find_files
from rag.sources.reader import read_decoded, read_source
from rag.sources.reading import PARSER_VERSION, Problem, Reading

__all__ = ["PARSER_VERSION", "Problem", "Reading", "find_files", "read_decoded", "read_source"]
