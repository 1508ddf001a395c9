"""Two worlds that differ only in what Ana may not read give her the same answers, to the letter, on every road."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO

import attrs
import pytest

from nubetis import F, read
from nubetis.access.decision import Action
from nubetis.access.permissions import STANDARD, FieldLevel, Function, write_permissions
from nubetis.data import lint_schema, plan_load, plan_merge
from nubetis.data.export import export
from nubetis.errors import InvalidCursor, InvalidFilter, NubetisError
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import kind
from nubetis.session import past, subject
from nubetis.session.delegating import plan_delegation
from nubetis.session.explaining import explain_for
from nubetis.session.holding import held_by
from nubetis.session.looking import as_user
from nubetis.session.previewing import preview, who_can
from nubetis.session.sharing import share, shares
from nubetis.session.snapshots import access_snapshot
from nubetis.session.teams import join, team
from nubetis.testing.people import make_org
from tests.stores import refusing

SECRETS = [("older", "hush", 10), ("x" * 90, "another secret of other length", 99_999)]


@attrs.frozen
class Scene:
    """A world, with what Ana asks about: a lead of hers with a secret past, and another."""

    org: object
    admin: object
    ana: object
    lead: str
    other: str


def scene(url, older, secret, score):
    """Make a world in which only these values, and what hangs on them, can be others."""
    org = make_org(url)
    org.add_field("leads", Field(name="margin", type=kind("text"), unique=True, searchable=True))
    org.add_field("leads", Field(name="score", type=kind("integer"), indexed=True))
    (ana, _) = org.people("ana: Rep", "pia: Office")
    admin, leads = org.administrator(), org.schema.module("leads")
    hidden = {(leads.id, leads.field(name).id): FieldLevel.HIDDEN for name in ("margin", "score")}
    said = attrs.evolve(STANDARD, default=list(Action), functions=[Function.EXPLAIN_ACCESS], fields=hidden)
    profile = admin.create("profiles", name="Less", permissions=json.dumps(write_permissions(said)))
    admin.edit(ana.user, profile=profile.id)
    lead, other = ana.create("leads", name="A", company="Lima").id, ana.create("leads", name="B", company="Lima").id
    admin.edit(lead, margin=older, score=score, company="Old")
    admin.edit(lead, margin=secret, score=score + 1)
    admin.edit(other, margin=f"{secret}2", score=1 if score > 50 else 500)
    return Scene(org, admin, ana, lead, other)


@pytest.fixture
def scenes(tmp_path):
    found = [scene(f"memory://{tmp_path}-{at}", *secret) for at, secret in enumerate(SECRETS)]
    yield found
    for each in found:
        each.org.close()


def written(session, into, call):
    buffer = BytesIO()
    call(session, buffer, into)
    return buffer.getvalue()


def pages(session, **asked):
    """Give all pages, with their cursors."""
    page = session.find("leads", limit=1, total="exact", **asked)
    found = [page]
    while page.next is not None:
        page = session.find("leads", limit=1, after=page.next, **asked)
        found.append(page)
    return [([dict(each) for each in page], page.next, page.previous, page.total) for page in found]


def drifted(s):
    """Give what is said of a plan whose records changed since."""
    plan = s.ana.plan_edits("leads", {s.lead: {"company": "Mine"}, s.other: {"company": "Mine"}})
    s.admin.edit(s.lead, score=7, company="Theirs")
    with pytest.raises(NubetisError) as caught:
        s.ana.apply(plan)
    return str(caught.value), caught.value.params, caught.value.mine, caught.value.theirs, plan.digest


def undone(s):
    operation = s.ana.apply(s.ana.plan_update("leads", EVERYTHING, company="New"))
    s.admin.edit(s.lead, score=3)
    planned = past.plan_undo(s.ana, operation)
    return operation, planned.digest, list(planned.changes), s.ana.undo(operation)


def merged(s):
    plan = plan_merge(s.ana, s.lead, [s.ana.get(s.other)])
    return plan.digest, list(plan.changes), plan.warnings, plan.refusals


def loaded(s):
    plan = plan_load(s.ana, read(BytesIO(b"name,margin,score\nA,hush,3\n")), module="leads")
    return plan.digest, [dict(each.after, id=None) for each in plan.changes], plan.refusals, plan.warnings


ROADS = {
    "get": lambda s: (dict(s.ana.get(s.lead)), s.ana.get(s.lead).row),
    "pages": lambda s: pages(s.ana),
    "pages sorted": lambda s: pages(s.ana, sort=["-company", "name"]),
    "keywords": lambda s: [s.ana.count("leads", F[""].matches(word)) for word in ("hush", "secret", "lima", "older")],
    "bin": lambda s: [each.id for each in s.ana.find("leads", deleted=True)],
    "counts": lambda s: [s.ana.count("leads", where) for where in (EVERYTHING, F.company == "Old")],
    "groups": lambda s: s.ana.aggregate("leads", by=["company"], measures={"n": "count", "x": "max name"}),
    "stream": lambda s: list(s.ana.stream("leads")),
    "hidden": lambda s: [each.id for each in s.ana.find("leads", F.score > 50)],
    "hidden sort": lambda s: s.ana.find("leads", sort="score"),
    "export": lambda s: written(s.ana, None, lambda t, b, _: export(t, b, module="leads", file_format="csv")),
    "subject": lambda s: written(s.ana, s.lead, lambda t, b, lead: subject.export_subject(t, lead, b)),
    "history": lambda s: past.history(s.ana, s.lead),
    "as of": lambda s: [dict(past.as_of(s.ana, s.lead, each.at)) for each in past.history(s.ana, s.lead)],
    "all as of": lambda s: [dict(each) for each in past.module_as_of(s.ana, "leads", s.ana.now())],
    "operations": lambda s: past.operations(s.ana),
    "plan": lambda s: s.ana.plan_edits("leads", {s.lead: {"company": "x"}}).digest,
    "plans": lambda s: [plan.digest for plan in (
        s.ana.plan_update("leads", EVERYTHING, name="x"), s.ana.plan_delete("leads", F.company == "Old"))],
    "shown plan": lambda s: repr(s.ana.plan_edits("leads", {s.lead: {"company": "x"}})),
    "merge": merged,
    "load": loaded,
    "lint": lambda s: lint_schema(s.ana, modules=["leads"], least=1),
    "held": lambda s: held_by(s.ana, s.lead),
    "explain": lambda s: [str(s.ana.explain(each, s.lead)) for each in Action],
    "decide": lambda s: [s.ana.decide(each, s.lead) for each in Action],
    "explain for": lambda s: str(explain_for(s.ana, "pia", "edit", s.lead)),
    "who can": lambda s: sorted(who_can(s.ana, "edit", s.lead)),
    "preview": lambda s: preview(s.ana, s.admin.plan_update("roles", F.name == "Office", peers=True)),
    "snapshot": lambda s: access_snapshot(s.ana).show(),
    "look on": lambda s: pages(as_user(s.ana, "pia", reason="x")),
    "look on as me": lambda s: pages(as_user(s.admin, "ana", reason="x")),
    "share": lambda s: (share(s.ana, s.lead, "pia", until=s.ana.now() + timedelta(1)), shares(s.ana, s.lead)),
    "team": lambda s: (join(s.ana, s.lead, "pia"), team(s.ana, s.lead)),
    "delegate": lambda s: s.ana.apply(plan_delegation(s.ana, "pia")),
    "drift": drifted,
    "undo": undone,
    "edit": lambda s: dict(s.ana.edit(s.lead, company="y")),
    "delete and restore": lambda s: (s.ana.delete(s.lead), dict(s.ana.restore(s.lead))),
    "operations after": lambda s: past.operations(s.ana),
}  # fmt: skip


def answer(road, stage):
    """Give what a road says, be it an error."""
    try:
        return repr(ROADS[road](stage))
    except NubetisError as error:
        return repr((type(error), error.code, error.params, str(error)))


@pytest.mark.parametrize("road", ROADS)
def test_both_worlds_answer_the_same(scenes, road):
    one, other = (answer(road, each) for each in scenes)
    assert one == other
    assert not [word for _, word, _ in SECRETS if word in one]


def test_all_roads_one_after_the_other(scenes):
    """What one has written before tells no more of it, either."""
    for road in ROADS:
        one, other = (answer(road, each) for each in scenes)
        assert one == other, road


def test_the_worlds_are_others_to_whom_may_read_it(scenes):
    """So that the test above compares what differs."""
    differing = [
        road for road in ("get", "pages", "export", "history", "stream", "keywords", "hidden")
        if len({answer(road, attrs.evolve(each, ana=each.admin)) for each in scenes}) == 2
    ]  # fmt: skip
    assert len(differing) == 7


def test_a_cursor_of_somebody_else_opens_nothing(scenes):
    """One that an administrator got for an order that Ana may not ask for; nor does hers tell of what is hidden."""
    for each in scenes:
        cursor = each.admin.find("leads", sort="score", limit=1).next
        with refusing("unknown_field", InvalidFilter):
            each.ana.find("leads", sort="score", limit=1, after=cursor)
        with pytest.raises(InvalidCursor):
            each.ana.find("leads", limit=1, after=cursor)
