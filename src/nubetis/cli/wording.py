"""What a record differs by, in words: names instead of ids, what comes and goes of a list, permissions one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

import attrs

from nubetis.access.permissions import Permissions, read_permissions
from nubetis.access.sharing import Principal
from nubetis.cli.call import title_of
from nubetis.cli.face import RenderableType, grid, line, text_of
from nubetis.cli.texts import _, counted, say_label, say_level, say_principal, say_state, say_word
from nubetis.cli.until import say_until
from nubetis.errors import UNREADABLE, NubetisError
from nubetis.model.text import show
from nubetis.session.asking import kept_filter
from nubetis.session.planning import STRUCTURAL
from nubetis.session.profiles import unlike
from nubetis.session.shared import principal_words
from nubetis.types import ModuleId

if TYPE_CHECKING:
    from nubetis import Plan, Session
    from nubetis.model.layout import Slot
    from nubetis.model.schema import Module, Schema

__all__ = ["Difference", "Words", "plan_rows", "plan_words"]

_SHOWN: Final = 12
_NONE: Final = "\N{EMPTY SET}"


def plan_rows(session: Session, plan: Plan) -> list[list[object]]:
    """Give the first records of a plan line by line; records, principals, filters and permissions in words."""
    found: list[list[object]] = []
    for change in islice(plan.changes, _SHOWN):
        words = Words(session=session, change=change)
        rows = list(words.rows()) or [["", "", ""]]
        head = [words.title, say_word(change.kind)]
        found += [[*(head if place == 0 else ["", ""]), *row] for place, row in enumerate(rows)]
    return found


def plan_words(plan: Plan, rows: Sequence[Sequence[object]], room: int) -> list[RenderableType]:
    """Give a plan, of which *rows* are the first, as a table."""
    if not rows:
        return []
    names = [_("record"), _("what"), _("field"), _("before"), _("after")]
    left = len(plan) - _SHOWN
    more = counted("(and {count} more record)", "(and {count} more records)", left)
    return [grid(names, rows, room=room), *([line(more, "dim")] if left > 0 else [])]


class Difference(Protocol):
    """What one record differs by: a change of a plan, or a moment of its life."""

    @property
    def module(self) -> str:
        """The record's module."""
        ...

    @property
    def record(self) -> str:
        """Its id."""
        ...

    @property
    def before(self) -> Mapping[str, object]:
        """Values before, by field."""
        ...

    @property
    def after(self) -> Mapping[str, object]:
        """Values after."""
        ...


@attrs.frozen(kw_only=True)
class Words:
    """Says one record's difference."""

    session: Session
    change: Difference

    @property
    def title(self) -> str:
        """The record's name."""
        values = {**self.change.after, **self.change.before}
        return str(values.get("name") or self._of_default() or self._named(str(self.change.record)))

    def _of_default(self) -> str:
        """Give the label of the module of which a default speaks; it has no other name."""
        return say_label(self._home) if self.change.module == "sharing_defaults" else ""

    def rows(self) -> Iterator[list[object]]:
        """Give field, before and after, of what differs."""
        before = self.change.before
        for name in [each for each in self.change.after if each != "owner" or each in before]:
            value, old = self.change.after[name], before.get(name)
            if name in self._slots and self._slots[name].field.system:
                continue
            if name == "permissions" and self._is_of_people:
                yield from self._permissions(old, value)
            elif (sides := self._comes_and_goes(name, old, value)) is not None:
                yield [self._label(name), *sides]
            elif value != old:
                yield [self._label(name), self._said(name, old), self._said(name, value)]

    def told(self) -> Iterator[str]:
        """Give each difference in a line: the value where there was none, else before and after."""
        before = self.change.before
        for name, value in self.change.after.items():
            label, old = self._label(name), before.get(name)
            if name == "permissions" and self._is_of_people:
                yield from [
                    f"{what}: {first} \N{RIGHTWARDS ARROW} {second}"
                    for what, first, second in self._permissions(old, value)
                ]
            elif (sides := self._comes_and_goes(name, old, value)) is not None:
                yield f"{label}: {', '.join(filter(None, sides))}"
            else:
                was = f"{self._said(name, old) or _NONE} \N{RIGHTWARDS ARROW} " if name in before else ""
                yield f"{label}: {was}{self._said(name, value) or _NONE}"

    def _label(self, name: str) -> str:
        return say_label(self._slots[name].field) if name in self._slots else name

    @property
    def _slots(self) -> Mapping[str, Slot]:
        return self._schema.module(self.change.module).layout.slots

    @property
    def _is_of_people(self) -> bool:
        return self.change.module in STRUCTURAL

    def _comes_and_goes(self, field: str, old: object, new: object) -> list[str] | None:
        """Give of many what goes and what comes, and nothing of what stays; ``None`` where it is said as a whole."""
        if not isinstance(new, tuple) or not isinstance(old, tuple) or not old or set(old) == set(new):
            return None
        sides = (("\N{MINUS SIGN}", old, new), ("+", new, old))
        return [
            ", ".join([f"{sign} {self._said(field, each)}" for each in those if each not in others])
            for sign, those, others in sides
        ]

    def _permissions(self, old: object, new: object) -> Iterator[list[object]]:
        sides = [read_permissions(json.loads(str(each))) if each else Permissions() for each in (old, new)]
        for each in unlike(self.session, *sides):
            yield [each.what, say_level(each.first), say_level(each.second)]

    def _said(self, field: str, value: object) -> str:
        """Give a value in words."""
        if isinstance(value, tuple):
            return ", ".join([self._said(field, each) for each in value])
        if isinstance(value, datetime):
            return say_until(value) if field == "until" else text_of(value)
        said: dict[str, Callable[[str], str]] = {
            "module": lambda text: say_label(self._schema.by_id[ModuleId(int(text))]),
            "parent": self._parent,
            "state": say_state,
            **dict.fromkeys(["level", "upward", "parent_level"], say_level),
            "where": lambda text: show(kept_filter(text, self._home, self._schema)),
            **dict.fromkeys(["source", "target", "members"], self._principal),
        }
        known = said if self._is_of_people else {}
        if value is None:
            return ""
        try:
            return known.get(field, self._named)(text_of(value))
        except (NubetisError, *UNREADABLE):  # it names what is gone
            return text_of(value)

    def _principal(self, text: str) -> str:
        return say_principal(principal_words(self.session, Principal.parse(text)))

    def _parent(self, number: str) -> str:
        """Give the name of the field by which a module has its parent."""
        return next((say_label(field) for field in self._home.fields if int(field.id) == int(number)), number)

    @property
    def _home(self) -> Module:
        """The module of which the record speaks."""
        of = {**self.change.before, **self.change.after}.get("module")
        if of is None:
            of = self.session.get(self.change.record)["module"]
        return self._schema.by_id[ModuleId(int(str(of)))]

    @property
    def _schema(self) -> Schema:
        return self.session.schema

    def _named(self, text: str) -> str:
        """Give the title of the record of which *text* is the id; else the text."""
        return title_of(self.session, text) or text
