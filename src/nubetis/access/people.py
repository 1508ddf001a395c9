"""Users and groups as far as access goes, all of one instant together: what hangs on them alone is worked out once.

Roles move and rules come while nobody's record changes; whatever is made of users and groups themselves goes on from
one access version to the next with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import attrs

from nubetis.access.numbering import Holders
from nubetis.access.sharing import Principal, PrincipalKind
from nubetis.model.ids import encode
from nubetis.types import Key

__all__ = ["Groups", "People", "User", "grouped", "people"]


@attrs.frozen(kw_only=True)
class User:
    """A user, as far as access goes; *sets* are the keys of his permission sets.

    Who has no e-mail does not sign in (*signs_in*), be he active.
    """

    key: Key
    role: Key
    profile: Key
    active: bool = True
    deleted: bool = False
    person: bool = True
    signs_in: bool = True
    sets: tuple[Key, ...] = ()


class People(tuple[User, ...]):  # noqa: SLOT001 - what is worked out needs a place
    """All users, with what follows from them.

    >>> People([User(key=Key(7), role=Key(1), profile=Key(2))]).seats
    1
    """

    @cached_property
    def by_key(self) -> Mapping[Key, User]:
        """All users by key."""
        return {user.key: user for user in self}

    @cached_property
    def holders(self) -> Holders:
        """Who has which role."""
        return Holders({user.key: user.role for user in self})

    @cached_property
    def by_rights(self) -> Mapping[tuple[Key, tuple[Key, ...]], list[Key]]:
        """The users by profile and permission sets."""
        found: dict[tuple[Key, tuple[Key, ...]], list[Key]] = {}
        for user in self:
            found.setdefault((user.profile, user.sets), []).append(user.key)
        return found

    @cached_property
    def active(self) -> frozenset[Key]:
        """Those who are active."""
        return frozenset([user.key for user in self if user.active])

    @cached_property
    def seats(self) -> int:
        """How many licences are taken: those of active persons."""
        return sum(user.active and user.person for user in self)

    @cached_property
    def signing_in(self) -> frozenset[Key]:
        """The profiles of active persons who can sign in."""
        return frozenset([user.profile for user in self if user.active and user.person and user.signs_in])

    # what those hold who are not in the bin ----------------------------------------------------------------
    @cached_property
    def living(self) -> frozenset[Key]:
        """Those who are not in the recycle bin."""
        return frozenset([user.key for user in self if not user.deleted])

    @cached_property
    def roles(self) -> Mapping[Key, Key]:
        """The roles that these have, each with one of them."""
        return {user.role: user.key for user in reversed(self) if not user.deleted}

    @cached_property
    def profiles(self) -> Mapping[Key, Key]:
        """The profiles that these have, each with one of them."""
        return {user.profile: user.key for user in reversed(self) if not user.deleted}

    @cached_property
    def sets(self) -> Mapping[Key, Key]:
        """The permission sets that these have, each with one of them."""
        return {each: user.key for user in reversed(self) if not user.deleted for each in user.sets}


def people(users: Iterable[User]) -> People:
    """Give *users* together; what is worked out already stays so."""
    return users if isinstance(users, People) else People(users)


class Groups(dict[Key, tuple[Principal, ...]]):
    """The members of all groups, with what follows from them; nobody changes it.

    >>> Groups({Key(1): (Principal(PrincipalKind.GROUP, Key(2)),)}).inner
    {1: [2]}
    """

    @cached_property
    def inner(self) -> Mapping[Key, list[Key]]:
        """The groups that are members of each."""
        return {
            key: [each.key for each in members if each.kind is PrincipalKind.GROUP] for key, members in self.items()
        }

    @cached_property
    def apart(self) -> Mapping[Key, list[Principal]]:
        """The members of each that are no groups."""
        return {
            key: [each for each in members if each.kind is not PrincipalKind.GROUP] for key, members in self.items()
        }

    def within(self, group: Key) -> Iterable[Key]:
        """Give a group and those in it, by whatever way; a circle of groups has the members of all."""
        seen, left = {group: None}, [group]
        while left:
            for each in self.inner[left.pop()]:
                if each in self and each not in seen:
                    seen[each] = None
                    left.append(each)
        return seen

    @cached_property
    def named(self) -> Mapping[PrincipalKind, Mapping[Key, str]]:
        """The keys of members by kind, each with the id of one of the groups that have it."""
        found: dict[PrincipalKind, dict[Key, str]] = {kind: {} for kind in PrincipalKind}
        for key, members in self.items():
            by = encode("gro", key)
            for member in members:
                found[member.kind].setdefault(member.key, by)
        return found


def grouped(members: Mapping[Key, tuple[Principal, ...]]) -> Groups:
    """Give all groups by their *members*; what is worked out already stays so."""
    return members if isinstance(members, Groups) else Groups(members)
