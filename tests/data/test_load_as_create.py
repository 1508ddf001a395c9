"""Loading is creating: the same records, the same refusals, one by one or all at once."""

from __future__ import annotations

import io
from contextlib import contextmanager

from hypothesis import given
from hypothesis import strategies as st

import nubetis
from nubetis import HostSignIn, Table
from nubetis.data import export, export_fields, load
from nubetis.errors import NubetisError

CELL = st.none() | st.sampled_from(
    ["Ana", " Luis ", "x" * 300, "a@x.pe", "nada", "12", "1.5", "true", "2026-01-31", "ñ"]
)
ROW = st.fixed_dictionaries(
    dict.fromkeys(("first_name", "last_name", "email", "birth_date", "email_opt_out", "description"), CELL)
)


@contextmanager
def fresh():
    with nubetis.create("memory://", administrator="ana@acme.pe") as org, org.session(HostSignIn("ana@acme.pe")) as s:
        yield s


def values(session):
    names = [
        name for name in export_fields(session.schema.module("contacts")) if name not in {"id", "version", "owner"}
    ]
    return [tuple([record[name] for name in names]) for record in session.find("contacts", sort="id", limit=100)]


def created_one_by_one(session, rows):
    """Read each cell as its field does and create each record alone; give the rows that are refused."""
    module, refused = session.schema.module("contacts"), set()
    for number, row in enumerate(rows, 1):
        given_cells = {name: cell for name, cell in row.items() if cell is not None}
        try:
            read = {
                name: module.field(name).type.parse(module.field(name), cell, session.formats)
                for name, cell in given_cells.items()
            }
            if read:
                session.create("contacts", values=read)
        except NubetisError:
            refused.add(number)
    return refused


@given(st.lists(ROW, min_size=1, max_size=6))
def test_a_loaded_row_is_a_created_record(rows):
    with fresh() as session:
        report = load(session, Table.from_dicts(rows), module="contacts")
        loaded = values(session)
    with fresh() as session:
        refused = created_one_by_one(session, rows)
        created = values(session)

    assert loaded == created
    assert {each.line for each in report.rejected} == refused
    assert (report.created, report.refused) == (len(created), len(refused))


@given(st.lists(ROW, min_size=1, max_size=6))
def test_exported_and_loaded_once_more_it_is_the_same_file(rows):
    """Without id and version, which a load does not set."""
    contents = []
    table = Table.from_dicts(rows)
    for _ in range(2):
        sink = io.BytesIO()
        with fresh() as session:
            load(session, table, module="contacts")
            fields = [
                name
                for name in export_fields(session.schema.module("contacts"))
                if name not in {"id", "version", "owner"}
            ]
            export(session, sink, module="contacts", fields=fields)
        contents.append(sink.getvalue())
        table = nubetis.read(sink.getvalue(), file_format="csv", encoding="utf-8", delimiter=",", header=1)

    assert contents[0] == contents[1]
