"""The generated contacts and companies: the same again, true, and spoiled as often as was asked."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc
import zlib
from collections import Counter
from decimal import Decimal
from itertools import islice, pairwise
from operator import attrgetter

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nubetis.errors import InvalidValue
from nubetis.samples import CLEAN, TRUTH, TYPICAL, Company, Contact, Noise, companies, contacts, write_csv
from nubetis.samples.countries import COUNTRIES, scatter
from nubetis.samples.noise import missing_rates
from nubetis.samples.records import LEAD_SOURCES
from nubetis.samples.tax_ids import cif, cnpj, cpf, cuit, nif, nit, rfc, ruc, rut
from nubetis.samples.words import NICKNAMES, ascii_text

TWINS = attrs.evolve(CLEAN, duplicated=1.0, first=1.0)
WORLD = {"households", "colleagues", "shared_email", "duplicated", "first", "missing"}
ERRORS = [field.name for field in attrs.fields(Noise) if field.name not in WORLD]
# What a process may touch in a contact; where it cannot act the record stays as it was.
TOUCHES = {
    "employer": {"company", "company_entity", "email", "phone", "street", "city", "region", "postcode"},
    "moved": {"street", "city", "region", "postcode"},
    "phone_old": {"mobile"},
    "email_other": {"email"},
    "birth_date": {"birth_date"},
    "nickname": {"first_name"},
    "given_dropped": {"first_name"},
    "one_surname": {"last_name"},
    "initials": {"first_name", "last_name"},
    "honorific": {"first_name"},
    "name_swap": {"first_name", "last_name"},
    "company_style": {"company"},
    "address_style": {"street"},
    "typo": {"first_name", "last_name", "company", "street", "city"},
    "email_typo": {"email"},
    "phone_digit": {"phone", "mobile"},
    "phone_place": {"phone", "mobile"},
    "phone_style": {"phone", "mobile"},
    "accents": {"first_name", "last_name", "company", "job_title", "street", "city", "region"},
    "case": {"first_name", "last_name", "company", "street", "city", "region"},
    "spaces": {"first_name", "last_name", "company", "street", "city", "region", "email", "phone", "mobile"},
    "mojibake": {"first_name", "last_name", "company", "job_title", "street", "city", "region", "notes"},
}
ALWAYS = ["phone_old", "email_other", "birth_date", "honorific", "name_swap", "email_typo", "phone_digit"]
noises = st.builds(Noise, **{field.name: st.floats(0, 1) for field in attrs.fields(Noise)})


def differences(one, other):
    """Give the names of the fields in which two records differ."""
    return {name for name, value in one.to_dict().items() if value != other.to_dict()[name]}


# --- the same again ---------------------------------------------------------------------------


@pytest.mark.parametrize("make", [contacts, companies])
def test_equal_seeds_give_equal_records(make):
    assert list(make(500, seed=4)) == list(make(500, seed=4))


@pytest.mark.parametrize("make", [contacts, companies])
def test_another_seed_gives_other_records(make):
    assert list(make(50, seed=4)) != list(make(50, seed=5))


def test_records_do_not_change_between_versions_and_machines():
    """Benchmarks name a seed: whoever changes what it gives changes every figure, and says so here."""
    values = attrgetter("entity", "first_name", "last_name", "email", "mobile", "street")
    lines = [" ".join(map(str, values(contact))) for contact in contacts(300)]
    assert zlib.crc32("\n".join(lines).encode()) == 1209778590


def test_errors_leave_the_people_as_they_are():
    people = {contact.entity: contact for contact in contacts(800, noise=attrs.evolve(CLEAN, duplicated=0.12))}
    for contact in contacts(800, noise=attrs.evolve(TYPICAL, missing=0.0, employer=0.0, phone_style=0.0)):
        assert contact.tax_id == people[contact.entity].tax_id


# --- truth ------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(count=st.integers(0, 300), seed=st.integers(0, 10**6), noise=noises)
def test_count_ids_and_cluster_sizes_hold_for_any_noise(count, seed, noise):
    for make in (contacts, companies):
        records = list(make(count, seed, noise=noise))
        sizes = Counter(record.entity for record in records)
        assert [record.id for record in records] == list(range(1, count + 1))
        assert set(sizes) == set(range(1, len(sizes) + 1))
        assert max(sizes.values(), default=1) <= 5


def test_without_duplicates_every_record_is_of_another_person():
    assert len({contact.entity for contact in contacts(2000, noise=CLEAN)}) == 2000


def test_clusters_are_as_frequent_as_asked_and_mostly_small():
    sizes = Counter(Counter(contact.entity for contact in contacts(10_000)).values())
    several = sum(count for size, count in sizes.items() if size > 1)
    assert several / sum(sizes.values()) == pytest.approx(TYPICAL.duplicated, abs=0.01)
    assert sizes[1] > sizes[2] > sizes[3] > sizes[4] > sizes[5] > 0


def test_duplicates_are_spread_over_the_run():
    seen: set[int] = set()
    again = []
    for contact in contacts(4000):
        again.append(contact.entity in seen)
        seen.add(contact.entity)
    assert 0.01 < sum(again[:1000]) / 1000 < sum(again[3000:]) / 1000 < 0.5


def test_companies_of_the_seed_are_those_the_contacts_work_for():
    names = {company.entity: company.name for company in companies(900, seed=9, noise=CLEAN)}
    employed = [contact for contact in contacts(2000, seed=9, noise=CLEAN) if contact.company_entity]
    assert len(employed) > 1000
    assert all(contact.company == names[contact.company_entity] for contact in employed)


def test_a_private_address_and_a_mobile_belong_to_one_person():
    """Colleagues share the firm's address only, relatives the fixed line only."""
    people = list(contacts(20_000, noise=attrs.evolve(CLEAN, shared_email=0.0)))
    assert len({person.email for person in people}) == len(people)
    assert len({person.mobile for person in people}) == len(people)


def test_a_second_address_is_nobody_elses():
    spoiled = contacts(6000, noise=attrs.evolve(TWINS, email_other=0.5))
    owners: dict[str, set[int]] = {}
    for contact in spoiled:
        if not contact.email.startswith(("info@", "ventas@", "contacto@", "administracion@")):
            owners.setdefault(contact.email, set()).add(contact.entity)
    assert max(len(people) for people in owners.values()) == 1


def test_households_and_colleagues_make_people_that_look_alike():
    people = list(contacts(5000, noise=CLEAN))
    streets = Counter((person.street, person.city, person.last_name) for person in people)
    domains = Counter(person.email.partition("@")[2] for person in people if person.company)
    assert sum(count for count in streets.values() if count > 1) > 100
    assert sum(count > 1 for count in domains.values()) > 300


def test_common_names_are_common_and_rare_ones_rare():
    surnames = Counter(person.last_name.split(" ")[0] for person in contacts(20_000, noise=CLEAN))
    ranked = [count for _, count in surnames.most_common()]
    assert ranked[0] > 300
    assert len(ranked) > 400
    assert ranked[-1] < 10


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ERRORS)
def test_a_process_touches_its_own_fields_only(name):
    clean = list(contacts(600, noise=TWINS))
    spoiled = list(contacts(600, noise=attrs.evolve(TWINS, **{name: 1.0})))
    touched = set().union(*map(differences, clean, spoiled))
    assert touched
    assert touched <= TOUCHES[name]


@pytest.mark.parametrize("name", ALWAYS)
def test_a_process_happens_as_often_as_asked(name):
    clean = contacts(6000, noise=TWINS)
    spoiled = contacts(6000, noise=attrs.evolve(TWINS, **{name: 0.3}))
    changed = sum(one != other for one, other in zip(clean, spoiled, strict=True))
    assert changed / 6000 == pytest.approx(0.3, abs=0.03)


def test_the_first_record_is_spared_at_its_own_rate():
    noise = attrs.evolve(CLEAN, name_swap=1.0, first=0.25)
    clean = contacts(6000, noise=attrs.evolve(CLEAN, first=0.25))
    changed = sum(one != other for one, other in zip(clean, contacts(6000, noise=noise), strict=True))
    assert changed / 6000 == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("name", ["moved", "phone_old", "email_other", "company_style", "typo", "accents", "mojibake"])
def test_companies_are_spoiled_too(name):
    clean = list(companies(300, noise=TWINS))
    spoiled = list(companies(300, noise=attrs.evolve(TWINS, **{name: 1.0})))
    assert any(one != other for one, other in zip(clean, spoiled, strict=True))
    assert [company.entity for company in clean] == [company.entity for company in spoiled]


def test_values_are_missing_by_the_habit_of_the_source():
    lost = Counter(contact.lead_source for contact in contacts(10_000) if not contact.job_title and contact.company)
    total = Counter(contact.lead_source for contact in contacts(10_000) if contact.company)
    assert set(total) == set(missing_rates(1.0)) == set(LEAD_SOURCES)
    assert lost["Social media"] / total["Social media"] > 0.7
    assert lost["Trade show"] / total["Trade show"] < 0.2


def test_somebody_can_always_be_reached():
    assert all(contact.email or contact.phone or contact.mobile for contact in contacts(5000))
    assert all(company.email or company.phone for company in companies(2000))


def test_nicknames_come_from_the_table():
    clean = contacts(800, noise=TWINS)
    spoiled = contacts(800, noise=attrs.evolve(TWINS, nickname=1.0))
    pairs = {(one.first_name, other.first_name) for one, other in zip(clean, spoiled, strict=True)}
    short = [(long, nick) for long, nick in pairs if long != nick]
    assert short
    assert all(nick in NICKNAMES.get(long, NICKNAMES.get(long.split(" ")[0], ())) for long, nick in short)


def test_numbers_keep_their_digits_in_every_style():
    clean = contacts(2000, noise=TWINS)
    for one, other in zip(clean, contacts(2000, noise=attrs.evolve(TWINS, phone_style=1.0)), strict=True):
        national = re.sub(r"\D", "", one.mobile.split(" ", 1)[1])
        assert re.sub(r"\D", "", other.mobile).endswith(national)


def test_mojibake_can_be_undone():
    clean = contacts(400, noise=TWINS)
    for one, other in zip(clean, contacts(400, noise=attrs.evolve(TWINS, mojibake=1.0)), strict=True):
        raw = {other.last_name.encode(encoding, "ignore") for encoding in ("cp1252", "latin-1")}
        assert one.last_name.encode() in raw


def test_lost_accents_leave_plain_letters():
    spoiled = contacts(400, noise=attrs.evolve(TWINS, accents=1.0))
    assert all(contact.last_name == ascii_text(contact.last_name) for contact in spoiled)


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_a_rate_is_a_chance(rate):
    with pytest.raises(InvalidValue, match="typo"):
        Noise(typo=rate)


@pytest.mark.parametrize("make", [contacts, companies])
def test_bad_arguments_are_refused_at_once(make):
    with pytest.raises(InvalidValue, match="count"):
        make(-1)
    with pytest.raises(InvalidValue, match="XX"):
        make(1, countries=["PE", "XX"])
    with pytest.raises(InvalidValue, match="nothing"):
        make(1, countries=[])


# --- values -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", COUNTRIES)
def test_each_country_writes_its_own_values(code):
    country = COUNTRIES[code]
    for contact in contacts(200, noise=CLEAN, countries=[code]):
        assert (contact.country, contact.currency) == (code, country.currency)
        assert contact.mobile.split(" ")[0] == contact.phone.split(" ")[0]
        assert contact.city in {place.city for place in country.places}
        assert contact.birth_date is not None
        assert "{" not in contact.street
        assert "_" not in contact.first_name + contact.last_name + contact.street + contact.company


def test_created_instants_follow_each_other():
    instants = [contact.created for contact in contacts(500)]
    assert all(one and other and one <= other for one, other in pairwise(instants))


def test_an_amount_has_two_decimals():
    amounts = [company.annual_revenue for company in companies(100, noise=CLEAN)]
    assert all(amount is not None and amount.as_tuple().exponent == -2 and amount > 0 for amount in amounts)


@pytest.mark.parametrize(
    ("made", "published"),
    [
        (ruc("2013131295"), "20131312955"),
        (nif(12345678), "12345678Z"),
        (cif("A", "5881850"), "A58818501"),
        (rfc("GODE561231GR"), "GODE561231GR8"),
        (nit("213123432"), "213123432-1"),
        (cuit("20", 5536168), "20-05536168-2"),
        (rut(12531909), "12.531.909-2"),
        (cpf(390533447), "390.533.447-05"),
        (cnpj(16727230), "16.727.230/0001-97"),
    ],
)
def test_check_digits_are_those_of_published_numbers(made, published):
    assert made == published


def check_tax_id(code: str, number: str) -> bool:
    """Say whether the last character is the check digit of the others (for companies)."""
    digits = re.sub(r"\D", "", number)
    makers = {
        "PE": lambda: ruc(number[:10]),
        "ES": lambda: cif(number[0], number[1:8]),
        "MX": lambda: rfc(number[:11]),
        "CO": lambda: nit(digits[:9]),
        "AR": lambda: cuit(number[:2], int(digits[2:10])),
        "CL": lambda: rut(int(number[:-2].replace(".", ""))),
        "BR": lambda: cnpj(int(digits[:8])),
    }
    return number == makers[code]()


@pytest.mark.parametrize("code", ["PE", "ES", "MX", "CO", "AR", "CL", "BR"])
def test_every_company_has_a_tax_number_that_a_check_accepts(code):
    assert all(check_tax_id(code, company.tax_id) for company in companies(300, noise=CLEAN, countries=[code]))


@pytest.mark.parametrize("code", ["ES", "AR", "CL", "BR", "CO"])
def test_tax_numbers_are_nobody_elses(code):
    numbers = [contact.tax_id for contact in contacts(5000, noise=CLEAN, countries=[code])]
    assert len(set(numbers)) == len(numbers)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 10**9))
def test_different_serials_stay_different(serial, step, offset):
    assert scatter(serial, offset) % 10**8 != scatter(serial + step, offset) % 10**8


# --- streams and files ------------------------------------------------------------------------


def test_records_come_one_by_one():
    assert len(list(islice(contacts(10**9), 50))) == 50


def test_memory_does_not_grow_with_the_run():
    """What waits, the open homes and the vocabulary: a few tens of MB at most, however long the run."""
    tracemalloc.start()
    try:
        for _ in contacts(6_000):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000


def read(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    """Read a CSV text."""
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_a_spanish_export_has_spanish_headers_dates_and_amounts_and_no_truth():
    file = io.StringIO(newline="")
    records = list(contacts(50, noise=CLEAN, countries=["PE"]))
    assert write_csv(file, records, delimiter=";") == 50
    rows = read(file.getvalue(), ";")
    assert list(rows[0])[:3] == ["Nombre", "Apellidos", "Correo electrónico"]
    assert rows[0]["País"] == "Perú"
    assert re.fullmatch(r"\d\d/\d\d/\d{4}", rows[0]["Fecha de nacimiento"])
    assert all(re.fullmatch(r"\d{1,3}(\.\d{3})*,\d\d", row["Importe"]) for row in rows)
    assert len(rows[0]) == len(attrs.fields(Contact)) - len(TRUTH)


def test_an_english_export_of_companies():
    file = io.StringIO(newline="")
    write_csv(file, companies(20, noise=CLEAN, countries=["US"]), header="en")
    rows = read(file.getvalue())
    assert rows[0]["Country"] == "United States"
    assert re.search(r" [AP]M$", rows[0]["Created on"])
    assert Decimal(rows[0]["Annual revenue"].replace(",", "")) > 0


def test_fields_keep_the_truth_and_every_value():
    records = list(contacts(300))
    file = io.StringIO(newline="")
    write_csv(file, records, header="fields")
    written = [["" if value is None else str(value) for value in record.to_dict().values()] for record in records]
    assert [list(row.values()) for row in read(file.getvalue())] == written


def test_a_file_in_an_old_encoding(tmp_path):
    path = tmp_path / "contactos.csv"
    write_csv(path, contacts(100, countries=["ES"]), encoding="cp1252", delimiter=";")
    assert b"Tel\xe9fono" in path.read_bytes()


def test_nothing_gives_a_file_with_headers_only():
    file = io.StringIO(newline="")
    assert write_csv(file, []) == 0
    assert file.getvalue().startswith("Nombre,")


def test_an_unknown_header_is_refused():
    with pytest.raises(InvalidValue, match="header"):
        write_csv(io.StringIO(), [], header="fr")


def test_a_dict_shows_missing_values_as_none():
    values = Company(id=1, entity=2, name="Acme").to_dict()
    assert values["email"] is None
    assert set(values) - set(Company(id=1, entity=2).to_dict(truth=False)) == {"id", "entity"}
