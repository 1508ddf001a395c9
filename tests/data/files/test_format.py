"""The registry of file formats: frozen, extended by making another one."""

from __future__ import annotations

import io

import pytest

from nubetis.data import BUILT_IN, Batch, Detected, Source, Table, read
from nubetis.errors import InvalidValue


class Shouting:
    """A host's own kind of file: one column, in capitals."""

    name = "shout"
    suffixes = (".shout",)

    def sniff(self, head):
        return 1.0 if head.startswith(b"!") else 0.0

    def detect(self, source, hints):  # noqa: ARG002 - every kind takes it
        return Detected(encoding=hints.encoding or "ascii")

    def read(self, source, detected, *, rows=10):  # noqa: ARG002 - every kind takes it
        with source.lines(detected.encoding) as lines:
            yield Batch(("word",), ([line.strip().lower() for line in lines],))

    def write(self, batches, sink):
        for batch in batches:
            sink.writelines(f"{row[0]}\n".upper().encode() for row in batch.rows())


def test_a_format_of_ones_own_is_found_by_name_suffix_and_beginning():
    kinds = BUILT_IN.extended(Shouting())
    assert kinds["shout"].name == kinds.for_suffix(".shout").name == "shout"
    assert kinds.for_source(Source.of(b"!HELLO")).name == "shout"
    assert "shout" not in [kind.name for kind in BUILT_IN]


def test_a_format_of_ones_own_reads_and_writes():
    sink = io.BytesIO()
    Table({"word": ["hello"]}).write(sink, file_format=Shouting())
    assert sink.getvalue() == b"HELLO\n"
    assert read(sink.getvalue(), file_format=Shouting())["word"] == ["hello"]


def test_what_is_no_text_has_no_format():
    with pytest.raises(InvalidValue) as caught:
        read(b"\x89PNG\0\0")
    assert caught.value.code == "unknown_format"
