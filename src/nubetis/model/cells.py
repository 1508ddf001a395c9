"""Stored cells where JSON keeps them: in the journal, in plans that wait, in rows that spill to a file.

JSON says a number, a text and nothing by itself; bytes stand as an object, ``{"bytes": BASE64}``, which no cell is.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from nubetis.types import Json, Stored

__all__ = ["base64_of", "bytes_of", "cell_of", "json_of"]


def base64_of(data: bytes) -> str:
    """Give bytes as a text: what files, programs and people see of them.

    >>> base64_of(b"abc")
    'YWJj'
    """
    return base64.b64encode(data).decode("ascii")


def json_of(data: bytes) -> dict[str, str]:
    """Give bytes as JSON says them: the ``default`` of what writes rows.

    >>> json_of(b"abc")
    {'bytes': 'YWJj'}
    """
    return {"bytes": base64_of(data)}


def bytes_of(said: Mapping[str, Json]) -> bytes:
    """Give the bytes that JSON said: the inverse of :func:`json_of`."""
    return base64.b64decode(str(said["bytes"]), validate=True)


def cell_of(said: Json) -> Stored:
    """Give the cell that JSON said.

    >>> cell_of({"bytes": "YWJj"}), cell_of("YWJj"), cell_of(5)
    (b'abc', 'YWJj', 5)
    """
    return bytes_of(said) if isinstance(said, dict) else said  # type: ignore[return-value]  # a cell has no list
