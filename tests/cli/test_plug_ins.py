"""Commands load plug-ins on request only: those named, or those installed as packages."""

from __future__ import annotations

import importlib
import sys

import pytest

RUC = """
import attrs
from nubetis import Field, Module, hookimpl
from nubetis.model.kinds import kind

TYPE = attrs.evolve(kind("text"), name="ruc")


class Taller:
    @hookimpl
    def nubetis_field_types(self):
        return [TYPE]

    @hookimpl
    def nubetis_modules(self):
        return [Module(name="workshops", fields=[Field(name="name", type=kind("text")), Field(name="ruc", type=TYPE)])]
"""
WORK = [
    ["doctor"],
    ["find", "workshops"],
    ["export", "out.csv", "-m", "workshops"],
    ["backup", "monday.db"],
    ["copy", "nubetis.db", "other.db"],
    ["journal", "list"],
]


@pytest.fixture
def taller(nubetis, tmp_path, monkeypatch):
    """Gives the function that runs commands, with an organisation of a plug-in that is installed as a package."""
    folder = tmp_path / "installed"
    info = folder / "taller-1.dist-info"
    info.mkdir(parents=True)
    (folder / "taller.py").write_text(RUC)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: taller\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[nubetis]\ntaller = taller:Taller\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delenv("NUBETIS_PLUGINS", raising=False)
    monkeypatch.delenv("NUBETIS_ENTRY_POINTS", raising=False)
    importlib.invalidate_caches()
    assert nubetis("create", "--administrator", "ana@acme.pe", "--plugin", "taller:Taller").code == 0
    sys.modules.pop("taller")
    yield nubetis
    sys.modules.pop("taller", None)


@pytest.mark.parametrize("command", WORK, ids=lambda each: each[0])
def test_every_command_works_with_the_plug_in_that_is_named(taller, command):
    assert taller(*command, "--plugin", "taller:Taller").code == 0


@pytest.mark.parametrize("command", WORK, ids=lambda each: each[0])
def test_without_it_each_says_what_is_missing(taller, command):
    """Nothing is loaded that nobody asked for, and nothing is called damaged."""
    said = taller(*command)
    assert said.code in {1, 3}
    assert "missing_plugin" in said.out + said.err
    assert "damaged" not in said.out + said.err
    assert "taller" not in sys.modules


def test_what_is_installed_is_loaded_where_that_is_asked(taller):
    assert taller("doctor", "--entry-points").code == 0


@pytest.mark.parametrize(("name", "value"), [("NUBETIS_PLUGINS", "taller:Taller"), ("NUBETIS_ENTRY_POINTS", "1")])
def test_the_environment_names_plug_ins_as_well(taller, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert taller("doctor").code == 0


def test_the_environment_names_several_with_spaces_between_them(taller, monkeypatch):
    monkeypatch.setenv("NUBETIS_PLUGINS", "taller:Taller tallar")
    assert "tallar" in taller("find", "workshops").err


def test_a_restored_organisation_is_opened_with_it(taller):
    assert taller("backup", "monday.db", "--entry-points").code == 0
    assert taller("restore", "monday.db", "--db", "other.db", "--plugin", "taller:Taller").code == 0


def test_what_is_no_plug_in_is_named(taller):
    """A module that is not there, a name that is not in it, something without hooks."""
    for name in ("tallar", "taller:Tallar", "taller:TYPE"):
        said = taller("find", "workshops", "--plugin", name)
        assert (said.code, name in said.err, "[plugin]" in said.err) == (1, True, True)


@pytest.mark.parametrize("name", ["", "a b", "taller:Taller()", ":Taller", "taller.py/x"])
def test_a_name_that_names_nothing_is_a_command_not_understood(taller, name):
    assert taller("doctor", "--plugin", name).code == 2


FAULTS = {
    "gone": ("acme_tool:Acme", None, "there is no module acme_tool: install it, or name its folder in PYTHONPATH"),
    "gone package": ("acme.tool:Acme", None, "there is no module acme: install it"),
    "needs another": ("acme_tool", "import acme_core", "module acme_tool needs acme_core, which is not installed"),
    "mistyped": ("acme_tool:pet", "pets = 1", "module acme_tool has no pet; Did you mean pets."),
    "no Python": ("acme_tool", "def (", "module acme_tool cannot be loaded: SyntaxError in line 1 of acme_tool.py"),
    "raises": ("acme_tool", "\nraise OSError('secret')", "cannot be loaded: OSError in line 2 of acme_tool.py"),
    "is not made": (
        "acme_tool:Acme",
        "class Acme:\n    def __init__(self): int('secret')",
        "it is made without arguments, and cannot be: ValueError in line 2 of acme_tool.py",
    ),
    "lacks": ("acme_tool", "\n\nimport os\nos.secret", "cannot be loaded: AttributeError in line 4 of acme_tool.py"),
}


@pytest.mark.parametrize(("name", "source", "said"), FAULTS.values(), ids=FAULTS)
def test_a_plug_in_that_cannot_be_loaded_says_why_and_where(taller, tmp_path, name, source, said):
    """By module, name and line; what it says itself, which may be a value of somebody, is not told."""
    if source is not None:
        (tmp_path / "installed" / "acme_tool.py").write_text(source)
    importlib.invalidate_caches()
    told = taller("find", "workshops", "--plugin", name)
    sys.modules.pop("acme_tool", None)

    assert (told.code, said in " ".join((told.out + told.err).split())) == (1, True)
    assert "secret" not in told.out + told.err


def test_what_is_wrong_with_a_plug_in_is_said_in_the_users_language(taller):
    said = " ".join(taller("find", "workshops", "--plugin", "taller:Tallar", "--lang", "es").err.split())

    assert "falló en su punto de entrada: el módulo taller no tiene Tallar; ¿Quiso decir Taller?" in said
