"""Tables become records: columns to fields, cells to values, faults to a report by line."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

import nubetis
from nubetis import F, Field, Money, Table
from nubetis.data import apply_load, fitting_map, load, map_table, plan_links, plan_load
from nubetis.errors import InvalidValue, NotFound, Refused
from nubetis.model.kinds import Address, kind
from nubetis.model.schema import ValidationRule
from tests.stores import refusing

FILE = "Nombre;Apellidos;Correo;Ciudad;Código postal\nAna;Ruiz;ana@acme.pe;Lima;00123\nLuis;Paz;luis@acme.pe;;\n"


def records(session, module="contacts"):
    return list(session.find(module, sort="id", limit=1000))


def test_a_row_becomes_a_record(nubetis_session):
    report = load(nubetis_session, nubetis.read(FILE.encode()), module="contacts")
    ana, luis = records(nubetis_session)

    assert (report.rows, report.created, report.refused, report.rejected) == (2, 2, 0, ())
    assert (ana["first_name"], ana["last_name"], ana["email"]) == ("Ana", "Ruiz", "ana@acme.pe")
    assert ana["address"] == Address(city="Lima", postcode="00123")
    assert luis["address"] is None


def test_a_plan_writes_nothing_and_says_everything(nubetis_session):
    plan = plan_load(nubetis_session, nubetis.read(FILE.encode()), module="contacts", file="a.csv")

    assert plan.counts() == {"create": 2}
    assert nubetis_session.count("contacts") == 0
    assert (plan.cause.kind.value, plan.cause.detail["file"], plan.cause.detail["rows"]) == ("import", "a.csv", 2)


def test_a_file_whose_name_is_no_text_is_loaded(nubetis_session):
    """As a name on a disk of another encoding: its bytes come as halves of surrogate pairs."""
    report = load(nubetis_session, nubetis.read(FILE.encode()), module="contacts", file="caf\udce9.csv")

    assert report.operation.cause.detail["file"] == "caf?.csv"


def test_batches_are_loaded_as_tables_are(nubetis_session):
    table = nubetis.read(FILE.encode())

    assert load(nubetis_session, table.batches(rows=1), module="contacts").created == 2


def test_several_choices_may_be_a_list_of_json_lines(nubetis_session):
    """Or stand in one text, as an export has them."""
    lines = b'{"name": "A", "tags": ["vip", "norte"]}\n{"name": "B", "tags": []}\n{"name": "C", "tags": "sur; vip"}\n'
    report = load(nubetis_session, nubetis.read(lines, file_format="jsonl"), module="leads")

    assert report.rejected == ()
    assert [each["tags"] for each in records(nubetis_session, "leads")] == [("norte", "vip"), (), ("sur", "vip")]


def test_what_does_not_fit_is_refused_by_line_field_and_reason(nubetis_session):
    table = nubetis.read(b'name,email\n"An\na",nada\nEva,eva@x.pe\n,luis@x.pe\n')
    report = load(nubetis_session, table, module="accounts")

    assert report.created == 1
    assert [(each.line, each.field, each.code) for each in report.rejected] == [
        (2, "email", "bad_email"),
        (5, "name", "required"),
    ]
    assert "e-mail" in report.rejected[0].reason
    assert report.rejected[0].cells == {"name": "An\na", "email": "nada"}


def test_a_plan_with_refusals_is_not_applied_unless_it_is_said(nubetis_session):
    plan = plan_load(
        nubetis_session, Table({"name": ["A", "B", None], "email": ["x", "b@x.pe", "c@x.pe"]}), module="accounts"
    )

    with pytest.raises(Refused):
        nubetis_session.apply(plan)
    assert nubetis_session.count("accounts") == 0


def test_all_faults_of_a_row_are_named_and_it_counts_once(nubetis_session):
    table = Table({"name": ["A"], "email": ["x"], "phone": ["y"]})
    report = load(nubetis_session, table, module="accounts")

    assert ([each.field for each in report.rejected], report.refused) == (["phone", "email"][::-1], 1)


def test_rows_that_are_refused_can_be_mended_and_loaded_again(nubetis_session, tmp_path):
    table = Table({"name": ["A", "B"], "email": ["bad", "b@x.pe"], "line": ["x", "y"]})
    report = load(nubetis_session, table, module="accounts")
    report.write_rejected(tmp_path / "bad.csv")
    again = nubetis.read(tmp_path / "bad.csv")

    assert again.columns == ("name", "email", "line", "line_2", "field", "code", "reason")
    assert [again[name] for name in ("name", "email", "line_2", "code")] == [["A"], ["bad"], ["1"], ["bad_email"]]
    mended = Table({**again.to_dict(), "email": ["a@x.pe"]})
    assert load(nubetis_session, mended, module="accounts").created == 1


def test_without_refusals_the_file_of_them_is_empty(nubetis_session, tmp_path):
    load(nubetis_session, Table({"name": ["A"]}), module="accounts").write_rejected(tmp_path / "bad.csv")

    assert (tmp_path / "bad.csv").read_bytes() == b"name,line,field,code,reason\r\n"


def test_columns_that_fill_no_field_are_warnings(nubetis_session):
    plan = plan_load(nubetis_session, Table({"name": ["A"], "Color": ["red"]}), module="accounts")

    assert [(each.code, each.params["column"]) for each in plan.warnings] == [("unmapped_column", "Color")]
    assert "Color" in str(plan.warnings[0])


def test_an_empty_row_is_left_out_and_a_table_without_rows_is_loaded(nubetis_session):
    assert load(nubetis_session, Table({"name": ["A", None, "  "]}), module="accounts").created == 1
    assert load(nubetis_session, Table({"name": []}), module="accounts").created == 0


def test_a_table_of_which_no_column_fits_is_refused_whole(nubetis_session):
    with pytest.raises(InvalidValue) as caught:
        plan_load(nubetis_session, Table({"foo": ["A"]}), module="accounts")
    assert caught.value.code == "bad_argument"


@pytest.mark.parametrize(("field", "code"), [("nme", "unknown_field"), ("address.cty", "unknown_field")])
def test_a_map_that_names_no_field_is_refused(nubetis_session, field, code):
    table = Table({"name": ["A"], "x": ["B"]})
    field_map = map_table(table, nubetis_session.schema.module("accounts")).changed({"x": field})

    with pytest.raises(NotFound) as caught:
        plan_load(nubetis_session, table, module="accounts", field_map=field_map)
    assert caught.value.code == code


def test_an_unknown_module_is_not_found(nubetis_session):
    with pytest.raises(NotFound):
        load(nubetis_session, Table({"name": ["A"]}), module="acounts")


def test_what_nubetis_sets_is_not_loaded(nubetis_session):
    field_map = map_table(
        Table({"id": ["1"], "version": ["7"], "name": ["A"]}), nubetis_session.schema.module("accounts")
    )

    assert field_map.fields == {"name": "name"}


def test_values_of_all_kinds_are_read(nubetis_org, nubetis_session):
    nubetis_org.add_field("accounts", Field(name="since", type=kind("date")), by=nubetis_session)
    table = Table({
        "name": ["A"], "annual_revenue": ["1200.50 PEN"], "employees": ["12"], "type": ["customer"], "tags": ["b;a"],
        "since": ["2020-02-29"], "website": ["https://a.pe"],
    })  # fmt: skip
    load(nubetis_session, table, module="accounts")
    (found,) = records(nubetis_session, "accounts")

    assert found["annual_revenue"].amount == Decimal("1200.50")
    assert (found["employees"], found["type"], found["tags"]) == (12, "customer", ("a", "b"))
    assert str(found["since"]) == "2020-02-29"


def test_an_owner_is_named_by_email(nubetis_org, nubetis_session):
    list(nubetis_org.people("luis: Rep"))
    (luis,) = nubetis_session.find("users", F.email.contains("luis"))
    load(nubetis_session, Table({"name": ["A"], "owner": [str(luis["email"])]}), module="accounts")

    assert records(nubetis_session, "accounts")[0]["owner"] == luis.id


@pytest.mark.parametrize("owner", ["nobody@x.pe", "nobody", "use_0SC3KG1980400S"])
def test_an_owner_that_is_nobody_is_refused_with_field_and_cell(nubetis_session, owner):
    report = load(nubetis_session, Table({"name": ["A"], "owner": [owner]}), module="accounts")

    assert [(each.field, each.code) for each in report.rejected] == [("owner", "no_such_user")]


# --- links -----------------------------------------------------------------------------------------


def test_a_link_is_an_id_or_the_title_of_one_record(nubetis_session):
    acme = nubetis_session.create("accounts", name="Acme Perú")
    table = Table({"last_name": ["A", "B", "C"], "account": [acme.id, "ACME PERU", "Nobody"]})
    report = load(nubetis_session, table, module="contacts")

    assert [each["account"] for each in records(nubetis_session)] == [acme.id, acme.id]
    assert [(each.line, each.code) for each in report.rejected] == [(3, "bad_link")]


def test_a_title_of_several_records_is_refused_with_their_ids(nubetis_session):
    twins = [nubetis_session.create("accounts", name="Acme").id for _ in range(2)]
    report = load(nubetis_session, Table({"last_name": ["A"], "account": ["acme"]}), module="contacts")

    assert [each.code for each in report.rejected] == ["ambiguous_link"]
    assert all(each in report.rejected[0].reason for each in twins)


def test_what_is_linked_and_missing_can_be_planned_first(nubetis_session):
    nubetis_session.create("accounts", name="Acme")
    table = Table({"last_name": ["A", "B", "C", "D"], "account": ["acme", "Nueva", "NUEVA ", None]})
    plan = plan_links(nubetis_session, table, module="contacts")

    assert [change.after["name"] for change in plan.changes] == ["NUEVA"]
    nubetis_session.apply(plan)
    assert load(nubetis_session, table, module="contacts").created == 4
    assert nubetis_session.count("accounts", F.name == "nueva") == 1


def test_a_file_that_fills_no_field_links_to_nothing(nubetis_session):
    plan = plan_links(nubetis_session, Table({"shoe size": ["41"]}), module="contacts")
    assert (0, {"links_of": "contacts"}) == (len(plan), plan.cause.detail)


def test_an_id_of_another_module_is_refused(nubetis_session):
    contact = nubetis_session.create("contacts", last_name="Ruiz")
    report = load(nubetis_session, Table({"last_name": ["A"], "account": [contact.id]}), module="contacts")

    assert [each.code for each in report.rejected] == ["wrong_module"]


# --- what the cells say of the map -----------------------------------------------------------------


def test_a_column_whose_cells_are_no_values_of_its_field_is_not_mapped(nubetis_session):
    module = nubetis_session.schema.module("accounts")
    table = Table({"name": ["A", "B", "C"], "type": ["french", "thai", "customer"]})
    fitting = fitting_map(table, map_table(table, module), module)

    assert fitting.fields == {"name": "name"}
    assert "cannot hold" in list(fitting)[1].because
    assert fitting_map(table, map_table(table, module), module, share=0.3).fields["type"] == "type"


def test_cells_that_can_be_read_in_two_ways_are_values_of_their_field_still():
    module = nubetis.model.standard.base_schema().module("deals")
    table = Table({"Nombre": ["a", "b"], "Importe": ["1.250", "2.500"], "Fecha de cierre": ["03/04/2026", None]})

    assert len(fitting_map(table, map_table(table, module), module).fields) == 3


# --- the whole -------------------------------------------------------------------------------------


def test_an_import_is_taken_back_whole(nubetis_session):
    report = load(nubetis_session, nubetis.read(FILE.encode()), module="contacts")
    nubetis_session.undo(report.operation)

    assert nubetis_session.count("contacts") == 0


def test_progress_is_told_and_a_plan_looked_at_is_what_is_written(nubetis_session):
    table = Table({"name": [f"A{number}" for number in range(12_000)]})
    plan = plan_load(nubetis_session, table, module="accounts")
    told = []
    report = apply_load(nubetis_session, plan, table=table, progress=lambda done, total: told.append((done, total)))

    assert (report.created, told[-1]) == (12_000, (12_000, 12_000))
    assert report.operation.digest == plan.digest


def test_the_reasons_of_refused_rows_never_fill_fields_of_those_names(nubetis_session, tmp_path):
    """Products have a code: the code of an error must not become it when the mended file is loaded."""
    table = nubetis.read(b"name,price\nPen,1 PEN\nInk,nothing\n")
    load(nubetis_session, table, module="products").write_rejected(tmp_path / "bad.csv")
    mended = (tmp_path / "bad.csv").read_text("utf-8").replace("nothing", "2 PEN")
    report = load(nubetis_session, nubetis.read(mended.encode()), module="products")

    assert (report.created, report.refused) == (1, 0)
    assert [product["code"] for product in records(nubetis_session, "products")] == [None, None]


def test_a_file_of_refused_rows_that_is_refused_again_has_its_reasons_once(nubetis_session, tmp_path):
    table = nubetis.read(b"name,price,line\nPen,nothing,x\n")
    for _ in range(3):
        load(nubetis_session, table, module="products").write_rejected(tmp_path / "bad.csv")
        table = nubetis.read(tmp_path / "bad.csv")

    assert table.columns == ("name", "price", "line", "line_2", "field", "code", "reason")
    assert list(table) == [("Pen", "nothing", "x", "2", "price", "bad_format", table["reason"][0])]


def test_money_without_a_currency_is_in_that_of_the_organisation(nubetis_session):
    """The organisation of the tests counts in PEN."""
    table = Table({"name": ["a", "b", "c"], "amount": ["1200.50", "7 PEN", "soles"]})
    report = load(nubetis_session, table, module="deals")

    assert [each["amount"] for each in records(nubetis_session, "deals")] == [
        Money("1200.50", "PEN", home="1200.50"),
        Money("7", "PEN", home="7"),
    ]
    assert [(each.line, each.code) for each in report.rejected] == [(3, "bad_format")]


def test_money_of_an_organisation_without_a_currency_is_refused_with_what_to_do():
    org = nubetis.create("memory://", administrator="ana@acme.pe")
    with org, org.session(nubetis.HostSignIn("ana@acme.pe")) as session:
        table = Table({"name": ["a", "b"], "amount": ["1200.50", "7 EUR"]})
        report = load(session, table, module="deals")

    assert [(each.line, each.code) for each in report.rejected] == [(1, "bare_amount"), (2, "no_currency")]
    assert "1200.00 PEN" in report.rejected[0].reason
    assert "Set its currency first" in report.rejected[1].reason


def test_a_column_of_amounts_without_currency_still_fits_money():
    module = nubetis.model.standard.base_schema().module("deals")
    table = Table({"Nombre": ["a", "b"], "Importe": ["1200.50", "7"]})

    assert fitting_map(table, map_table(table, module), module).fields == {"Nombre": "name", "Importe": "amount"}


def test_money_is_read_as_ordinary_files_write_it(nubetis_session):
    table = Table({"name": ["a", "b", "c"], "amount": ["S/ 1.234,50", "PEN 1234,50", "1,234.50"]})
    load(nubetis_session, table, module="deals")

    assert {each["amount"] for each in records(nubetis_session, "deals")} == {Money("1234.50", "PEN", home="1234.50")}


def test_an_amount_and_a_column_of_currencies_are_one_value(nubetis_session):
    text = "Nombre;Monto;Moneda\na;1.200,50;PEN\nb;7;S/\nc;8;\nd;;PEN\ne;9;soles\nf;9 EUR;PEN\ng;x;PEN\n"
    report = load(nubetis_session, nubetis.read(text.encode()), module="deals")

    soles = [Money(amount, "PEN", home=amount) for amount in ("1200.50", "7", "8")]
    assert [each["amount"] for each in records(nubetis_session, "deals")] == [*soles, None]
    assert [(each.line, each.field, each.code) for each in report.rejected] == [
        (6, "amount.currency", "bad_format"),
        (7, "amount", "currency_twice"),
        (8, "amount", "bad_format"),
    ]


def test_a_currency_of_its_column_needs_none_of_the_organisation():
    org = nubetis.create("memory://", administrator="ana@acme.pe")
    with org, org.session(nubetis.HostSignIn("ana@acme.pe")) as session:
        table = Table({"name": ["a", "b"], "amount": ["7", "8"], "Moneda": ["EUR", None]})
        report = load(session, table, module="deals")

    assert [(each.line, each.code) for each in report.rejected] == [(1, "no_currency"), (2, "bare_amount")]


def test_columns_are_found_for_parts_of_texts_and_money_but_not_of_files(nubetis_session):
    table = Table({"file.name": ["a.txt"], "address.city": ["Lima"], "annual_revenue.home": ["5"]})
    found = {each: map_table(table, nubetis_session.schema.module(each)).filled for each in ("attachments", "accounts")}

    assert found["attachments"] == {}
    assert found["accounts"] == {"address.city": "address.city", "annual_revenue.home": "annual_revenue.home"}


def test_an_empty_cell_says_no_currency(nubetis_session):
    """Beside an amount that says its own, it says nothing; beside a bare one the organisation's is meant."""
    table = Table({
        "name": ["a", "b", "c"], "amount": ["S/ 300", "US$ 300", "5"], "Moneda": [None, " ", ""],
        "amount.home": [None, "1125", None],
    })  # fmt: skip
    report = load(nubetis_session, table, module="deals")

    assert report.rejected == ()
    assert [each["amount"] for each in records(nubetis_session, "deals")] == [
        Money("300", "PEN", home="300"), Money("300", "USD", home="1125"), Money("5", "PEN", home="5"),
    ]  # fmt: skip


def test_a_row_of_empty_cells_is_left_out_beside_columns_of_money_as_well(nubetis_session):
    table = Table({"name": ["a", None], "amount": ["1", None], "Moneda": ["PEN", ""], "amount.home": [None, None]})
    report = load(nubetis_session, table, module="deals")

    assert (report.created, report.refused) == (1, 0)


def test_a_currency_that_cannot_be_read_is_the_only_fault_of_its_amount():
    org = nubetis.create("memory://", administrator="ana@acme.pe")
    with org, org.session(nubetis.HostSignIn("ana@acme.pe")) as session:
        table = Table({"name": ["a"], "amount": ["7"], "Moneda": ["pesetas"]})
        report = load(session, table, module="deals")

    assert [(each.field, each.code) for each in report.rejected] == [("amount.currency", "bad_format")]


HOMES = [
    ("300 USD", None, "amount", "no_rate"),
    ("300 USD", "1125 EUR", "amount.home", "home_amount"),
    ("300 USD", "-1125", "amount.home", "home_amount"),
    ("300 USD", "?", "amount.home", "bad_format"),
    ("300 PEN", "299", "amount", "home_amount"),
    (None, "1125", "amount.home", "home_amount"),
]


@pytest.mark.parametrize(("amount", "home", "field", "code"), HOMES)
def test_what_an_amount_is_worth_must_follow_from_it(nubetis_session, amount, home, field, code):
    table = Table({"name": ["a"], "amount": [amount], "amount.home": [home]})
    report = load(nubetis_session, table, module="deals")

    assert [(each.field, each.code) for each in report.rejected] == [(field, code)]


def test_what_foreign_money_is_worth_stands_in_a_column_of_its_own(nubetis_session):
    """As a number, or with the currency in which the organisation counts; of own fields as of standard ones."""
    table = Table({
        "name": ["a", "b", "c"], "amount": ["300 USD", "300 USD", "1.200,50 PEN"],
        "Amount.Home": ["1.125,00", "S/ 1.125,00", "1.200,50"],
    })  # fmt: skip
    load(nubetis_session, table, module="deals")

    dollars, soles = Money("300", "USD", home="1125"), Money("1200.50", "PEN", home="1200.50")
    assert [each["amount"] for each in records(nubetis_session, "deals")] == [dollars, dollars, soles]


def test_the_refusal_of_foreign_money_says_what_to_write_into_the_file(nubetis_session):
    report = load(nubetis_session, Table({"name": ["a"], "amount": ["300 USD"]}), module="deals")

    assert "amount.home" in report.rejected[0].reason


LINKING = Table({
    "last_name": ["A", "B", None, "D", "E"], "email": ["a@x.pe", "bad", "c@x.pe", "d@x.pe", "e@x.pe"],
    "account": ["Nueva", "Sola", "Vacía", "NUEVA ", "acme"],
})  # fmt: skip


def test_what_is_linked_is_made_in_the_same_operation_for_rows_that_are_written_only(nubetis_session):
    acme = nubetis_session.create("accounts", name="Acme")
    plan = plan_load(nubetis_session, LINKING, module="contacts", create_linked=True)
    report = apply_load(nubetis_session, plan, table=LINKING)
    (nueva,) = nubetis_session.find("accounts", F.id != acme.id)

    assert [each["account"] for each in records(nubetis_session)] == [nueva.id, nueva.id, acme.id]
    assert [(each.module, each.id, each.title) for each in report.linked] == [("accounts", nueva.id, nueva["name"])]
    assert (report.created, report.refused) == (3, 2)
    assert [(each.line, each.code) for each in report.rejected] == [(2, "bad_email"), (3, "required")]


@pytest.mark.parametrize("refused", ["NUEVA SAC", "nueva sac", "Nueva  Sac", "Nueva sac "])
@pytest.mark.parametrize("first", [True, False])
def test_a_linked_record_is_spelt_as_a_row_that_is_written_spells_it(nubetis_session, refused, first):
    rows = [("A", "a@x.pe", "Nueva Sac"), ("B", "bad", refused)]
    last_name, email, account = map(list, zip(*(rows if first else rows[::-1]), strict=True))
    table = Table({"last_name": last_name, "email": email, "account": account})
    plan = plan_load(nubetis_session, table, module="contacts", create_linked=True)
    report = apply_load(nubetis_session, plan, table=table)

    assert [each.title for each in report.linked] == ["Nueva Sac"]
    assert (report.created, [each.code for each in report.rejected]) == (1, ["bad_email"])


def test_an_import_is_taken_back_with_what_it_linked_to(nubetis_session):
    plan = plan_load(nubetis_session, LINKING, module="contacts", create_linked=True)
    nubetis_session.undo(apply_load(nubetis_session, plan, table=LINKING).operation)

    assert (nubetis_session.count("contacts"), nubetis_session.count("accounts")) == (0, 0)


def test_nothing_is_made_for_rows_of_which_none_is_written(nubetis_session):
    table = Table({"last_name": [None], "account": ["Nueva"]})

    assert len(plan_load(nubetis_session, table, module="contacts", create_linked=True)) == 0


def test_a_link_into_a_plan_made_by_hand_is_refused(nubetis_session):
    plan = nubetis_session.plan_create("accounts", [{"name": "Nueva"}])
    foreign = nubetis.Plan(parts=tuple(part.slice(0, 1) for part in plan.parts))

    with pytest.raises(Refused):
        nubetis_session.plan_create("contacts", [{"last_name": "A"}], after=foreign)


def test_per_cent_are_read_with_their_sign(nubetis_session):
    """One that is written with a decimal comma speaks for the file, as other numbers do."""
    table = Table({"name": ["a", "b", "c"], "probability": ["50%", "200 %", "7,0%"], "amount": ["1.250", "7", "8"]})
    load(nubetis_session, table, module="deals")

    found = records(nubetis_session, "deals")
    assert [each["probability"] for each in found] == [50, 200, 7]
    assert found[0]["amount"] == Money("1250", "PEN", home="1250")


def test_a_row_with_several_faults_is_told_all_of_them(nubetis_session, tmp_path):
    """On screen and in the file to mend: else it is mended in as many rounds as there are faults."""
    columns = {"Apellidos": [None, "Ruiz"], "Correo": ["bad", "x"], "Teléfono": ["no", "5550101"]}
    report = load(nubetis_session, Table(columns), module="contacts")
    wanted = {1: ["bad_email", "bad_phone", "required"], 2: ["bad_email"]}

    assert {n: sorted(each.code for each in report.rejected if each.line == n) for n in (1, 2)} == wanted
    assert (report.refused, str(plan_load(nubetis_session, Table(columns), module="contacts"))) == (2, "2 refused")
    report.write_rejected(tmp_path / "rejected.csv")
    written = nubetis.read(tmp_path / "rejected.csv")
    assert sorted(str(written["code"][0]).split("; ")) == wanted[1]
    assert str(written["reason"][0]).count("; ") == 2
    assert list(written["line"]) == ["1", "2"]


def test_a_record_with_several_faults_is_told_all_of_them(nubetis_session):
    values = {"email": "bad", "phone": "no", "nothing": 1}
    plan = nubetis_session.plan_create("contacts", [values, {"last_name": "Ruiz"}])
    with refusing("bad_email", InvalidValue) as caught:
        nubetis_session.create("contacts", values)

    assert [each.code for each in plan.refusals] == ["bad_email", "bad_phone", "unknown_field", "required"]
    assert str(plan) == "1 to create, 1 refused"
    assert len(caught.value.__notes__) == 3


RULED = (
    "Nombre;Apellidos;Correo;Empresa\nAna;Uno;a@a.pe;Acme\nEva;Dos;e@a.pe;\nLuis;Tres;;Huérfana\nPau;Cinco;malo;\n"
    "Mar;Cuatro;;Otra\n"
)


@pytest.fixture
def ruled(nubetis_org):
    """An organisation in which a contact needs an e-mail."""
    contacts = nubetis_org.schema.module("contacts")
    rule = ValidationRule(name="mail", where=F.email.is_empty(), message="An e-mail is missing.")
    nubetis_org.alter(nubetis_org.schema.with_module(attrs.evolve(contacts, rules=(rule,))))
    return nubetis_org.administrator()


def test_a_row_that_a_rule_refuses_is_told_by_its_own_line(ruled, tmp_path):
    """A rule sees whole records, when cells and lines are long forgotten; what is rejected is the very row."""
    bare = "\n".join(line.rpartition(";")[0] for line in RULED.splitlines())
    report = load(ruled, nubetis.read(bare.encode()).clean(), module="contacts")
    report.write_rejected(f"{tmp_path}/rejected.csv")

    assert sorted((each.line, each.code) for each in report.rejected) == [
        (4, "bad_rule"), (5, "bad_email"), (6, "bad_rule"),
    ]  # fmt: skip
    assert (report.created, report.refused) == (2, 3)
    assert [row[0] for row in nubetis.read(f"{tmp_path}/rejected.csv").head(9)] == ["Luis", "Pau", "Mar"]
    assert sorted(each["first_name"] for each in records(ruled)) == ["Ana", "Eva"]


def test_nothing_is_made_for_rows_that_a_rule_refuses(ruled):
    table = nubetis.read(RULED.encode()).clean()
    plan = plan_load(ruled, table, module="contacts", create_linked=True)
    report = apply_load(ruled, plan, table=table)

    assert report.created == 2
    assert [each["name"] for each in records(ruled, "accounts")] == ["Acme"]


def test_a_plan_of_new_records_says_which_of_those_given_a_rule_refuses(ruled):
    given = [{"last_name": "A", "email": "a@b.pe"}, {"last_name": "B"}, {"email": "c@b.pe"}, {"last_name": "D"}]
    plan = ruled.plan_create("contacts", given)

    assert sorted((each.line, each.record) for each in plan.refusals) == [(2, None), (3, None), (4, None)]
    assert plan.refused == 3
