"""Whatever a programmer puts into a definition: it is refused with its name, or it is kept and can be opened again."""

from __future__ import annotations

import attrs
import pytest

import nubetis
from nubetis import F, Field, Module, Money, hookimpl
from nubetis.backends.memory import forget_memory
from nubetis.errors import Damaged, NubetisError
from nubetis.model.filters import Filter
from nubetis.model.kinds import kind
from nubetis.model.schema import ValidationRule
from nubetis.testing.people import ADMINISTRATOR
from tests.stores import refusing

TEXT = kind("text")

FIELDS = {
    "scale -1": {"type": kind("decimal"), "scale": -1},
    "scale 19": {"type": kind("decimal"), "scale": 19},
    "scale 30 of a text": {"scale": 30},
    "scale '2'": {"type": kind("decimal"), "scale": "2"},
    "scale 2.0": {"type": kind("decimal"), "scale": 2.0},
    "scale None": {"type": kind("money"), "scale": None},
    "scale True": {"type": kind("money"), "scale": True},
    "length 0": {"max_length": 0},
    "length -1": {"max_length": -1},
    "length '10'": {"max_length": "10"},
    "length None": {"max_length": None},
    "length huge": {"max_length": 10**30},
    "label None": {"label": None},
    "label 5": {"label": 5},
    "label half": {"label": "\ud800"},
    "label NUL": {"label": "a\0b"},
    "help None": {"help": None},
    "required no": {"required": "no"},
    "unique None": {"unique": None},
    "choices text": {"type": kind("choice"), "choices": "abc"},
    "choices numbers": {"type": kind("choice"), "choices": (1, 2)},
    "choices None": {"type": kind("choice"), "choices": None},
    "column empty": {"column": ""},
    "column None": {"column": None},
    "column of a twin": {"column": "name__f"},
    "column SQL": {"column": 'a"; drop table deals'},
    "column long": {"column": "x" * 100},
    "state text": {"state": "retired"},
    "id text": {"id": "x"},
    "id -1": {"id": -1},
    "id of another": {"id": 33},
    "default wrong": {"type": kind("integer"), "default": "uno"},
    "default half": {"default": "\ud800"},
    "targets 5": {"type": kind("link"), "targets": (5,)},
}
MODULES = {
    "prefix empty": {"prefix": ""},
    "prefix 5": {"prefix": 5},
    "prefix odd": {"prefix": "A_"},
    "label None": {"label": None},
    "title None": {"title": None},
    "table odd": {"table": 'a"b'},
    "table empty": {"table": ""},
    "table of another": {"table": "deals"},
    "id -5": {"id": -5},
    "indexes empty": {"indexes": ((),)},
    "indexes text": {"indexes": ("name",)},
    "indexes 5": {"indexes": 5},
    "tallied text": {"tallied_by": "name"},
    "rules None": {"rules": (None,)},
    "journalled no": {"journalled": "no"},
    "next field": {"next_field": "x"},
    "left out": {"left_out": frozenset([1])},
}
RULES = {
    "message None": {"message": None},
    "message half": {"message": "\ud800"},
    "name None": {"name": None},
    "name NUL": {"name": "a\0b"},
    "where text": {"where": "name = x"},
    "where half": {"where": F.name == "\ud800"},
    "where None": {"where": None},
    "where odd": {"where": Filter()},
}


def with_field(org, settings):
    org.add_field("deals", Field(**{"name": "odd", "type": TEXT, **settings}))


def with_module(org, settings):
    org.add_module(Module(**{"name": "pets", "fields": [Field(name="name", type=TEXT)], **settings}))


def with_rule(org, settings):
    rule = ValidationRule(**{"name": "r", "where": F.name == "x", "message": "m", **settings})
    org.alter(org.schema.with_module(attrs.evolve(org.schema.module("deals"), rules=(rule,))))


def refusal(change, org, settings):
    """Give the error of *change*, if there is one."""
    try:
        change(org, settings)
    except NubetisError as error:
        return error


OWN = {
    "email retired": lambda s: s.retire_field("users", "email"),
    "profile retired": lambda s: s.retire_field("users", "profile"),
    "email not unique": lambda s: s.with_field("users", attrs.evolve(s.module("users").field("email"), unique=False)),
    "role free": lambda s: s.with_field("users", attrs.evolve(s.module("users").field("role"), required=False)),
    "state renamed": lambda s: s.with_field("users", attrs.evolve(s.module("users").field("state"), name="status")),
    "flag retired": lambda s: s.retire_field("profiles", "administrator"),
    "value shorter": lambda s: s.with_field("settings", attrs.evolve(s.module("settings").fields[1], max_length=5)),
    "more to fill": lambda s: s.with_field("users", Field(name="badge", type=TEXT, required=True)),
    "field of a ledger": lambda s: s.with_field("entries", Field(name="more", type=TEXT)),
    "not the system's": lambda s: s.with_module(attrs.evolve(s.module("users"), system=False)),
}


@pytest.mark.parametrize("change", OWN.values(), ids=OWN)
def test_what_nubetis_needs_for_itself_stays(org, change):
    """And people still sign in."""
    before = org.schema.modules
    with pytest.raises(NubetisError) as caught:
        org.alter(change(org.schema))
    assert caught.value.code in {"schema_system", "schema_type", "schema_needed"}
    assert org.schema.modules == before
    with org.session(nubetis.HostSignIn(ADMINISTRATOR)) as session:
        assert session.can("edit", "users")


def test_a_host_adds_to_people_what_it_needs(org):
    """Fields of its own, labels, indexes."""
    with_badge = org.schema.with_field("users", Field(name="badge", type=TEXT, indexed=True))
    name = attrs.evolve(with_badge.module("users").field("name"), label="Nombre", indexed=True)
    org.alter(with_badge.with_field("users", name))
    assert org.schema.module("users").field("name").label == "Nombre"


CASES = [
    *[pytest.param(with_field, settings, id=f"field: {name}") for name, settings in FIELDS.items()],
    *[pytest.param(with_module, settings, id=f"module: {name}") for name, settings in MODULES.items()],
    *[pytest.param(with_rule, settings, id=f"rule: {name}") for name, settings in RULES.items()],
]


@pytest.fixture(scope="module")
def org(tmp_path_factory):
    """Give one organisation for all cases: none may leave anything behind that stops the next."""
    url = f"sqlite:///{tmp_path_factory.mktemp('kept')}/org.db?profile=fast"
    with nubetis.create(url, administrator=ADMINISTRATOR) as org:
        yield org


@pytest.mark.parametrize(("change", "settings"), CASES)
def test_it_is_refused_by_name_or_kept(org, change, settings):
    """And the next change goes through, the module is written, and the file opens again."""
    before = org.schema.modules
    refused = refusal(change, org, settings)
    assert not isinstance(refused, Damaged)
    assert refused is None or org.schema.modules == before
    org.alter(org.schema.with_module(attrs.evolve(org.schema.module("deals"), label=f"Deals {org.schema.version}")))
    with nubetis.open(org.url) as again:
        assert again.schema.modules == org.schema.modules
        again.system("testing").create("deals", name="A")


# -- defaults ---------------------------------------------------------------------------------------------------------
MONEY = Field(name="fee", type=kind("money"))
DEFAULTS = {
    "another currency": (MONEY, Money("1", "USD"), "no_rate"),
    "a home amount that is none": (MONEY, Money("1", "PEN", home="2"), "home_amount"),
}


@pytest.fixture
def counting():
    with nubetis.create("memory://counting", administrator=ADMINISTRATOR, settings={"currency": "PEN"}) as org:
        yield org
    forget_memory("memory://counting")


@pytest.mark.parametrize(("field", "default", "code"), DEFAULTS.values(), ids=DEFAULTS)
def test_a_default_that_no_record_could_have_is_refused(counting, field, default, code):
    """A new field, a new module, or another default: every creation would fail, and say what nobody had given."""
    before = attrs.evolve(field, default=None)
    counting.add_field("deals", before)
    schema, wrong = counting.schema, attrs.evolve(field, default=default)
    other = attrs.evolve(counting.schema.module("deals").field(field.name), default=default)
    for change in (
        lambda: counting.add_field("leads", wrong),
        lambda: counting.add_module(Module(name="pets", fields=[Field(name="name", type=TEXT), wrong])),
        lambda: counting.alter(schema.with_field("deals", other)),
    ):
        with refusing(code):
            change()
    assert counting.schema.modules == schema.modules
    counting.system("testing").create("deals", name="A")


def test_a_default_of_another_currency_says_what_it_is_worth(counting):
    counting.add_field("deals", attrs.evolve(MONEY, default=Money("1", "USD", home="3.75")))
    assert Money("1", "USD", home="3.75") == counting.system("testing").create("deals", name="A")["fee"]


def test_a_default_that_was_there_stands_in_no_way():
    """What became unusable later, by a currency that was set afterwards, is no reason to refuse another change."""
    with nubetis.create("memory://early", administrator=ADMINISTRATOR) as early:
        early.add_field("deals", attrs.evolve(MONEY, default=Money("1", "USD")))
        early.system("testing").create("settings", name="currency", value='"PEN"')
        early.add_field("deals", Field(name="more", type=TEXT))
        with refusing("no_rate"):
            early.system("testing").create("deals", name="A")
    forget_memory("memory://early")


class Pets:
    @hookimpl
    def nubetis_modules(self):
        return [
            Module(name="pets", fields=[Field(name="name", type=TEXT), attrs.evolve(MONEY, default=Money("1", "USD"))])
        ]


def test_no_organisation_is_made_with_a_default_that_no_record_could_have():
    """A plug-in's module as any other; where it counts in that currency, or in none yet, it is made."""
    with refusing("no_rate"):
        nubetis.create("memory://pets", administrator=ADMINISTRATOR, settings={"currency": "PEN"}, plugins=[Pets()])
    for settings in ({"currency": "USD"}, {}):
        nubetis.create("memory://pets", administrator=ADMINISTRATOR, settings=settings, plugins=[Pets()]).close()
        forget_memory("memory://pets")
