"""Header to field: whole names only, one column a field, and never a guess from a part."""

from __future__ import annotations

import pytest

from nubetis.data import map_columns
from nubetis.errors import NotFound


@pytest.mark.parametrize(
    "header",
    ["Email opt out", "E-mail Opt-Out", "Email status", "Do not email", "Fecha de correo", "No enviar correos"],
)
@pytest.mark.parametrize("module", ["contacts", "leads", "accounts"])
def test_what_only_speaks_of_e_mail_is_no_address(header, module):
    assert map_columns([header], module=module).fields.get(header) != "email"


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Correo electrónico", "email"), ("E-mail", "email"), ("EMAIL_ADDRESS", "email"),
        ("Endereço de e-mail", "email"),
        ("firstName", "first_name"), ("Nombres", "first_name"), ("Apellido", "last_name"), ("Sobrenome", "last_name"),
        ("Teléfono", "phone"), ("Tel.", "phone"), ("Celular", "mobile"), ("Telemóvel", "mobile"),
        ("Código Postal", "address.postcode"), ("CEP", "address.postcode"), ("Ciudad", "address.city"),
        ("País", "address.country"), ("Cargo", "job_title"), ("Fecha de nacimiento", "birth_date"),
        ("Observaciones", "description"), ("Lead Source", "source"),
    ],
)  # fmt: skip
def test_headers_of_three_languages_are_known(header, field):
    assert map_columns([header, "Apellidos "], module="contacts").fields[header] == field


def test_a_module_reads_company_its_own_way():
    found = [map_columns(["Empresa"], module=module).fields["Empresa"] for module in ("accounts", "leads", "contacts")]
    assert found == ["name", "company", "account"]


def test_a_field_is_filled_by_one_column():
    found = map_columns(["Correo", "E-mail", "email"], module="contacts")
    assert (found.fields, found.unmapped) == ({"email": "email"}, ("Correo", "E-mail"))


def test_a_lone_name_is_the_whole_name():
    assert map_columns(["Nombre"], module="leads").fields == {"Nombre": "name"}
    assert map_columns(["Nombre"], module="contacts").fields == {"Nombre": "first_name+last_name"}
    assert map_columns(["Nombre", "Apellidos"], module="contacts").fields["Nombre"] == "first_name"


def test_only_known_fields_are_given_and_labels_count():
    found = map_columns(["Talla", "Ciudad", "Web"], module="contacts", known={"size": "Talla", "address": "Dirección"})
    assert found.fields == {"Talla": "size", "Ciudad": "address.city"}


def test_a_choice_takes_the_field_from_others():
    found = map_columns(["Correo", "Correo 2"], module="contacts").changed({"Correo 2": "email"})
    assert found.fields == {"Correo 2": "email"}
    with pytest.raises(NotFound):
        found.changed({"Nada": "email"})


def test_a_map_has_both_faces():
    found = map_columns(["Correo", "<b>"], module="contacts")
    assert "email" in repr(found)
    assert "&lt;b&gt;" in found._repr_html_()
    assert [each.column for each in found] == ["Correo", "<b>"]
