"""The fold: case and accents do not count, ñ does."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nubetis.model.fold import TILDE, fold_exact, fold_keyword, fold_text

TEXTS = st.text(max_size=12) | st.text("aáÁnñÑ\u0303\u0301\u0131ßİﬁΣςΐ①ｶﾞ", max_size=8)


@given(TEXTS)
@example("n\u0303\u0303")
@example("İ")
@example("ǰ")
@example("\u0345")
def test_folding_twice_is_folding_once(text):
    for fold in (fold_text, fold_keyword, fold_exact):
        assert fold(text) == fold(fold(text))


def fold_slowly(text):
    """Fold as the definition says, mark by mark."""
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept, base = "", ""
    for char in spread:
        is_mark = unicodedata.combining(char)
        if not is_mark or (char == TILDE and base == "n"):
            kept += char
            base = "" if is_mark else char
    return kept


@given(TEXTS | st.text("nN\u0303\u0301\u0308\u0327\u034f\0é", max_size=6))
@example("n\u0308\u0303")
@example("\0ñ")
def test_the_short_way_folds_as_the_definition_says(text):
    assert fold_text(text) == fold_slowly(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("José", "JOSE"), ("Núñez", "nUN\u0303EZ"), ("Straße", "STRASSE"), ("ﬁn", "FIN"), ("①", "1"), ("Ágata", "agata")],
)
def test_case_accents_and_compatibility_forms_do_not_count(one, other):
    assert fold_text(one) == fold_text(other)


@given(st.text("abcnmozxyz", max_size=5), st.text("abcnmozxyz", max_size=5), st.text("abcnmoz", max_size=5))
def test_enye_stands_after_every_n_and_before_o(start, after_n, after_o):
    n, enye, o = (fold_text(start + letter) for letter in ("n" + after_n, "ñ", "o" + after_o))
    assert n < enye < o
    assert n.encode() < enye.encode() < o.encode()


@pytest.mark.parametrize("text", ["peña", "PEN\u0303A"])
def test_keywords_read_enye_as_n(text):
    assert fold_keyword(text) == "pena"
    assert fold_text(text) != "pena"


def test_an_address_keeps_its_accents():
    assert fold_exact("José@ACME.pe") == "josé@acme.pe"
