"""nubetis: a CRM core as a library.

The names below are loaded when they are first asked for; ``import nubetis`` itself loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from nubetis.access.decision import Decision as Decision
    from nubetis.access.sign_in import HostSignIn as HostSignIn
    from nubetis.data.table import Table as Table
    from nubetis.data.table import read as read
    from nubetis.errors import NubetisError as NubetisError
    from nubetis.hookspecs import hookimpl as hookimpl
    from nubetis.model.fields import Field as Field
    from nubetis.model.filters import F as F
    from nubetis.model.filters import Filter as Filter
    from nubetis.model.formats import Formats as Formats
    from nubetis.model.money import Money as Money
    from nubetis.model.plan import Operation as Operation
    from nubetis.model.plan import Plan as Plan
    from nubetis.model.query import Query as Query
    from nubetis.model.record import Record as Record
    from nubetis.model.schema import Module as Module
    from nubetis.model.schema import Schema as Schema
    from nubetis.org import Org as Org
    from nubetis.org import Surroundings as Surroundings
    from nubetis.org import create as create
    from nubetis.org import open as open
    from nubetis.session import Session as Session

_WHERE: Final = {
    "Decision": "nubetis.access.decision",
    "F": "nubetis.model.filters",
    "Field": "nubetis.model.fields",
    "Filter": "nubetis.model.filters",
    "Formats": "nubetis.model.formats",
    "HostSignIn": "nubetis.access.sign_in",
    "Module": "nubetis.model.schema",
    "Money": "nubetis.model.money",
    "NubetisError": "nubetis.errors",
    "Operation": "nubetis.model.plan",
    "Org": "nubetis.org",
    "Plan": "nubetis.model.plan",
    "Query": "nubetis.model.query",
    "Record": "nubetis.model.record",
    "Schema": "nubetis.model.schema",
    "Session": "nubetis.session",
    "Surroundings": "nubetis.org",
    "Table": "nubetis.data.table",
    "create": "nubetis.org",
    "hookimpl": "nubetis.hookspecs",
    "open": "nubetis.org",
    "read": "nubetis.data.table",
}

__all__ = [
    "Decision",
    "F",
    "Field",
    "Filter",
    "Formats",
    "HostSignIn",
    "Module",
    "Money",
    "NubetisError",
    "Operation",
    "Org",
    "Plan",
    "Query",
    "Record",
    "Schema",
    "Session",
    "Surroundings",
    "Table",
    "create",
    "hookimpl",
    "open",
    "read",
]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        message = f"module 'nubetis' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    value: object = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
