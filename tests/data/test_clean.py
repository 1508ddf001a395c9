"""Cleaning: what is done, what is left alone, and that once is enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.data import Cleaner, Step, Table
from nubetis.data.clean import clean_columns, clean_text

PIECES = st.sampled_from(
    ["JosÃ©", "Ã", "\xad", "\u200b", " ", "\u00a0", "MARÍA", "de la", "O'NEIL", "+51", "(01)", "445-3020", "x12", "00",
     "Ana@X.PE", "www.", "acme.pe", "/a", "<", ">", "mailto:", "\n", "\r\n", "ñ", "İ", "ß", "ǆ", "é", "1", "."]
)  # fmt: skip
CELLS = st.none() | st.text(max_size=10) | st.lists(PIECES, max_size=5).map("".join)
HEADERS = st.sampled_from(["nombre", "correo", "telefono", "web", "notas", "x"])


@given(st.dictionaries(HEADERS, st.lists(CELLS, min_size=4, max_size=4), max_size=3))
def test_cleaning_what_is_clean_changes_nothing(columns):
    once, _ = clean_columns(columns)
    twice, report = clean_columns(once)
    assert (twice, report.cells) == (once, 0)


def test_what_is_made_of_an_address_of_the_web_is_reported():
    found, report = clean_columns({"Web": ["www.acme.pe", "https://x.pe", None]})
    assert found == {"Web": ["https://www.acme.pe", "https://x.pe", None]}
    assert [(each.cleaner, each.cells) for each in report.changes] == [(Cleaner.URL, 1)]


@given(st.lists(CELLS, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(cells, random):
    order = list(range(len(cells)))
    random.shuffle(order)
    cleaned, _ = clean_columns({"telefono": cells})
    shuffled, _ = clean_columns({"telefono": [cells[place] for place in order]})
    assert shuffled["telefono"] == [cleaned["telefono"][place] for place in order]


@pytest.mark.parametrize(
    ("cleaner", "before", "after"),
    [
        (Cleaner.REPAIR, "JosÃ© NuÃ±ez", "José Nuñez"),
        (Cleaner.REPAIR, "JosÃƒÂ©", "José"),
        (Cleaner.REPAIR, "SÃO PAULO", "SÃO PAULO"),
        (Cleaner.REPAIR, "MarÃ\xada", "María"),
        (Cleaner.TRIM, " \ufeffa \u00a0 b\r\n c ", "a b\nc"),
        (Cleaner.NAME, "MARÍA DE LA CRUZ PÉREZ-GIL III", "María de la Cruz Pérez-Gil III"),
        (Cleaner.NAME, "á. o'neil", "Á. O'Neil"),
        (Cleaner.NAME, "DE LA CRUZ", "De la Cruz"),
        (Cleaner.NAME, "McDonald", "McDonald"),
        (Cleaner.NAME, "李", "李"),
        (Cleaner.EMAIL, "Ana Pérez <ANA@X.pe>;", "ana@x.pe"),
        (Cleaner.EMAIL, "mailto:A@x.pe", "a@x.pe"),
        (Cleaner.EMAIL, "Ana at x.pe", "Ana at x.pe"),
        (Cleaner.PHONE, "+44 (0)20 7946 0958", "+442079460958"),
        (Cleaner.PHONE, "0051 (1) 445-3020 anexo 12", "+5114453020 ext 12"),
        (Cleaner.PHONE, "044 123 456", "044123456"),
        (Cleaner.URL, "www.acme.pe", "https://www.acme.pe"),
        (Cleaner.URL, " WWW.acme.com.pe/a?b ", "https://WWW.acme.com.pe/a?b"),
        (Cleaner.URL, "http://www.acme.pe", "http://www.acme.pe"),
        (Cleaner.URL, "www.acme", "www.acme"),
        (Cleaner.URL, "see www.acme.pe", "see www.acme.pe"),
        (Cleaner.PHONE, "12", "12"),
        (Cleaner.PHONE, "(+51) 1 277 2996", "+5112772996"),
        (Cleaner.PHONE, "( +57 ) 307 064 9819", "+573070649819"),
        (Cleaner.PHONE, "445-3020 / 445-3021", "445-3020 / 445-3021"),
        (Cleaner.PHONE, "02302/926000", "02302926000"),
        (Cleaner.PHONE, "+49 (0)39831/201234", "+4939831201234"),
        (Cleaner.PHONE, "ask Ana 445-3020", "ask Ana 445-3020"),
        (Cleaner.PHONE, "+51 (01) 445-3020", "+5114453020"),
        (Cleaner.PHONE, "+51 01 445-3020", "+5114453020"),
        (Cleaner.PHONE, "(+51)(01)4453020", "+5114453020"),
        (Cleaner.PHONE, "0051 (01) 445 3020 anexo 7", "+5114453020 ext 7"),
        (Cleaner.PHONE, "00 44 (020) 7946 0958", "+442079460958"),
        (Cleaner.PHONE, "+52 (01) 55 1234 5678", "+525512345678"),
        (Cleaner.PHONE, "+39 06 6982 1234", "+390669821234"),
        (Cleaner.PHONE, "+39 (0)6 6982 1234", "+390669821234"),
        (Cleaner.PHONE, "+225 07 07 12 34 56", "+2250707123456"),
        (Cleaner.PHONE, "+51 987 054 321", "+51987054321"),
        (Cleaner.PHONE, "+(01) 445-3020", "+(01) 445-3020"),
        (Cleaner.PHONE, "000 445 3020", "000 445 3020"),
    ],
)
def test_a_cleaner_does_this(cleaner, before, after):
    assert clean_text(before, cleaner) == after


def test_tax_ids_and_postcodes_are_left_alone():
    table = Table({"RUC": ["20-12345678-9"] * 3, "zip": ["00123"] * 3, "notes": ["ALL CAPITALS"] * 3})
    assert table.clean() == table


def test_the_report_counts_cells_and_shows_examples():
    report = Table({"nombre": ["ANA", "ANA", "Luis"]}).clean().cleaned
    [change] = report.changes
    assert (change.cleaner, change.column, change.cells, change.examples) == ("name", "nombre", 2, (("ANA", "Ana"),))
    assert "ANA" in repr(report)
    assert "<table>" in report._repr_html_()


def test_a_recipe_may_name_its_columns():
    recipe = (Step(Cleaner.NAME, columns=frozenset({"a"})),)
    assert Table({"a": ["ANA RÍOS"], "b": ["ANA RÍOS"]}).clean(recipe).to_dict() == {
        "a": ["Ana Ríos"],
        "b": ["ANA RÍOS"],
    }


def test_white_space_alone_becomes_nothing():
    assert Table({"a": [" ", "", "x"]}).clean()["a"] == [None, None, "x"]


@pytest.mark.parametrize("text", ["-", "--", "–", "N/A", "#N/A", "n.a.", "s/n", "S/N", "s/d", "Sin datos", "?", "."])
def test_what_stands_for_nothing_is_nothing(text):
    cleaned, report = clean_columns({"Empresa": [text, "Acme", "-5"]})

    assert cleaned == {"Empresa": [None, "Acme", "-5"]}
    assert [(each.cleaner, each.cells) for each in report.changes] == [(Cleaner.MISSING, 1)]


@pytest.mark.parametrize("text", ["Null", "None", "NA", "No", "s/n 12", "A-1"])
def test_what_may_be_a_value_is_none_of_these(text):
    assert clean_text(text, Cleaner.MISSING) == text
