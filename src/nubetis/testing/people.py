"""An organisation for tests, and people made on the fly.

A person is one line: ``"luis: Manager"`` is a user luis with the role Manager, ``"ana: Rep < luis"`` one whose role
reports to the role of luis, ``"eva: Director !admin"`` an administrator.  Roles that are not there yet are made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from random import Random
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.sign_in import HostSignIn
from nubetis.errors import InvalidValue
from nubetis.model.filters import F
from nubetis.org import Org, Surroundings, create
from nubetis.testing.clock import FixedClock

if TYPE_CHECKING:
    from nubetis.model.record import Record
    from nubetis.session import Session

__all__ = ["ADMINISTRATOR", "OrgWithPeople", "Person", "make_org", "read_person"]

ADMINISTRATOR: Final = "admin@nubetis.test"
"""The administrator of an organisation made by :func:`make_org`."""

_LINE: Final = re.compile(
    r"\s*(?P<name>[a-z][a-z0-9_.-]*)\s*(?::\s*(?P<role>[^<!:]*[^<!:\s]))?\s*(?:<\s*(?P<boss>[a-z][a-z0-9_.-]*))?\s*(?P<admin>!admin)?\s*"
)


@attrs.frozen(kw_only=True)
class Person:
    """A user to be made: the handle, the name of the role, the handle of the one it reports to."""

    name: str
    role: str = "Staff"
    boss: str | None = None
    administrator: bool = False

    @property
    def email(self) -> str:
        """The address by which the user signs in."""
        return f"{self.name}@nubetis.test"


def read_person(line: str) -> Person:
    """Give the person that *line* describes.

    Raises:
        InvalidValue: ``bad_format``.

    >>> read_person("ana: Sales Rep < luis")
    Person(name='ana', role='Sales Rep', boss='luis', administrator=False)
    """
    found = _LINE.fullmatch(line)
    if found is None:
        raise InvalidValue("bad_format", what="a person", example="'ana: Rep < luis' or 'eva: Director !admin'")
    admin = found["admin"] is not None
    return Person(name=found["name"], role=found["role"] or "Staff", boss=found["boss"], administrator=admin)


def make_org(
    url: str = "memory://", *, clock: FixedClock | None = None, plugins: Iterable[object] = ()
) -> OrgWithPeople:
    """Make an organisation in which ids, salts and instants are the same in each run."""
    random = Random("nubetis")
    around = Surroundings(
        plugins=tuple(plugins), clock=clock or FixedClock(), salt=lambda: f"{random.getrandbits(64):016x}"
    )  # fmt: skip
    settings = {"name": "Acme", "currency": "PEN"}
    return OrgWithPeople.like(create(url, administrator=ADMINISTRATOR, settings=settings, around=around))


@attrs.define
class OrgWithPeople(Org):
    """An organisation that makes users on the fly."""

    @classmethod
    def like(cls, org: Org) -> OrgWithPeople:
        """Give the same open organisation with :meth:`people`."""
        return cls(org.url, org._world, org._around)  # noqa: SLF001 - the same class, and more

    def administrator(self) -> Session:
        """Give an open session of the administrator."""
        return self.session(HostSignIn(ADMINISTRATOR, factor=True))

    def people(self, *lines: str) -> Iterator[Session]:
        """Make the users that *lines* describe and give an open session of each, in that order.

        ``luis, ana = org.people("luis: Manager", "ana: Rep < luis")``

        Raises:
            InvalidValue: ``bad_format``; ``bad_argument`` where a role would report to two others.
        """
        persons = list(map(read_person, lines))
        with self.administrator() as session:
            for person in persons:
                self._make(session, person)
        return iter([self.session(HostSignIn(person.email, factor=True)) for person in persons])

    def _make(self, session: Session, person: Person) -> None:
        profile = session.find("profiles", F.administrator == person.administrator, sort="id")[0]
        session.create(
            "users", name=person.name.title(), email=person.email, handle=person.name,
            role=_role_of(session, person), profile=profile.id,
        )  # fmt: skip


def _role_of(session: Session, person: Person) -> str:
    found = session.find("roles", F.name == person.role, limit=1)
    role = found[0] if found else session.create("roles", name=person.role)
    if person.boss is None:
        return role.id
    return _reporting(session, role, _role_named_by(session, person.boss)).id


def _role_named_by(session: Session, boss: str) -> object:
    return session.find("users", F.handle == boss, limit=1)[0]["role"]


def _reporting(session: Session, role: Record, above: object) -> Record:
    if role["reports_to"] == above:
        return role
    if role["reports_to"] is not None or role.id == above:
        reason = f"the role {role['name']} has another place already; give this person a role of its own"
        raise InvalidValue("bad_argument", argument="people", reason=reason)
    return session.edit(role, reports_to=above)
