"""An organisation compared with the oracle: lists, counts, decisions, explanations, exports, and who may.

Each answer about one user and one record counts as one check; a difference names the user, what was asked and the
records about which the two do not agree.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from random import Random
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.decision import Action
from nubetis.access.entitlements import Feature
from nubetis.access.permissions import FieldLevel
from nubetis.access.sharing import NEEDED, Level
from nubetis.access.sign_in import HostSignIn
from nubetis.data.export import export
from nubetis.errors import AccessDenied, InvalidFilter, NotFound
from nubetis.model.filters import EVERYTHING
from nubetis.model.ids import decode, encode
from nubetis.session.previewing import who_can
from nubetis.testing.access_contract.oracle import ActingOracle, WorldOracle
from nubetis.testing.access_contract.worlds import CRITERIA, LINKED, MODULES, There, Thing, World, module_called
from nubetis.testing.access_contract.writing import address_of
from nubetis.types import Key

if TYPE_CHECKING:
    from nubetis.access.people import User
    from nubetis.model.filters import Filter
    from nubetis.session import Session
    from nubetis.testing.people import OrgWithPeople

__all__ = ["Checker", "Seen", "id_of"]

_SORTS: Final[tuple[tuple[str, ...], ...]] = ((), ("-id",), ("city",), ("-city", "size"), ("size", "-id"), ("owner",))
_VERBS: Final = tuple([each for each in Action if each in NEEDED])

Seen = dict[tuple[Key, str], frozenset[Key]]
"""The keys of the records of a module that a user finds."""


def id_of(thing: Thing) -> str:
    """Give the id of a record."""
    return encode(module_called(thing.module).prefix, thing.key)


@attrs.define
class Checker:
    """Compares the organisation *org* with *world*; what is sampled is chosen by *random*, *sample* records a user.

    With a *delegate*, users are those for whom he acts.
    """

    org: OrgWithPeople
    world: World
    random: Random
    sample: int = 12
    delegate: Key | None = None
    checks: int = attrs.field(default=0, init=False)
    oracle: WorldOracle = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Ask the oracle of this world."""
        acting = self.delegate
        self.oracle = WorldOracle(self.world) if acting is None else ActingOracle(self.world, delegate=acting)

    def agree(self) -> int:
        """Compare everything; give how many checks there were.

        Raises:
            AssertionError: they differ.
        """
        for user in self.world.roster.users:
            if self._signs_in(user):
                with self._session(user.key) as session:
                    for module in MODULES:
                        self._of_module(session, user.key, module)
        self._columns()
        for whom, delegate in sorted({(each.user, each.delegate) for each in self.world.lent}):
            acting = Checker(self.org, self.world, self.random, self.sample, delegate)
            acting.agree_acting(whom)
            self.checks += acting.checks
        return self.checks

    def agree_acting(self, user: Key) -> None:
        """Compare what the delegate has for *user*, or that he has nothing from him."""
        oracle, name = self.oracle, encode("use", user)
        lends = isinstance(oracle, ActingOracle) and bool(oracle.lends(user))
        try:
            with self._session(user) as session:
                self.hold(self.delegate, "acts for", user, expected=lends, actual=True)
                for module in MODULES:
                    self._of_module(session, user, module)
        except (AccessDenied, NotFound) as error:
            self.hold(self.delegate, "acts for", name, error.code, expected=lends, actual=False)

    def seen(self) -> Seen:
        """Give what each user who signs in finds."""
        found: Seen = {}
        for user in self.world.roster.users:
            if user.active:
                with self._session(user.key) as session:
                    for module in MODULES:
                        found[user.key, module] = frozenset(self._listed(session, user.key, module))
        return found

    def expected(self) -> Seen:
        """Give what the oracle says that each of them finds."""
        users = [each.key for each in self.world.roster.users if each.active]
        return {(user, module): frozenset(self._visible(user, module)) for user in users for module in MODULES}

    def hold(self, *asked: object, expected: object, actual: object, count: int = 1) -> None:
        """Count *count* checks, all of which hold or not.

        Raises:
            AssertionError: what was *expected* is not what is.
        """
        self.checks += count
        if expected != actual:
            raise AssertionError(f"{' '.join(map(str, asked))}: {_difference(expected, actual)}")

    # one user ----------------------------------------------------------------------------------------------
    def _session(self, user: Key) -> Session:
        # who made the organisation has another address, and the same id as any
        if self.delegate is None:
            return self.org.session(HostSignIn(encode("use", user), factor=True))
        found = HostSignIn(encode("use", self.delegate), factor=True)
        return self.org.session(found, on_behalf_of=encode("use", user))

    def _signs_in(self, user: User) -> bool:
        """Hold that one who is suspended or deleted does not sign in."""
        if user.active:
            return True
        try:
            self.org.session(HostSignIn(address_of(user.key), factor=True))
        except (AccessDenied, NotFound):
            self.checks += 1
            return False
        raise AssertionError(f"{user} signs in")

    def _of_module(self, session: Session, user: Key, module: str) -> None:
        visible = self._visible(user, module)
        self._lists(session, user, module, visible)
        things = self.world.things[module]
        for thing in self.random.sample(things, k=min(self.sample, len(things))):
            self._decisions(session, user, thing)
        for thing in things:  # all that is listed passes, and nothing else
            may = session.can(Action.VIEW, id_of(thing))
            self.hold(user, "can view", thing, expected=thing.key in visible, actual=may)

    def _things(self, module: str, *, deleted: bool = False) -> Iterator[Thing]:
        yield from [each for each in self.world.things[module] if each.deleted is deleted]

    def _visible(self, user: Key, module: str, *, deleted: bool = False) -> list[Key]:
        things = self._things(module, deleted=deleted)
        return [each.key for each in things if self.oracle.may(user, Action.VIEW, each)]

    # lists -------------------------------------------------------------------------------------------------
    def _lists(self, session: Session, user: Key, module: str, visible: list[Key]) -> None:
        if not self.oracle.permits(user, Action.VIEW, module):
            self._refused(session, user, module)
            return
        everything = len(list(self._things(module)))
        for sort in self._sorts(user, module):
            found = list(self._pages(session, module, sort=sort, limit=self.random.randint(3, 60)))
            self.hold(user, "finds", module, sort, expected=visible, actual=sorted(found), count=everything)
        self._narrowed(session, user, module, set(visible))
        binned = self._visible(user, module, deleted=True)
        found = list(self._pages(session, module, limit=20, deleted=True))
        self.hold(user, "finds in the bin", module, expected=binned, actual=sorted(found), count=len(binned) + 1)
        self._counts(session, user, module, len(visible))
        self._exports(session, user, module, visible)

    def _refused(self, session: Session, user: Key, module: str) -> None:
        try:
            session.find(module)
        except AccessDenied:
            self.checks += 1
            return
        raise AssertionError(f"{user} finds {module}, which no profile permits")

    def _listed(self, session: Session, user: Key, module: str) -> list[Key]:
        if not self.oracle.permits(user, Action.VIEW, module):
            self._refused(session, user, module)
            return []
        return list(self._pages(session, module, limit=1000))

    def _pages(
        self, session: Session, module: str, where: Filter = EVERYTHING, *,
        limit: int, sort: Iterable[str] = (), deleted: bool = False,
    ) -> Iterator[Key]:  # fmt: skip
        """Give the keys of all pages, one after the other."""
        after: str | None = None
        while True:
            page = session.find(module, where, sort=list(sort), limit=limit, after=after, deleted=deleted)
            yield from [decode(each.id)[1] for each in page]
            after = page.next
            if after is None:
                return

    def _sorts(self, user: Key, module: str) -> list[tuple[str, ...]]:
        """Give two orders of which the user reads all fields."""
        read = [each for each in _SORTS if all(self._reads(user, module, name.lstrip("-")) for name in each)]
        return self.random.sample(read, k=min(2, len(read)))

    def _reads(self, user: Key, module: str, name: str) -> bool:
        return self.oracle.field(user, module, module_called(module).field(name)) >= FieldLevel.READ

    def _narrowed(self, session: Session, user: Key, module: str, visible: set[Key]) -> None:
        """Ask with a filter of the user's own, which is refused where it names what is hidden from him."""
        where, expected, hidden = self._asked(user, module, visible)
        things = list(self._things(module))
        try:
            found = sorted(self._pages(session, module, where, limit=self.random.randint(3, 60)))
        except InvalidFilter:
            self.hold(user, "filters", where, expected=True, actual=hidden)
            return
        self.hold(user, "may filter", where, expected=False, actual=hidden)
        self.hold(user, "finds", module, where, expected=expected, actual=found, count=len(things))

    def _asked(self, user: Key, module: str, visible: set[Key]) -> tuple[Filter, list[Key], bool]:
        """Give a filter, what fits it by the linked records that the user sees, and whether it names a hidden field."""
        things = [each for each in self._things(module) if each.key in visible]
        if self.random.random() < 0.5:
            asked = self.random.choice(LINKED[module])
            hidden = any(not self._reads(user, name, field) for name, field in asked.asks)
            return asked.where, [each.key for each in things if asked.fits(each, self._there_for(user))], hidden
        where, fits = self.random.choice(CRITERIA)
        named = [name for name in ("city", "size") if name in repr(where)]
        hidden = any(not self._reads(user, module, name) for name in named)
        return where, [each.key for each in things if fits(each)], hidden

    def _there_for(self, user: Key) -> There:
        def there(module: str, key: Key | None) -> Thing | None:
            found = self.oracle.there(module, key)
            return found if found is not None and self.oracle.may(user, Action.VIEW, found) else None

        return there

    def _counts(self, session: Session, user: Key, module: str, visible: int) -> None:
        limit = self.random.randint(1, 40)
        counted = [session.count(module), session.count(module, limit=limit), session.find(module, total="exact").total]
        self.hold(user, "counts", module, expected=[visible, min(visible, limit), visible], actual=counted, count=3)

    def _exports(self, session: Session, user: Key, module: str, visible: list[Key]) -> None:
        target = BytesIO()
        permitted = self.oracle.permits(user, Action.EXPORT, module)
        try:
            export(session, target, module=module, fields=["id"], file_format="csv")
        except AccessDenied:
            self.hold(user, "exports", module, expected=permitted, actual=False)
            return
        rows = list(csv.DictReader(StringIO(target.getvalue().decode("utf-8-sig"))))
        found = sorted([decode(each["id"])[1] for each in rows])
        self.hold(
            user, "exports", module, expected=visible if permitted else None, actual=found, count=len(visible) + 1
        )

    # single records ----------------------------------------------------------------------------------------
    def _decisions(self, session: Session, user: Key, thing: Thing) -> None:
        name = id_of(thing)
        seen = not thing.deleted and self.oracle.may(user, Action.VIEW, thing)
        for action in _VERBS:
            may = seen and self.oracle.may(user, action, thing)
            self.hold(user, "can", action, thing, expected=may, actual=session.can(action, name))
        action = self.random.choice(_VERBS)
        try:
            decision = session.decide(action, name)
        except NotFound:
            self.hold(user, "is told of", thing, expected=seen, actual=False)
            return
        admin = self.oracle.administrator(user)
        level = Level.DELETE if admin else self.oracle.level(user, thing)
        told = (decision.allowed, decision.level)
        self.hold(user, "decides", action, thing, expected=(self.oracle.may(user, action, thing), level), actual=told)
        self.hold(user, "explains", action, thing, expected=decision, actual=session.explain(action, name).decision)
        self._fields(session, user, thing, dict(decision.fields))

    def _fields(self, session: Session, user: Key, thing: Thing, only_read: dict[str, FieldLevel]) -> None:
        record = session.get(id_of(thing))
        for name in ("city", "size"):
            level = self.oracle.field(user, thing.module, module_called(thing.module).field(name))
            shown = FieldLevel.HIDDEN if name not in dict(record) else only_read.get(name, FieldLevel.EDIT)
            self.hold(user, "has the field", name, "of", thing, expected=level, actual=shown)

    def _columns(self) -> None:
        """Ask of some records who may do something with them, which takes an edition that lets one look."""
        users, edition = self.world.roster.users, self.world.roster.entitlements
        with self.org.administrator() as session:
            for module in MODULES:
                if Feature.INSIGHT in edition.lacks or module_called(module).id in edition.lacks_modules:
                    self._nobody_looks(session, module)
                    continue
                things = list(self._things(module))
                for thing in self.random.sample(things, k=min(self.sample, len(things))):
                    action = self.random.choice(_VERBS)
                    found = sorted(who_can(session, action, id_of(thing)))
                    may = sorted([encode("use", u.key) for u in users if self.oracle.may(u.key, action, thing)])
                    self.hold("who can", action, thing, expected=may, actual=found, count=len(users))

    def _nobody_looks(self, session: Session, module: str) -> None:
        """Hold that administrators do not pass the gate of the edition, either."""
        try:
            found = who_can(session, Action.VIEW, id_of(next(self._things(module))))
        except (AccessDenied, NotFound):
            self.checks += 1
            return
        raise AssertionError(f"{found} may view {module}, which the edition lacks, or nobody may look")


def _difference(expected: object, actual: object) -> str:
    if isinstance(expected, list) and isinstance(actual, list):
        lost, more = sorted(set(expected) - set(actual)), sorted(set(actual) - set(expected))
        if lost or more:
            return f"{lost} is not there, {more} is too much"
    return f"expected {expected}, not {actual}"
