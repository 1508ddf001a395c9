"""Kinds of file, one a module; :data:`BUILT_IN` serves files without an organisation."""

from nubetis.data.files.delimited import CSV, TSV, Delimited
from nubetis.data.files.format import BATCH_ROWS, Batch, FileFormat, FileFormats, Hints
from nubetis.data.files.jsonl import JSONL, JsonLines
from nubetis.data.files.source import Origin, Source

__all__ = [
    "BATCH_ROWS",
    "BUILT_IN",
    "CSV",
    "JSONL",
    "TSV",
    "Batch",
    "Delimited",
    "FileFormat",
    "FileFormats",
    "Hints",
    "JsonLines",
    "Origin",
    "Source",
]

BUILT_IN = FileFormats((CSV, TSV, JSONL))
"""The kinds of file that nubetis reads and writes itself."""
