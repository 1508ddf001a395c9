"""Everything that nubetis raises.

::

    NubetisError
    ├── InvalidValue (ValueError)        a value, a name or a text is not what it must be
    │   ├── InvalidFilter                a filter does not fit the module; carries the span in its text
    │   └── InvalidCursor                a page cursor is damaged or belongs to another query
    ├── NotFound (LookupError)           no such record, user, module, field, file or database
    ├── Conflict                         somebody else changed it first
    │   └── PlanDrifted                  the records are no longer those that the plan saw
    ├── AccessDenied                     the user may not do this
    ├── Refused                          a plan holds refusals and was not applied
    ├── Cancelled                        the caller asked to stop; the operation can be resumed
    ├── MissingExtra (ImportError)       an optional library is not installed
    ├── PluginError                      a plug-in raised; carries its name
    └── StoreError                       the store cannot do its work
        ├── StoreBusy                    others hold it; try again
        ├── Damaged                      what it holds is not what was written
        └── NewerFormat                  a later nubetis wrote it

An error is a *code* and *parameters*; the English sentence stands in :data:`MESSAGES`, and
:func:`nubetis.i18n.render` says it in another language.  No message holds a private value.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, TypeVar

__all__ = [
    "MESSAGES",
    "SYSTEM_REASONS",
    "AccessDenied",
    "Cancelled",
    "Conflict",
    "Damaged",
    "InvalidCursor",
    "InvalidFilter",
    "InvalidValue",
    "MissingExtra",
    "NewerFormat",
    "NotFound",
    "NubetisError",
    "PlanDrifted",
    "PluginError",
    "Refused",
    "StoreBusy",
    "StoreError",
    "misused",
    "names_of",
    "names_or_all",
    "one_of",
    "require",
    "require_bool",
    "require_call",
    "require_count",
    "sentence",
    "system_reason",
]

MESSAGES: Final[dict[str, str]] = {
    # names
    "unknown_module": "There is no module {module}. {hint}",
    "unknown_field": "Module {module} has no field {field}. {hint}",
    "unknown_column": "There is no column {column}. Columns: {known}.",
    "unknown_field_type": "There is no field type {type}. {hint}",
    "missing_plugin": (
        "Field {field} of module {module} has the type {type}, which a plug-in gives that was not handed over. "
        "Hand it over: plugins=[…]."
    ),
    "unknown_user": "There is no user {user}. Name a user by record id, e-mail or handle.",
    "unknown_principal": "There is no {kind} {name}. {hint}",
    "not_shared": "This record is not shared with {target}.",
    "not_in_team": "{user} is not in the team of this record.",
    "unknown_choice": "{field} has no such choice. Choices: {choices}. {hint}",
    "retired_choice": "{field} is given a choice that is retired: records that have it keep it, and no other gets it. "
    "Choices: {choices}.",
    "unknown_scheme": "No store answers to {scheme}. Known: {known}.",
    "meant_scheme": "No store answers to {scheme}. Begin the URL with {meant}://.",
    "bad_name": "{name} cannot be the name of a {what}: use at most 60 of a-z, 0-9 and _, a letter first, no two _ "
    "together, and no word that filters or stores keep for themselves.",
    "name_taken": "There is already a {what} named {name}. Choose another name.",
    # values
    "wrong_type": "{field} takes {expected}, not {given}.",
    "required": "{field} is required. Give it a value.",
    "read_only": "{field} is set by nubetis and cannot be written.",
    "too_long": "{field} holds at most {limit} characters; {length} were given.",
    "bad_text": "{field} holds a character that no text may hold ({what}). Remove it.",
    "empty_choice": "{field} is given a choice that is empty. Leave it out.",
    "bad_number": "{field} takes a finite number with at most {scale} decimals and {digits} digits.",
    "bad_date": "{field} takes a date written as 2026-01-31.",
    "bad_datetime": "{field} takes an instant with its zone, such as 2026-01-31T09:30:00+00:00.",
    "bad_time": "{field} takes a time of day written as 09:30.",
    "bad_zone": "{field} takes an IANA time zone such as America/Lima.",
    "bad_format": "This is not {what}. Write it like {example}.",
    "ambiguous_number": "This number can be read in two ways, and no other cell of the file says which. "
    "For 1.250 write 1250, or 1.25.",
    "ambiguous_date": "This date can be read in two ways, and no other cell of the file says which. "
    "Write it like 2026-01-31.",
    "short_year": "The year of this date has two digits, which may be of two centuries. Write it like {example}.",
    "bad_email": "{field} takes one e-mail address such as ana@example.com.",
    "bad_url": "{field} takes a web address that begins with https:// or http://.",
    "bad_phone": "{field} takes one telephone number with 3 to 15 digits, such as +51 987 654 321: {reason}.",
    "bad_boolean": "{field} takes true or false.",
    "bad_currency": "{field} takes a currency of three capital letters, such as PEN.",
    "bare_amount": "{field} has no currency, nor has the organisation: write it with the amount, such as 1200.00 PEN.",
    "ambiguous_currency": "{sign} may stand for {currencies}. Write the code, such as 1200.00 PEN.",
    "currency_twice": "{field} is in {first}, its column of currencies says {second}.",
    "no_rate": "{field} is in {currency}, the organisation counts in {home}: say what it is worth in {home}, "
    "in a column {field}.home of the file, in Python as Money('100', '{currency}', home='375').",
    "no_currency": "{field} is an amount of money, and the organisation counts in no currency. Set its currency first.",
    "home_amount": "{field} has a home amount that contradicts its amount: {reason}.",
    "bad_id": "{id} is not a record id: {reason}. Copy the id again from where it came.",
    "not_an_id": "{field} takes the id of a record: {reason}. Copy the id again from where it came.",
    "no_such_user": "{field} takes a user, named by record id, e-mail or handle: nobody answers to what was given.",
    "wrong_module": "{field} takes a record of {expected}, and the id given is of {given}.",
    "not_unique": "{field} must be unique, and another record has this value.",
    "out_of_sight": "Something that you may not see stands against it in {module}.",
    "bad_link": "{field} names a record that does not exist.",
    "ambiguous_link": "{field} names several records: {candidates}. Give the id of one.",
    "misfit_column": "Column {column} was left out, with all its values: most of them are none of {field}.",
    "uneven_rows": "Rows that have not as many cells as the header: {count}; line (cells): {lines}.",
    "unmapped_column": "Column {column} fills no field of {module} ({because}); its values are left out.",
    "bad_rule": "{message}",
    "bad_argument": "{argument}: {reason}.",
    # filters, queries
    "filter_syntax": "The filter cannot be read at character {position}: {reason}. {hint}",
    "filter_operator": "{field} is of type {type} and does not know the operator {operator}. It knows: {known}.",
    "filter_value": "{field} cannot be compared with this value: {reason}.",
    "filter_truth": "A filter has no truth of its own: combine filters with &, | and ~, not with and, or, not.",
    "filter_context": "The filter names {what}, which has no meaning here.",
    "filter_depth": "The filter is nested deeper than {limit} levels.",
    "filter_links": "The filter follows more than {limit} links in a row. Ask for the linked records first.",
    "filter_size": "The filter has {size} conditions, of which {limit} can be asked at once. Put values into lists.",
    "filter_values": "The filter lists {size} values, of which {limit} can be asked at once. Ask in parts.",
    "cursor_damaged": "This page cursor is damaged. Begin again at the first page.",
    "cursor_foreign": "This page cursor belongs to another query. Use it with the filter and sort it was made for.",
    # records and plans
    "not_found": "There is no record {id} in {module}, or you may not see it.",
    "purged": "Record {id} of {module} was purged: it went for good, and its past with it.",
    "not_deleted": "Record {id} is not in the recycle bin: there is nothing to take out.",
    "no_operation": "There is no operation {id}, or you may not see it.",
    "stale": "Record {id} was changed by somebody else (version {actual}, yours was {expected}). Read it again.",
    "drifted": "{count} of the plan's records changed since it was made. Make the plan again.",
    "outdated": "Rights, settings, modules or fields changed since the plan was made. Make the plan again.",
    "refused": "The plan was not applied. Refused changes: {count}; the first: {first} {hint}",
    "denied": "{user} may not {action} in {module}.",
    "denied_of": "{user} may not {action} {id}: it takes the whole of the record. Ask its owner.",
    "required_closed": "{field} of {module} is required, has no default, and may not be written by those of {profile}, "
    "who may create records there. Let them write it, do not let them create, or give the field a default.",
    "cannot_fill": "You may not create in {module}: {field} is required, and you may not write it. Let an "
    "administrator permit that, or give the field a default.",
    "cannot_fill_unseen": "You may not create in {module}: a field is required there that you may not see. Let an "
    "administrator permit that, or give the field a default.",
    "no_delegation": "There is no delegation with {user} that holds now. Ask for one, or work in your own name.",
    "not_lent": "You have lent nothing to {user}: there is nothing to take back.",
    "only_reading": "What {user} sees is looked at here, and nothing is written. Write in your own name.",
    "bad_delegation": "This cannot be delegated: {reason}.",
    "undo_foreign": "{id} cannot be taken back: {reason}.",
    "operation_moved": "Operation {id} went on elsewhere meanwhile, or was taken back. Look at it before you go on.",
    "empty_filter": "An empty filter means every record: say EVERYTHING where that is meant.",
    "referenced": "Record {id} is still linked from {module} ({count}).",
    "choice_in_use": "{field} of {module} cannot lose the choice {choice}: records have it ({count}). Change them.",
    "legal_hold": "{id} is under the legal hold {hold}: nothing of it is erased or purged until that is lifted.",
    "bad_snapshot": "This snapshot of access cannot be read: {reason}. Take a new one with access_snapshot.",
    "bad_permissions": "These permissions cannot be read: {reason}.",
    "shown_always": "{field} is set by nubetis and shown with every record: it cannot be hidden.",
    "bad_principal": "{given} is nobody. Name a user, a role (with + for those below it), a group, or everybody.",
    "raises_rights": "This would give {user} {what} that you have not got yourself. Let an administrator do it.",
    "keeps_lent": "{user} acts for another here and would keep {what} when that ends. Let the one in whose name it is "
    "do this himself.",
    "takes_over": "{user} may do more than you. Let an administrator change how he signs in, and whether.",
    "bad_share": "A share cannot be so: {reason}.",
    "related_beyond": "With related records this share gives {level} of {related}, where having the parent gives "
    "{given}. Share to no more than that or without related, share those records one by one, or let an administrator "
    "do it.",
    "role_circle": "The role {id} would be above itself. Let it report to a role that is not below it.",
    "role_in_use": "The role {id} is needed by {by}. Give that another one first.",
    "profile_in_use": "The profile {id} is needed by {by}. Give that another one first.",
    "group_circle": "The group {id} would be a member of itself. Take it, or what holds it, out of its members.",
    "unknown_member": "{by} names {id}, which is not there. Name another.",
    "still_named": "{id} is still named by {by}, and stays. Take it out there first. {hint}",
    "permission_lacks": "{id} permits {permission}, which needs {need}. Permit that as well, or neither.",
    "unknown_sharing": "{by} speaks of {what}, of which nothing can be said. Name a module of records and its fields.",
    "bad_sharing": "The sharing of {by} cannot be so: {reason}.",
    "still_used": "{id} is in use and needs {field}. Deactivate a user first, and put anything else into the recycle "
    "bin.",
    "last_administrator": "An active administrator with an e-mail must remain. Make somebody else administrator first.",
    "bad_user_state": "A user who is {old} cannot become {new}. What may follow: {allowed}.",
    "no_licence": "The edition has {limit} licences, and {count} persons would be active. Deactivate somebody first, "
    "or take an edition with more.",
    "edition_limit": "The edition allows {limit} {what}, and there would be {count}. Make fewer, or take an edition "
    "with more.",
    "edition_lacks": "The edition lacks {feature}, and {count} would be there. Take them away first, or take an "
    "edition that has it.",
    "not_in_edition": "The edition has no part that lets anybody {action} in {module}. Take an edition that has it.",
    "edition_of_host": "The edition is set by the host alone. Ask whoever runs this organisation.",
    "built_in": "{what} is built in: {reason}.",
    "no_heir": "Nobody takes over {count} of {module}. Say who: to=… for everything, or records=… for this module.",
    "bad_heir": "{user} cannot take anything over: {reason}. Name another user.",
    "locked_yet": "Custom {what} can be made once {wanted} persons are active; {active} are. Activate more first.",
    "closed": "This {what} is closed. Open it again.",
    "read_only_session": "This session may only read.",
    "cancelled": "Stopped as asked, after {done} records. Resume the operation or undo it.",
    # schema
    "schema_system": "{name} is part of nubetis and cannot be changed so: {reason}.",
    "schema_needed": "{name} cannot be retired: {reason}. Name another field there first.",
    "schema_type": "The type of {field} cannot be changed from {old} to {new}: make a new field and copy the values.",
    "schema_unique": "{field} is unique, and one change would compare it in another way: make it not unique first, "
    "then filterable or not, and unique again last.",
    "schema_pending": "A schema change is under way ({operation}). Resume it before another begins.",
    "schema_stale": "The schema was changed by somebody else. Read it again and repeat the change.",
    "foreign_plan": "What this plan writes in {module} was not planned by this organisation. Plan it with its session.",
    "applied_already": "This plan has been applied already: its new records in {module} are there.",
    "schema_records": "Modules are not changed as records: make a schema from org.schema and give it to org.alter().",
    "bad_rule_filter": "The rule {rule} of {module} could not be asked, so nothing was changed: {reason}",
    "bad_retention": "The rule of retention {rule} cannot be followed: {reason}.",
    "bad_setting": "The setting {name} cannot be so: {reason}.",
    "no_capability": "This store cannot do {what}. {hint}",
    # stores and files
    "no_database": "There is no organisation at {url}. Make one with nubetis.create(url, administrator=…).",
    "database_exists": "There is already an organisation at {url}. Open it with nubetis.open(url).",
    "half_made": "{url} was not finished when it was made, copied or restored. Copy or restore again with --replace "
    "(replace=True), or take it away and make a new one.",
    "miscopied": "What arrived in {module} is not what was sent, so the copy was left unfinished. Make it again.",
    "not_nubetis": "{url} holds something that nubetis did not write. Nothing was changed.",
    "not_replaced": "{url} also holds what nubetis did not make: {others}. Nothing was changed; take that away, or "
    "elsewhere, and replace again.",
    "depended_on": "What is to go at {url} is used by what nubetis did not make: {others}. Nothing of it was taken "
    "away; take that away, or elsewhere, and repeat this, or open the organisation again.",
    "columns_used_up": "A table at {url} has had 1,600 columns, with those that are gone, and PostgreSQL gives it no "
    "more. Nothing was changed; copy the organisation into another schema, which begins anew: nubetis copy.",
    "encoding_wrong": "The database at {url} keeps text as {encoding}, not as UTF8. Nothing was changed; make a "
    "database with ENCODING 'UTF8' and name that.",
    "not_sqlite": "{url} is no database of nubetis. Name another file; where it was one, move it away and restore "
    "a back-up.",
    "no_folder": "There is no folder {folder}, where {url} is to be. Make it first, or name another.",
    "unrestorable": "{file} cannot be restored: {reason}. Take another back-up.",
    "not_backed_up": "{file} is damaged, and a copy could not be restored, so none was made: {reason}. Let nubetis "
    "doctor say what is wrong and, with --repair, put it right; or restore an earlier back-up.",
    "newer_format": "{url} was written by a later nubetis (format {found}; this one knows {known}). Upgrade nubetis.",
    "damaged": "{what} is damaged: {reason}. Restore a back-up: nubetis restore.",
    "unwritten": "The system let nothing more be written to {url}: a quota or a limit on the size of files is reached, "
    "or the disk fails. Nothing of this change was written; mend that and repeat it.",
    "disk_full": "There is no room left at {url}. Nothing of this change was written; make room and repeat it.",
    "no_temporary": "The folder for temporary files cannot be used: {reason}. It takes large plans, a person's data "
    "and what is restored to a server: make room there, or name another in TMPDIR.",
    "store_busy": "{url} is held by another process for more than {seconds} s. Try again.",
    "unreachable": "{url} cannot be reached: {reason}. Check that the server runs, and that it lets you in.",
    "commit_unknown": "The connection to {url} was lost while it committed: this change may be there, whole, or not at "
    "all. Look before you make it again.",
    "store_failed": "The store could not do this: {reason}.",
    "read_only_store": "{url} cannot be written. Check the rights of the file and its folder.",
    "read_only_server": "The user of the database at {url} may not do this there, or the server takes no writes now "
    "({reason}). Opening an organisation writes: give the user USAGE and CREATE on the schema and all rights on its "
    "tables.",
    "no_schema": "There is no schema {schema} at {url} yet, and the user {user} of the database may not make it. Let "
    "an administrator of the server make it and give the user USAGE and CREATE on it, or let the user make it: "
    "GRANT CREATE ON DATABASE {database} TO {user}.",
    "tampered": "The journal was changed after it was written: {where}.",
    "unreadable": "{file} cannot be read: {reason}.",
    "unwritable": "{file} cannot be written: {reason}.",
    "bad_encoding": "{file} is not {encoding}: byte {position} does not fit. Name the encoding it has.",
    "bad_file": "{file}, line {line}: {reason}.",
    "unknown_format": "{file}: no file format answers to {suffix}. Known: {known}.",
    # the rest
    "missing_extra": "This needs {package}. Install it: pip install 'nubetis[{extra}]'.",
    "plugin": "Plug-in {plugin} failed in {hook}: {reason}.",
    "sign_in": "This sign-in is not complete: {reason}.",
}
"""Code → English sentence; the placeholders are the error's parameters."""


_Choice = TypeVar("_Choice", bound=StrEnum)


class _Shown(dict[str, object]):
    """Parameters, of which a missing one stays as it is written: to speak of an error must never fail."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def sentence(template: str, params: Mapping[str, object]) -> str:
    """Fill *template* with *params*; a placeholder without parameter stays, and what is no text is escaped.

    >>> sentence(MESSAGES["required"], {"field": "name"})
    'name is required. Give it a value.'
    """
    said = template.format_map(_Shown(params)).strip()
    said = said.removesuffix(".") if said.endswith("?.") else said  # a hint that asks has ended it
    return said.encode("utf-8", "backslashreplace").decode()  # lone surrogates: nobody could print the error


class NubetisError(Exception):
    """Root of all errors of nubetis.

    >>> error = NotFound("unknown_module", module="dealz", hint="Did you mean deals?")
    >>> error.code, str(error)
    ('unknown_module', 'There is no module dealz. Did you mean deals?')
    """

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        return self.message(MESSAGES.get(self.code, self.code))

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.code, self.params), self.__dict__

    def message(self, template: str) -> str:
        """Fill *template* with this error's parameters."""
        return sentence(template, self.params)


def _rebuild(kind: type[NubetisError], code: str, params: dict[str, object]) -> NubetisError:
    return kind(code, **params)


class InvalidValue(NubetisError, ValueError):
    """A value, a name or a text is not what it must be."""


def misused(argument: str, expected: str, given: object) -> InvalidValue:
    """Give the error for an argument of another type than *expected*.

    >>> str(misused("sort", "names of fields", 3))
    'sort: give names of fields, not int.'
    """
    return InvalidValue("bad_argument", argument=argument, reason=f"give {expected}, not {type(given).__name__}")


def require(given: object, kind: type, *, argument: str, expected: str) -> None:
    """Stop where an argument is not of *kind*: what a programmer mistyped says so at once, and in its own words.

    Raises:
        InvalidValue: ``bad_argument``.
    """
    if not isinstance(given, kind) or (kind is int and isinstance(given, bool)):
        raise misused(argument, expected, given)


def require_bool(given: object, *, argument: str) -> None:
    """Stop where an argument is neither yes nor no: ``"no"`` would be yes.

    Raises:
        InvalidValue: ``bad_argument``.
    """
    require(given, bool, argument=argument, expected="True or False")


def require_call(given: object, *, argument: str) -> None:
    """Stop where an argument cannot be called, before anything is written.

    Raises:
        InvalidValue: ``bad_argument``.
    """
    if not callable(given):
        raise misused(argument, "a function", given)


def require_count(given: object, *, argument: str) -> None:
    """Stop where an argument is no number of things that a store knows.

    Raises:
        InvalidValue: ``bad_argument``.
    """
    require(given, int, argument=argument, expected="a whole number")
    if isinstance(given, int) and not 0 <= given < 1 << 63:
        raise InvalidValue("bad_argument", argument=argument, reason="give a number from 0 on, below 2⁶³")


def names_of(given: str | Iterable[str], *, argument: str, expected: str = "a list of names") -> tuple[str, ...]:
    """Give the names of one thing or of several.

    Raises:
        InvalidValue: ``bad_argument``.

    >>> names_of("email", argument="fields"), names_of(["email", "phone"], argument="fields")
    (('email',), ('email', 'phone'))
    """
    names = (given,) if isinstance(given, str) else given
    require(names, Iterable, argument=argument, expected=expected)
    found = tuple(names)
    for each in found:
        require(each, str, argument=argument, expected=expected)
    return found


def names_or_all(
    given: str | Iterable[str] | None, *, argument: str, expected: str = "a list of names"
) -> tuple[str, ...] | None:
    """Give the names of one thing or of several; ``None``, which means all, is only what nobody gave.

    A list that came out empty was to name something: to take it for all would lose what nobody named.

    Raises:
        InvalidValue: ``bad_argument``.
    """
    found = None if given is None else names_of(given, argument=argument, expected=expected)
    if found == ():
        raise InvalidValue("bad_argument", argument=argument, reason="none are given: leave it out for all")
    return found


def one_of(kind: type[_Choice], given: str, *, argument: str) -> _Choice:
    """Give the member of *kind* that is written so.

    Raises:
        InvalidValue: ``bad_argument``; there is none.
    """
    try:
        return kind(given)
    except ValueError:
        raise InvalidValue("bad_argument", argument=argument, reason=f"give {', '.join(kind)}") from None


class InvalidFilter(InvalidValue):
    """A filter does not fit its module, or its text cannot be read.

    ``params["position"]`` and ``params["end"]`` give the span in the text, where there is one.
    """


class InvalidCursor(InvalidValue):
    """A page cursor is damaged or belongs to another query."""


class NotFound(NubetisError, LookupError):
    """No such record, user, module, field, file or database, or none that the user may see."""


class Conflict(NubetisError):
    """Somebody else changed the record first.

    ``mine`` and ``theirs`` give the fields in question, with the value offered and the one found.
    """

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code, **params)
        self.mine: dict[str, object] = {}
        self.theirs: dict[str, object] = {}


class PlanDrifted(Conflict):
    """The records are no longer those that the plan saw, or rights, settings or modules are not.

    ``mine`` and ``theirs`` speak of a plan of one record.
    """


class AccessDenied(NubetisError):
    """The user may not do this."""


class Refused(NubetisError):
    """A plan holds refusals and was not applied; ``refusals`` lists them."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code, **params)
        self.refusals: tuple[object, ...] = ()


class Cancelled(NubetisError):
    """The caller asked to stop; the operation can be resumed or undone."""


class MissingExtra(NubetisError, ImportError):
    """An optional library is not installed."""


class PluginError(NubetisError):
    """A plug-in raised; the cause is chained and ``params["plugin"]`` names it."""


class StoreError(NubetisError):
    """The store cannot do its work."""


class StoreBusy(StoreError):
    """Others hold the store for too long; the same call may succeed later."""


class Damaged(StoreError):
    """What the store or the journal holds is not what was written."""


SYSTEM_REASONS: Final[Mapping[int, str]] = {
    errno.ENOENT: "there is no such file or folder",
    errno.ENOTDIR: "a part of its path is no folder",
    errno.EISDIR: "it is a folder",
    errno.EEXIST: "there is a file of this name",
    errno.EACCES: "its rights, or those of its folder, do not let you",
    errno.EPERM: "its rights, or those of its folder, do not let you",
    errno.EROFS: "what it lies on can only be read",
    errno.ENOSPC: "there is no room left",
    errno.EDQUOT: "there is no room left for you",
    errno.EFBIG: "it would be larger than a file may be",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ELOOP: "its links lead in a circle",
    errno.EIO: "the device fails",
    errno.EBUSY: "somebody else holds it",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
    errno.EPIPE: "nobody listens any more",
}
"""What the system says by number, in words of ours, so that they can be said in the user's language."""


def system_reason(error: OSError) -> str:
    """Give why the system refuses: in words of ours, or in those of who raised it without a number.

    >>> system_reason(FileNotFoundError(errno.ENOENT, "No such file or directory"))
    'there is no such file or folder'
    """
    if error.errno is None and error.args:
        return str(error)
    number = error.errno or 0
    return SYSTEM_REASONS.get(number) or f"the system refuses ({errno.errorcode.get(number, type(error).__name__)})"


UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)
"""What Python raises where stored text is not what nubetis writes; :func:`damage` makes an error of it."""


def damage(what: str, error: Exception) -> Damaged:
    """Give the error that says that *what* was read and is not what nubetis writes.

    >>> str(damage("The journal", ValueError()))
    'The journal is damaged: nubetis did not write it so (ValueError). Restore a back-up: nubetis restore.'
    """
    return Damaged("damaged", what=what, reason=f"nubetis did not write it so ({type(error).__name__})")


class NewerFormat(StoreError):
    """A later nubetis wrote this store."""
