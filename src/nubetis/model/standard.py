"""The standard modules of a CRM and their fields, with API names and column names."""

from __future__ import annotations

from typing import Final

from nubetis.model.fields import Field, Value
from nubetis.model.kinds import kind
from nubetis.model.schema import Module, Schema
from nubetis.model.system import SYSTEM_SCHEMA
from nubetis.types import FieldName

__all__ = ["STANDARD_MODULES", "base_schema"]


def _field(name: str, type_name: str = "text", **settings: Value) -> Field:
    return Field(name=name, type=kind(type_name), **settings)


def _name(name: str = "name", *, required: bool = True) -> Field:
    return _field(name, required=required, searchable=True, indexed=True)


def _choice(name: str, *values: str) -> Field:
    return _field(name, "choice", choices=values)


def _link(name: str, *targets: str) -> Field:
    return _field(name, "link", targets=targets, indexed=True)


def _module(name: str, prefix: str, *fields: Field, title: str = "name") -> Module:
    return Module(name=name, prefix=prefix, fields=fields, title=FieldName(title), tallied_by=("owner",))


def _person(*, required: bool) -> tuple[Field, ...]:
    """Give what leads and contacts have in common."""
    return (
        _field("first_name", searchable=True, personal=True),
        _field("last_name", required=required, searchable=True, indexed=True, personal=True),
        _field("email", "email", searchable=True, indexed=True, personal=True),
        _field("phone", "phone", searchable=True, personal=True),
        _field("mobile", "phone", searchable=True, personal=True),
        _field("job_title"),
        _field("address", "address", personal=True),
        _field("email_opt_out", "boolean", consent=True),
        _field("description", "long_text"),
    )


_SOURCES: Final = ("advertisement", "cold_call", "event", "partner", "referral", "social", "web", "other")

_ACTIVITY: Final = ("leads", "contacts", "accounts", "deals")

STANDARD_MODULES: Final[tuple[Module, ...]] = (
    _module("accounts", "acc",
            _name(),
            _field("website", "url"), _field("phone", "phone", searchable=True),
            _field("email", "email", searchable=True),
            _field("tax_id", max_length=40, searchable=True),
            _choice("type", "customer", "prospect", "partner", "supplier", "other"),
            _field("industry"), _field("employees", "integer"), _field("annual_revenue", "money"),
            _field("address", "address"), _link("parent", "accounts"), _field("description", "long_text")),
    _module("leads", "lea",
            _name(), *_person(required=False), _field("company", searchable=True),
            _choice("status", "new", "contacted", "qualified", "unqualified", "converted"),
            _choice("source", *_SOURCES), _field("website", "url")),
    _module("contacts", "con",
            *_person(required=True), _link("account", "accounts"), _field("birth_date", "date", personal=True),
            _choice("source", *_SOURCES), _field("external_id", max_length=100, indexed=True), title="last_name"),
    _module("deals", "dea",
            _name(), _field("amount", "money"),
            _field("stage", "choice", default="open", indexed=True,
                   choices=("open", "qualified", "proposal", "negotiation", "won", "lost")),
            _field("probability", "percent", scale=0), _field("closed", "date"), _field("next_step"),
            _link("account", "accounts"), _link("contact", "contacts"), _choice("source", *_SOURCES),
            _field("description", "long_text")),
    _module("products", "prd",
            _name(), _field("code", max_length=60, unique=True, searchable=True), _field("price", "money"),
            _field("active", "boolean", default=True), _field("description", "long_text")),
    _module("tasks", "tas",
            _name("subject"), _field("due", "date"), _choice("status", "open", "done", "deferred"),
            _choice("priority", "normal", "high", "low"), _link("about", *_ACTIVITY),
            _field("description", "long_text"),
            title="subject"),
    _module("events", "eve",
            _name("subject"), _field("starts", "wall_time"), _field("minutes", "integer"), _field("all_day", "boolean"),
            _field("place"), _link("about", *_ACTIVITY), _field("description", "long_text"), title="subject"),
    _module("calls", "cal",
            _name("subject"), _field("at", "datetime"), _field("minutes", "integer"), _choice("direction", "out", "in"),
            _link("about", *_ACTIVITY), _field("description", "long_text"), title="subject"),
    _module("notes", "not",
            _field("title", searchable=True), _field("body", "long_text", searchable=True),
            _link("about", *_ACTIVITY), title="title"),
    _module("attachments", "att",
            _field("file", "file", required=True), _link("about", *_ACTIVITY), title="file"),
    _module("emails", "ema",
            _field("subject", searchable=True), _field("sender", "email"), _field("recipients", "long_text"),
            _field("sent_at", "datetime"),
            _field("body", "long_text"), _link("about", *_ACTIVITY), title="subject"),
)  # fmt: skip
"""Leads, contacts, accounts, deals, products, and what happens with them."""


def base_schema() -> Schema:
    """Give the schema of a new organisation: the system modules and the standard ones.

    >>> base_schema().module("deals").field("stage").type.name
    'choice'
    """
    return SYSTEM_SCHEMA.with_modules(STANDARD_MODULES)
