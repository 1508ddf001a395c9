"""What all sessions of an organisation share: its store, its schema and settings as last read, its clock and keys."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast
from weakref import WeakValueDictionary

import attrs

from nubetis.access.entitlements import EDITION, Entitlements, read_entitlements
from nubetis.errors import UNREADABLE, InvalidValue, NotFound, Refused, damage, require
from nubetis.model.bind import ALWAYS, All, Missing, OneOf, Test
from nubetis.model.convert import missing_type, schema_of
from nubetis.model.fields import Operator
from nubetis.model.fold import fold_exact, fold_text
from nubetis.model.ids import KeyMaker, decode, encode
from nubetis.model.kinds.texts import is_storable
from nubetis.model.money import CURRENCIES
from nubetis.model.nearest import suggest
from nubetis.model.plan import Cause, CauseKind, Part, Plan
from nubetis.model.query import BoundQuery
from nubetis.model.schema import DELETED_IN, Module, Schema, key_of
from nubetis.model.store import Store, Txn, Versions
from nubetis.model.system import SYSTEM_SCHEMA
from nubetis.types import Json, Key, RecordId, Row

if TYPE_CHECKING:
    from nubetis._plugins import Extensions
    from nubetis.access.directory import Directory
    from nubetis.model.fields import FieldType

__all__ = ["LIVE", "Known", "TxnRelated", "World", "check_first", "check_settings", "read_schema", "read_settings"]

FIRST_SETTINGS: Final = ("name", "currency")
"""What an organisation may be made with: the settings that nubetis itself reads."""
_LONGEST: Final = 60
_WORD: Final = re.compile(r"[a-z]+(_[a-z]+)*")
"""What may be the name of a module, and is no id of a record: those have digits."""

LIVE: Final = Missing("deleted_in")
"""Holds for records that are not in the recycle bin."""


@attrs.frozen(kw_only=True)
class Known:
    """What one unit knows of the organisation: schema and settings of the *versions* that its snapshot has."""

    schema: Schema = SYSTEM_SCHEMA
    settings: Mapping[str, Json] = attrs.field(factory=dict)
    versions: Versions = Versions(schema=-1, access=-1, settings=-1)

    @property
    def org_id(self) -> str:
        """What tells this organisation from all others, for ever."""
        return str(self.settings.get("id", ""))

    @property
    def currency(self) -> str | None:
        """The currency that the organisation counts in."""
        found = self.settings.get("currency")
        return None if found is None else str(found)

    @property
    def entitlements(self) -> Entitlements:
        """What the edition gives."""
        return read_entitlements(self.settings.get(EDITION, {}))

    def asked_module(self, record: object) -> Module | None:
        """Give the module that *record* names; ``None`` where it is a record, or may be the id of one.

        Raises:
            NotFound: ``unknown_module``; it is a word, and no module is called so.
        """
        named = isinstance(record, str) and (record in self.schema or _WORD.fullmatch(record) is not None)
        return self.schema.module(str(record)) if named else None

    def module_of(self, record: str) -> tuple[Module, Key]:
        """Give the module and the key that a record id names.

        Raises:
            NotFound: no module has such ids; as for a record that is not there.
        """
        prefix, key = decode(record)
        module = self.schema.by_prefix.get(prefix)
        if module is None or not module.journalled:
            raise NotFound("not_found", id=record, module="any module")
        return module, key

    def find_user(self, txn: Txn, name: str) -> RecordId:
        """Give the record id of the user with this record id, e-mail or handle.

        Raises:
            NotFound: ``unknown_user``.
            InvalidValue: ``bad_argument``; it is no text.
        """
        require(name, str, argument="user", expected="an e-mail, a handle or a record id")
        users = self.schema.module("users")
        if name.startswith(f"{users.prefix}_"):
            return name_if_living(txn, users, name)
        column, folded = ("email__f", fold_exact(name)) if "@" in name else ("handle__f", fold_text(name))
        where = All((Test(column, Operator.EQ, folded), LIVE))
        rows = txn.query(BoundQuery(module=users, where=where, limit=1)) if is_storable(name) else []
        if not rows:
            raise NotFound("unknown_user", user=name[:60])
        return encode(users.prefix, key_of(rows[0]))


@attrs.define(kw_only=True)
class World:
    """One open organisation, shared by its sessions and their threads.

    *last* is what was last learnt.  Each unit begins with :meth:`learn`, which reads one row, and keeps what it got:
    another thread that learns of a change meanwhile does not disturb it.
    *lease* gives the maker of keys of one process; a fork leases another, or both sides would make the same keys.
    """

    store: Store
    extensions: Extensions
    now: Callable[[], datetime]
    lease: Callable[[], KeyMaker]
    salt: Callable[[], str]
    last: Known = attrs.field(factory=Known)
    planned: WeakValueDictionary[tuple[int, CauseKind | None], Part] = attrs.field(
        factory=WeakValueDictionary, init=False
    )
    """The parts of plans that were made here, by identity and nubetis's own cause, for as long as somebody has them."""
    causes: WeakValueDictionary[int, Cause] = attrs.field(factory=WeakValueDictionary, init=False)
    """Nubetis's own causes of such plans."""
    directory: tuple[int, Directory] | None = attrs.field(default=None, init=False)
    """What was last learnt of everybody's access, with its version; see :mod:`nubetis.session.rosters`."""
    _leased: tuple[int, KeyMaker] | None = attrs.field(default=None, init=False)

    @property
    def keys(self) -> KeyMaker:
        """What makes keys in this process, leased the first time: that is not for the inside of a unit."""
        process = os.getpid()
        if self._leased is None or self._leased[0] != process:
            self._leased = process, self.lease()
        return self._leased[1]

    def settle(self) -> None:
        """Make ready to make keys, before a unit begins."""
        _ = self.keys

    def vouch(self, plan: Plan) -> Plan:
        """Give *plan*, whose parts were made and checked here."""
        own = _own(plan)
        self.causes.update({id(plan.cause): plan.cause} if own else {})
        self.planned.update({(id(part), own): part for part in plan.parts})
        return plan

    def refuse_foreign(self, plan: Plan) -> None:
        """Stop a plan that nobody checked, or not for its cause: made by hand, or by another organisation.

        Raises:
            Refused: ``foreign_plan``.
        """
        own = _own(plan)
        undoes = None if plan.undo_of is None else encode("ope", plan.undo_of)
        said = undoes == (plan.cause.detail.get("operation") if own is CauseKind.UNDO else None)
        if not said or (own and self.causes.get(id(plan.cause)) is not plan.cause):
            raise Refused("foreign_plan", module=plan.parts[0].module.name if plan.parts else "operations")
        for part in plan.parts:
            if self.planned.get((id(part), own)) is not part:
                raise Refused("foreign_plan", module=part.module.name)

    def learn(self, txn: Txn) -> Known:
        """Give what *txn* sees of the organisation; schema and settings are read anew where their version moved."""
        found, last = txn.versions(), self.last
        if found == last.versions:
            return last
        same = found.schema == last.versions.schema
        schema = last.schema if same else read_schema(txn, self.extensions.field_types(), version=found.schema)
        same = found.settings == last.versions.settings
        settings = last.settings if same else read_settings(txn, schema)
        learnt = self.last = Known(schema=schema, settings=settings, versions=found)
        return learnt  # not self.last: another thread may have put there what its older snapshot sees

    def read_definitions(self, texts: Sequence[str], *, version: int) -> Schema:
        """Give the schema that stored definitions make, see :func:`read_schema`."""
        return _schema_of(texts, self.extensions.field_types(), version=version)


def _own(plan: Plan) -> CauseKind | None:
    return plan.cause.kind if plan.cause.kind.own else None


def read_schema(txn: Txn, types: Mapping[str, FieldType], *, version: int) -> Schema:
    """Give the schema whose definitions *txn* sees; *types* are the field types by name.

    Raises:
        Damaged: they are not what nubetis writes.
        NotFound: ``missing_plugin``; a field's type comes from a plug-in that was not handed over.
    """
    module = SYSTEM_SCHEMA.module("modules")
    definition, number = module.layout.index["definition"], module.layout.index["number"]
    rows = [row for batch in txn.stream(module) for row in zip(*batch, strict=True)]
    texts = [str(row[definition]) for row in rows if row[DELETED_IN] is None]
    if not texts:  # an organisation that is being made
        return SYSTEM_SCHEMA
    following = 1 + max(cast("int", row[number]) for row in rows)
    return attrs.evolve(_schema_of(texts, types, version=version), next_module=following, base=version)


def _schema_of(texts: Sequence[str], types: Mapping[str, FieldType], *, version: int) -> Schema:
    try:
        return schema_of(texts, types=types, version=version)
    except UNREADABLE as error:
        missing = next(filter(None, [missing_type(text, types) for text in texts]), None)
        raise missing or damage("The definition of a module", error) from error


def name_if_living(txn: Txn, module: Module, name: str) -> RecordId:
    """Give *name* back if it is the id of a living record.

    Raises:
        NotFound: ``unknown_user``.
    """
    _, key = decode(name)
    row = txn.get_many(module, [key])[0]
    if row is None or row[DELETED_IN] is not None:
        raise NotFound("unknown_user", user=name[:60])
    return RecordId(name)


def living(txn: Txn, module: Module) -> list[Row]:
    """Give all living records of a small module, in key order."""
    where = LIVE if module.journalled else ALWAYS
    return [row for batch in txn.stream(module, where) for row in zip(*batch, strict=True)]


def read_settings(txn: Txn, schema: Schema) -> dict[str, Json]:
    """Give the organisation's settings by name."""
    try:
        return {name: json.loads(text) for name, text in _setting_texts(txn, schema)}
    except UNREADABLE as error:
        raise damage("A setting of the organisation", error) from error


def _setting_texts(txn: Txn, schema: Schema) -> list[tuple[str, str]]:
    module = schema.module("settings")
    name, value = module.layout.index["name"], module.layout.index["value"]
    return [(str(row[name]), str(row[value])) for row in living(txn, module)]


def check_settings(txn: Txn, schema: Schema, *, org_id: str) -> None:
    """Make sure that the organisation can live with its settings; *org_id* is what its own must stay, if it has one.

    Raises:
        InvalidValue: ``bad_setting``; the transaction must not be committed.
    """
    settings: dict[str, Json] = {}
    for name, text in _setting_texts(txn, schema):
        try:
            settings[name] = json.loads(text)
        except (ValueError, RecursionError):
            raise InvalidValue("bad_setting", name=name, reason="its value is not JSON") from None
    found = settings.get("id", "")
    if not found or found != (org_id or found):
        raise InvalidValue("bad_setting", name="id", reason="it tells this organisation from others for ever")
    _check_values(settings)


def check_first(settings: Mapping[str, Json]) -> None:
    """Make sure that an organisation can be made with these *settings*; hosts write further ones as records.

    Raises:
        InvalidValue: ``bad_setting``.
    """
    for name in settings:
        if name not in FIRST_SETTINGS:
            hint = suggest(str(name)[:_LONGEST], FIRST_SETTINGS).rstrip(".?")
            raise InvalidValue("bad_setting", name=str(name)[:_LONGEST], reason=f"no such setting; {hint}")
    _check_values(settings)


def _check_values(settings: Mapping[str, Json]) -> None:
    """Make sure that nubetis can live with the values of the settings that it knows.

    Raises:
        InvalidValue: ``bad_setting``.
    """
    name = settings.get("name")
    if not isinstance(name, str) or not name.strip():
        raise InvalidValue("bad_setting", name="name", reason="an organisation has a name")
    if not is_storable(name):
        raise InvalidValue("bad_setting", name="name", reason="no text holds NUL or half of a surrogate pair")
    if EDITION in settings:
        read_entitlements(settings[EDITION])
    if "currency" in settings and str(settings["currency"]) not in CURRENCIES:
        reason = "it takes a code of ISO 4217, in capital letters, such as PEN"
        raise InvalidValue("bad_setting", name="currency", reason=reason)


@attrs.frozen
class TxnRelated:
    """Finds linked records for the evaluator, in a transaction."""

    txn: Txn

    def by_key(self, module: Module, key: int) -> Row | None:
        """See :class:`nubetis.model.evaluate.Related`."""
        row = self.txn.get_many(module, [Key(key)])[0]
        if row is None or (module.journalled and row[DELETED_IN] is not None):
            return None
        return module.layout.fill(row)

    def by_link(self, module: Module, column: str, key: int) -> Iterable[Row]:
        """See :class:`nubetis.model.evaluate.Related`."""
        where = All((OneOf(column, (key,)), *([LIVE] if module.journalled else [])))
        for batch in self.txn.stream(module, where):
            yield from map(module.layout.fill, zip(*batch, strict=True))
