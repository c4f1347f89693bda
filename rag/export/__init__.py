"""Answers -> files to hand on: Markdown and Word with footnotes, lists of sources in GB/T 7714-2015 and BibTeX."""

from rag.export.entry import Entry
from rag.export.forms import ENDINGS, ExportError, Form, export, export_name, form_of, write_export

__all__ = ["ENDINGS", "Entry", "ExportError", "Form", "export", "export_name", "form_of", "write_export"]
