"""The faces shared by tables, matches and reports."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nubetis.data.show import html_table, shortened, text_table, width


@given(st.text(), st.integers(1, 20))
def test_a_short_form_fits_on_one_line(text, limit):
    short = shortened(text, limit)
    assert (width(short) <= limit, "\n" in short) == (True, False)


def test_wide_letters_are_aligned():
    assert text_table(["a", "b"], [["東京", "x"], ["y", None]]).split("\n")[2:] == ["東京  x", "y"]


def test_no_rows_is_a_table_too():
    assert text_table(["a"], []) == "a\n-"
    assert text_table([], []) == "\n"
    assert "<tbody></tbody>" in html_table(["a"], [], caption="none")
