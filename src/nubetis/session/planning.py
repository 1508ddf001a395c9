"""Making plans: what was offered becomes rows, or refusals with their reasons.

A :class:`Planner` lives for one unit.  It looks at each record once: fields by their type, then rights, links and
uniqueness for all of a part together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, cast

import attrs

from nubetis.access.decision import Action, Reason
from nubetis.access.policy import SETUP
from nubetis.data.merge import links_to
from nubetis.errors import AccessDenied, InvalidValue, NubetisError, Refused, require
from nubetis.model.bind import All, Bound, OneOf, Viewpoint, bind
from nubetis.model.evaluate import Predicate, matcher
from nubetis.model.fields import Field, FieldState, Value
from nubetis.model.filters import EVERYTHING, F, Filter
from nubetis.model.ids import encode
from nubetis.model.kinds import instant_text
from nubetis.model.kinds.base import pack_same
from nubetis.model.kinds.links import user_named
from nubetis.model.layout import Slot
from nubetis.model.money import Money
from nubetis.model.plan import Cause, CauseKind, ChangeKind, Creates, Edits, Part, Plan, Refusal
from nubetis.model.schema import DELETED_IN, ID, Module, key_of
from nubetis.session.asking import with_numbers
from nubetis.session.exact import exact
from nubetis.session.gathered import Links, Retired, Uniques
from nubetis.session.granting import granting_refusals
from nubetis.session.seen import Sight
from nubetis.session.spool import Spool
from nubetis.session.staffing import staffing_refusals
from nubetis.session.taking import refuse_keeping
from nubetis.session.targets import share_refusals
from nubetis.session.world import LIVE, Known, TxnRelated, World
from nubetis.types import Key, ModuleId, ModuleName, RecordId, Row, Stored

if TYPE_CHECKING:
    from nubetis.access.policy import Policy
    from nubetis.model.store import Txn

__all__ = ["STRUCTURAL", "Planner", "refuse_definitions", "staying"]

STRUCTURAL: Final = frozenset(
    {"users", "roles", "profiles", "permission_sets", "groups", "sharing_defaults", "sharing_rules", "settings"}
)
"""Modules whose changes move the access version and must keep its invariants; the edition is a setting."""

_NEEDED: Final = {
    ChangeKind.CREATE: Action.CREATE,
    ChangeKind.DELETE: Action.DELETE,
    ChangeKind.RESTORE: Action.DELETE,
    ChangeKind.PURGE: Action.DELETE,
}
"""What one must be allowed for a kind of change, where it is not to edit."""

_CHUNK: Final = 500


@attrs.frozen(kw_only=True)
class Planner:
    """Makes the parts of plans for one user, in one transaction."""

    world: World
    known: Known
    txn: Txn
    sight: Sight
    view: Viewpoint
    user: Key | None
    actor: Key | None
    promised: frozenset[tuple[str, Key]] = frozenset()
    """Prefix and key of records that earlier parts of the plan make: links may lead there."""

    @property
    def policy(self) -> Policy:
        """What the user may do."""
        return self.sight.policy

    # which records -----------------------------------------------------------------------------------------
    def bound(self, module: Module, where: Filter, action: Action) -> Bound:
        """Give *where* and the user's own limits, bound.

        Raises:
            AccessDenied: the user may not do *action* in *module* at all.
        """
        self.require(action, module)
        if where == EVERYTHING:
            return self.sight.granted(action, module, self.view, LIVE)
        wanted = bind(where, module, self.known.schema, self.view)
        return All((LIVE, wanted, self.granted(module, action)))

    def granted(self, module: Module, action: Action) -> Bound:
        """Give the records of *module* to which the user may do *action*."""
        return self.sight.granted(action, module, self.view)

    def free(self, module: Module, grant: Filter) -> Bound:
        """Bind what a policy gives, which may look at what the user may not see."""
        return bind(grant, module, self.known.schema, self.view.freed())

    def require(self, action: Action, module: Module) -> None:
        """Stop one who may not do *action* in *module* at all."""
        step = self.policy.gate(action, module)
        if step.reason is Reason.EDITION:
            raise AccessDenied("not_in_edition", action=action.value, module=module.name)
        if not step.matched:
            raise AccessDenied("denied", user="This user", action=action.value, module=module.name)

    def require_all(self, parts: Sequence[Part], cause: Cause) -> None:
        """Stop one who may not write all of *parts*: they may have been planned by somebody else, or before."""
        many = _many(parts)
        for part in parts:
            refuse_keeping(self, part)
            action = _NEEDED.get(part.kind, Action.EDIT)
            self._require_fields(part, action)
            for each in _asked(part, cause, many):
                self.require(each, part.module)
                self._require_rows(part.module, each, part.rows if isinstance(part, Edits) else ())
            self._require_rows(part.module, Action.CREATE, _written(part)[1])
        for refusal in granting_refusals(self, parts):
            raise AccessDenied(refusal.code, **refusal.params)
        for refusal in share_refusals(self, parts):
            raise InvalidValue(refusal.code, **refusal.params)

    def _require_rows(self, module: Module, action: Action, rows: Iterable[Row]) -> None:
        if self.policy.grant(action, module) != EVERYTHING and not all(map(self.allowed(module, action), rows)):
            raise AccessDenied("denied", user="This user", action=action.value, module=module.name)

    def _require_fields(self, part: Part, action: Action) -> None:
        if isinstance(part, Edits) and not all(self.writes(part.module, field) for field in part.fields):
            raise AccessDenied("denied", user="This user", action=action.value, module=part.module.name)

    def allowed(self, module: Module, action: Action) -> Predicate:
        """Give the test of one row for *action*."""
        return self.fitting(module, self.granted(module, action))

    def test(self, module: Module, grant: Filter) -> Predicate:
        """Give the test of one row for a *grant*."""
        return self.fitting(module, self.free(module, grant))

    def fitting(self, module: Module, bound: Bound) -> Predicate:
        """Give the test of one row for what is *bound*."""
        found = matcher(bound, module.layout.full_index, TxnRelated(self.txn))
        return lambda row: found(module.layout.fill(row))

    def rows(self, module: Module, where: Bound) -> Iterator[Row]:
        """Give all rows that fit, in key order."""
        for batch in self.txn.stream(module, where):
            yield from zip(*batch, strict=True)

    def rows_of(self, module: Module, keys: Sequence[Key]) -> list[Row | None]:
        """Give the row of each key."""
        found: list[Row | None] = []
        for start in range(0, len(keys), _CHUNK):
            found += self.txn.get_many(module, keys[start : start + _CHUNK])
        return found

    def linked_to(self, part: Part) -> Iterator[tuple[Module, RecordId]]:
        """Give the records that link to one of *part*, as far as the user may see that; some more than once."""
        ids = [self._id(part.module, row) for row in part.rows]
        modules = [each for each in self.sight.schema.modules if self.policy.gate(Action.VIEW, each).matched]
        for module, field in links_to(modules, part.module):
            for start in range(0, len(ids), _CHUNK):
                where = self.bound(module, F[field.name].in_(ids[start : start + _CHUNK]), Action.VIEW)
                for (keys,) in self.txn.stream(module, where, columns=("id",)):
                    yield from [(module, encode(module.prefix, int(key or 0))) for key in keys]

    # values ------------------------------------------------------------------------------------------------
    def value(self, field: Field, offered: Value) -> Row:
        """Give the stored parts of what was *offered* for *field*."""
        if isinstance(offered, str) and "users" in field.targets and offered:
            offered = user_named(field, offered, lambda name: self.known.find_user(self.txn, name))
        value = field.check(offered)
        return self._priced(field, value) if isinstance(value, Money) else field.pack(value)

    def _priced(self, field: Field, money: Money) -> Row:
        """Give the stored parts of *money*, which says what it is in the organisation's currency."""
        home = self.known.currency
        if home is None:  # 100 USD and 100 PEN must not be taken for the same
            raise InvalidValue("no_currency", field=field.name)
        if money.currency != home:
            if money.home is None:
                raise InvalidValue("no_rate", field=field.name, currency=money.currency, home=home)
            return field.pack(money)
        if money.home not in {None, money.amount}:
            reason = f"the amount is in {home} already"
            raise InvalidValue("home_amount", field=field.name, reason=reason)
        amount, currency, _ = field.pack(money)
        return amount, currency, amount

    def writable(self, module: Module, name: str) -> Field:
        """Give the field *name* if the user may write it.

        Raises:
            NotFound: ``unknown_field``.
            InvalidValue: ``read_only``.
        """
        field = self.sight.module(module).field(name)
        if not self.writes(module, field):
            raise InvalidValue("read_only", field=name)
        return field

    def writes(self, module: Module, field: Field) -> bool:
        """Say whether the user may write *field*, which he may read, too."""
        may = self.policy.writes(module, field) and self.policy.reads(module, field)
        return may and field.type.name != "auto_number"

    # creating ----------------------------------------------------------------------------------------------
    def creates(self, module: Module, records: Iterable[Mapping[str, Value]]) -> tuple[Creates, list[Refusal]]:
        """Give the rows of new records, and what is refused, by line from 1."""
        self.require(Action.CREATE, module)
        refusals: list[Refusal] = []
        lines: list[int] = []
        rows = Spool(self._made(module, records, (lines, refusals)))
        gone = self.unfit(module, rows)
        if self.policy.grant(Action.CREATE, module) != EVERYTHING:
            may = self.allowed(module, Action.CREATE)
            gone |= {at: self._denied(module, row, Action.CREATE) for at, row in enumerate(rows) if not may(row)}
        refusals += [attrs.evolve(gone[at], record=None, line=lines[at]) for at in sorted(gone)]
        return Creates(module, staying(rows, gone)), refusals

    def _made(
        self, module: Module, records: Iterable[Mapping[str, Value]], found: tuple[list[int], list[Refusal]]
    ) -> Iterator[Row]:
        """Give rows with keys; note their lines, and what is refused, in *found*."""
        make, (lines, refusals) = self.row_maker(module), found
        keys: Iterator[Key] = iter(())
        for line, values in enumerate(records, start=1):
            require(values, Mapping, argument="records", expected="a list of values by field")
            try:
                row = make(values)
            except NubetisError as error:
                refusals += [_refusal(each, module, line) for each in self._faults(module, values) or [error]]
                continue
            key = next(keys, None)
            if key is None:
                keys = iter(self.world.keys.many(_CHUNK if lines else 1))
                key = next(keys)
            row[ID] = key
            lines.append(line)
            yield tuple(row)

    def row_maker(self, module: Module) -> Callable[[Mapping[str, Value]], list[Stored]]:
        """Give a function that makes a row, without key, of a record's values; it raises what stands against them."""
        empty = self._empty_row(module)
        places = [slot for slot in module.layout.slots.values() if self.writes(module, slot.field)]
        fillers = {str(slot.field.name): self._filler(slot) for slot in places}
        needed = [slot for slot in places if slot.field.required]
        closed = self._closed(module, empty)

        def make(values: Mapping[str, Value]) -> list[Stored]:
            if closed is not None:
                raise closed
            row = empty.copy()
            for name, offered in values.items():
                fill = fillers.get(name)
                if fill is None:
                    fill = self._filler(module.layout.slots[self.writable(module, name).name])
                fill(row, offered)
            for slot in needed:
                if row[slot.start] is None and set(row[slot.start : slot.stop]) == {None}:
                    raise InvalidValue("required", field=slot.field.name)
            return row

        return make

    def _closed(self, module: Module, empty: Sequence[Stored]) -> AccessDenied | None:
        """Give why the user cannot create in *module*, where a field is required that he may not write."""
        for slot in module.layout.slots.values():
            field = slot.field
            filled = field.type.name == "auto_number" or any(cell is not None for cell in empty[slot.start : slot.stop])
            if field.required and not filled and not self.writes(module, field):
                if self.policy.reads(module, field):
                    return AccessDenied("cannot_fill", module=module.name, field=field.name)
                return AccessDenied("cannot_fill_unseen", module=module.name)
        return None

    def _faults(self, module: Module, values: Mapping[str, Value]) -> list[NubetisError]:
        """Give all that stands against a record's values, of which making its row raises the first."""
        row, found = self._empty_row(module), dict[str, NubetisError]()
        if (closed := self._closed(module, row)) is not None:
            return [closed]
        for name, offered in values.items():
            try:
                self._filler(module.layout.slots[self.writable(module, name).name])(row, offered)
            except NubetisError as error:
                found[name] = error
        for slot in module.layout.slots.values():
            field = slot.field
            empty = all(cell is None for cell in row[slot.start : slot.stop])
            if field.required and empty and field.name not in found and self.writes(module, field):
                found[field.name] = InvalidValue("required", field=field.name)
        return list(found.values())

    def _filler(self, slot: Slot) -> Callable[[list[Stored], Value], None]:
        """Give the function that puts a value into a row: :meth:`value`, or a short way for what is kept as it is."""
        field, start, stop, check = slot.field, slot.start, slot.stop, slot.field.type.check

        def put(row: list[Stored], offered: Value) -> None:
            row[start] = None if offered is None or offered == "" else check(field, offered)

        def put_parts(row: list[Stored], offered: Value) -> None:
            row[start:stop] = self.value(field, offered)

        return put if field.type.pack is pack_same and "users" not in field.targets else put_parts

    def _empty_row(self, module: Module) -> list[Stored]:
        now = instant_text(self.view.now)
        row: list[Stored] = [None] * len(module.layout.columns)
        row[:9] = [None, 1, None, None, now, self.actor, now, self.actor, self.user]
        for slot in module.layout.slots.values():
            if slot.field.default is not None:
                row[slot.start : slot.stop] = self.value(slot.field, slot.field.default)
        return row

    def up_to_date(self, part: Part) -> Part:
        """Give *part*, where it makes records, as its module is now: fields that came since have their defaults."""
        now = self.known.schema.by_id.get(part.module.id)
        if now is None or now is part.module or not isinstance(part, Creates):
            return part
        places = [now.layout.index[column.name] for column in part.module.layout.columns]
        empty = self._empty_row(now)

        def filled(row: Row) -> Row:
            cells = dict(zip(places, row, strict=True))
            return tuple([cells.get(place, cell) for place, cell in enumerate(empty)])

        return Creates(now, Spool(map(filled, part.rows)))

    # editing -----------------------------------------------------------------------------------------------
    def edits(
        self,
        module: Module,
        rows: Iterable[Row],
        values: Mapping[str, Value],
        *,
        action: Action = Action.EDIT,
    ) -> tuple[list[Edits], list[Refusal]]:
        """Give the same new values for all of *rows*; records, and fields, that have them already do not change."""
        self.require(action, module)
        fields = tuple([self.writable(module, name) for name in values])
        after = tuple([cell for field in fields for cell in self._edited(field, values[field.name])])
        part = Edits(module, [], fields)
        refusals: list[Refusal] = []
        kept: Iterator[Row] = (row for row in rows if tuple([row[place] for place in part.places]) != after)
        for each in (action, Action.TRANSFER) if "owner" in values else (action,):
            kept = self._permitted(module, kept, each, refusals)
        different = Spool(kept)
        whole, refusals = self._fit(attrs.evolve(part, rows=different, after=[after] * len(different)), refusals)
        return list(exact(whole, after)), refusals

    def _permitted(self, module: Module, rows: Iterable[Row], action: Action, refusals: list[Refusal]) -> Iterator[Row]:
        """Give the rows to which the user may do *action*; note the others in *refusals*."""
        may = self.allowed(module, action)
        for row in rows:
            if may(row):
                yield row
            else:
                refusals.append(self._denied(module, row, action))

    def _edited(self, field: Field, offered: Value) -> Row:
        cells = self.value(field, offered)
        if field.required and all(cell is None for cell in cells):
            raise InvalidValue("required", field=field.name)
        return cells

    def _fit(self, part: Edits, refusals: list[Refusal]) -> tuple[Edits, list[Refusal]]:
        gone = self.unfit(part.module, part.changed_rows(), fields=part.fields, before=part.rows)
        refusals += [attrs.evolve(gone[at], record=self._id(part.module, part.rows[at])) for at in sorted(gone)]
        return attrs.evolve(part, rows=staying(part.rows, gone), after=staying(part.after, gone)), refusals

    def moves(self, module: Module, rows: Iterable[Row], kind: ChangeKind) -> tuple[Edits, list[Refusal]]:
        """Give the way of *rows* into the recycle bin or out of it."""
        self.require(Action.DELETE, module)
        refusals: list[Refusal] = []
        kept = Spool(self._permitted(module, rows, Action.DELETE, refusals))
        part = Edits(module, kept, kind=kind)
        if kind is not ChangeKind.RESTORE:
            return part, refusals
        gone = self.unfit(module, kept, before=kept)
        refusals += [attrs.evolve(gone[at], record=self._id(module, kept[at])) for at in sorted(gone)]
        return attrs.evolve(part, rows=staying(kept, gone)), refusals

    def _id(self, module: Module, row: Row) -> RecordId:
        return encode(module.prefix, key_of(row))

    def _denied(self, module: Module, row: Row, action: Action) -> Refusal:
        params = {"user": "This user", "action": action.value, "module": module.name}
        return Refusal(code="denied", params=params, module=module.name, record=self._id(module, row))

    # whole plans -------------------------------------------------------------------------------------------
    def checked(self, plan: Plan) -> Plan:
        """Let the plug-ins say what stands against *plan*; leave those records out.

        Raises:
            Refused: ``schema_records``; it would change definitions of modules.
        """
        refuse_definitions("planning", plan.parts)
        many = _many(plan.parts)
        for part in plan.parts:
            for action in _asked(part, plan.cause, many):
                self.require(action, part.module)
        if any(part.module.name in STRUCTURAL for part in plan.parts):
            plan = attrs.evolve(plan, access_version=self.txn.versions().access)
        parts = tuple([with_numbers(self, part) for part in plan.parts])
        plan = attrs.evolve(plan, parts=parts, schema=self.known.schema, at=self.view.now)
        refused = [*self.standing(plan), *granting_refusals(self, plan.parts), *self.world.extensions.validate(plan)]
        plan = attrs.evolve(plan, schema=self.sight.schema, unseen=self.sight.unseen())
        if not refused:
            return self.world.vouch(plan)
        gone = {(each.module, each.record) for each in refused if each.module is not None and each.record is not None}
        return self.world.vouch(
            attrs.evolve(plan, parts=without(plan.parts, gone), refusals=(*plan.refusals, *refused))
        )

    def standing(self, plan: Plan) -> list[Refusal]:
        """Give what the rules of nubetis's own modules have against single records of *plan*, on whatever road."""
        return [*staffing_refusals(self, plan), *share_refusals(self, plan.parts)]

    # what only all records together can tell ---------------------------------------------------------------
    def unfit(
        self,
        module: Module,
        rows: Iterable[Row],
        *,
        fields: Sequence[Field] | None = None,
        before: Iterable[Row] = (),
        going_back: bool = False,
    ) -> dict[int, Refusal]:
        """Give what stands against some of *rows*, by place: links that lead nowhere, values taken, choices retired.

        *before* says what they were, where they are not new.  *going_back* is for what was so before: its links are not
        asked where they lead, for that may come back, too, and its choices may be retired.
        """
        looked_at = [each for each in (module.all_fields if fields is None else fields) if _is_checked(each)]
        links = [Links(each, module.layout.index[each.column]) for each in looked_at if each.targets and not going_back]
        uniques = [Uniques(each, module.layout.index[each.column]) for each in looked_at if each.unique]
        checks: list[Links | Uniques] = [*links, *uniques]
        choosing = [] if going_back else [each for each in looked_at if any(one.retired for one in each.choices)]
        retired = [Retired(each, module.layout.index[each.column]) for each in choosing]
        earlier = iter(before)
        for place, row in enumerate(rows if checks or retired else ()):
            for check in checks:
                check.see(place, row)
            old = next(earlier, None)
            for each in retired:
                each.see(place, row, old)
        gone: dict[int, Refusal] = {}
        for link in links:
            gone |= {place: self.against("bad_link", module, link.field) for place in self._dangling(link)}
        for unique in uniques:
            gone |= {place: self.against("not_unique", module, unique.field) for place in self._taken(module, unique)}
        for choice in retired:
            gone |= {place: self.against("retired_choice", module, choice.field) for place in choice.places}
        return gone

    def against(self, code: str, module: Module, field: Field) -> Refusal:
        """Give what stands against a value of *field*; that there is such a field, only to those who may read it."""
        if not self.policy.reads(module, field):
            return Refusal(code="out_of_sight", params={"module": module.name}, module=module.name)
        params: dict[str, object] = {"field": field.name}
        if code == "retired_choice":
            params["choices"] = ", ".join(field.open_choices())
        return Refusal(code=code, params=params, module=module.name, field=field.name)

    def _dangling(self, links: Links) -> list[int]:
        present = self._present(links.places)
        return [place for pair, places in links.places.items() if pair not in present for place in places]

    def _present(self, wanted: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
        asked = set(wanted)
        found: set[tuple[str, int]] = asked & self.promised
        by_prefix: dict[str, list[Key]] = {}
        for prefix, key in asked - found:
            by_prefix.setdefault(prefix, []).append(Key(key))
        for prefix, keys in by_prefix.items():
            module = self.known.schema.by_prefix[prefix]
            may = self.allowed(module, Action.VIEW)
            rows = self.rows_of(module, keys)
            found |= {(prefix, key_of(r)) for r in rows if r is not None and r[DELETED_IN] is None and may(r)}
        return found

    def gone_links(self, parts: Iterable[Part]) -> int:
        """Give to how many records *parts* would link that have gone, into the recycle bin or for good."""
        wanted: set[tuple[str, int]] = set()
        made: set[tuple[str, int]] = set()
        for part in parts:
            fields, rows = _written(part)
            links = [Links(each, part.module.layout.index[each.column]) for each in fields if each.targets]
            for place, row in enumerate(rows if links else ()):
                for link in links:
                    link.see(place, row)
            wanted.update(*[link.places for link in links])
            made |= {(part.module.prefix, key_of(row)) for row in part.rows} if isinstance(part, Creates) else set()
        return len(wanted - made) - len(self.living(wanted - made))

    def living(self, wanted: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
        """Give those of *wanted*, by prefix and key, that are there and not in the recycle bin."""
        found: set[tuple[str, int]] = set()
        for prefix, pairs in groupby(sorted(wanted), key=itemgetter(0)):
            rows = self.rows_of(self.known.schema.by_prefix[prefix], [Key(key) for _, key in pairs])
            found |= {(prefix, key_of(row)) for row in rows if row is not None and row[DELETED_IN] is None}
        return found

    def _taken(self, module: Module, unique: Uniques) -> list[int]:
        owners = self._owners(module, unique.column, {value for _, value, _ in unique.seen})
        return [place for place, value, key in unique.seen if owners.setdefault(value, key) != key]

    def _owners(self, module: Module, column: str, values: set[Stored]) -> dict[Stored, int]:
        ordered = sorted(values, key=str)
        found: dict[Stored, int] = {}
        for start in range(0, len(ordered), _CHUNK):
            where = All((OneOf(column, tuple(ordered[start : start + _CHUNK])), LIVE))
            for keys, cells in self.txn.stream(module, where, columns=("id", column)):
                found |= dict(zip(cells, cast("Sequence[int]", keys), strict=True))
        return found


def _is_checked(field: Field) -> bool:
    return field.state is FieldState.ACTIVE and not field.system


def _many(parts: Iterable[Part]) -> set[tuple[ModuleId, ChangeKind]]:
    """Give of which modules several records change in one way, in however many parts."""
    counts: Counter[tuple[ModuleId, ChangeKind]] = Counter()
    for part in parts:
        counts[part.module.id, part.kind] += len(part)
    return {each for each, count in counts.items() if count > 1}


def _asked(part: Part, cause: Cause, many: Collection[tuple[ModuleId, ChangeKind]]) -> Iterator[Action]:
    """Give the actions that writing *part* is: one by one or many at once, by a file, by a merge, to another owner."""
    yield _NEEDED.get(part.kind, Action.EDIT)
    if cause.kind is CauseKind.IMPORT:
        yield Action.IMPORT
    elif cause.kind is CauseKind.MERGE and part.kind is ChangeKind.DELETE:
        yield Action.MERGE
    if not cause.kind.own and part.kind in _MANY and (part.module.id, part.kind) in many:
        yield _MANY[part.kind]
    if isinstance(part, Edits) and any(each.name == "owner" for each in part.fields):
        yield Action.TRANSFER


_MANY: Final = {ChangeKind.UPDATE: Action.MASS_UPDATE, ChangeKind.DELETE: Action.MASS_DELETE}


def _written(part: Part) -> tuple[Sequence[Field], Iterable[Row]]:
    """Give the fields that *part* writes, and the rows as they would be."""
    if isinstance(part, Creates):
        return [each for each in part.module.all_fields if _is_checked(each)], part.rows
    changed = part.kind is ChangeKind.UPDATE and part.after
    return part.fields, part.changed_rows() if changed else ()


def staying(rows: Sequence[Row], gone: Collection[int]) -> Sequence[Row]:
    """Give *rows* without those at the places *gone*."""
    return rows if not gone else Spool(row for place, row in enumerate(rows) if place not in gone)


def _refusal(error: NubetisError, module: Module, line: int) -> Refusal:
    field = error.params.get("field")
    return Refusal(
        code=error.code,
        params=error.params,
        module=module.name,
        line=line,
        field=None if field is None else str(field),
    )


def refuse_definitions(purpose: str, parts: Iterable[Part]) -> None:
    """Stop what would change definitions of modules as if they were records, other than to set up an organisation.

    Raises:
        Refused: ``schema_records``.
    """
    if purpose != SETUP and any(part.module.name == "modules" for part in parts):
        raise Refused("schema_records")


def without(parts: Iterable[Part], refused: set[tuple[ModuleName, RecordId]]) -> tuple[Part, ...]:
    """Give *parts* without the records that are refused."""
    found: list[Part] = []
    for part in parts:
        prefix, name = part.module.prefix, part.module.name
        gone = {at for at, row in enumerate(part.rows) if (name, encode(prefix, key_of(row))) in refused}
        rows = staying(part.rows, gone)
        after = staying(part.after, gone) if isinstance(part, Edits) and part.after else ()
        found.append(
            attrs.evolve(part, rows=rows, after=after) if isinstance(part, Edits) else Creates(part.module, rows)
        )
    return tuple(found)
