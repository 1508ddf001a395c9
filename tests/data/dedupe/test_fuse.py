"""One row out of several: the fullest, its gaps filled."""

from __future__ import annotations

from nubetis.data.dedupe import fuse

COLUMNS = {"name": ["Ana", "Luis", "Ana R."], "city": [None, "Lima", "Cusco"], "zip": ["1", None, None]}


def test_the_fullest_row_is_kept_where_the_first_stood():
    assert fuse(COLUMNS, [(0, 2)], rows=3) == {"name": ["Ana", "Luis"], "city": ["Cusco", "Lima"], "zip": ["1", None]}


def test_without_groups_nothing_changes():
    assert fuse(COLUMNS, [], rows=3) == COLUMNS
