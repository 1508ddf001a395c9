"""Plug-ins that answer nonsense: the error names the plug-in, the hook and what was expected, and nothing is halved."""

from __future__ import annotations

from itertools import repeat

import attrs
import pytest

from nubetis import F, Field, Module, create, hookimpl
from nubetis import open as open_org
from nubetis._builtin import BUILT_IN_PLUGINS
from nubetis._plugins import Extensions
from nubetis.errors import PluginError
from nubetis.model.fields import Part, Storage
from nubetis.model.formats import ISO
from nubetis.model.guards import guarded
from nubetis.model.kinds import BUILT_IN, kind
from nubetis.model.outbox import Message
from nubetis.model.plan import Refusal
from nubetis.testing.people import make_org
from tests.stores import nubetis_store_url, refusing, state_of

__all__ = ["nubetis_store_url"]


def answering(hook, answer):
    """Give a plug-in of which one hook gives what *answer* makes."""
    takes = {"nubetis_validate": "plan", "nubetis_notify": "messages"}.get(hook)
    if takes is None:
        return type("Fool", (), {hook: hookimpl(specname=hook)(lambda self: answer())})()
    made = {"plan": lambda self, plan: answer(), "messages": lambda self, messages: answer()}[takes]
    return type("Fool", (), {hook: hookimpl(specname=hook)(made)})()


def breaking():
    """Give one thing, then fail."""
    yield Module(name="pets", fields=[Field(name="name", type=kind("text"))])
    raise ZeroDivisionError


PETS = Module(name="pets", fields=[Field(name="name", type=kind("text"))])
NONSENSE = {
    "none": lambda: None, "a number": lambda: 5, "a text": lambda: "leads", "a dict": dict, "numbers": lambda: [1, 2],
    "nones": lambda: [None], "a class": lambda: [Module], "mixed": lambda: [PETS, "x"], "raises": breaking,
    "without end": lambda: repeat(PETS),
}  # fmt: skip
WANTED = {"nubetis_modules": "Module", "nubetis_field_types": "FieldType", "nubetis_validate": "Refusal"}


@pytest.mark.parametrize("hook", WANTED)
@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused_with_what_was_expected(hook, name):
    extensions = Extensions([*BUILT_IN_PLUGINS, answering(hook, NONSENSE[name])])
    ask = {"nubetis_validate": lambda: extensions.validate(())}.get(hook, getattr(extensions, hook[8:]))
    if hook == "nubetis_validate":
        plan = attrs.make_class("Plan", {"parts": attrs.field(default=())}, frozen=False)
        plan.__len__ = lambda self: 0
        ask = lambda: extensions.validate(plan())  # noqa: E731 - the same in short
    with refusing("plugin", PluginError) as caught:
        ask()
    said = caught.value.params
    assert ("Fool", hook) == (said["plugin"], said["hook"])
    named = f"a list of {WANTED[hook]} was expected"
    assert named in said["reason"] or (name, said["reason"]) == ("raises", "ZeroDivisionError")


@pytest.mark.parametrize("answer", [5, "key", [5], [None], ...], ids=repr)
def test_nonsense_about_messages_leaves_them_waiting(answer):
    extensions = Extensions([*BUILT_IN_PLUGINS, answering("nubetis_notify", lambda: answer)])
    with refusing("plugin", PluginError) as caught:
        extensions.notify([Message(kind="x", key="k", body={})])
    assert "keys of messages" in caught.value.params["reason"]


@pytest.mark.parametrize(
    ("hook", "again"),
    [("nubetis_modules", Module(name="leads", fields=PETS.fields)), ("nubetis_field_types", BUILT_IN["text"])],
)
def test_what_is_there_already_is_not_replaced(nubetis_store_url, hook, again):
    """A second plug-in of the name is named; nothing of the organisation is made."""
    with refusing("plugin", PluginError) as caught:
        create(nubetis_store_url, administrator="a@acme.pe", plugins=[answering(hook, lambda: [again])])
    assert (caught.value.params["plugin"], "already" in caught.value.params["reason"]) == ("Fool", True)
    with create(nubetis_store_url, administrator="a@acme.pe") as org:
        assert "leads" in org.schema


@pytest.mark.parametrize("number", [1, 2, 27, 999, 1008, 5000])
def test_a_module_that_brings_its_own_id_is_refused(nubetis_store_url, number):
    """It would take the place of one of nubetis's own, or of another's; nothing is made, nor changed."""
    plugin = answering("nubetis_modules", lambda: [attrs.evolve(PETS, id=number)])
    with refusing("plugin", PluginError, match="the id of pets is for nubetis to give"):
        create(nubetis_store_url, administrator="a@acme.pe", plugins=[plugin])
    with create(nubetis_store_url, administrator="a@acme.pe") as org:
        modules = org.schema.modules
    with refusing("plugin", PluginError, match="Fool"):
        open_org(nubetis_store_url, plugins=[plugin])
    with open_org(nubetis_store_url) as org:
        assert org.schema.modules == modules
        assert org.check() == []


class Registering:
    """Registers what it is given."""

    def __init__(self, *given, to="store"):
        self.given, self.to = given, to

    @hookimpl
    def nubetis_stores(self, registry):
        if self.to == "store":
            registry.add_store(*self.given)

    @hookimpl
    def nubetis_blob_stores(self, registry):
        if self.to == "blob":
            registry.add_blob_store(*self.given)

    @hookimpl
    def nubetis_file_formats(self, registry):
        if self.to == "file":
            registry.add_file_format(*self.given)


@pytest.mark.parametrize(
    ("to", "given"),
    [("store", ("shelf", None)), ("store", (5, len)), ("blob", ("b", "x")), ("file", (None,)), ("file", (object(),)),
     ("store", ("shelf",)), ("file", ())],
)  # fmt: skip
def test_nonsense_that_is_registered_names_who_registered_it(to, given):
    extensions = Extensions([*BUILT_IN_PLUGINS, Registering(*given, to=to)])
    with refusing("plugin", PluginError) as caught:
        extensions.file_formats()
    assert "Registering" == caught.value.params["plugin"]
    assert caught.value.params["hook"] == {"store": "nubetis_stores", "blob": "nubetis_blob_stores"}.get(
        to, "nubetis_file_formats"
    )


@pytest.mark.parametrize("factory", [lambda url, *, create: None, lambda: None, lambda url, *, create: 1 / 0],
    ids=["none", "deaf", "raises"])  # fmt: skip
def test_a_store_that_is_none_is_its_plug_in_s_fault(factory):
    with refusing("plugin", PluginError) as caught:
        create("shelf://x", administrator="a@acme.pe", plugins=[Registering("shelf", factory)])
    assert ("Registering", "nubetis_stores") == (caught.value.params["plugin"], caught.value.params["hook"])


def test_a_refusal_without_sense_stops_the_plan_and_writes_nothing(nubetis_store_url):
    fool = answering("nubetis_validate", lambda: [Refusal(code=5, params=None)])
    with make_org(nubetis_store_url) as org, org.administrator() as session:
        org._world.extensions._manager.register(fool, name="Fool")
        before = state_of(session)
        with refusing("plugin", PluginError):
            session.create("leads", name="X")
        assert before == state_of(session)


SENSELESS = {
    "a module": {"module": ["leads"]}, "a record": {"record": 7}, "a field": {"field": b"x"}, "a line": {"line": "1"},
    "what cannot be said": {"params": {"what": None}, "code": "{what.x}"}, "a place": {"code": "{0.x}"},
    "one brace": {"code": "{"},
}  # fmt: skip


@pytest.mark.parametrize("name", SENSELESS)
def test_what_a_refusal_says_must_have_sense(name):
    """Or the plug-in is named, and nothing raw of Python comes out, then or when it is shown."""
    values = {"code": "x", **SENSELESS[name]}
    fool = answering("nubetis_validate", lambda: [Refusal(**values)])
    with make_org(plugins=[fool]) as org, org.administrator() as session:
        with refusing("plugin", PluginError) as caught:
            session.create("leads", name="X")
        assert ("Fool", "nubetis_validate") == (caught.value.params["plugin"], caught.value.params["hook"])


def test_a_refusal_of_records_that_are_not_there_refuses_all_the_same(nubetis_store_url):
    fool = answering("nubetis_validate", lambda: [Refusal(code="x", module="nowhere", record="no id", field="?")])
    with make_org(nubetis_store_url, plugins=[fool]) as org, org.administrator() as session:
        plan = session.plan_create("leads", [{"name": "X"}])
        assert ["x"] == [each.code for each in plan.refusals]


# -- field types ------------------------------------------------------------------------------------------------------
def failing(*_given):
    raise ZeroDivisionError


ODD = {
    "check raises": {"check": failing}, "check gives a list": {"check": lambda field, offered: [offered]},
    "check gives a float": {"check": lambda field, offered: 1.5}, "pack raises": {"pack": failing},
    "check gives half a character": {"check": lambda field, offered: "\ud800"},
    "check gives too great a number": {"check": lambda field, offered: 10**100},
    "pack gives too much": {"pack": lambda field, value: (value, value)},
    "pack gives none": {"pack": lambda field, value: None},
    "pack gives objects": {"pack": lambda field, value: (object(),)},
    "pack gives a number for a text": {"pack": lambda field, value: (7,)},
    "pack gives bytes for a text": {"pack": lambda field, value: (b"x",)},
    "check gives a number for a text": {"check": lambda field, offered: 7},
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_a_field_type_that_misbehaves_is_named_and_nothing_is_written(nubetis_store_url, name):
    odd = attrs.evolve(BUILT_IN["text"], name="odd", fold=None, filterable=False, **ODD[name])
    fool = answering("nubetis_field_types", lambda: [odd])
    with make_org(nubetis_store_url, plugins=[fool]) as org, org.administrator() as session:
        org.add_field("leads", Field(name="odd", type=odd))
        with refusing("plugin") as caught:
            session.create("leads", name="X", odd="y")
        assert "Fool" in str(caught.value)
        assert "field type odd" in str(caught.value)
        assert 0 == session.count("leads")
        assert session.create("leads", name="X")["name"] == "X"
        assert org.check() == []


PARTS = {
    "raises": failing, "none": lambda field: None, "no part": lambda field: ("x",), "empty": lambda field: (),
    "a list": lambda field: [Part("", Storage.TEXT)],
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_a_module_of_a_field_type_whose_parts_are_none_names_where_that_comes_from(name):
    """The host hands over a module, not the plug-in: what there is to name is the file of the code."""
    odd = attrs.evolve(BUILT_IN["text"], name="odd", parts=PARTS[name])
    with make_org() as org, refusing("plugin", PluginError) as caught:
        org.add_module(Module(name="pets", prefix="pet", fields=[*PETS.fields, Field(name="odd", type=odd)]))

    assert (__name__, "field type odd, parts") == (caught.value.params["plugin"], caught.value.params["hook"])


def test_a_field_type_that_cannot_be_read_back_is_named(nubetis_store_url):
    broken = attrs.evolve(BUILT_IN["integer"], name="odd", unpack=failing, plain=False)
    fool = answering("nubetis_field_types", lambda: [broken])
    with make_org(nubetis_store_url, plugins=[fool]) as org, org.administrator() as session:
        org.add_field("leads", Field(name="odd", type=broken))
        lead = session.create("leads", name="X", odd=5)
        with refusing("plugin", PluginError) as caught:
            lead["odd"]
        assert "field type odd, unpack" == caught.value.params["hook"]
        assert "X" == session.get(lead.id)["name"]


ANSWERS = {
    "raises": failing,
    **{repr(each): lambda *_, each=each: each for each in (None, 5, "\ud800", [1], ("x",), b"")},
}
ASKED = {
    "fold": lambda kind, field: kind.fold("y"),
    "operand": lambda kind, field: kind.operand(field, "y"),
    "show": lambda kind, field: kind.show(field, "y", ISO),
    "parts": lambda kind, field: kind.parts(field),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", ASKED)
def test_a_field_type_that_answers_nonsense_when_it_is_asked_is_named(name, answer):
    """In a filter, in a file, or of its columns; nothing raw of Python comes out."""
    fool = guarded(attrs.evolve(BUILT_IN["text"], name="odd", **{name: ANSWERS[answer]}), "Fool")
    field = Field(name="odd", type=BUILT_IN["text"])
    with refusing("plugin", PluginError) as caught:
        ASKED[name](fool, field)

    assert ("Fool", f"field type odd, {name}") == (caught.value.params["plugin"], caught.value.params["hook"])


def test_what_a_good_field_type_answers_is_let_through():
    text, field = BUILT_IN["text"], Field(name="odd", type=BUILT_IN["text"])
    good = guarded(attrs.evolve(text, name="odd", sample=failing), "Fool")

    assert [ask(text, field) for ask in ASKED.values()] == [ask(good, field) for ask in ASKED.values()]
    with make_org(
        plugins=[answering("nubetis_field_types", lambda: [attrs.evolve(text, name="odd", fold=failing)])]
    ) as org:
        org.add_field("leads", Field(name="odd", type=attrs.evolve(text, name="odd", fold=failing)))
        with org.administrator() as session, refusing("plugin", PluginError):
            session.find("leads", F.odd.contains("x"))
