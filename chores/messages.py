# ruff: noqa: INP001, T201 - a script that prints
"""Collect the texts that users read, merge them into each catalogue, compile: `nox -s messages`.

The sentences of errors (`MESSAGES`), those of findings and their remedies (`FINDINGS`), what errors carry as reasons
and hints (`PHRASES`, and constants in the calls below), why something is allowed or not (`Reason`), what stands in
`_()` and, for one and for many, in `counted()`, the labels of the standard modules and the permissions.  What the
code no longer says is dropped; what is new stays untranslated, and English, until somebody writes it into the `.po`
and starts this again.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from nubetis.access.decision import Reason
from nubetis.access.permissions import CATALOGUE
from nubetis.errors import MESSAGES
from nubetis.i18n import CARRIED, DEEDS, KINDS, LABEL, LANGUAGES, NONE, PERMISSION, PHRASES
from nubetis.model.findings import FINDINGS
from nubetis.model.standard import base_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path("src/nubetis")
CARRIED_AT = {
    "syntax_error": 0,
    "missing": 0,
    "expect": 1,
    "_bad": 1,
    "bad": 1,
    "wrong": 2,
    "_wrong": 2,
    "_unread": 0,
    "_": 0,
}
"""Function → place of the argument that it says."""
NAMED = CARRIED | {"example"}
"""Variables that hold such a text before it is carried."""


def texts(path: Path) -> Iterator[str]:
    """Give what *path* says to users, as far as it stands there as a constant."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        for said in _said(node):
            branches = [said.body, said.orelse] if isinstance(said, ast.IfExp) else [said]
            yield from (
                each.value for each in branches if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )


def pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Give what *path* says of one thing and of many."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(
                func=ast.Name("counted"), args=[ast.Constant(value=str() as one), ast.Constant(value=str() as many), _]
            ):
                yield one, many
            case _:
                pass


def listed() -> Iterator[tuple[str, str]]:
    """Give the texts that stand in lists, with where they stand."""
    yield from [("errors.py", text) for text in MESSAGES.values()]
    yield from [("i18n.py", text) for text in PHRASES]
    yield from [("model/findings.py", text) for kind in FINDINGS.values() for text in (kind.sentence, kind.remedy)]
    yield from [("access/decision.py", text) for reason in Reason for text in (reason.sentence, reason.denial)]


def _said(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        named = isinstance(node.targets[0], ast.Name) and node.targets[0].id in NAMED
        return [node.value] if named else []
    if not isinstance(node, ast.Call):
        return []
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    placed = node.args[CARRIED_AT[name] :][:1] if name in CARRIED_AT else []
    return [*placed, *[each.value for each in node.keywords if each.arg in CARRIED]]


def collect() -> Catalog:
    """Give a catalogue of all texts, without translations."""
    people = "the nubetis developers"
    catalogue = Catalog(
        project="nubetis",
        version="0.1",
        header_comment="# What users of nubetis read. Renewed by `nox -s messages`.",
        last_translator=people,
        language_team=people,
        msgid_bugs_address=people,
        fuzzy=False,
    )
    for action in (*[each.value for each in CATALOGUE], *DEEDS):
        text = action.replace("_", " ")
        catalogue.add(text, locations=[("access/permissions.py", 0)], context=PERMISSION)
    for kind in KINDS:
        catalogue.add(kind, locations=[("i18n.py", 0)], context=NONE)
    for place, text in listed():
        catalogue.add(text, locations=[(place, 0)])
    for module in base_schema().modules:
        for text in (module.label, *[field.label for field in module.all_fields]):
            catalogue.add(text, locations=[("model/standard.py", 0)], context=LABEL)
    for path in sorted(SOURCE.rglob("*.py")):
        place = (path.relative_to(SOURCE).as_posix(), 0)
        for text in filter(str.strip, texts(path)):
            catalogue.add(text, locations=[place])
        for pair in pairs(path):
            catalogue.add(pair, locations=[place])
    return catalogue


def renew(language: str) -> tuple[int, int]:
    """Bring one language's catalogue up to date; give how many texts it has, and how many untranslated ones."""
    place = SOURCE / "locale" / language / "LC_MESSAGES" / "nubetis.po"
    found = collect()
    if place.exists():
        with place.open("rb") as file:
            catalogue = read_po(file, locale=language)
        found.creation_date = catalogue.creation_date  # so that nothing changes where no text did
        catalogue.update(found, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        catalogue = found
        catalogue.locale = language
        catalogue.revision_date = catalogue.creation_date
    with place.open("wb") as file:
        write_po(file, catalogue, width=0, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
    with place.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)
    return len(catalogue), sum(not (message.string and all(message.string)) for message in catalogue if message.id)


if __name__ == "__main__":
    for each in LANGUAGES[1:]:
        print(each, "{} texts, {} of them untranslated".format(*renew(each)))
