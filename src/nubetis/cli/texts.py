"""What the command line says, in the user's language."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from shlex import quote
from typing import TYPE_CHECKING, Final

from nubetis.access.decision import Reason
from nubetis.errors import NubetisError
from nubetis.i18n import counter, label_in, language_of, permission_in, phrase, render, translator

if TYPE_CHECKING:
    from nubetis.access.permissions import Permission
    from nubetis.model.fields import Field
    from nubetis.model.plan import Refusal
    from nubetis.model.schema import Module
    from nubetis.types import Json

__all__ = [
    "EXIT_CODES",
    "_",
    "counted",
    "json_text",
    "language",
    "read_principal",
    "say",
    "say_label",
    "say_level",
    "say_permission",
    "say_principal",
    "say_reason",
    "say_refusal",
    "say_state",
    "say_word",
    "speaking",
]

EXIT_CODES: Final = {"done": 0, "refused": 1, "usage": 2, "store": 3, "partly": 4, "interrupted": 130}
"""What a command's exit code says; ``nubetis --help`` explains it."""

_LANGUAGE: Final[ContextVar[str]] = ContextVar("language", default="en")


def _(text: str) -> str:
    return translator(_LANGUAGE.get())(text)


def counted(one: str, many: str, count: int, **others: object) -> str:
    """Say the text for *count* things, in which ``{count}`` stands for it and *others* for what else it names.

    >>> counted("{count} row in {file}", "{count} rows in {file}", 1, file="a.csv")
    '1 row in a.csv'
    """
    return counter(_LANGUAGE.get())(one, many, count).format(count=count, **others)


@contextmanager
def speaking(name: str | None) -> Generator[None]:
    """Speak the language *name*, or that of the environment, for a while."""
    token = _LANGUAGE.set(name or language_of(os.environ))
    try:
        yield
    finally:
        _LANGUAGE.reset(token)


def language() -> str:
    """Give the language that is spoken."""
    return _LANGUAGE.get()


def json_text(value: Json) -> str:
    r"""Give *value* as JSON; what a terminal would obey is written as an escape, which says the same to programs.

    >>> json_text("niña \x9b\u202e")
    '"niña \\u009b\\u202e"'
    """
    return _UNSEEN.sub(lambda found: _escaped(found[0]), json.dumps(value, ensure_ascii=False, indent=2))


_UNSEEN: Final = re.compile(r"[^\n -~]")


def _escaped(char: str) -> str:
    return char if char.isprintable() else json.dumps(char)[1:-1]


def say(error: NubetisError) -> str:
    """Give an error's sentence; where the library says what to call, what to type instead."""
    typed = {
        "no_database": _(
            "There is no organisation at {url}. Make one: nubetis create --db {typed} --administrator E-MAIL"
        ),
        "database_exists": _(
            "There is already an organisation at {url}. Name another place; restore and copy replace it with --replace."
        ),
        "missing_plugin": _(
            "Field {field} of module {module} has the type {type}, which a plug-in gives that was not loaded. "
            "Load it: --plugin MODULE:NAME, or --entry-points."
        ),
        "no_heir": _("Nobody takes over {count} of {module}. Say who: --to USER, or --records {module}=USER."),
        "half_made": _(
            "{url} was not finished when it was made, copied or restored. Copy or restore again with --replace, "
            "or take it away and make a new one."
        ),
    }
    found = typed.get(error.code)
    if error.code == "refused":  # its hint is an argument of Python
        refusals: tuple[Refusal, ...] = getattr(error, "refusals", ())
        first = {"first": _placed(refusals[0])} if refusals else {}
        error = NubetisError(error.code, **{**error.params, **first, "hint": ""})
    if found is None:
        return render(error, _LANGUAGE.get())
    typed_url = quote(str(error.params.get("url", "")))  # so that a shell takes it for one word
    return NubetisError(error.code, **{**error.params, "typed": typed_url}).message(found)


def _placed(refusal: Refusal) -> str:
    """Give a refusal's sentence behind its place, unless it names that itself."""
    where = refusal.record or ("" if refusal.line is None else _("line {number}").format(number=refusal.line))
    said = say_refusal(refusal)
    return f"{where}: {said}" if where and where not in said else said


def say_refusal(refusal: Refusal) -> str:
    """Give a refusal's sentence, without its place."""
    return say(NubetisError(refusal.code, **refusal.params))


def say_label(named: Field | Module) -> str:
    """Give the label of a field or module; those of the standard ones are translated."""
    return label_in(_LANGUAGE.get(), named.label)


def say_word(value: Enum) -> str:
    """Give the word for a choice of nubetis's own, such as the state of an operation; programs read its value."""
    words = {
        "user": _("user"),
        "import": _("import"),
        "merge": _("merge"),
        "undo": _("undo"),
        "schema": _("schema"),
        "setup": _("setup"),
        "erasure": _("erasure"),
        "rule": _("rule"),
        "system": _("system"),
        "running": _("running"),
        "done": _("done"),
        "cancelled": _("cancelled"),
        "failed": _("failed"),
        "create": _("create"),
        "update": _("update"),
        "delete": _("delete"),
        "restore": _("restore"),
        "purge": _("purge"),
    }
    return words.get(value.value, str(value.value))


def say_permission(permission: Permission) -> str:
    """Give the word for what a profile permits; programs and commands name its value."""
    return permission_in(language(), permission.value)


def say_principal(words: str) -> str:
    """Give a principal for a table, as ``role Manager+`` names it: what kind it is, in the user's language."""
    return phrase(words, language())


def say_level(level: str) -> str:
    """Give the word for a level of access, or of a field; programs read the level itself."""
    words = {
        "none": _("nothing"), "read": _("read"), "write": _("read and write"), "delete": _("all"),
        "hidden": _("hidden"), "edit": _("edit"), "yes": _("yes"), "no": _("no"),
    }  # fmt: skip
    return words.get(level, level)


def read_principal(words: str) -> str:
    """Give what :func:`say_principal` says as it is named in every language; what is none of that as it stands.

    >>> read_principal("everybody"), read_principal("role Manager+"), read_principal("ana@acme.pe")
    ('everybody', 'role Manager+', 'ana@acme.pe')
    """
    for said, form in ((_("everybody"), "everybody"), (_("role {name}"), "role {name}"),
                       (_("group {name}"), "group {name}"), (_("user {name}"), "{name}")):  # fmt: skip
        before, gap, _after = said.partition("{name}")
        if words == said or (gap and words.startswith(before)):
            return form.format(name=words[len(before) :])
    return words


def say_reason(reason: Reason) -> str:
    """Give the sentence for why something is allowed or not."""
    return translator(language())(reason.sentence)


def say_state(state: str) -> str:
    """Give the word for a user's state."""
    words = {
        "active": _("active"),
        "invited": _("invited"),
        "suspended": _("suspended"),
        "deactivated": _("deactivated"),
    }
    return words.get(state, state)
