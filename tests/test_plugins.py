"""Plug-ins: each hook has its typed method; one that raises is named, and halves nothing; entry points on request."""

from __future__ import annotations

import importlib.metadata
import sys
from types import FunctionType, ModuleType

import attrs
import pytest

from nubetis import Field, Module, Surroundings, create, hookimpl, hookspecs
from nubetis import open as open_org
from nubetis._builtin import BUILT_IN_PLUGINS
from nubetis._plugins import Extensions
from nubetis.doctor import diagnose
from nubetis.errors import InvalidValue, NotFound, PluginError
from nubetis.model.kinds import BUILT_IN, kind
from nubetis.model.plan import Refusal
from nubetis.org import copy
from nubetis.session import applying
from nubetis.testing.people import make_org
from tests.stores import nubetis_store_url, refusing, state_of
from tests.taxes import Taxes

__all__ = ["nubetis_store_url"]

HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("nubetis_"))


@attrs.frozen
class Whole:
    """A plug-in with every hook, which writes down that it was called."""

    heard: list = attrs.field(factory=list)

    @hookimpl
    def nubetis_stores(self, registry):
        self.heard.append("nubetis_stores")
        registry.add_store("shelf", lambda url, *, create: None)

    @hookimpl
    def nubetis_blob_stores(self, registry):
        self.heard.append("nubetis_blob_stores")
        registry.add_blob_store("cellar", lambda store: store)

    @hookimpl
    def nubetis_file_formats(self, registry):
        self.heard.append("nubetis_file_formats")
        registry.add_file_format(attrs.make_class("Odd", {"name": attrs.field(default="odd")})())

    @hookimpl
    def nubetis_modules(self):
        self.heard.append("nubetis_modules")
        return [Module(name="pets", fields=[Field(name="name", type=kind("text"))])]

    @hookimpl
    def nubetis_field_types(self):
        self.heard.append("nubetis_field_types")
        return [attrs.evolve(BUILT_IN["text"], name="colour")]

    @hookimpl
    def nubetis_validate(self, plan):
        self.heard.append("nubetis_validate")
        names = [(change.module, change.record) for change in plan.changes if change.after.get("name") == "No"]
        return [Refusal(code="bad_rule", params={"message": "No."}, module=m, record=r) for m, r in names]

    @hookimpl
    def nubetis_committed(self, committed):  # noqa: ARG002 - the hook names it
        self.heard.append("nubetis_committed")

    @hookimpl
    def nubetis_notify(self, messages):
        self.heard.append("nubetis_notify")
        return [message.key for message in messages]


def broken(hook):
    """Give a plug-in of which one hook raises."""

    def fail(self):
        raise ZeroDivisionError

    return type("Broken", (), {hook: hookimpl(specname=hook)(fail)})()


def test_the_plug_in_of_this_test_has_every_hook():
    """A new hook must be tried here."""
    assert [name for name in HOOKS if not hasattr(Whole, name)] == []


def test_each_typed_method_calls_its_hook_and_gives_what_it_gives():
    """What a plug-in offers arrives, beside what is built in."""
    plugin = Whole()
    extensions = Extensions([*BUILT_IN_PLUGINS, plugin])

    assert callable(extensions.stores("shelf"))
    assert callable(extensions.blob_stores("cellar"))
    assert "odd" in [each.name for each in extensions.file_formats()]
    assert {"pets", "leads"} <= {str(each.name) for each in extensions.modules()}
    assert {"colour", "text"} <= set(extensions.field_types())
    assert list(extensions.notify([])) == []
    assert {*HOOKS} - {*plugin.heard} == {"nubetis_validate", "nubetis_committed"}


def test_a_plug_in_takes_part_in_an_organisation(nubetis_store_url):
    """Its modules are there, its refusals count, it hears of what is stored."""
    plugin = Whole()
    with make_org(nubetis_store_url, plugins=[plugin]) as org, org.administrator() as session:
        assert session.create("pets", name="Rex")["name"] == "Rex"
        with refusing("bad_rule", InvalidValue):
            session.create("pets", name="No")
        assert session.count("pets") == 1
        assert "nubetis_committed" in plugin.heard


def test_a_module_that_a_plug_in_brings_later_is_made_on_open(nubetis_store_url):
    """An organisation gets what its plug-ins need when it is opened with them."""
    create(nubetis_store_url, administrator="a@acme.pe").close()
    with open_org(nubetis_store_url, plugins=[Whole()]) as org:
        assert "pets" in org.schema
        assert org.system("testing").create("pets", name="Rex")["name"] == "Rex"


def test_hooks_are_called_for_a_batch_never_for_a_record(nubetis_store_url):
    """A thousand records are one call of each."""
    plugin = Whole()
    with make_org(nubetis_store_url, plugins=[plugin]) as org, org.administrator() as session:
        plugin.heard.clear()
        session.apply(session.plan_create("leads", [{"name": str(number)} for number in range(1000)]))

    assert plugin.heard == ["nubetis_validate", "nubetis_committed"]


def test_a_plug_in_that_raises_in_validate_stops_the_plan_and_is_named(nubetis_store_url):
    """Nothing is written, and the error says who and where."""
    with make_org(nubetis_store_url) as org, org.administrator() as session:
        org._world.extensions._manager.register(broken("nubetis_validate"), name="breaker")
        before = state_of(session)
        with refusing("plugin", PluginError) as caught:
            session.create("leads", name="X")
        assert state_of(session) == before

    assert (caught.value.params["hook"], caught.value.params["plugin"]) == ("nubetis_validate", "breaker")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_plug_in_that_raises_after_a_commit_is_logged_and_the_others_hear(nubetis_store_url, caplog):
    """What is stored is stored; the caller is not told that it failed."""
    plugin = Whole()
    with make_org(nubetis_store_url, plugins=[plugin]) as org, org.administrator() as session:
        org._world.extensions._manager.register(broken("nubetis_committed"), name="breaker")
        plugin.heard.clear()
        assert session.create("leads", name="X")["name"] == "X"

    assert "nubetis_committed" in plugin.heard
    assert any("breaker" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("hook", ["nubetis_stores", "nubetis_modules", "nubetis_field_types", "nubetis_file_formats"])
def test_an_organisation_is_not_half_made_by_a_broken_plug_in(nubetis_store_url, hook):
    """The error comes before anything is stored: the same URL can be used afterwards."""
    extensions = Surroundings().extensions()
    extensions._manager.register(broken(hook), name="breaker")
    method = {"nubetis_stores": lambda: extensions.stores("memory")}.get(hook, getattr(extensions, hook[8:], None))
    with refusing("plugin", PluginError) as caught:
        method()

    assert caught.value.params["plugin"] == "breaker"
    with create(nubetis_store_url, administrator="a@acme.pe") as org:
        assert org.name == "Acme"


def test_a_hook_with_a_mistyped_name_is_refused():
    """A plug-in whose hook nobody calls would be silent for ever."""
    wrong = attrs.make_class("Wrong", {}, bases=(object,))
    wrong.nubetis_comitted = hookimpl(lambda self, committed: None)

    with pytest.raises(Exception, match="nubetis_comitted"):
        Extensions([wrong()])


def fail_from_afar():
    """A helper beside the plug-ins, in their module."""
    raise ZeroDivisionError


class Namesake:
    """Plug-ins that come to be equal; one of them raises."""

    alike = False

    def __init__(self, *, breaks=False):
        self.breaks = breaks

    def __eq__(self, other):
        return self is other or self.alike

    __hash__ = None

    @hookimpl
    def nubetis_field_types(self):
        return fail_from_afar() if self.breaks else ()


class Other:
    """Another plug-in of the same module."""

    @hookimpl
    def nubetis_modules(self):
        return ()


def culprit_of(extensions, ask=Extensions.field_types):
    """Give the plug-in that an error names."""
    with refusing("plugin", PluginError) as caught:
        ask(extensions)
    return caught.value.params["plugin"]


@pytest.mark.parametrize(("breaks", "named"), [((True, False), "Namesake"), ((False, True), "Namesake 2")])
def test_an_error_names_the_plug_in_itself_not_one_equal_to_it(monkeypatch, breaks, named):
    """Plug-ins are told apart by what they are, whatever they say of themselves."""
    extensions = Extensions([Namesake(breaks=each) for each in breaks])
    monkeypatch.setattr(Namesake, "alike", True)

    assert culprit_of(extensions) == named


def test_an_error_in_a_helper_is_its_caller_s():
    """Of several plug-ins in one module the one that was called is named."""
    assert culprit_of(Extensions([Namesake(breaks=True), Other()])) == "Namesake"


def test_a_module_can_be_a_plug_in_and_is_named():
    """A plug-in without a class: its functions stand in a module."""
    shop = ModuleType("petshop")
    exec_in = {"hookimpl": hookimpl, "__name__": "petshop"}
    shop.nubetis_field_types = FunctionType((lambda: 1 / 0).__code__, exec_in)
    hookimpl(shop.nubetis_field_types)

    assert culprit_of(Extensions([shop])) == "petshop"


def test_a_plug_in_is_called_by_a_name_a_person_can_look_up():
    """The class's name; the second of a class has a number."""
    names = Extensions([*BUILT_IN_PLUGINS, Other(), Other(), broken("nubetis_modules")]).names()

    assert names[-3:] == ["Other", "Other 2", "Broken"]
    assert [type(each).__name__ for each in BUILT_IN_PLUGINS] == names[:-3]


def test_each_transaction_is_a_line_in_the_log_of_whoever_debugs(nubetis_store_url, caplog, monkeypatch):
    """Organisation, operation, cause and number of records, and no value."""
    monkeypatch.setattr(applying, "CHUNK", 2)
    with make_org(nubetis_store_url) as org, org.administrator() as session:
        caplog.set_level("DEBUG", logger="nubetis")
        operation = session.apply(session.plan_create("leads", [{"name": "Hush"}] * 3))
        lines = [record.getMessage() for record in caplog.records if record.name == "nubetis"]
        head = f"committed {org.settings()['id']} {operation.id} user"

    assert lines == [f"{head}: 2 records", f"{head}: 1 records"]
    assert "Hush" not in caplog.text


def test_the_line_costs_nothing_where_nobody_debugs(caplog):
    """With the level above DEBUG the transaction is not even looked at."""
    caplog.set_level("INFO", logger="nubetis")
    Extensions(BUILT_IN_PLUGINS).committed(None)

    assert caplog.records == []


def params_of(ask):
    """Give what a plug-in's error says; ``None`` where there is none."""
    try:
        ask()
    except PluginError as error:
        return tuple(error.params[name] for name in ("plugin", "hook", "reason"))
    return None


@pytest.mark.parametrize("hook", HOOKS)
def test_a_plug_in_that_raises_at_any_hook_leaves_nothing_half_written(nubetis_store_url, hook):
    """Whatever the session is asked, what it wrote it wrote whole; an error that comes names the plug-in."""
    with make_org(nubetis_store_url) as org, org.administrator() as session:
        extensions = org._world.extensions
        extensions._registry = None
        extensions._manager.register(broken(hook), name="breaker")
        field = Field(name="hobby", type=kind("text"))
        asked = [
            lambda: session.create("leads", name="X"),
            lambda: org.add_field("leads", field),
            org.mend,
            org.file_formats,
            lambda: org.blobs,
        ]
        assert {params for ask in asked if (params := params_of(ask))} <= {("breaker", hook, "ZeroDivisionError")}
        extensions._manager.unregister(name="breaker")
        org.mend()
        assert org.interrupted() == []
        assert (org.check(), org.verify().tampered) == ([], ())
        assert session.count("leads") == (0 if hook == "nubetis_validate" else 1)
        assert session.create("leads", name="Y")["name"] == "Y"


SHOP = """
from nubetis import hookimpl

class Pets:
    @hookimpl
    def nubetis_modules(self):
        return []

class Choosy(Pets):
    def __init__(self, what):
        self.what = what

@hookimpl
def nubetis_modules():
    return []

PETS = Pets()
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Gives a function that installs a distribution whose entry point ``petshop`` is what it is told."""

    def installing(value, distribution="petshop"):
        (tmp_path / "petshop.py").write_text(SHOP)
        info = tmp_path / f"{distribution}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[nubetis]\npetshop = {value}\n")
        monkeypatch.syspath_prepend(tmp_path)
        importlib.invalidate_caches()

    yield installing
    sys.modules.pop("petshop", None)


@pytest.mark.parametrize("value", ["petshop", "petshop:PETS", "petshop:Pets"])
def test_entry_points_are_loaded_on_request_only(install, value):
    """Installing a package changes no organisation until the host asks: a module, an object, a class."""
    install(value)
    assert "petshop" not in Extensions().names()
    assert "petshop" not in sys.modules
    extensions = Extensions(entry_points=True)
    assert "petshop" in extensions.names()
    assert "petshop" in sys.modules
    assert extensions.modules() == []


def test_a_class_among_the_plug_ins_is_made_one():
    """Whoever hands over the class means a plug-in of it, as an entry point does."""
    assert [module.name for module in Extensions([Whole]).modules()] == ["pets"]


def test_two_packages_may_call_their_entry_points_the_same(install):
    """Neither hides the other."""
    install("petshop:PETS")
    install("petshop:Pets", "other")
    assert Extensions(entry_points=True).names() == ["petshop", "petshop 2"]


@pytest.mark.parametrize(
    "value", ["petshop:Choosy", "petshop:Cats", "catshop", "petshop:SHOP.x", "petshop:Pets.nubetis_modules"]
)
def test_an_entry_point_that_gives_no_plug_in_is_named(install, value):
    """What is not there, cannot be made or has no hook is an error that says which."""
    install(value)
    with refusing("plugin", PluginError) as caught:
        Extensions(entry_points=True)
    assert caught.value.params["plugin"] == "petshop"


def test_a_field_type_whose_plug_in_was_not_handed_over_is_named(nubetis_store_url):
    """Nothing is damaged: the error says what is missing where, and with the plug-in all is there."""
    with make_org(nubetis_store_url, plugins=[Taxes()]) as org, org.administrator() as session:
        session.create("firms", name="Acme", tax="20100070970")
        for attempt in (lambda: open_org(nubetis_store_url), lambda: copy(nubetis_store_url, "memory://elsewhere")):
            with refusing("missing_plugin", NotFound) as caught:
                attempt()
            assert caught.value.params == {"type": "ruc", "module": "firms", "field": "tax"}
            assert "plug-in" in str(caught.value)
    found = diagnose(nubetis_store_url)
    assert [each.code for each in found.findings] == ["cannot_open"]
    with open_org(nubetis_store_url, plugins=[Taxes()]) as org:
        assert [each["tax"] for each in org.system("looking").find("firms")] == ["20100070970"]


def test_each_organisation_has_plug_ins_of_its_own():
    """There is no plug-in manager at module level."""
    with make_org(plugins=[Whole()]) as one, make_org() as other:
        assert "pets" in one.schema
        assert "pets" not in other.schema


@pytest.mark.parametrize(("scheme", "meant"), [("postgres", "postgresql"), ("sqlite3", "sqlite")])
def test_a_scheme_that_is_written_otherwise_elsewhere_is_corrected(scheme, meant):
    with refusing("meant_scheme", NotFound) as caught:
        open_org(f"{scheme}://ana:hunter2@db.example/crm")
    assert f"{meant}://" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_unknown_scheme_names_the_known_ones():
    """A URL that nobody serves is an error that helps."""
    with refusing("unknown_scheme", NotFound) as caught:
        create("oracle://x", administrator="a@acme.pe")
    assert "memory, postgresql, postgresql+psycopg, sqlite" in str(caught.value)
