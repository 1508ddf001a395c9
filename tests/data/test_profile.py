"""What a column holds."""

from __future__ import annotations

import pytest

from nubetis.data import ColumnKind, profile_columns


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("x", [None, " "], ColumnKind.EMPTY),
        ("id", ["a1", "b2", "c3"], ColumnKind.KEY),
        ("n", [str(n) for n in range(100, 130)], ColumnKind.KEY),
        ("x", ["ana@x.pe", "luis@y.pe", "?"], ColumnKind.EMAIL),
        ("Teléfono", ["5550101", "5550102", "5550102"], ColumnKind.PHONE),
        ("x", ["+51 987 654 321", "(01) 445-3020"], ColumnKind.PHONE),
        ("x", ["(+51) 987 654 321", "(+57) 307 064 9819"], ColumnKind.PHONE),
        ("x", ["2026-01-31", "2026-02-01"], ColumnKind.DATE),
        ("date of birth", ["19560409", "19080419", "19080419"], ColumnKind.DATE),
        ("zip", ["00123", "15001", "15001"], ColumnKind.CODE),
        ("DNI", ["12345678", "87654321", "87654321"], ColumnKind.CODE),
        ("importe", ["1.200,50", "3", "3"], ColumnKind.NUMBER),
        ("Apellidos", ["Ríos", "Núñez"], ColumnKind.PERSON),
        ("Razón social", ["Acme", "Delta"], ColumnKind.COMPANY),
        ("stage", ["won", "lost"] * 40, ColumnKind.CATEGORY),
        ("ciudad", ["Lima", "Cusco"], ColumnKind.TEXT),
        ("notas", ["word " * 30, "other " * 30], ColumnKind.LONG),
    ],
)
def test_a_column_is_judged_by_content_and_name(name, cells, kind):
    assert profile_columns({name: cells})[0].kind is kind
