"""The store of ``examples/lines`` under the contract suite, as a third party would run it."""

from __future__ import annotations

import tomllib
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest

import nubetis
from nubetis import Surroundings
from nubetis.errors import Damaged, NotFound, StoreBusy
from nubetis.model.bind import ALWAYS
from nubetis.model.schema import Schema, diff
from nubetis.model.store import Store
from nubetis.testing.access_contract import AccessContract
from nubetis.testing.store_contract import CONTRACT_SCHEMA, StoreContract, row_of
from nubetis.testing.store_contract.setting import PEOPLE, PLACES, factory_at, keys_of, load, people
from tests.taxes import Taxes

EXAMPLE = Path(__file__).parents[2] / "examples" / "lines"


class TestLinesStore(StoreContract):
    """One file a folder."""

    factory = "nubetis_lines:open_lines"

    def url_of(self, folder: Path) -> str:
        return f"lines:///{folder}/org.jsonl"

    def open_snapshot(self, target: str) -> Store:
        return factory_at(self.factory)(f"lines:///{target}", create=False)


class TestAccessOnLines(AccessContract):
    """Who has what, as the guide runs it."""

    factory = "nubetis_lines:open_lines"

    def url_of(self, folder: Path) -> str:
        return f"lines:///{folder}/org.jsonl"


@pytest.fixture
def around(tmp_path, monkeypatch):
    """What a host has that asks for entry points where the package is installed, as its project file says."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    named = [f"{name} = {value}\n" for name, value in project["entry-points"]["nubetis"].items()]
    (info / "entry_points.txt").write_text("[nubetis]\n" + "".join(named))
    monkeypatch.syspath_prepend(tmp_path)
    return Surroundings(entry_points=True)


def test_the_entry_point_of_the_package_opens_an_organisation(tmp_path, around):
    """The class that the project file names is found as the host's machine finds it, and is made a plug-in."""
    url = f"lines:///{tmp_path}/org.jsonl"
    with nubetis.create(url, administrator="ana@acme.pe", around=around) as org:
        org.system("testing").create("leads", name="Ñandú")
        with pytest.raises(StoreBusy):
            nubetis.open(url, around=around)
    with nubetis.open(url, around=around) as org:
        assert [each["name"] for each in org.system("testing").find("leads")] == ["Ñandú"]
        assert org.verify().tampered == ()


def test_a_line_cut_short_is_as_if_it_had_not_been_written(tmp_path):
    """Wherever it is cut: the lines before it hold, and the file can be written on."""
    url, path = f"lines:///{tmp_path}/org.jsonl", tmp_path / "org.jsonl"
    opened = factory_at("nubetis_lines:open_lines")
    with closing(opened(url, create=True)) as store:
        store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        load(store, PEOPLE, people([{"name": "Ñandú"}]))
        whole = path.read_bytes()
        load(store, PLACES, [row_of(PLACES, 1)])
    added = path.read_bytes().removeprefix(whole)
    for cut in (1, len(added) // 2, len(added) - 1):
        path.write_bytes(whole + added[:cut])
        with closing(opened(url, create=False)) as store:
            assert (keys_of(store, ALWAYS), keys_of(store, ALWAYS, PLACES)) == ([1], [])
            assert path.read_bytes() == whole
            load(store, PLACES, [row_of(PLACES, 1)])
        assert path.read_bytes() == whole + added
    path.write_bytes(whole + b"{}x\n")
    with pytest.raises(Damaged):
        opened(url, create=False)


def test_a_field_type_of_a_plug_in_is_named_where_it_is_missing_and_read_where_it_is_given(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLE)
    given = import_module("nubetis_lines").LinesPlugin
    url = f"lines:///{tmp_path}/org.jsonl"
    full = Surroundings(plugins=(given(Taxes.TYPE), Taxes()))
    with nubetis.create(url, administrator="ana@acme.pe", around=full) as org:
        org.system("testing").create("firms", tax="20100070970")
    with pytest.raises(NotFound) as caught:
        nubetis.open(url, around=Surroundings(plugins=(given(), Taxes())))
    assert (caught.value.code, caught.value.params["type"]) == ("missing_plugin", "ruc")
    with nubetis.open(url, around=full) as org:
        assert [each["tax"] for each in org.system("testing").find("firms")] == ["20100070970"]


def test_the_example_stays_an_example():
    assert len((EXAMPLE / "nubetis_lines.py").read_text("utf-8").splitlines()) < 200
