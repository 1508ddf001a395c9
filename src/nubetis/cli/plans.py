"""Operations and plans as people and programs are shown them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from nubetis.cli.face import RenderableType, grid, group, line, text_of
from nubetis.cli.texts import _, counted, say_refusal, say_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nubetis import Operation, Plan
    from nubetis.model.plan import Change, Refusal

__all__ = [
    "operation_facts",
    "operations_grid",
    "plan_facts",
    "plan_grid",
    "plan_text",
    "refusal_facts",
    "refused_lines",
]

_SHOWN: Final = 12


def operation_facts(operation: Operation) -> dict[str, object]:
    """Give an operation's facts for programs."""
    return {
        "id": operation.id,
        "state": operation.state,
        "cause": operation.cause.kind,
        "detail": operation.cause.detail,
        "actor": operation.actor,
        "purpose": operation.purpose,
        "records": operation.changes,
        "position": operation.position,
        "digest": operation.digest,
        "started_at": operation.started_at,
        "ended_at": operation.ended_at,
    }


def operations_grid(
    operations: Iterable[Operation], *, room: int, written: Mapping[str, str] | None = None
) -> RenderableType:
    """Give operations as a table; with what each has *written*, in words by id, where that is known."""
    wrote = written or {}
    what = [] if written is None else [_("what")]
    rows = [
        [
            each.id, each.started_at, say_word(each.cause.kind), say_word(each.state), each.changes,
            *[wrote.get(each.id, "") for _each in what], _detail(each),
        ]
        for each in operations
    ]  # fmt: skip
    columns = ["id", _("when"), _("cause"), _("state"), _("records"), *what, _("detail")]
    return grid(columns, rows, room=room, right=[_("records")])


def _detail(operation: Operation) -> str:
    words = {
        "module": _("module"),
        "rows": _("rows"),
        "records": _("records"),
        "file": _("file"),
        "encoding": _("encoding"),
        "operation": _("operation"),
        "links_of": _("links of"),
        "linked": _("linked"),
    }
    return ", ".join(f"{words.get(name, name)} {text_of(value)}" for name, value in operation.cause.detail.items())


def refusal_facts(refusal: Refusal) -> dict[str, object]:
    """Give a refusal's facts for programs."""
    return {
        "record": refusal.record,
        "line": refusal.line,
        "field": refusal.field,
        "code": refusal.code,
        "reason": say_refusal(refusal),
    }


def plan_facts(plan: Plan) -> dict[str, object]:
    """Give a plan's facts for programs."""
    return {
        "digest": plan.digest,
        "counts": plan.counts(),
        "refusals": [refusal_facts(each) for each in plan.refusals],
        "warnings": [refusal_facts(each) for each in plan.warnings],
    }


def plan_text(plan: Plan) -> str:
    """Give a plan in one line, in the user's language."""
    words = {
        "create": _("{count} to create"),
        "update": _("{count} to update"),
        "delete": _("{count} to delete"),
        "restore": _("{count} to restore"),
        "purge": _("{count} to purge"),
    }
    counts = plan.counts().items()
    parts = [words.get(kind, f"{{count}} {kind}").format(count=count) for kind, count in counts]
    rows = {each.line for each in plan.refusals}
    if rows and None not in rows:
        parts.append(counted("{count} row refused", "{count} rows refused", len(rows)))
    elif rows:
        parts.append(counted("{count} refusal", "{count} refusals", len(plan.refusals)))
    return ", ".join(parts) or _("nothing to do")


def plan_grid(plan: Plan, *, room: int, most: int = _SHOWN) -> RenderableType:
    """Give the first differences of a plan as a table, and what it refuses."""
    shown = list(islice(plan.changes, most))
    rows = [row for change in shown for row in _change_rows(change)]
    names = [_("record"), _("what"), _("field"), _("before"), _("after")]
    parts: list[RenderableType] = [grid(names, rows, room=room)] if rows else []
    left = len(plan) - len(shown)
    parts += [line(counted("(and {count} more record)", "(and {count} more records)", left), "dim")] if left > 0 else []
    return group(*parts, *refused_lines(plan.refusals, "red"), *refused_lines(plan.warnings, "yellow"))


def _change_rows(change: Change) -> list[list[object]]:
    names = [name for name, value in change.after.items() if value != change.before.get(name)]
    rows: list[list[object]] = [[change.record, say_word(change.kind), "", "", ""]]
    for place, name in enumerate(names):
        cells = [name, text_of(change.before.get(name)), text_of(change.after[name])]
        rows[place:] = [[*(rows[0][:2] if place == 0 else ["", ""]), *cells]]
    return rows


def refused_lines(refusals: Sequence[Refusal], style: str) -> list[RenderableType]:
    """Give the first refusals, a line each."""
    lines: list[RenderableType] = [
        line(f"{each.record or each.line or '·'}: {say_refusal(each)} [{each.code}]", style)
        for each in refusals[:_SHOWN]
    ]
    left = len(refusals) - _SHOWN
    return [*lines, line(_("(and {count} more)").format(count=left), style)] if left > 0 else lines
