"""What a session carries from unit to unit: its user and policy, and the transaction it is in."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from typing import TypeVar

import attrs

from nubetis.access.decision import Action
from nubetis.access.delegation import Limits, lent
from nubetis.access.directory import Directory
from nubetis.access.looking import looking
from nubetis.access.policy import Policy, RolePolicy, SystemPolicy, UserFacts
from nubetis.errors import AccessDenied, NotFound, PlanDrifted, StoreBusy, StoreError
from nubetis.model.bind import Viewpoint
from nubetis.model.filters import Filter, People
from nubetis.model.ids import encode
from nubetis.model.plan import Committed
from nubetis.model.record import Record
from nubetis.model.schema import DELETED_IN, Module
from nubetis.model.store import Batch, Txn, Versions
from nubetis.session.deciding import Decider
from nubetis.session.delegating import limits_of
from nubetis.session.planning import Planner
from nubetis.session.rosters import directory_of
from nubetis.session.seen import Sight
from nubetis.session.world import Known, World
from nubetis.types import Json, Key, RecordId, Row

__all__ = ["State", "facts_of"]

T = TypeVar("T")


def facts_of(known: Known, txn: Txn, user: Key) -> UserFacts:
    """Give what a policy must know of the user.

    Raises:
        NotFound: ``unknown_user``.
    """
    users, profiles = known.schema.module("users"), known.schema.module("profiles")
    row = txn.get_many(users, [user])[0]
    if row is None:
        raise NotFound("unknown_user", user=encode(users.prefix, user))
    record = Record(users, row)
    held = txn.get_many(profiles, [Key(int(row[users.layout.index["profile"]] or 0))])[0]
    return UserFacts(
        id=record.id,
        key=user,
        name=str(record["name"]),
        email=str(record["email"]),
        active=record["state"] == "active" and row[DELETED_IN] is None,
        administrator=held is not None and held[DELETED_IN] is None and bool(Record(profiles, held)["administrator"]),
    )


@attrs.define(repr=False)
class State:
    """One session's share of the world.

    *user* is ``None`` for nubetis itself, whose *purpose* is then named.  *sign_in* stands in the journal with
    everything that the session writes, as does *on_behalf_of*, for whom nubetis acts, or *delegate*, another user, who
    has what the user has lent him.  An *onlooker* sees what the user sees and writes nothing.

    Units inside a unit join it.
    """

    world: World
    user: Key | None
    purpose: str = ""
    sign_in: Mapping[str, Json] = attrs.field(factory=dict)
    on_behalf_of: RecordId | None = None
    delegate: Key | None = None
    onlooker: Key | None = None
    policy: Policy = attrs.field(init=False)
    sight_now: Sight = attrs.field(init=False)
    decider_now: Decider = attrs.field(init=False)
    facts: UserFacts | None = attrs.field(default=None, init=False)
    limits: tuple[Limits, ...] = attrs.field(default=(), init=False)
    known: Known = attrs.field(factory=Known, init=False)
    txn_now: Txn | None = attrs.field(default=None, init=False)
    committed: list[Committed] = attrs.field(factory=list, init=False)
    afterwards: list[Callable[[], object]] = attrs.field(factory=list, init=False)
    """What is to be done once the unit that is running has been committed, and not otherwise."""
    people_now: tuple[int, Directory] | None = attrs.field(default=None, init=False)
    """Everybody's access as the unit has just made it, with the access version that it has there."""
    closed: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.policy = SystemPolicy(self.purpose)
        self.known = self.world.last
        self.sight_now = Sight(self.policy, self.known.schema)
        self.decider_now = Decider(self, self.policy)

    def __repr__(self) -> str:
        return f"<{self.user_id or self.purpose}>"

    @property
    def txn(self) -> Txn:
        """The transaction of the unit that is running."""
        if self.txn_now is None:
            raise StoreError("store_failed", reason="this works only inside a unit")
        return self.txn_now

    @property
    def user_id(self) -> RecordId | None:
        """The user's record id."""
        return None if self.user is None else encode("use", self.user)

    @property
    def actor(self) -> Key | None:
        """Who does it: the user, or one who acts for him."""
        return self.user if self.delegate is None else self.delegate

    @property
    def actor_id(self) -> RecordId | None:
        """The record id of who does it."""
        return None if self.actor is None else encode("use", self.actor)

    @property
    def versions(self) -> Versions:
        """The versions that the unit sees."""
        return self.known.versions

    @property
    def sight(self) -> Sight:
        """What of the modules the user may read, as last learnt."""
        if self.user is not None and self.facts is None and self.txn_now is None:
            self.read(lambda: None)  # nobody has asked yet who he is
        if self.sight_now.policy is not self.policy or self.sight_now.whole is not self.known.schema:
            self.sight_now = Sight(self.policy, self.known.schema)
        return self.sight_now

    @property
    def decider(self) -> Decider:
        """What judges single records, for the rights last learnt."""
        if self.decider_now.policy is not self.policy:
            self.decider_now = Decider(self, self.policy)
        return self.decider_now

    def itself(self, purpose: str) -> State:
        """Give nubetis itself, which acts on behalf of the user; in the unit that is running, if there is one."""
        other = State(self.world, None, purpose, self.sign_in, self.user_id)
        other.known, other.txn_now = self.known, self.txn_now
        other.committed, other.afterwards = self.committed, self.afterwards
        return other

    def of_user(self, user: Key) -> State:
        """Give what another user would see in the unit that is running, to look at only; he need not be active."""
        other = State(self.world, user)
        other.known, other.txn_now = self.known, self.txn_now
        other.learn_user(user)
        return other

    def looking_on(self, user: Key) -> State:
        """Give a state in which the user looks on at what another sees.

        Raises:
            AccessDenied: he may not.
        """
        other = State(self.world, user, sign_in=self.sign_in, onlooker=self.user)
        other.known, other.txn_now = self.known, self.txn_now
        other.learn_user(user)
        other.txn_now = None
        return other

    def learn_user(self, user: Key) -> None:
        """Learn who the user is and what he may do, as the transaction sees it."""
        facts, directory = facts_of(self.known, self.txn, user), self._directory()
        policy = RolePolicy(user=facts, directory=directory, schema=self.known.schema)
        if self.onlooker is not None:
            policy = self._looked_on(policy, self.onlooker)
        self.policy = policy if self.delegate is None else lent(policy, self.limits)
        self.facts = facts if self.delegate is None else attrs.evolve(facts, administrator=False)

    def _directory(self) -> Directory:
        made = self.people_now
        if made is not None and made[0] == self.txn.versions().access:
            return made[1]
        return directory_of(self.world, self.txn, self.versions.access)

    def go_on(self, people: Directory) -> None:
        """Go on in the unit that is running with the rights that it has just made, be they less."""
        self.people_now = self.txn.versions().access, people
        if self.user is None:
            return
        if self.delegate is not None:
            self.limits = self._limits_left(self.user, self.delegate)
        self.learn_user(self.user)

    def _limits_left(self, user: Key, delegate: Key) -> tuple[Limits, ...]:
        try:
            return limits_of(self, user, delegate)
        except AccessDenied:  # one of the two is no longer active
            return ()

    def _looked_on(self, policy: RolePolicy, onlooker: Key) -> RolePolicy:
        """Give what is seen by one who looks on."""
        facts = facts_of(self.known, self.txn, onlooker)
        asker = RolePolicy(user=facts, directory=policy.directory, schema=policy.schema)
        raised = policy.user.administrator and not facts.administrator
        if raised or not facts.active or not asker.insight:
            raise AccessDenied("denied", user=facts.email, action="look on", module="this organisation")
        return looking(policy, asker)

    def told(self) -> State | None:
        """Give the state of one who looks on, who is told in the place of the user."""
        return None if self.onlooker is None else self.of_user(self.onlooker)

    # units -------------------------------------------------------------------------------------------------
    def read(self, work: Callable[[], T]) -> T:
        """Run *work* on one snapshot, or in the unit that is running."""
        if self.txn_now is not None:
            return work()
        self.world.settle()
        return self.world.store.read(lambda txn: self._inside(txn, work))

    def write(self, work: Callable[[], T]) -> T:
        """Run *work* in one transaction, again if the store must; then tell the plug-ins what was stored.

        Raises:
            AccessDenied: ``only_reading``; it is one who looks on.
        """
        if self.onlooker is not None:
            raise AccessDenied("only_reading", user=self.user_id)
        if self.txn_now is not None:
            with self.savepoint():  # whole or nothing, also where the unit catches the error
                return work()
        self.world.settle()
        answer = self.world.store.write(lambda txn: self._inside(txn, work))
        left, self.afterwards = self.afterwards, []
        for do in dict.fromkeys(left):
            with suppress(StoreBusy):  # what was written stands; housekeeping does the rest when nobody is in its way
                do()
        told, self.committed = self.committed, []
        for each in told:
            self.world.extensions.committed(each)
        return answer

    def _inside(self, txn: Txn, work: Callable[[], T]) -> T:
        if self.closed:
            raise StoreError("closed", what="session")
        self.committed, self.afterwards = [], []
        self.txn_now = txn
        try:
            self.refresh()
            with self._rights():
                return work()
        finally:
            self.txn_now = None

    @contextmanager
    def _rights(self) -> Generator[None]:
        """Give a block whose changes of the user's own rights are forgotten when it raises."""
        before = self.policy, self.facts, self.limits, self.people_now
        try:
            yield
        except BaseException:
            self.policy, self.facts, self.limits, self.people_now = before
            raise

    @contextmanager
    def savepoint(self) -> Generator[None]:
        """Give a block of which nothing stays when it raises, and of which nobody is told then."""
        told, left = len(self.committed), len(self.afterwards)
        try:
            with self._rights(), self.txn.savepoint():
                yield
        except BaseException:
            del self.committed[told:]
            del self.afterwards[left:]
            raise

    def refresh(self) -> None:
        """Read the versions; learn anew who the user is where rights have moved."""
        before, self.known = self.known, self.world.learn(self.txn)
        now, then = self.versions, before.versions
        moved = self.facts is None or now.access != then.access or now.schema != then.schema
        moved, self.people_now = moved or self.people_now is not None, None  # the last unit may not have been stored
        if self.user is not None and self.delegate is not None:
            limits, self.limits = self.limits, limits_of(self, self.user, self.delegate)
            moved = moved or limits != self.limits
        if self.user is not None and moved:
            self.learn_user(self.user)
        if self.facts is not None and not self.facts.active:
            raise AccessDenied("denied", user=self.facts.email, action="work", module="this organisation")

    # planning ----------------------------------------------------------------------------------------------
    def planner(self) -> Planner:
        """Give a planner for the unit that is running."""
        return Planner(
            world=self.world, known=self.known, txn=self.txn, sight=self.sight, view=self.view(), user=self.user,
            actor=self.actor,
        )  # fmt: skip

    def view(self) -> Viewpoint:
        """Give from where the user's filters are seen."""
        people: Mapping[People, tuple[RecordId, ...]] = {} if self.user_id is None else {People.ME: (self.user_id,)}
        return Viewpoint(
            now=self.world.now(),
            people=people,
            readable=self.policy.reads,
            visible=self._visible,
            find_user=lambda name: self.known.find_user(self.txn, name),
        )

    def _visible(self, module: Module) -> Filter:
        return self.policy.grant(Action.VIEW, module)

    # small things that applying needs ----------------------------------------------------------------------
    def write_now(self, batch: Batch) -> None:
        """Write a batch of ledgers that nothing can stand against.

        Raises:
            PlanDrifted: something did: rights or settings moved since.
        """
        outcome = self.txn.write(batch)
        if not outcome.written:
            raise PlanDrifted("outdated")

    def asked_about(
        self, record: str | Record, get: Callable[[str | Record], Record]
    ) -> tuple[Module, Row | None, RecordId | None]:
        """Give module, whole row and id of a record that *get* lets be seen; the module alone where that is named."""
        named = self.known.asked_module(record)
        if named is not None:
            return named, None, None
        name = get(record).id
        module, key = self.known.module_of(name)
        return module, self.txn.get_many(module, [key])[0], name

    def record_now(self, module: Module, key: Key) -> Record | None:
        """Give a record as it is now; ``None`` where it is gone or the user may not see it."""
        row = self.txn.get_many(module, [key])[0]
        hidden = row is None or not self.planner().allowed(module, Action.VIEW)(row)
        return None if row is None or hidden else self.sight.record(module, row)
