"""ñ is a letter of its own: an n at the end of a piece of text is not the first half of one, in Python and stores."""

from __future__ import annotations

import unicodedata
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nubetis import F
from nubetis.errors import InvalidFilter
from nubetis.model.fold import TILDE, fold_text
from nubetis.testing.people import make_org
from tests.stores import nubetis_store_url, refusing

__all__ = ["nubetis_store_url"]

TEXTS = st.text("nñNÑaá Xn\u0303", min_size=1, max_size=6)


def letters(text):
    """Give the folded letters of *text*, ñ as one."""
    return unicodedata.normalize("NFC", fold_text(text)).replace(f"n{TILDE}", "ñ")


FITS = {
    "contains": lambda piece, text: piece in text,
    "starts_with": lambda piece, text: text.startswith(piece),
    "ends_with": lambda piece, text: text.endswith(piece),
}


def found(session, how, piece):
    """Give the names that have *piece*, and those that have not, in order."""
    where = getattr(F.name, how)(piece)
    return [[str(each["name"]) for each in session.find("accounts", w, sort="id")] for w in (where, ~where)]


@pytest.mark.parametrize(
    ("how", "piece", "expected"),
    [
        ("contains", "pan", ["Panal", "pan"]), ("contains", "pañ", ["Pañal", "España", "pañ"]),
        ("contains", "n", ["Panal", "pan"]), ("contains", "ñ", ["Pañal", "España", "pañ"]), ("contains", "pañan", []),
        ("starts_with", "pan", ["Panal", "pan"]), ("starts_with", "espan", []), ("starts_with", "n", []),
        ("starts_with", "españ", ["España"]),
        ("ends_with", "n", ["pan"]), ("ends_with", "ñ", ["pañ"]), ("contains", "ñal", ["Pañal"]),
        ("contains", "nal", ["Panal"]),
    ],
)  # fmt: skip
def test_an_n_is_not_half_of_an_enye(nubetis_store_url, how, piece, expected):
    names = ["Pañal", "Panal", "España", "pan", "pañ"]
    with make_org(nubetis_store_url) as org, org.administrator() as session:
        session.apply(session.plan_create("accounts", [{"name": each} for each in names]))

        assert found(session, how, piece) == [expected, [each for each in names if each not in expected]]


@given(
    st.lists(TEXTS.filter(str.strip), min_size=1, max_size=6),
    TEXTS.filter(lambda text: letters(text).strip()),
    st.sampled_from(list(FITS)),
)
@settings(max_examples=max(settings.default.max_examples // 4, 1), deadline=None)
def test_pieces_are_found_letter_by_letter(texts, piece, how):
    """Whatever is written, in memory and in SQLite."""
    with TemporaryDirectory() as folder:
        for url in ("memory://", f"sqlite:///{folder}/org.db?profile=fast"):
            with make_org(url) as org, org.administrator() as session:
                session.apply(session.plan_create("accounts", [{"name": each} for each in texts]))
                kept = [str(each["name"]) for each in session.find("accounts", sort="id")]
                expected = [each for each in kept if FITS[how](letters(piece.strip()), letters(each))]

                assert expected == found(session, how, piece.strip())[0]


@pytest.mark.parametrize("how", FITS)
@pytest.mark.parametrize("piece", ["\u0301", "\u0303", "\u0301\u0308"])
def test_a_piece_without_a_letter_is_an_empty_one(nubetis_session, how, piece):
    """Accents do not count, so one alone would be found everywhere."""
    with refusing("filter_value", InvalidFilter, match="not empty"):
        nubetis_session.find("accounts", getattr(F.name, how)(piece))
