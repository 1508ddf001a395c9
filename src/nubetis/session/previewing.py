"""Looking before: whether a plan may stand, who would gain and lose what by it, and who may do something now.

The last two ask for the function *explain access*: they tell of others' rights.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

import attrs

from nubetis.access.compare import ByParent, Comparison, Difference, Handed, UserChange
from nubetis.access.decision import Action
from nubetis.access.directory import Directory, Reach
from nubetis.access.intervals import Intervals
from nubetis.access.permissions import Permissions
from nubetis.access.policy import INVOLVING, policy_of
from nubetis.access.sharing import GRANTED, NEEDED, Level, Principal
from nubetis.errors import one_of, require
from nubetis.model.ids import decode, encode
from nubetis.model.kinds import instant_text
from nubetis.model.plan import Edits, Part, Plan
from nubetis.model.record import Record
from nubetis.model.schema import DELETED_IN, key_of
from nubetis.model.system import DELEGATIONS
from nubetis.session.explaining import require_insight
from nubetis.session.planning import STRUCTURAL
from nubetis.session.previewed import Numbers, done_and_taken_back
from nubetis.session.rosters import check_asking, check_people, compared, directory_of, read_roster, rows_with
from nubetis.session.targets import kept_shares
from nubetis.session.world import LIVE
from nubetis.types import Key, ModuleId, ModuleName, RecordId, Row, Stored

if TYPE_CHECKING:
    from nubetis.model.schema import Module, Schema
    from nubetis.session.door import Session
    from nubetis.session.state import State

__all__ = ["AccessChange", "Gain", "check_plan", "preview", "who_can"]


@attrs.frozen(kw_only=True)
class Gain:
    """What changes for one user in one module: records *gained* and *lost*, by level: ``{"read": 12, "write": 3}``.

    Counted are records by their owners, of whom some may have none yet, and those that get another owner.  *everybody*
    is the level to which the user has everybody's records, before and after, which an administrator has to the full.
    *rules* are the names of the rules on values that come and go, whose records are not counted; nor are those that
    come and go *by_parent*, with the records that a field links: ``{"account": "write"}``, to whomever it may concern.
    Where it is *exact* the records that he sees, edits and deletes were compared, by whatever they come and go.
    """

    module: ModuleName
    gained: Mapping[str, int]
    lost: Mapping[str, int]
    everybody: tuple[str, str]
    rules_gained: tuple[str, ...] = ()
    rules_lost: tuple[str, ...] = ()
    by_parent_gained: Mapping[str, str] = attrs.field(factory=dict)
    by_parent_lost: Mapping[str, str] = attrs.field(factory=dict)
    exact: bool = False

    @property
    def gains(self) -> bool:
        """Whether anything is gained."""
        return bool(self.gained or self.rules_gained or self.by_parent_gained) or _rises(*self.everybody)

    @property
    def loses(self) -> bool:
        """Whether anything is lost."""
        return bool(self.lost or self.rules_lost or self.by_parent_lost) or _rises(*reversed(self.everybody))


def _rises(before: str, after: str) -> bool:
    return Level.parse(after) > Level.parse(before)


@attrs.frozen(kw_only=True)
class AccessChange:
    """What changes for one user: in modules, and the permissions that he gains and loses, as ``leads.export``.

    *fields* have their levels before and after: ``{"contacts.email": ("edit", "hidden")}``.  *signs_in* says whether he
    may sign in, before and after: who may not has nothing, and so gains and loses nothing by other changes.  Who may no
    longer *keeps* what he owns, as many records by module: they are his, and others see them as before.  *acts_for*
    are the users for whom he may act, now or later, or no longer.
    """

    user: RecordId
    modules: tuple[Gain, ...] = ()
    permissions_gained: tuple[str, ...] = ()
    permissions_lost: tuple[str, ...] = ()
    fields_gained: Mapping[str, tuple[str, str]] = attrs.field(factory=dict)
    fields_lost: Mapping[str, tuple[str, str]] = attrs.field(factory=dict)
    signs_in: tuple[bool, bool] = (True, True)
    keeps: Mapping[ModuleName, int] = attrs.field(factory=dict)
    acts_for_gained: tuple[RecordId, ...] = ()
    acts_for_lost: tuple[RecordId, ...] = ()

    @property
    def gains(self) -> bool:
        """Whether he gains anything."""
        more = self.permissions_gained or self.fields_gained or self.signs_in == (False, True) or self.acts_for_gained
        return bool(more) or any(each.gains for each in self.modules)

    @property
    def loses(self) -> bool:
        """Whether he loses anything."""
        less = self.permissions_lost or self.fields_lost or self.signs_in == (True, False) or self.acts_for_lost
        return bool(less) or any(each.loses for each in self.modules)


def check_plan(session: Session, plan: Plan) -> None:
    """Stop where :meth:`~nubetis.session.Session.apply` would stop at *plan* for what people, rights and sharing need.

    Nothing is written.

    Raises:
        Refused: ``last_administrator``, ``role_circle`` and the others of
            :func:`~nubetis.access.invariants.check_roster`; ``raises_rights``.
        AccessDenied: the user may not write all of the plan.
    """
    require(plan, Plan, argument="plan", expected="a plan")

    def work() -> None:
        session.state.planner().require_all(plan.parts, plan.cause)
        if parts := _structural(plan):
            check_people(session.state, parts)

    session.state.read(work)


def _structural(plan: Plan) -> list[Part]:
    return [part for part in plan.parts if part.module.name in STRUCTURAL]


def preview(session: Session, plan: Plan, *, exact: bool = False) -> list[AccessChange]:
    """Give what *plan* would change for each user: one of people, roles, profiles, groups, sharing, or of owners.

    Nothing is written.  What else a plan of records changes (values that rules ask for, parents, shares) is not looked
    at, nor the shares of single records that come and go with a group or role, unless it shall be *exact*: then the
    plan is carried out in a transaction that is taken back, and what each user sees, edits and deletes is compared.

    Cost: the roster is read twice; some 10 ms for each thousand users and thousand different answers, and a µs for each
    record that gets another owner.  Where it is *exact*, that of applying the plan besides, with the store's lock of
    writers, and of reading twice the ids of all that each user has.

    Raises:
        AccessDenied: the user may not explain access.
        Refused: ``bad_sharing``; a new rule asks for a field that he may not read.  Where it is *exact*, whatever
            applying the plan raises.
    """
    require(plan, Plan, argument="plan", expected="a plan")
    state = session.state

    def work() -> list[AccessChange]:
        require_insight(state)
        parts = _structural(plan)
        before = directory_of(state.world, state.txn, state.versions.access)
        after = read_roster(state.txn, parts, known=before.roster, touched={part.module.id for part in parts})
        check_asking(state, after)
        handed = _handed(plan)
        comparison = compared(state, before, Directory(after), handed=handed, felt=True)
        counted = _Counted(state, before, handed)
        told = [_told(change, comparison, state.known.schema, counted) for change in comparison.changes()]
        told = list(_with_acting(told, *_acting(state, plan.parts, comparison)))
        told = (
            list(_exactly(told, done_and_taken_back(state, lambda: session.apply(plan)), comparison, state))
            if exact
            else told
        )
        return [each for each in told if each.gains or each.loses]

    return state.write(work) if exact else state.read(work)


def _exactly(
    told: Iterable[AccessChange], numbers: Numbers, comparison: Comparison, state: State
) -> Iterator[AccessChange]:
    """Give what changes with the numbers of records that come and go, and for whom else any do."""
    schema, known = state.known.schema, {each.user: each for each in told}
    empty = {each.name for each in schema.modules if not each.system and not state.txn.count(each, LIVE, limit=1)}
    for user in sorted(known.keys() | {encode("use", key) for key, _ in numbers}):
        change, key = known.get(user, AccessChange(user=user)), decode(user)[1]
        gains = {each.module: each for each in change.modules}
        for module in schema.modules:
            if (key, module.id) in numbers and module.name not in gains:
                levels = comparison.everything(key, module.id)
                everybody = levels[0].text, levels[1].text
                gains[module.name] = Gain(module=module.name, gained={}, lost={}, everybody=everybody)
        exact = [
            attrs.evolve(each, exact=True)  # nothing is there yet
            if each.module in empty
            else _exact(each, numbers.get((key, schema.module(each.module).id), ({}, {})))
            for each in gains.values()
        ]
        yield attrs.evolve(change, modules=tuple([each for each in exact if each.gains or each.loses]))


def _exact(gain: Gain, numbers: tuple[Mapping[str, int], Mapping[str, int]]) -> Gain:
    return attrs.evolve(gain, gained=numbers[0], lost=numbers[1], exact=True)


_Pairs: TypeAlias = "set[tuple[Key, Key]]"
"""Those who may act for another, and for whom."""


def _acting(state: State, parts: Iterable[Part], comparison: Comparison) -> tuple[_Pairs, _Pairs]:
    """Give who acts for whom, before and after: two who are active."""
    now = instant_text(state.world.now())
    before, after = (
        {
            (Key(int(delegate)), Key(int(user)))
            for _, delegate, user, until in rows_with(state.txn, given, DELEGATIONS, "delegate", "user", "until")
            if delegate is not None and user is not None and (until is None or str(until) > now)
            if {Key(int(delegate)), Key(int(user))} <= side.roster.users.active
        }
        for given, side in (((), comparison.before), (parts, comparison.after))
    )
    return before, after


def _with_acting(told: Iterable[AccessChange], before: _Pairs, after: _Pairs) -> Iterator[AccessChange]:
    """Give what changes, with those for whom somebody may act from now on, or no longer."""
    known = {each.user: each for each in told}
    for delegate in {pair[0] for pair in before ^ after}:
        user = encode("use", delegate)
        come, go = (
            tuple(sorted([encode("use", other) for each, other in pairs if each == delegate]))
            for pairs in (after - before, before - after)
        )
        known[user] = attrs.evolve(known.get(user, AccessChange(user=user)), acts_for_gained=come, acts_for_lost=go)
    yield from known.values()


def _handed(plan: Plan) -> Handed:
    """Give how many records get which owner by *plan*."""
    found: dict[ModuleId, Counter[tuple[Key | None, Key | None]]] = {}
    for part in plan.parts:
        if isinstance(part, Edits) and any(field.name == "owner" for field in part.fields):
            at = part.module.layout.index[part.module.field("owner").column]
            pairs = [(row[at], changed[at]) for row, changed in zip(part.rows, part.changed_rows(), strict=True)]
            keys = [(_key(then), _key(now)) for then, now in pairs if then != now]
            found.setdefault(part.module.id, Counter()).update(keys)
    return Handed({module: pairs for module, pairs in found.items() if pairs})


def _key(stored: Stored) -> Key | None:
    return None if stored is None else Key(int(stored))


@attrs.define
class _Counted:
    """Counts the records of owners by their places, from the store's tallies; those *handed* to others are left out."""

    state: State
    directory: Directory
    handed: Handed
    _sums: dict[str, tuple[list[int], list[int]]] = attrs.field(factory=dict, init=False)

    def of(self, module: Module, owners: Intervals) -> int:
        """Give the number of living records that *owners* have."""
        found = self._sums.get(module.name)
        if found is None:
            found = self._sums[module.name] = self._sums_of(module)
        places, sums = found
        ends = [sums[bisect_left(places, bound)] for bound in owners.bounds]
        return sum(ends[1::2]) - sum(ends[::2])

    def owned(self, user: Key) -> dict[ModuleName, int]:
        """Give the number of living records that *user* owns, by module."""
        place = Intervals.one(self.directory.numbering.places[user])
        modules = [module for module in self.state.known.schema.modules if not module.system]
        counts = {module.name: self.of(module, place) for module in modules}
        return {name: count for name, count in counts.items() if count}

    def _sums_of(self, module: Module) -> tuple[list[int], list[int]]:
        """Give the places of those who have records, in order, and how many those before each have together."""
        tally = self.state.txn.tally(module, "owner") if "owner" in module.tallied_by else {}
        known, away = self.directory.numbering.places, self.handed.away(module.id)
        owned = [(Key(int(owner)), count) for owner, count in tally.items() if owner is not None]
        found = sorted([(known[owner], count - away.get(owner, 0)) for owner, count in owned if owner in known])
        return [place for place, _ in found], list(accumulate([count for _, count in found], initial=0))


def _told(change: UserChange, comparison: Comparison, schema: Schema, counted: _Counted) -> AccessChange:
    if any(comparison.administrator(side, change.user) for side in (comparison.before, comparison.after)):
        gains = _of_administrator(comparison, schema, change.user)
    else:
        gains = tuple([_gain(schema.by_id[number], each, counted) for number, each in change.modules.items()])
    gained, lost = _permissions(change, schema)
    shown, hidden = _fields(change, schema)
    return AccessChange(
        user=encode("use", change.user), modules=gains, permissions_gained=gained, permissions_lost=lost,
        fields_gained=shown, fields_lost=hidden, signs_in=change.signs_in,
        keeps=counted.owned(change.user) if change.signs_in == (True, False) else {},
    )  # fmt: skip


def _of_administrator(comparison: Comparison, schema: Schema, user: Key) -> tuple[Gain, ...]:
    """Give what changes for one who has everything, before or after or both: the records of everybody."""
    found: list[Gain] = []
    for number in comparison.modules:
        before, after = comparison.everything(user, number)
        if before != after:
            name = schema.by_id[number].name
            found.append(Gain(module=name, gained={}, lost={}, everybody=(before.text, after.text)))
    return tuple(found)


def _gain(module: Module, found: Difference, counted: _Counted) -> Gain:
    before, after = found.everything
    gained, lost = (
        {
            level.text: counted.of(module, sets[level]) + handed.get(level, 0)
            for level in GRANTED
            if sets[level] or level in handed
        }
        for sets, handed in zip((found.gained, found.lost), found.handed, strict=True)
    )
    return Gain(
        module=module.name,
        gained=gained,
        lost=lost,
        everybody=(before.text, after.text),
        rules_gained=tuple([rule.name for rule in found.rules_gained]),
        rules_lost=tuple([rule.name for rule in found.rules_lost]),
        by_parent_gained=_way(module, found.by_parent[1]),
        by_parent_lost=_way(module, found.by_parent[0]),
    )


def _way(module: Module, way: ByParent | None) -> dict[str, str]:
    return {} if way is None else {module.by_id[way.field].name: way.level.text}


def _permissions(change: UserChange, schema: Schema) -> tuple[tuple[str, ...], tuple[str, ...]]:
    then, now = ({*_named(each, schema)} for each in change.permissions)
    return tuple(sorted(now - then)), tuple(sorted(then - now))


_Levels: TypeAlias = dict[str, tuple[str, str]]


def _fields(change: UserChange, schema: Schema) -> tuple[_Levels, _Levels]:
    """Give the fields of which more and of which less is permitted, to one who may sign in before and after."""
    sides: tuple[_Levels, _Levels] = {}, {}
    then, now = change.permissions
    for number, key in sorted({*then.fields, *now.fields}) if all(change.signs_in) else ():
        levels = then.level(number, key), now.level(number, key)
        module = schema.by_id.get(number)
        field = None if module is None else module.by_id.get(key)
        if module is not None and field is not None and levels[0] != levels[1]:
            before, after = [level.name.lower() for level in levels]
            sides[levels[1] < levels[0]][f"{module.name}.{field.name}"] = before, after
    return sides


def _named(permissions: Permissions, schema: Schema) -> Iterator[str]:
    yield from [each.value for each in permissions.functions]
    for module in schema.modules:
        if not module.system:
            yield from [f"{module.name}.{verb.value}" for verb in permissions.verbs(module.id)]


# -- who may ----------------------------------------------------------------------------------------------------------
def who_can(session: Session, action: str, record: str | Record) -> list[RecordId]:
    """Give the active users who may do *action* with a record, or in the module of this name; in no special order.

    Each for himself: those who may act for one of them are in
    :func:`~nubetis.session.delegating.delegations`, and ``explain`` names them.

    Cost: for users of one role whom the same rules reach, profiles and shares apart, one decision.

    Raises:
        AccessDenied: the user may not explain access.
        NotFound: there is no such record, or the user may not see it.
    """
    wanted = one_of(Action, action, argument="action")

    def work() -> list[RecordId]:
        state = session.state
        require_insight(state)
        directory = directory_of(state.world, state.txn, state.versions.access)
        module, row, _ = state.asked_about(record, session.get)
        finder = _Finder(state, directory)
        if row is None:
            return [encode("use", key) for key in finder.permitted(finder.everybody(), module, wanted)]
        places = finder.having(module, row, max(NEEDED.get(wanted, Level.NONE), Level.READ))
        viewing = set(finder.permitted(places, module, Action.VIEW))
        return [encode("use", key) for key in finder.permitted(places, module, wanted) if key in viewing]

    return session.state.read(work)


@attrs.frozen
class _Finder:
    """Finds users by their places: the grants of one record, looked at from the other side."""

    state: State
    directory: Directory

    def everybody(self) -> set[int]:
        """Give all places."""
        return set(range(len(self.directory.numbering.users)))

    def permitted(self, places: AbstractSet[int], module: Module, action: Action) -> Iterator[Key]:
        """Give those of active users who are administrators, or at *places* and permitted to do *action*."""
        for place, key in enumerate(self.directory.numbering.users):
            user = self.directory.users[key]
            if not user.active or not module.journalled:
                continue
            if place not in places and not self.directory.administrator(key):
                continue
            if policy_of(self.directory, self.state.known.schema, user).gate(action, module).matched:
                yield key

    def having(self, module: Module, row: Row, level: Level, through: tuple[str, ...] = ()) -> set[int]:
        """Give the places of those who have a record to *level*, whatever their profiles permit."""
        if module.name in INVOLVING:
            return self._involved(module, row, level)
        if module.system or not level:
            return self.everybody()
        found = self._by_owner(module, row, level) | self._by_values(module, row, level)
        found |= self._by_shares(module, key_of(row), level)
        return found | self._by_parent(module, row, level, through)

    def _involved(self, module: Module, row: Row, level: Level) -> set[int]:
        """Ask for each user: a share is for those who may share its record, a delegation for the two that it names."""
        users = self.directory.numbering.users
        found = [self.state.of_user(key).decider.level(module, row)[0] for key in users]
        return {place for place, has in enumerate(found) if has and has >= level}

    def _by_owner(self, module: Module, row: Row, level: Level) -> set[int]:
        owner = row[module.layout.index[module.field("owner").column]]
        place = self.directory.numbering.places.get(Key(int(owner or 0)), -1)
        reaches = self.directory.reaches(module.id)
        found = {at for at, reach in enumerate(reaches) if _level(reach, place) >= level}
        return found | {place} if place >= 0 else found

    def _by_values(self, module: Module, row: Row, level: Level) -> set[int]:
        """Ask each rule on values once, and give those whom those that hold reach."""
        planner = self.state.planner()
        held = 0
        for at, rule in enumerate(self.directory.roster.rules):
            if rule.module == module.id and rule.level >= level and rule.where is not None:
                held |= planner.test(module, rule.where)(row) << at
        if not held:
            return set()
        return {place for place in self.everybody() if self.directory.rules_mask(place) & held}

    def _by_shares(self, module: Module, key: Key, level: Level, *, related: bool = False) -> set[int]:
        now, found = instant_text(self.state.world.now()), set[int]()
        for share in kept_shares(self.state.txn, module, key):
            over = share.until is not None and share.until <= now
            if not over and share.level >= level and (share.related or not related):
                found |= self._reached(share.target, superiors=share.superiors)
        return found

    def _reached(self, target: Principal, *, superiors: bool) -> set[int]:
        members = set(self.directory.members(target))
        if not superiors:
            return members
        numbering = self.directory.numbering
        roles = {numbering.role_of(numbering.users[place]) for place in members} - {None}
        above = {role for each in roles if each is not None for role in numbering.above(each)}
        return members | {place for role in above for place in range(*numbering.own(role))}

    def _by_parent(self, module: Module, row: Row, level: Level, through: tuple[str, ...]) -> set[int]:
        default = self.directory.default(module.id)
        field = module.by_id.get(default.parent or 0)
        key = None if field is None else row[module.layout.index[field.column]]
        if field is None or key is None or module.name in through:
            return set()
        parent = self.state.known.schema.module(field.targets[0])
        above = self.state.txn.get_many(parent, [Key(int(key))])[0]
        if above is None or above[DELETED_IN] is not None:
            return set()
        found = self._by_shares(parent, Key(int(key)), level, related=True)
        if default.parent_level >= level:
            found |= self.having(parent, above, Level.READ, (*through, module.name))
        return found


def _level(reach: Reach, place: int) -> Level:
    return reach.everything if place < 0 else reach.level_of(place)
