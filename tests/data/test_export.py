"""Records become files: in order, the same bytes for the same records, and back again unchanged."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nubetis
from nubetis import F, Field, HostSignIn, Money
from nubetis.data import export, export_fields, load
from nubetis.errors import InvalidFilter, InvalidValue, NotFound, StoreError
from nubetis.model.kinds import Address, kind
from tests.stores import permit_all

HOSTILE = [
    "=1+1", "+51 1 555", "-5.20", "@SUM(A1)", "\t=x", " space ", "a\nb", "a\r\nb", "a\rb", 'say "hi"', "a,b;c|d",
    "'quoted'", "00123", "1e9", "NULL", "None", "true", "ñandú", "東京", "👩‍👩‍👧", "\u202eright", "\ufeffbom",
    "x" * 255, "\\", "\\n", "<b>", "a|b", "#", "%s", "{x}", "\x01\x1f", "\u2028x",
]  # fmt: skip


def written(session, **options):
    buffer = io.BytesIO()
    return export(session, buffer, **options), buffer.getvalue()


def test_id_and_version_come_first(nubetis_session):
    acme = nubetis_session.create("accounts", name="Acme", address=Address(city="Lima"))
    manifest, content = written(nubetis_session, module="accounts")
    (row,) = nubetis.read(content, file_format="csv", header=1).to_dicts()

    assert manifest.columns[:2] == ("id", "version")
    assert (row["id"], row["version"], row["name"], row["address.city"]) == (acme.id, "1", "Acme", "Lima")
    assert (manifest.module, manifest.count) == ("accounts", 1)


def test_only_what_fits_the_filter_is_written_in_the_fields_asked_for(nubetis_session):
    for name in ("Acme", "Norte"):
        nubetis_session.create("accounts", name=name)
    manifest, content = written(nubetis_session, module="accounts", where=F.name == "norte", fields=["name"])

    assert (manifest.count, content) == (1, b"name\r\nNorte\r\n")


def test_every_column_of_an_export_may_be_named_by_itself(nubetis_session):
    nubetis_session.create("accounts", name="Acme", address=Address(street="Sol 1", city="Lima"))
    nubetis_session.create("deals", name="D", amount=Money("300", "USD", home="1125.50"))
    for module in ("accounts", "deals"):
        whole, content = written(nubetis_session, module=module)
        (row,) = nubetis.read(content, file_format="csv", header=1).to_dicts()
        for column in whole.columns:
            alone = written(nubetis_session, module=module, fields=["id", column])[1]
            (one,) = nubetis.read(alone, file_format="csv", header=1).to_dicts()
            assert one[column] == row[column]


def test_a_column_that_is_named_twice_is_written_once(nubetis_session):
    nubetis_session.create("accounts", name="Acme", address=Address(city="Lima"))
    fields = ["address.city", "name", "address", "name"]

    assert written(nubetis_session, module="accounts", fields=fields)[0].columns == (
        "address.city", "name", "address.street", "address.region", "address.postcode", "address.country",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "hint"),
    [("address.cty", "Did you mean address.city?"), ("name.first", "Did you mean name?"), ("adress.city", "Did you")],
)
def test_a_part_that_is_not_there_is_refused_with_the_nearest(nubetis_session, path, hint):
    with pytest.raises(NotFound) as caught:
        written(nubetis_session, module="accounts", fields=[path])

    assert caught.value.code == "unknown_field"
    assert hint in str(caught.value)


def test_foreign_money_comes_back_with_what_it_was_worth(nubetis_org, nubetis_session):
    """That of an own field, too; money of the organisation's currency needs no second number."""
    nubetis_org.add_field("deals", Field(name="budget", type=kind("money")), by=nubetis_session)
    given = [
        {"amount": Money("300", "USD", home="1125.50"), "budget": Money("-9.99", "EUR", home="-41")},
        {"amount": Money("1200.50", "PEN"), "budget": None},
        {"amount": None, "budget": Money("0", "EUR", home="0")},
    ]
    for number, values in enumerate(given):
        nubetis_session.create("deals", name=f"D{number}", **values)
    before = list(nubetis_session.find("deals", sort="name"))
    content = written(nubetis_session, module="deals", fields=["name", "amount", "budget"])[1]
    with foreign("PEN") as other:
        other_org, session = other
        other_org.add_field("deals", Field(name="budget", type=kind("money")), by=session)
        report = load(session, nubetis.read(content, file_format="csv"), module="deals")
        after = list(session.find("deals", sort="name"))

    assert report.rejected == ()
    assert [(each["amount"], each["budget"]) for each in after] == [(each["amount"], each["budget"]) for each in before]
    assert content.splitlines()[:3] == [
        b"name,amount,amount.home,budget,budget.home",
        b"D0,300.00 USD,1125.50 PEN,-9.99 EUR,-41.00 PEN",
        b"D1,1200.50 PEN,,,",
    ]


def test_what_money_was_worth_in_another_organisation_is_not_taken_for_the_own_currency(nubetis_session):
    nubetis_session.create("deals", name="A", amount=Money("300", "USD", home="1125"))
    content = written(nubetis_session, module="deals")[1]
    with foreign("EUR") as (_, session):
        report = load(session, nubetis.read(content, file_format="csv"), module="deals")

    assert [(each.field, each.code) for each in report.rejected] == [("amount.home", "home_amount")]


@contextmanager
def foreign(currency):
    org = nubetis.create("memory://", administrator="ana@acme.pe", settings={"currency": currency})
    with org, org.session(HostSignIn("ana@acme.pe", factor=True)) as session:
        yield org, session


def test_without_records_the_header_is_written(nubetis_session):
    assert written(nubetis_session, module="accounts", fields=["name"])[1] == b"name\r\n"


def test_the_same_records_give_the_same_bytes(nubetis_session, tmp_path):
    for number in range(30):
        nubetis_session.create("accounts", name=f"A{number}")
    first, second = (written(nubetis_session, module="accounts") for _ in range(2))
    export(nubetis_session, tmp_path / "a.csv", module="accounts")

    assert first == second
    assert first[0].hash == hashlib.sha256(first[1]).hexdigest()
    assert (tmp_path / "a.csv").read_bytes() == first[1]


def test_the_suffix_says_the_kind_of_file(nubetis_session, tmp_path):
    nubetis_session.create("accounts", name="Acme")
    packed = export(nubetis_session, tmp_path / "a.jsonl.gz", module="accounts", fields=["name"])

    content = gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes())
    assert content == b'{"name": "Acme"}\n'
    assert packed.hash == hashlib.sha256(content).hexdigest()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_pipe_without_a_suffix_gets_a_csv(nubetis_session, tmp_path):
    nubetis_session.create("accounts", name="Acme")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    export(nubetis_session, pipe, module="accounts", fields=["name"])

    assert os.read(reading, 100) == b"name\r\nAcme\r\n"
    os.close(reading)


@pytest.mark.parametrize(
    ("name", "options", "kind", "code"),
    [
        ("a.pdf", {"module": "accounts"}, InvalidValue, "unknown_format"),
        ("no/a.csv", {"module": "accounts"}, StoreError, "unwritable"),
        ("a.csv", {"module": "acounts"}, NotFound, "unknown_module"),
        ("a.csv", {"module": "accounts", "fields": ["nme"]}, NotFound, "unknown_field"),
        ("a.csv", {"module": "accounts", "where": F.nme == "x"}, (NotFound, InvalidFilter), "unknown_field"),
    ],
)
def test_what_cannot_be_written_leaves_the_file_as_it_was(nubetis_session, tmp_path, name, options, kind, code):
    (tmp_path / "a.csv").write_bytes(b"before")
    with pytest.raises(kind) as caught:
        export(nubetis_session, tmp_path / name, **options)

    assert caught.value.code == code
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".db"] == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"before"


def test_nobody_exports_what_he_may_not_see(nubetis_org, nubetis_session):
    nubetis_session.create("accounts", name="Hidden")
    permit_all(nubetis_session)
    (own,) = nubetis_org.people("luis: Rep")
    own.create("accounts", name="Mine")

    assert written(own, module="accounts", fields=["name"])[1] == b"name\r\nMine\r\n"


# --- there and back --------------------------------------------------------------------------------


def values(session, module):
    names = [name for name in export_fields(session.schema.module(module)) if name not in {"id", "version", "owner"}]
    return [tuple([record[name] for name in names]) for record in session.find(module, sort="id", limit=1000)]


@contextmanager
def fresh():
    """Give the session of an organisation of its own."""
    settings = {"currency": "PEN"}
    with (
        nubetis.create("memory://", administrator="ana@acme.pe", settings=settings) as org,
        org.session(HostSignIn("ana@acme.pe")) as s,
    ):
        yield s


def there_and_back(records, *, file_format="csv"):
    """Give the values before an export, and after its load into another organisation."""
    buffer = io.BytesIO()
    with fresh() as s:
        s.apply(s.plan_create("accounts", records))
        before = values(s, "accounts")
        fields = [name for name in export_fields(s.schema.module("accounts")) if name != "owner"]
        export(s, buffer, module="accounts", fields=fields, file_format=file_format)
    hints = {"encoding": "utf-8", "header": 1, "delimiter": ","} if file_format == "csv" else {}
    with fresh() as s:
        table = nubetis.read(buffer.getvalue(), file_format=file_format, **hints)
        assert load(s, table, module="accounts").rejected == ()
        after = values(s, "accounts")
    return before, after


@pytest.mark.parametrize("file_format", ["csv", "tsv", "jsonl"])
def test_hostile_text_comes_back_as_it_was(file_format):
    records = [
        {"name": f"{number} {text}"[:255], "industry": text, "address": Address(street=text, city=f"x{text}"[:255])}
        for number, text in enumerate(HOSTILE)
    ]
    before, after = there_and_back(records, file_format=file_format)

    assert after == before


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)
RECORD = st.fixed_dictionaries(
    {"name": TEXT.filter(str.strip)},
    optional={
        "industry": TEXT.filter(str.strip),
        "description": TEXT.filter(str.strip),
        "employees": st.integers(-(10**12), 10**12),
        "annual_revenue": st.builds(
            lambda amount, currency: Money(amount, currency, home=amount if currency == "PEN" else amount * 3),
            st.decimals(-(10**9), 10**9, places=2),
            st.sampled_from(["PEN", "USD"]),
        ),
        "address": st.builds(Address, street=TEXT.filter(str.strip), country=st.none() | TEXT.filter(str.strip)),
        "tags": st.lists(st.sampled_from(["vip", "Lima", "ñ"]), unique=True).map(tuple),
        "type": st.sampled_from(["customer", "partner"]),
    },
)


@given(st.lists(RECORD, min_size=1, max_size=8), st.sampled_from(["csv", "tsv", "jsonl"]))
def test_what_is_exported_and_loaded_is_the_same(records, file_format):
    before, after = there_and_back(records, file_format=file_format)

    assert after == before
