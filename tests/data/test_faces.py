"""What is shown is as wide as it says, and no character is cut in half."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nubetis.data.show import html_table, shortened, text_table, width

TEXT = st.text(st.sampled_from("aé東京\u0301\n\t\x1b<>&\"'👩 ñ"), max_size=30)


@given(TEXT, st.integers(1, 20))
def test_a_shortened_text_fits_and_begins_as_the_whole(text, limit):
    shown = shortened(text, limit)

    assert width(shown) <= limit
    assert shown.isprintable() or shown == ""
    line = "".join([char if char.isprintable() else " " for char in text])
    assert shown == line or (shown.endswith("…") and line.startswith(shown[:-1]))


@given(TEXT, st.integers(1, 20))
def test_a_text_is_cut_only_where_it_must_be_and_as_late_as_it_can(text, limit):
    shown = shortened(text, limit)
    line = "".join([char if char.isprintable() else " " for char in text])

    if shown != line:
        assert width(line) > limit
        assert width(line[: len(shown)]) > limit - 1


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_columns_of_a_table_begin_at_one_place(rows):
    lines = text_table(("first", "second"), rows).split("\n")
    wide = width(lines[1].partition("  ")[0])

    for line, (first, _) in zip(lines[2:], rows, strict=True):
        assert width(shortened(first)) <= wide
        assert line.startswith(shortened(first).rstrip())


@given(TEXT)
def test_no_text_of_a_cell_becomes_markup(text):
    inside = html_table(("a",), [(text,)]).partition("<tbody>")[2]

    assert inside.count("<") == len(["<tr>", "<td>", "</td>", "</tr>", "</tbody>", "</table>"])


def test_a_wide_character_counts_two_and_a_mark_above_a_letter_none():
    assert (width("東京"), width("e\u0301"), width("\uff41"), width("ñ")) == (4, 1, 2, 1)
    assert shortened("東京東京", 6) == "東京…"
    assert shortened("東京東京", 5) == "東京…"
    assert shortened("東京東京", 4) == "東…"
