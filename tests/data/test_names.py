"""Whole names of persons become first and last names, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nubetis
from nubetis import Table
from nubetis.data import fitting_map, load, map_columns, map_table
from nubetis.data.names import WHOLE, split_name


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ana Ruiz", "Ana", "Ruiz"),
        ("Ana Ruiz Soto", "Ana", "Ruiz Soto"),
        ("Ana María Ruiz Soto", "Ana María", "Ruiz Soto"),
        ("Ana María Ruiz de la Torre Soto", "Ana María", "Ruiz de la Torre Soto"),
        ("María de la Cruz", "María", "de la Cruz"),
        ("María del Carmen Ruiz Soto", "María del Carmen", "Ruiz Soto"),
        ("JOSÉ ORTEGA Y GASSET", "JOSÉ", "ORTEGA Y GASSET"),
        ("Ludwig van der Rohe", "Ludwig", "van der Rohe"),
        ("Dr. Luis Paz", "Dr. Luis", "Paz"),
        ("Ruiz Soto, Ana María", "Ana María", "Ruiz Soto"),
        ("John Smith, Jr.", "John", "Smith, Jr."),
        ("Ana", "", "Ana"),
        ("Sra. Ruiz", "", "Sra. Ruiz"),
        ("  Ana   Ruiz ", "Ana", "Ruiz"),
        (", Ana", "", "Ana"),
        ("Ruiz,", "", "Ruiz"),
        ("de", "", "de"),
        ("", "", ""),
    ],
)
def test_a_whole_name_has_a_first_and_a_last_one(name, first, last):
    assert split_name(name) == (first, last)


@given(
    st.lists(st.sampled_from(["Ana", "de", "la", "Ruiz", "y", "Dr.", "Soto", ",", "東京"]), max_size=9).map(" ".join)
)
def test_no_word_of_a_name_is_lost_and_there_is_always_a_last_one(name):
    first, last = split_name(name)

    assert sorted(f"{first} {last}".replace(",", "").split()) == sorted(name.replace(",", "").split())
    assert bool(last) is bool(name.strip(" ,"))


@pytest.mark.parametrize("header", ["Nombre", "Nombres", "Nome", "Nombre completo", "Name", "Full name", "Contacto"])
def test_a_column_of_whole_names_fills_both_names_of_a_contact(nubetis_session, header):
    table = Table({header: ["Ana Ruiz Soto", "Luis"], "Correo": ["a@x.pe", "l@x.pe"]})
    report = load(nubetis_session, table, module="contacts")
    found = nubetis_session.find("contacts", sort="id")

    assert report.rejected == ()
    assert [(each["first_name"], each["last_name"]) for each in found] == [("Ana", "Ruiz Soto"), (None, "Luis")]


def test_a_whole_name_is_shown_as_that_and_can_be_mapped_otherwise():
    found = map_columns(["Nombre", "Correo"], module="contacts")

    assert found.fields["Nombre"] == WHOLE == "first_name+last_name"
    assert found.filled == {"first_name": "Nombre", "last_name": "Nombre", "email": "Correo"}
    assert found.changed({"Nombre": "last_name"}).filled["last_name"] == "Nombre"
    assert found.changed({"Correo": WHOLE}).unmapped == ("Nombre",)
    assert found.changed({"Correo": "last_name"}).fields == {"Nombre": "first_name", "Correo": "last_name"}


@pytest.mark.parametrize(
    ("columns", "filled"),
    [
        (["Nombre completo", "Apellidos"], {"last_name": "Apellidos"}),
        (["Nombre", "Apellidos", "Nombre completo"], {"first_name": "Nombre", "last_name": "Apellidos"}),
        (["Nombre", "Nombre completo"], {"first_name": "Nombre completo", "last_name": "Nombre completo"}),
    ],
)
def test_whole_names_fill_what_no_other_column_says(columns, filled):
    assert map_columns(columns, module="contacts").filled == filled


def test_a_module_without_both_names_takes_the_whole_one_as_its_last():
    known = {"last_name": "Last name", "email": "Email"}

    assert map_columns(["Nombre"], module="contacts", known=known).fields == {"Nombre": "last_name"}


def test_a_name_that_is_refused_names_its_field_and_cell(nubetis_session):
    table = Table({"Nombre": ["Ana " + "x" * 300]})
    report = load(nubetis_session, table, module="contacts")

    assert [(each.field, each.code, each.cells) for each in report.rejected] == [
        ("last_name", "too_long", {"Nombre": table["Nombre"][0]})
    ]


def test_whole_names_fit_a_contact():
    module = nubetis.model.standard.base_schema().module("contacts")
    table = Table({"Nombre": ["Ana Ruiz"]})

    assert fitting_map(table, map_table(table, module), module).fields == {"Nombre": WHOLE}


# --- leads, whose name is the whole one ------------------------------------------------------------


def test_a_lead_is_named_by_its_whole_name_or_by_both_names(nubetis_session):
    table = Table({"Nombre": ["Ana", "Eva", None], "Apellidos": ["Ruiz Soto", None, "Paz"]})
    report = load(nubetis_session, table, module="leads")
    load(nubetis_session, Table({"Nombre": ["Luis Sol"]}), module="leads")

    assert report.rejected == ()
    assert [each["name"] for each in nubetis_session.find("leads", sort="id")] == [
        "Ana Ruiz Soto", "Eva", "Paz", "Luis Sol",
    ]  # fmt: skip


def test_a_lead_whose_file_names_it_is_named_by_that(nubetis_session):
    table = Table({"name": ["Trato", None], "first_name": ["Ana", "Eva"], "last_name": ["Ruiz", "Paz"]})
    load(nubetis_session, table, module="leads")

    assert [each["name"] for each in nubetis_session.find("leads", sort="id")] == ["Trato", "Eva Paz"]


def test_a_lead_of_which_nothing_is_named_is_refused(nubetis_session):
    table = Table({"Nombre": [None], "Apellidos": [None], "Correo": ["a@x.pe"]})

    assert [each.code for each in load(nubetis_session, table, module="leads").rejected] == ["required"]
