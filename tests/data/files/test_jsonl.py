"""JSON Lines: text stays, numbers stay as written, faults have their line."""

from __future__ import annotations

import pytest

from nubetis.data import read
from nubetis.errors import InvalidValue


def test_values_keep_their_writing():
    line = b'{"a": 1.50, "b": 12345678901234567890, "c": true, "d": null, "e": "", "f": {"x": [1, 1e5, "y"]}}'
    [row] = read(line).to_dicts()
    expected = {"a": "1.50", "b": "12345678901234567890", "c": "true", "d": None, "e": "", "f": '{"x":[1,"1e5","y"]}'}
    assert row == expected


def test_keys_may_come_late():
    table = read(b'{"a": "1"}\n\n{"b": "2"}\n')
    assert (table.to_dict(), table.lines) == ({"a": ["1", None], "b": [None, "2"]}, [1, 3])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not an object"),
        (b'{"a": "\\u0000"}', "no text may hold"),
        (b'{"a": "\\ud800"}', "no text may hold"),
        (b'{"a": ' + b"[" * 100_000, "not JSON"),
        (b'{"a": ' + b"[" * 600 + b"]" * 600 + b"}", "too deep"),
        (b'{"a": ' + b'{"b":' * 600 + b"1" + b"}" * 601, "too deep"),
    ],
)
def test_faults_name_their_line(line, reason):
    with pytest.raises(InvalidValue, match=f"line 2: .*{reason}") as caught:
        read(b'{"a": "fine"}\n' + line, file_format="jsonl")
    assert caught.value.code == "bad_file"
