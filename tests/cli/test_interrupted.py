"""An import that was stopped half-way is found by doctor, and gone on with."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from nubetis.backends import copying
from nubetis.backends.memory import forget_memory
from nubetis.backends.sql.sqlite import copies
from nubetis.cli import commands
from nubetis.cli.face import Face


@pytest.fixture
def stopped(acme, monkeypatch):
    """Give the id of an import of 12,000 rows that Ctrl-C stopped after its first progress."""
    rows = "".join(f"Empresa {number}\n" for number in range(12_000))
    Path("many.csv").write_text(f"Empresa\n{rows}", encoding="utf-8")

    class Stopping:
        def __enter__(self):
            return self.report

        def __exit__(self, *_):
            return None

        def report(self, done, _):
            if done:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Face, "progress", lambda *_: Stopping())
        said = acme("import", "many.csv", "-m", "accounts")
    found = acme("journal", "list", "--limit", "1", "--json").json["operations"][0]
    told = " ".join(said.err.split())
    assert said.code == commands.EXIT_CODES["interrupted"]
    assert f"{found['position']} records of operation {found['id']} are written." in told
    assert f"nubetis journal resume {found['id']}; take it back: nubetis journal undo {found['id']}" in told
    assert told.endswith("Interrupted.")
    return found["id"]


def test_what_was_interrupted_before_is_not_told_again(acme, stopped, monkeypatch):
    """Only what this very command wrote."""

    def interrupting(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Face, "answer", interrupting)
    said = acme("find", "accounts")

    assert (said.code, said.err.strip()) == (commands.EXIT_CODES["interrupted"], "Interrupted.")


def test_doctor_names_what_was_stopped_and_what_to_do(acme, stopped):
    said = acme("doctor", "--json")

    assert said.code == commands.EXIT_CODES["refused"]
    (found,) = said.json["findings"]
    assert (found["code"], found["about"]) == ("operation_interrupted", stopped)
    assert f"nubetis journal resume {stopped};" in found["remedy"]


def test_what_was_stopped_is_gone_on_with_once(acme, stopped):
    assert acme("find", "accounts", "--json").json["total"] < 12_002
    done = acme("journal", "resume", stopped, "--json").json["operation"]

    assert (done["id"], done["state"], done["position"]) == (stopped, "done", 12_000)
    assert acme("journal", "resume", stopped, "--json").json["operation"] == done
    assert acme("doctor", "--json").json["organisation"]["records"]["accounts"] == 12_002


def test_how_much_may_have_changed_meanwhile_is_said(acme, stopped):
    assert acme("journal", "resume", stopped, "--tolerance", "-1").code == commands.EXIT_CODES["usage"]
    assert acme("journal", "resume", stopped, "--tolerance", "1", "--json").json["operation"]["state"] == "done"


def test_what_was_stopped_can_be_undone_instead(acme, stopped):
    assert acme("journal", "undo", stopped).code == 0

    assert acme("doctor", "--json").json["findings"] == []
    assert acme("find", "accounts", "--json").json["total"] == 2


def test_doctor_shows_the_environment_of_a_damaged_organisation(nubetis):
    """Who reports the damage needs the versions most."""
    Path("nubetis.db").write_bytes(b"no database at all" * 100)
    said = nubetis("doctor", "--json")

    assert said.code == commands.EXIT_CODES["store"]
    assert said.json["organisation"] is None
    assert said.json["findings"][0]["code"] == "cannot_open"
    assert "[not_sqlite]" in nubetis("doctor").out
    assert "python" in said.json["environment"]


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgres"])
@pytest.mark.parametrize("command", ["copy", "restore"])
def test_what_an_interrupted_replacement_has_left_is_said(acme, request, monkeypatch, tmp_path, store, command):
    """In a file what stood there stands until the new one is whole; a place that was empty has lost nothing."""
    number = zlib.crc32(str(tmp_path).encode())
    target = {
        "memory": f"memory://{tmp_path}",
        "sqlite": f"sqlite:///{tmp_path}/new.db",
        "postgres": request.getfixturevalue("postgres")(f"i{number}") if store == "postgres" else "",
    }[store]
    assert acme("backup", "monday.db").code == 0
    given = ("copy", "nubetis.db", target) if command == "copy" else ("restore", "monday.db", "--db", target)

    def stop(*_):
        raise KeyboardInterrupt

    def interrupted():
        with monkeypatch.context() as patch:
            patch.setattr(copying._Copy, "_compare", stop)
            if store == "sqlite":
                patch.setattr(copies, "_clear", stop)
            said = acme(*given, "--replace")
        assert said.code == commands.EXIT_CODES["interrupted"]
        return " ".join(said.err.split())

    try:
        assert interrupted() == "Interrupted."
        assert acme(*given).code == 0
        said = interrupted()
        assert ("is gone, and what takes its place is half made" in said) is (store != "sqlite")
        assert said.endswith("Interrupted.")
        assert acme(*given, "--replace").code == 0
        assert acme("doctor", "--db", target, "--json").json["findings"] == []
    finally:
        forget_memory(target)
