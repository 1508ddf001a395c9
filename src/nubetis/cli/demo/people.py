"""Who sees what, and why: a small tree of roles, a record of somebody's in it, and the decision step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nubetis.cli.explain import explanation_facts, show_explanation
from nubetis.cli.face import line, tree
from nubetis.cli.roles import said_role
from nubetis.cli.texts import say_label
from nubetis.session.explaining import explain_for
from nubetis.session.naming import named
from nubetis.session.roles import plan_role, role_tree

if TYPE_CHECKING:
    from nubetis.cli.demo.stage import Stage

__all__ = ["who_sees"]

_PEOPLE: Final = (("rosa", "Manager"), ("luis", "Sales"))
"""Handles and roles; who is the latter's reports to who is the former."""


def who_sees(stage: Stage) -> None:
    """Put two people into the tree of roles, hand a record over, and explain why the one above may edit it."""
    session = stage.session
    session.apply(plan_role(session, "Sales", under="Manager"))
    profile = named(session, "profiles", "Standard").id
    people = [
        {
            "name": handle.title(), "email": f"{handle}@example.com", "handle": handle, "profile": profile,
            "role": named(session, "roles", role).id,
        }
        for handle, role in _PEOPLE
    ]  # fmt: skip
    session.apply(session.plan_create("users", people))
    roles = role_tree(session)
    stage.face.show(tree("Demo", [(each.depth, said_role(each)) for each in roles]))
    stage.facts["people"] = {"roles": len(roles), "explained": None}
    page = session.find(stage.module.name, sort="id", limit=1)
    if not page:
        stage.nothing()
        return
    record = session.edit(page[0].id, owner="luis")
    found = explain_for(session, "rosa", "edit", record)
    stage.facts["people"] = {"roles": len(roles), "explained": explanation_facts(found)}
    labels = {str(each.name): say_label(each) for each in stage.module.all_fields}
    stage.face.show(line(""), show_explanation(found, record.title, labels))
