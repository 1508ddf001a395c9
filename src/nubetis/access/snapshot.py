"""Everybody's access as a text to keep: a project commits it, and a test compares it with what is now.

A snapshot has users by their handles, or else by their e-mails, all else by its name, and no value of any record: of
the filter of a rule it has the fields and a digest.  Equal access gives the same text to the letter, in another
organisation that was made alike, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from nubetis.errors import InvalidValue
from nubetis.types import Json

__all__ = ["AccessSnapshot", "SnapshotChange", "compare"]

_FORMAT: Final = 3

_Section = Mapping[str, Json]


@attrs.frozen(kw_only=True)
class AccessSnapshot:
    """Who may what, by section: each maps a name to what is said of it.

    *edition* is what the edition gives where it is not all, as its setting has it.
    *delegations* say who lets whom act for him, by ``user > delegate``, and what of his rights; none that ended.
    *reach* says of each role and module how far its users have the records of everybody, and of those of other roles.
    """

    users: _Section = attrs.field(factory=dict)
    edition: _Section = attrs.field(factory=dict)
    roles: _Section = attrs.field(factory=dict)
    profiles: _Section = attrs.field(factory=dict)
    permission_sets: _Section = attrs.field(factory=dict)
    groups: _Section = attrs.field(factory=dict)
    defaults: _Section = attrs.field(factory=dict)
    rules: _Section = attrs.field(factory=dict)
    functions: _Section = attrs.field(factory=dict)
    delegations: _Section = attrs.field(factory=dict)
    reach: _Section = attrs.field(factory=dict)

    def show(self) -> str:
        """Give the text to keep: JSON, sorted, a line a value."""
        whole = {"format": _FORMAT, **attrs.asdict(self, recurse=False)}
        return json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    @classmethod
    def parse(cls, text: str) -> AccessSnapshot:
        """Read what :meth:`show` gives.

        Raises:
            InvalidValue: ``bad_snapshot``.

        >>> AccessSnapshot.parse(AccessSnapshot(roles={"Rep": {"peers": False}}).show()).roles
        {'Rep': {'peers': False}}
        """
        try:
            whole = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            raise InvalidValue("bad_snapshot", reason="it is not JSON") from None
        names = {each.name for each in attrs.fields(cls)}
        if not isinstance(whole, dict) or whole.pop("format", None) != _FORMAT or whole.keys() != names:
            raise InvalidValue("bad_snapshot", reason="it has not the sections of this version of nubetis")
        for name, section in whole.items():
            if not isinstance(section, dict):
                raise InvalidValue("bad_snapshot", reason=f"{name} is no object")
        return cls(**whole)


@attrs.frozen
class SnapshotChange:
    """One difference: what stands at *path* before and after, ``None`` where nothing does."""

    path: tuple[str, ...]
    before: Json
    after: Json

    def __str__(self) -> str:
        sign = "+" if self.before is None else "-" if self.after is None else "~"
        values = [_told(each) for each in (self.before, self.after) if each is not None]
        return f"{sign} {' / '.join(self.path)}: {' → '.join(values)}"


def compare(before: AccessSnapshot, after: AccessSnapshot) -> list[SnapshotChange]:
    """Give what differs, by path; nothing where the two are equal.

    >>> old, new = AccessSnapshot(), AccessSnapshot(rules={"lima": {"level": "read"}})
    >>> print(*compare(old, new))
    + rules / lima: {"level": "read"}
    """
    return list(_differences((), attrs.asdict(before, recurse=False), attrs.asdict(after, recurse=False)))


def _differences(path: tuple[str, ...], before: Json, after: Json) -> Iterator[SnapshotChange]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _differences((*path, name), before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list):
        yield from [SnapshotChange(path, each, None) for each in before if each not in after]
        yield from [SnapshotChange(path, None, each) for each in after if each not in before]
    elif before != after:
        yield SnapshotChange(path, before, after)


def _told(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
