"""Filters and definitions as JSON: everything of the model that is stored or sent, and the one door to cattrs.

Filters
-------
::

    {"all": [FILTER, …]}    {"any": [FILTER, …]}    {"not": FILTER}
    {"field": "stage", "is": "=", "value": VALUE}                 "value" is absent for "is empty" and "changed"
    {"field": "account", "is": "linked", "value": FILTER}
    {"has": "deals", "by": "account", "where": FILTER}

Operators are spelled as in the text form; words looked for everywhere are ``{"field": "", "is": "matches", …}``.
A VALUE is a text, a number, ``true``, ``false``, ``null``, a list of such, or says its type:
``{"decimal": "1.5"}``, ``{"integer": "…"}`` (beyond 2⁵³, which JavaScript rounds), ``{"date": "2026-01-31"}``,
``{"time": "09:30:00"}``, ``{"datetime": "2026-01-31T09:30:00+00:00"}``,
``{"wall_time": {"local": "2026-01-31T09:30:00", "zone": "America/Lima"}}``,
``{"money": {"amount": "1200", "currency": "PEN", "home": "1200"}}`` (*home* may be absent),
``{"period": {"kind": "last", "unit": "day", "count": 7}}`` (*count* may be absent), ``{"people": "my team"}``,
``{"bytes": BASE64}``.

Definitions
-----------
Fields, modules, rules and schemas are objects with the attributes of their classes, none left out when written,
those with a default allowed to be absent when read.  A field's type is its name; its default is the list of its
stored parts.  Ids, columns and tables are kept as they are.  ``"format"`` says which version of this form it is.

What is read comes from outside: unknown keys, wrong types and later formats are refused with
:class:`~nubetis.errors.InvalidValue` (``bad_argument``; the argument is the path, ``$.all[3].value``), and nothing
else is ever raised.
"""

from nubetis.model.convert.definitions import (
    FORMAT,
    check_kept,
    from_json,
    missing_type,
    module_text,
    schema_of,
    to_json,
)

__all__ = ["FORMAT", "check_kept", "from_json", "missing_type", "module_text", "schema_of", "to_json"]
