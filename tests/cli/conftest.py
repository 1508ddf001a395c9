"""Runs commands in this process, as a shell would, and gives what they said."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest

from nubetis.cli.commands import run


@attrs.frozen
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def nubetis(capsys, monkeypatch, tmp_path):
    """Give a function that runs one command in a folder of its own, on 80 columns, in English."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.delenv("NUBETIS_DB", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def call(*arguments):
        code = run([str(each) for each in arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture
def acme(nubetis):
    """Give the same with an organisation in nubetis.db, which holds two accounts."""
    assert nubetis("create", "--administrator", "ana@acme.pe").code == 0
    Path("accounts.csv").write_text("Empresa,Ciudad\nAcme Perú,Lima\nÑandú SAC,Cusco\n", encoding="utf-8")
    assert nubetis("import", "accounts.csv", "-m", "accounts").code == 0
    return nubetis
