"""Names of columns are unique and never blank."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nubetis.data.cells import unique_names

NAMES = st.lists(st.none() | st.sampled_from(["", " ", "a", "a_2", "a_3", "column_1", "b"]), max_size=8)


@given(NAMES)
def test_names_become_unique_and_stay_when_they_are(names):
    found = unique_names(names)
    assert len(set(found)) == len(found) == len(names)
    assert unique_names(found) == found


def test_ten_thousand_columns_of_one_name_are_named_at_once():
    """The number that a name got last is kept: counting from 2 for each would take 50 million looks."""
    found = unique_names(["x"] * 10_000)
    assert (len(set(found)), found[-1]) == (10_000, "x_10000")
