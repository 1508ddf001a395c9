"""A field that one may not read is not there: each road gives what it would give if there were no such field."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from io import BytesIO

import pytest

import nubetis.data
import nubetis.session
from nubetis import F, Session, read
from nubetis.data import lint_schema, plan_load, plan_merge
from nubetis.data.export import export
from nubetis.errors import AccessDenied, Conflict, NubetisError
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import kind
from nubetis.session import erasing, holding, past, retaining, subject
from tests.stores import permit_all, refusing

VALUE = "hush"
NO_FIELD = "margim"
"""No module has it; the hints for it and for what is hidden are the same."""


@pytest.fixture
def ana(hiding, nubetis_org, nubetis_session):
    """Ana, who may not read the secret of her lead; contacts have a secret link, and tags are open."""
    for module in ("leads", "deals"):
        nubetis_org.add_field(module, Field(name="margin", type=kind("text"), unique=module == "leads", default=None))
    nubetis_org.add_field("contacts", Field(name="margin", type=kind("link"), targets=("leads",)))
    permit_all(nubetis_session)
    (ana,) = nubetis_org.people("ana")
    return ana


@pytest.fixture
def lead(ana, nubetis_session):
    """A lead of Ana's with a secret, and a past of it."""
    made = ana.create("leads", name="A")
    nubetis_session.edit(made.id, margin="older", company="Old")
    nubetis_session.edit(made.id, margin=VALUE)
    return ana.get(made.id)


def said(call):
    """Give code, class and text of what *call* raises."""
    with pytest.raises(NubetisError) as caught:
        call()
    return type(caught.value), caught.value.code, str(caught.value)


ROADS = {
    "find": lambda s, r, n: s.find("leads", F[n] == "x"),
    "find sorted": lambda s, r, n: s.find("leads", sort=f"-{n}"),
    "count": lambda s, r, n: s.count("leads", F[n].is_empty()),
    "aggregate by": lambda s, r, n: s.aggregate("leads", by=[n], measures={"n": "count"}),
    "aggregate": lambda s, r, n: s.aggregate("leads", measures={"n": f"max {n}"}),
    "stream": lambda s, r, n: list(s.stream("leads", fields=[n])),
    "stream where": lambda s, r, n: list(s.stream("leads", F[n] == "x")),
    "create": lambda s, r, n: s.create("leads", {"name": "x", n: "x"}),
    "edit": lambda s, r, n: s.edit(r, {n: "x"}),
    "edit merged": lambda s, r, n: s.edit(r, {n: "x"}, merge_fields=True),
    "plan_create": lambda s, r, n: s.apply(s.plan_create("leads", [{"name": "x", n: "x"}])),
    "plan_update": lambda s, r, n: s.plan_update("leads", EVERYTHING, {n: "x"}),
    "plan_update where": lambda s, r, n: s.plan_update("leads", F[n] == "x", name="x"),
    "plan_edits": lambda s, r, n: s.plan_edits("leads", {r.id: {n: "x"}}),
    "plan_delete": lambda s, r, n: s.plan_delete("leads", F[n] == "x"),
    "linked": lambda s, r, n: s.find("tasks", F.about.linked(F[n] == "x")),
    "record": lambda s, r, n: s.get(r)[n],
    "schema": lambda s, r, n: s.schema.module("leads").field(n),
    "old record": lambda s, r, n: past.as_of(s, r, s.now())[n],
    "export": lambda s, r, n: export(s, BytesIO(), module="leads", fields=[n], file_format="csv"),
    "erase": lambda s, r, n: erasing.erase(s, r, fields=[n]),
    "hold": lambda s, r, n: holding.plan_hold(s, "leads", reason="x", where=F[n] == "x"),
    "rule": lambda s, r, n: retaining.plan_rule(s, "leads", name="x", days=1, where=F[n] == "x"),
    "merge": lambda s, r, n: plan_merge(s, r, [s.create("leads", name="B")], values={n: "x"}),
}


@pytest.mark.parametrize("road", ROADS)
def test_naming_what_is_hidden_is_naming_nothing(ana, lead, road):
    """The same class, code and words as of a field that there is not, but for its name."""
    hidden, none = (said(lambda name=name: ROADS[road](ana, lead, name)) for name in ("margin", NO_FIELD))

    assert hidden[:2] == none[:2]
    assert hidden[2].replace("margin", NO_FIELD) == none[2]


def faces(session, record):
    """Give all that a session and the areas say of a record, by road; the words of each stand for it."""
    moments = past.history(session, record)
    operation = session.apply(session.plan_update("leads", EVERYTHING, company="New"))
    made, edits = (
        session.plan_create("leads", [{"name": "B"}]),
        session.plan_edits("leads", {record.id: {"company": "x"}}),
    )
    buffer, document = BytesIO(), BytesIO()
    export(session, buffer, module="leads", file_format="csv")
    subject.export_subject(session, record, document)
    return {
        "get": dict(session.get(record)),
        "row": session.get(record).row,
        "find": [dict(each) for each in session.find("leads")],
        "stream": list(session.stream("leads")),
        "history": [(dict(each.before), dict(each.after), each.operation) for each in moments],
        "as_of": [dict(past.as_of(session, record, each.at)) for each in moments],
        "as_of_all": [dict(each) for each in past.module_as_of(session, "leads", moments[-1].at)],
        "plans": [list(plan.changes) for plan in (made, edits, session.plan_delete("leads", EVERYTHING))],
        "plan's schema": made.schema.module("leads").layout.slots,
        "undo": (list(past.plan_undo(session, operation).changes), session.undo(operation)),
        "create": dict(session.create("leads", name="C")),
        "edit": dict(session.edit(record.id, company="y")),
        "restored": (session.delete(record.id), dict(session.restore(record.id))),
        "schema": [field for module in session.schema.modules for field in module.all_fields],
        "operations": past.operations(session),
        "written": past.written(session, past.operations(session)),
        "explain": session.explain("edit", record.id),
        "export": buffer.getvalue(),
        "subject": document.getvalue(),
        "held": holding.held_by(session, record),
        "lint": lint_schema(session, modules=["leads"], least=1),
        "merge": list(plan_merge(session, session.create("leads", name="D"), [record]).changes),
    }


def test_no_road_tells_of_what_is_hidden(ana, lead):
    """Neither the name nor a value of it, past or present."""
    told = {road: repr(answer) for road, answer in faces(ana, lead).items()}

    assert [] == [road for road, text in told.items() if "margin" in text or VALUE in text or "older" in text]


def test_who_may_read_it_finds_it_on_every_road_that_shows_fields(ana, lead, nubetis_session):
    """So that the test above looks where something is to be found."""
    told = {road: repr(answer) for road, answer in faces(nubetis_session, lead).items()}
    without = {"plans", "undo", "restored", "operations", "written", "explain", "edit", "create", "held", "merge"}

    assert set() == {road for road, text in told.items() if "margin" not in text and VALUE not in text} - without


def test_each_method_and_each_function_of_the_past_was_looked_at():
    """A new one must be put on a road above, or here, where nothing of a field is said."""
    silent = {"now", "close", "unit", "savepoint", "can", "decide", "user"}
    looked_at = {
        "get", "find", "stream", "count", "aggregate", "create", "edit", "delete", "restore", "plan_create", "apply",
        "plan_update", "plan_edits", "plan_delete", "undo", "explain", "schema", "formats", "state", "currency",
    }  # fmt: skip
    assert silent | looked_at == {name for name in dir(Session) if not name.startswith("_")}
    areas = {
        "history", "as_of", "module_as_of", "operations", "written", "plan_undo", "erase", "resume", "export_subject",
        "held_by", "plan_hold", "plan_rule", "export", "lint_schema", "plan_merge", "merge",
    }  # fmt: skip
    administrators = {"plan_lift", "holds", "rules", "plan_retention", "retain"}
    loads = {"plan_links", "plan_load", "apply_load", "load"}
    sharing = {"plan_default", "plan_group", "plan_share_rule", "principal", "share", "shares", "unshare"}
    sharing |= {"module_sharing", "share_rules", "groups", "principal_words", "named"}
    sharing |= {"team", "join", "leave", "plan_delegation", "delegations", "revoke"}
    roles = {"role_tree", "plan_role", "plan_role_change", "plan_role_move", "plan_role_removal"}
    profiles = {"profiles", "profile_facts", "compare_profiles", "plan_permit", "plan_forbid", "plan_field_level"}
    profiles |= {"plan_permission_set", "plan_profile_clone", "plan_profile_merge", "unlike", "permission_sets"}
    people = {"edition", "plan_edition", "usage", "belongings", "plan_offboarding", "lockouts", "advise"}
    looks = {"preview", "who_can", "explain_for", "check_plan", "as_user", "access_snapshot"}
    silent_too = administrators | loads | sharing | roles | profiles | people | looks
    assert areas | silent_too == set(roads(nubetis.session, "session")) | set(roads(nubetis.data, "door"))


def test_a_column_of_a_hidden_name_is_a_column_of_no_name(ana, lead):
    """Neither the map, nor what is planned, nor the warnings tell them apart."""
    told = []
    for name in ("margin", NO_FIELD):
        plan = plan_load(ana, read(BytesIO(f"name,{name}\nA,{VALUE}\n".encode())), module="leads")
        changes = [{**change.after, "id": None} for change in plan.changes]
        told.append(repr((changes, plan.refusals, plan.warnings)).replace("margin", NO_FIELD))

    assert told[0] == told[1]


def roads(package, first):
    """Give the names of the functions in *package* that take a session or a door first."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        for name in getattr(module, "__all__", ()):
            road = getattr(module, name)
            if inspect.isfunction(road) and [*inspect.signature(road).parameters][:1] == [first]:
                yield name


ADMINISTRATORS = {
    "lift": holding.plan_lift,
    "holds": lambda s, _: holding.holds(s),
    "rules": lambda s, _: retaining.rules(s),
    "plan": lambda s, _: retaining.plan_retention(s),
    "retain": lambda s, _: retaining.retain(s, names=["x"]),
    "hold": lambda s, _: holding.plan_hold(s, "leads", reason="x", records=["lea_0000000000001W"]),
}


@pytest.mark.parametrize("call", ADMINISTRATORS.values(), ids=ADMINISTRATORS)
def test_what_is_the_administrators_says_no_more_than_that(ana, lead, nubetis_session, call):
    """Nor do the words differ by what there is."""
    wanted = (AccessDenied, "denied")
    assert wanted == said(lambda: call(ana, "hol_0000000000001W"))[:2]
    nubetis_session.apply(holding.plan_hold(nubetis_session, "leads", reason="x", where=F.margin == VALUE))
    (hold,) = holding.holds(nubetis_session)
    assert wanted == said(lambda: call(ana, hold.id))[:2]


def test_a_session_that_has_not_read_yet_shows_no_more(ana, lead, nubetis_org):
    """Who the user is is asked before the first answer."""
    from nubetis import HostSignIn

    for ask in (lambda s: s.schema.module("leads").layout.slots, lambda s: list(s.stream("leads"))):
        assert "margin" not in repr(ask(nubetis_org.session(HostSignIn("ana"))))
        assert VALUE not in repr(ask(nubetis_org.session(HostSignIn("ana"))))


def test_a_change_of_what_is_hidden_alone_is_no_moment(ana, lead, nubetis_session):
    """The life of the record has no gap where it shows."""
    whole = [each.kind for each in past.history(nubetis_session, lead)]

    assert (["update", "update", "create"], ["update", "create"]) == (
        whole, [each.kind for each in past.history(ana, lead)]
    )  # fmt: skip


def test_ones_own_fields_hidden_since_are_left_alone_by_undo(ana, nubetis_org, nubetis_session, monkeypatch):
    """What was done before the right went is taken back as far as one may see; the rest is not spoken of."""
    from nubetis.access.policy import RolePolicy
    from nubetis.session import state
    from tests.stores import HidingPolicy

    monkeypatch.setattr(state, "RolePolicy", RolePolicy)
    from nubetis import HostSignIn

    before = nubetis_org.session(HostSignIn("ana"))
    made = before.create("leads", name="A", margin="s1", company="Old")
    operation = before.apply(before.plan_edits("leads", {made.id: {"margin": VALUE, "company": "New"}}))
    monkeypatch.setattr(state, "RolePolicy", HidingPolicy)
    undo = nubetis_org.session(HostSignIn("ana")).undo(operation)

    assert ((made.id,), (), ()) == (undo.reversed, undo.kept, undo.failed)
    assert ("Old", VALUE) == tuple(nubetis_session.get(made.id)[name] for name in ("company", "margin"))


def test_both_sides_of_a_conflict_have_no_hidden_value(ana, lead, nubetis_session):
    """Neither of an edit that is stale nor of a plan that has drifted."""
    plan = ana.plan_edits("leads", {lead.id: {"company": "Mine"}})
    nubetis_session.edit(lead.id, margin="x", company="Theirs")
    calls = {"stale": lambda: ana.edit(lead, company="Mine"), "drifted": lambda: ana.apply(plan)}
    for code, call in calls.items():
        with refusing(code, Conflict) as caught:
            call()
        assert ({"company": "Mine"}, {"company": "Theirs"}) == (caught.value.mine, caught.value.theirs)


def test_a_conflict_about_a_record_that_one_sees_no_more_has_nothing_of_it(ana, lead, nubetis_session):
    """It was handed over since the plan was made."""
    plan = ana.plan_edits("leads", {lead.id: {"company": "Mine"}})
    nubetis_session.edit(lead.id, company="Theirs", owner="admin")
    with refusing("drifted", Conflict) as caught:
        ana.apply(plan)

    assert ({}, {"count": 1}) == (caught.value.theirs, caught.value.params)


def test_a_hidden_value_that_stands_in_the_way_is_not_named(ana, lead, nubetis_session):
    """A restored record whose secret was taken meanwhile; administrators are told which."""
    ana.delete(lead.id)
    nubetis_session.create("leads", name="B", margin=VALUE)

    with refusing("out_of_sight") as caught:
        ana.restore(lead.id)
    assert "margin" not in f"{caught.value} {caught.value.params}"
    with refusing("not_unique", Conflict):
        nubetis_session.restore(lead.id)


def test_a_schema_that_lacks_what_is_hidden_makes_no_other(ana, nubetis_org):
    """Or what is hidden would go."""
    with refusing("schema_stale", Conflict):
        nubetis_org.alter(ana.schema.with_field("leads", Field(name="other", type=kind("text"))))


def test_what_is_required_and_hidden_lets_one_create_nothing(ana, nubetis_org):
    """And is not named; with a default it stands in nobody's way."""
    nubetis_org.add_field("notes", Field(name="margin", type=kind("text"), required=True))
    with refusing("cannot_fill_unseen", AccessDenied) as caught:
        ana.create("notes", title="x")
    assert "margin" not in str(caught.value)
    nubetis_org.add_field("tasks", Field(name="margin", type=kind("text"), required=True, default="10"))
    assert "margin" not in ana.create("tasks", subject="x")


def test_rights_may_hang_on_what_is_hidden(ana, lead, nubetis_org, nubetis_session, monkeypatch):
    """What lets one see a record may be a field that one may not read, of linked records too."""
    from nubetis.access.decision import Action
    from nubetis.session import state
    from tests.stores import HidingPolicy

    class SecretPolicy(HidingPolicy):
        def grant(self, action, module):
            if module.name == "leads" and action is Action.VIEW and not self.user.administrator:
                return F.margin == VALUE
            return super().grant(action, module)

    monkeypatch.setattr(state, "RolePolicy", SecretPolicy)
    from nubetis import HostSignIn

    session = nubetis_org.session(HostSignIn("ana"))
    task = session.create("tasks", subject="Call", about=lead.id)
    nubetis_session.create("leads", name="B")
    assert [lead.id] == [each.id for each in session.find("leads")]
    assert [task.id] == [each.id for each in session.find("tasks", F.about.linked(~F.owner.is_empty()))]
