"""The grammar of calls: random calls of whatever takes a session, with arguments near what is hidden.

:data:`CALLS` has one maker for each public method of a session and each function of the areas that takes one.  A maker
draws its arguments from a :class:`~nubetis.testing.access_contract.draws.Draw`, calls, and gives the answer.  The same
dice make the same call of both twins, as long as they have answered alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from nubetis.access.entitlements import Entitlements
from nubetis.access.permissions import STANDARD, FieldLevel, Function, Permissions
from nubetis.data.export import export
from nubetis.data.load import apply_load, load, plan_links, plan_load
from nubetis.data.merge import Survivor, merge, plan_merge
from nubetis.data.quality import lint_schema
from nubetis.data.table import Table, read
from nubetis.model.text import parse
from nubetis.session import (
    advising,
    delegating,
    editions,
    erasing,
    explaining,
    holding,
    leaving,
    lockouts,
    looking,
    naming,
    past,
    previewing,
    profiles,
    resuming,
    retaining,
    roles,
    shared,
    sharing,
    snapshots,
    subject,
    teams,
)
from nubetis.testing.access_contract.twins import CANDIDATES, MODULES

if TYPE_CHECKING:
    from nubetis.model.plan import Plan
    from nubetis.testing.access_contract.draws import Draw

__all__ = ["CALLS", "Call"]

Call: TypeAlias = Callable[["Draw"], object]
"""Makes one call, and gives the answer."""


# -- reading ----------------------------------------------------------------------------------------------------------
def _find(d: Draw) -> object:
    """Follow pages of some query, forth and back."""
    module = d.module()
    where, sort, limit, deleted = d.where(module), d.sort(module), d.random.randint(1, 4), d.chance(0.15)
    total = d.random.choice(("none", "capped", "exact"))
    pages = [d.session.find(module, where, sort=sort, limit=limit, total=total, deleted=deleted)]
    while pages[-1].next is not None and len(pages) < 4:
        pages.append(d.session.find(module, where, sort=sort, limit=limit, after=pages[-1].next, deleted=deleted))
    if pages[-1].previous is not None:
        pages.append(d.session.find(module, where, sort=sort, limit=limit, after=pages[-1].previous, deleted=deleted))
    return pages


def _find_by_text(d: Draw) -> object:
    """Read a filter as a person writes it, and ask by it; errors say where it is wrong, and what was meant."""
    module, schema = d.random.choice(MODULES), d.session.schema
    name, word = d.field(module), d.random.choice(("hush", "'acme'", "10", "lost", "me", "2026-03-02", "xx"))
    text = f"{name} {d.random.choice(('=', '>', 'contains', 'is empty or name =', 'in'))} {word}"
    return d.session.find(module, parse(text, module=schema.module(module), schema=schema)), text


def _foreign_cursor(d: Draw) -> object:
    """Go on with a cursor that the administrator got for an order by what is hidden."""
    module = d.random.choice(MODULES)
    sort = d.random.choice([each for each in d.twin.hidden[module] if each not in {"marks", "description"}] or ["name"])
    cursor = d.twin.admin.find(module, sort=sort, limit=1).next
    return d.session.find(module, sort=d.random.choice((sort, f"-{sort}", "id")), limit=1, after=cursor)


def _aggregate(d: Draw) -> object:
    module = d.module()
    by = [d.field(module) for _ in range(d.random.randint(0, 2))]
    measures = {"n": "count", "x": f"{d.random.choice(('min', 'max', 'sum', 'avg', 'count'))} {d.field(module)}"}
    return d.session.aggregate(module, d.where(module), by=by, measures=measures)


def _stream(d: Draw) -> object:
    module = d.module()
    fields = None if d.chance(0.5) else [d.field(module), "id"]
    return list(d.session.stream(module, d.where(module), fields=fields, size=d.random.randint(1, 5)))


def _schema(d: Draw) -> object:
    module = d.module()
    found = d.session.schema.module(module)
    return found.all_fields, [*found.layout.slots], [*found.layout.index], found.field(d.field(module))


def _count(d: Draw) -> object:
    module = d.module()
    return d.session.count(module, d.where(module), limit=d.random.choice((None, 1, 3)))


def _export(d: Draw) -> object:
    module, target = d.module(), BytesIO()
    fields = None if d.chance(0.5) else [d.field(module), "id"]
    form = d.random.choice(("csv", "jsonl"))
    told = export(d.session, target, module=module, where=d.where(module), fields=fields, file_format=form)
    return told, target.getvalue()


def _subject(d: Draw) -> object:
    target = BytesIO()
    return subject.export_subject(d.session, d.record(d.random.choice(MODULES)), target), target.getvalue()


# -- writing ----------------------------------------------------------------------------------------------------------
def _create(d: Draw) -> object:
    module = d.module()
    return d.session.create(module, d.new(module))


def _edit(d: Draw) -> object:
    """Edit by id, or as it was read some time ago."""
    module = d.module()
    record, values = d.record(module), d.values(module)
    if d.chance(0.4):
        read_once = d.session.get(record)
        if d.chance(0.7):
            d.twin.move()
        return d.session.edit(read_once, values, merge_fields=d.chance(0.5))
    return d.session.edit(record, values)


def _plan_create(d: Draw) -> Plan:
    module = d.module()
    return d.session.plan_create(module, [d.new(module) for _ in range(d.random.randint(1, 3))])


def _plan_update(d: Draw) -> Plan:
    module = d.module()
    return d.session.plan_update(module, d.where(module), d.values(module))


def _plan_edits(d: Draw) -> Plan:
    module = d.module()
    return d.session.plan_edits(module, {each: d.values(module) for each in d.records(module)})


def _plan_delete(d: Draw) -> Plan:
    module = d.module()
    return d.session.plan_delete(module, d.where(module))


def _apply(d: Draw) -> object:
    """Apply any plan, now and then after others have written."""
    plan = PLANS[d.random.choice(_OFTEN if d.chance(0.7) else sorted(PLANS))](d)
    if d.chance(0.3):
        d.twin.move()
    operation = d.session.apply(plan, tolerance=d.random.choice((0, 0, 1, 5)), skip_refused=d.chance(0.5))
    return plan, operation


def _unit(d: Draw) -> object:
    """Do several things in one transaction, in which some may be taken back."""

    def work(session: object) -> object:
        made = _create(d)
        return made, session is d.session, _find(d)

    return d.session.unit(work)


def _savepoint(d: Draw) -> object:
    module = d.random.choice(MODULES)
    record, values = d.record(module), d.values(module, 1)

    def work(_: object) -> object:
        with d.session.savepoint():
            done = d.session.edit(record, values)
        return done, _find(d)

    return d.session.unit(work)


def _delete(d: Draw) -> object:
    return d.session.delete(d.record(d.module()))


def _restore(d: Draw) -> object:
    module = d.random.choice(MODULES)
    gone = [each.id for each in d.session.find(module, deleted=True, limit=3)]
    record = d.random.choice(gone) if gone else d.record(module)
    if not gone:
        d.session.delete(record)
    return d.session.restore(record)


def _undo(d: Draw) -> object:
    operation = d.operation()
    planned = past.plan_undo(d.session, operation) if d.chance(0.5) else None
    if d.chance(0.3):
        d.twin.move()
    return planned, d.session.undo(operation)


def _erase(d: Draw) -> object:
    module = d.random.choice(MODULES)
    fields = None if d.chance(0.4) else [d.field(module)]
    return erasing.erase(d.session, d.record(module), fields=fields)


def _table(d: Draw, module: str) -> Table:
    """Give a file whose columns are named like fields, hidden ones too."""
    names = dict.fromkeys(["name", d.field(module), d.field(module)])
    lines = [";".join(str(d.value(module, name)) for name in names) for _ in range(3)]
    return read(BytesIO("\n".join([";".join(names), *lines]).encode()), delimiter=";")


def _load(d: Draw) -> object:
    module = d.random.choice(MODULES)
    return load(d.session, _table(d, module), module=module)


def _apply_load(d: Draw) -> object:
    module = d.random.choice(MODULES)
    table = _table(d, module)
    return apply_load(d.session, plan_load(d.session, table, module=module), table=table)


def _plan_load(d: Draw) -> Plan:
    module = d.random.choice(MODULES)
    return plan_load(d.session, _table(d, module), module=module, create_linked=d.chance(0.4))


def _plan_links(d: Draw) -> Plan:
    module = d.random.choice(MODULES)
    return plan_links(d.session, _table(d, module), module=module)


def _mergeable(d: Draw, module: str) -> list[str]:
    """Give some records, which one sees, nearly always."""
    seen = [str(each) for each in (*d.twin.own[module], *d.twin.open[module])]
    found = d.random.sample(seen, k=min(len(seen), d.random.randint(2, 3)))
    return found if d.chance(0.85) else [*found, d.record(module)]


def _plan_merge(d: Draw) -> Plan:
    module = d.random.choice(MODULES)
    first, *losers = _mergeable(d, module)
    values = d.values(module) if d.chance(0.4) else None
    return plan_merge(d.session, first, losers, survivor=d.random.choice(list(Survivor)), values=values)


def _merge(d: Draw) -> object:
    module = d.random.choice(MODULES)
    first, *losers = _mergeable(d, module)
    return merge(d.session, first, losers, survivor=d.random.choice(list(Survivor)))


# -- the past ---------------------------------------------------------------------------------------------------------
_WITH_FILTERS: Final = ("sharing_rules", "sharing_rules", "retention_rules", "holds")
"""Modules whose records ask for others; rules change now and then, so they come twice."""


def _history(d: Draw) -> object:
    """Tell the life of a record, of a rule or a hold too."""
    module = d.random.choice((*MODULES, *_WITH_FILTERS, "users", "modules"))
    return past.history(d.session, d.record(module))


def _as_of(d: Draw) -> object:
    module = d.random.choice((*MODULES, *_WITH_FILTERS, "modules"))
    found = past.as_of(d.session, d.record(module), d.instant())
    return found, found.marks


def _module_as_of(d: Draw) -> object:
    module = d.random.choice((*MODULES, *_WITH_FILTERS, "shares"))
    return [(each, each.marks) for each in past.module_as_of(d.session, module, d.instant())]


# -- rights -----------------------------------------------------------------------------------------------------------
def _about(d: Draw) -> tuple[str, str]:
    module = d.twin.about if d.chance(0.5) else d.module()
    return d.action(), module if d.chance(0.1) else d.record(module)


def _as_user(d: Draw) -> object:
    """Look on at what another sees."""
    module = d.random.choice(MODULES)
    other = looking.as_user(d.session, d.person(), reason="to see")
    where = d.where(module)
    return other, other.find(module, where), other.count(module, where), other.schema.module(module).all_fields


def _preview(d: Draw) -> object:
    return previewing.preview(d.session, RULING[d.random.choice(sorted(RULING))](d))


def _lockouts(d: Draw) -> object:
    return lockouts.lockouts(d.session, RULING[d.random.choice(sorted(RULING))](d))


def _check_plan(d: Draw) -> object:
    plan = RULING[d.random.choice(sorted(RULING))](d)
    previewing.check_plan(d.session, plan)
    return plan


def _plan_delegation(d: Draw) -> Plan:
    functions = [Function.EXPLAIN_ACCESS.value] if d.chance(0.2) else []
    return delegating.plan_delegation(d.session, d.person(), modules=[d.module()], functions=functions)


def _plan_edition(d: Draw) -> Plan:
    return editions.plan_edition(d.session, Entitlements(users=d.random.randint(1, 9), lacks=["groups"]))


def _plan_offboarding(d: Draw) -> Plan:
    return leaving.plan_offboarding(d.session, d.person(), to=d.person())


def _plan_default(d: Draw) -> Plan:
    level = d.random.choice(("none", "read", "write"))
    return sharing.plan_default(d.session, d.module(), level=level, upward=d.random.choice((None, "read")))


def _plan_group(d: Draw) -> Plan:
    return sharing.plan_group(
        d.session, d.random.choice(("g", "h")), [d.person(), d.random.choice(("Rep", "role Desk+"))]
    )


def _plan_share_rule(d: Draw) -> Plan:
    module = d.module()
    name, target = f"r{d.random.randint(0, 99)}", d.random.choice(("pia", "tom", "everybody", "role Rep"))
    if d.chance(0.7):
        return sharing.plan_share_rule(d.session, name, module, target=target, where=d.where(module))
    return sharing.plan_share_rule(d.session, name, module, target=target, source=d.person())


def _share(d: Draw) -> object:
    until = None if d.chance(0.7) else d.session.now() + timedelta(seconds=d.random.randint(1, 50))
    record, related = d.record(d.random.choice(MODULES)), d.chance(0.3)
    return sharing.share(d.session, record, d.person(), until=until, related=related)


def _unshare(d: Draw) -> object:
    record, person = d.record(d.random.choice(MODULES)), d.person()
    done = sharing.share(d.session, record, person) if d.chance(0.6) else None
    return done, sharing.unshare(d.session, record, person)


def _plan_hold(d: Draw) -> Plan:
    module = d.module()
    return holding.plan_hold(d.session, module, reason="x", where=d.where(module))


def _plan_lift(d: Draw) -> Plan:
    return holding.plan_lift(d.session, d.record("holds"))


def _plan_rule(d: Draw) -> Plan:
    module = d.module()
    return retaining.plan_rule(d.session, module, name="n", days=d.random.randint(0, 3), where=d.where(module))


def _role(d: Draw) -> str:
    return d.random.choice(("Rep", "Office", "Desk", "Manager", "Rep", "Desk", "Nobody"))


def _profile(d: Draw) -> str:
    return d.random.choice(("Less", "Standard", "Less", "Standard", "Administrator", "Nothing"))


def _field_name(d: Draw) -> str:
    module = d.random.choice(MODULES)
    return f"{module}.{d.random.choice((*CANDIDATES[module], 'margim'))}"


def _plan_field_level(d: Draw) -> Plan:
    level = d.random.choice(list(FieldLevel)).name.lower()
    return profiles.plan_field_level(d.session, _profile(d), _field_name(d), level)


def _plan_permission_set(d: Draw) -> Plan:
    return profiles.plan_permission_set(
        d.session, f"s{d.random.randint(0, 9)}", ["view"], fields={_field_name(d): "read"}
    )


def _unlike(d: Draw) -> object:
    one, other = d.session.schema.module("contacts"), attrs.evolve(STANDARD, functions=[Function.EXPLAIN_ACCESS])
    return profiles.unlike(d.session, other, Permissions(modules={one.id: ["view"]}))


RULING: Final[Mapping[str, Callable[[Draw], Plan]]] = {
    "plan_default": _plan_default,
    "plan_edition": _plan_edition,
    "plan_field_level": _plan_field_level,
    "plan_forbid": lambda d: profiles.plan_forbid(d.session, _profile(d), d.action()),
    "plan_group": _plan_group,
    "plan_offboarding": _plan_offboarding,
    "plan_permission_set": _plan_permission_set,
    "plan_permit": lambda d: profiles.plan_permit(d.session, _profile(d), d.action()),
    "plan_profile_clone": lambda d: profiles.plan_profile_clone(d.session, _profile(d), f"p{d.random.randint(0, 9)}"),
    "plan_profile_merge": lambda d: profiles.plan_profile_merge(d.session, _profile(d), [_profile(d)]),
    "plan_role": lambda d: roles.plan_role(d.session, f"n{d.random.randint(0, 9)}", under=_role(d)),
    "plan_role_change": lambda d: roles.plan_role_change(d.session, _role(d), peers=d.chance(0.5)),
    "plan_role_move": lambda d: roles.plan_role_move(d.session, _role(d), under=_role(d)),
    "plan_role_removal": lambda d: roles.plan_role_removal(d.session, _role(d), heir=_role(d)),
    "plan_share_rule": _plan_share_rule,
}
"""The makers of plans that change who may what."""

PLANS: Final[Mapping[str, Callable[[Draw], Plan]]] = {
    **RULING,
    "plan_create": _plan_create,
    "plan_delegation": _plan_delegation,
    "plan_delete": _plan_delete,
    "plan_edits": _plan_edits,
    "plan_hold": _plan_hold,
    "plan_lift": _plan_lift,
    "plan_links": _plan_links,
    "plan_load": _plan_load,
    "plan_merge": _plan_merge,
    "plan_retention": lambda d: retaining.plan_retention(d.session),
    "plan_rule": _plan_rule,
    "plan_undo": lambda d: past.plan_undo(d.session, d.operation()),
    "plan_update": _plan_update,
}
"""All makers of plans."""

_OFTEN: Final = ("plan_create", "plan_update", "plan_edits", "plan_delete", "plan_load", "plan_merge", "plan_undo")

CALLS: Final[Mapping[str, Call]] = {
    **PLANS,
    "access_snapshot": lambda d: snapshots.access_snapshot(d.session).show(),
    "advise": lambda d: advising.advise(d.session),
    "aggregate": _aggregate,
    "apply": _apply,
    "apply_load": _apply_load,
    "as_of": _as_of,
    "as_user": _as_user,
    "belongings": lambda d: leaving.belongings(d.session, d.person()),
    "can": lambda d: d.session.can(*_about(d)),
    "check_plan": _check_plan,
    "compare_profiles": lambda d: profiles.compare_profiles(d.session, _profile(d), _profile(d)),
    "count": _count,
    "create": _create,
    "currency": lambda d: d.session.currency,
    "decide": lambda d: d.session.decide(*_about(d)),
    "delegations": lambda d: delegating.delegations(d.session),
    "delete": _delete,
    "edit": _edit,
    "edition": lambda d: editions.edition(d.session),
    "erase": _erase,
    "explain": lambda d: d.session.explain(*_about(d)),
    "explain_for": lambda d: explaining.explain_for(d.session, d.person(), *_about(d)),
    "export": _export,
    "export_subject": _subject,
    "find": _find,
    "find by text": _find_by_text,
    "find from elsewhere": _foreign_cursor,
    "get": lambda d: d.session.get(d.record(d.module())),
    "groups": lambda d: shared.groups(d.session),
    "held_by": lambda d: holding.held_by(d.session, d.record(d.module())),
    "history": _history,
    "holds": lambda d: holding.holds(d.session, over=d.chance(0.5)),
    "join": lambda d: teams.join(d.session, d.record(d.random.choice(MODULES)), d.person()),
    "leave": lambda d: teams.leave(d.session, d.record(d.random.choice(MODULES)), d.person()),
    "lint_schema": lambda d: lint_schema(d.session, modules=[d.module()], least=1),
    "load": _load,
    "lockouts": _lockouts,
    "merge": _merge,
    "module_as_of": _module_as_of,
    "module_sharing": lambda d: shared.module_sharing(d.session),
    "named": lambda d: naming.named(d.session, d.random.choice(("roles", "roles", "profiles", "groups")), _role(d)),
    "operations": lambda d: past.operations(d.session, limit=d.random.randint(1, 20)),
    "written": lambda d: past.written(d.session, past.operations(d.session, limit=d.random.randint(1, 20))),
    "permission_sets": lambda d: profiles.permission_sets(d.session),
    "preview": _preview,
    "principal": lambda d: sharing.principal(d.session, d.random.choice(("ana", "role Rep+", "everybody", "nobody"))),
    "principal_words": lambda d: shared.principal_words(d.session, sharing.principal(d.session, "role Rep+")),
    "profile_facts": lambda d: profiles.profile_facts(d.session, _profile(d)),
    "profiles": lambda d: profiles.profiles(d.session),
    "restore": _restore,
    "resume": lambda d: resuming.resume(d.session, d.operation()),
    "retain": lambda d: retaining.retain(d.session),
    "revoke": lambda d: delegating.revoke(d.session, d.person()),
    "role_tree": lambda d: roles.role_tree(d.session),
    "rules": lambda d: retaining.rules(d.session),
    "savepoint": _savepoint,
    "schema": _schema,
    "share": _share,
    "share_rules": lambda d: shared.share_rules(d.session),
    "shares": lambda d: sharing.shares(d.session, d.record(d.random.choice(MODULES))),
    "stream": _stream,
    "team": lambda d: teams.team(d.session, d.record(d.random.choice(MODULES))),
    "undo": _undo,
    "unit": _unit,
    "unlike": _unlike,
    "unshare": _unshare,
    "usage": lambda d: editions.usage(d.session),
    "user": lambda d: d.session.user,
    "who_can": lambda d: previewing.who_can(d.session, *_about(d)),
}
"""Every public road that takes a session, by its name."""
