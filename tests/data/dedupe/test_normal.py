"""Normal forms: equal where people mean the same, never empty for a script we do not fold."""

from __future__ import annotations

import pytest

from nubetis.data import ColumnKind
from nubetis.data.dedupe.normal import normal_value, skeleton


@pytest.mark.parametrize(
    ("one", "two", "kind"),
    [
        ("435 S. La Cienega Blvd.", "435 s la cienega boulevard", ColumnKind.TEXT),
        ("Avda. Larco 1651", "Avenida Larco 1651", ColumnKind.TEXT),
        ("Acme S.A.C.", "ACME", ColumnKind.COMPANY),
        ("Restaurante & Café Ríos", "restaurante y cafe rios", ColumnKind.COMPANY),
        ("María De la Cruz", "MARIA CRUZ", ColumnKind.PERSON),
        ("+51 987 654 321", "(987) 654-321", ColumnKind.PHONE),
        ("Ana+news@X.pe", "ana@x.pe", ColumnKind.EMAIL),
        ("31/01/2026", "2026-01-31", ColumnKind.DATE),
        ("12.345.678-9", "123456789", ColumnKind.CODE),
    ],
)
def test_different_ways_to_write_are_one(one, two, kind):
    assert normal_value(one, kind) == normal_value(two, kind) != ""


@pytest.mark.parametrize("text", ["李小龍", "Мария", "محمد", "S.A.C."])
def test_no_name_becomes_nothing(text):
    assert normal_value(text, ColumnKind.COMPANY)


def test_a_phone_too_short_is_none():
    assert normal_value("12", ColumnKind.PHONE) == ""


@pytest.mark.parametrize(
    ("one", "two"), [("gonzales", "gonzalez"), ("quispe", "kispe"), ("philip", "felipe"), ("rios", "rioss")]
)
def test_a_skeleton_forgives_spelling(one, two):
    assert skeleton(one) == skeleton(two)
