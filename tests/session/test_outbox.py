"""The outbox: what a transaction causes outside is done at least once, and not again after it is done."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from nubetis import hookimpl
from nubetis.errors import Cancelled, PluginError
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import instant_text
from nubetis.model.outbox import Message
from nubetis.model.system import OUTBOX
from nubetis.session import resuming
from nubetis.testing.people import make_org
from tests.stores import refusing, rows_of


class Post:
    """Takes messages as told, and remembers what it was given."""

    def __init__(self):
        self.given, self.takes, self.breaks_at = [], lambda key: True, None

    @hookimpl
    def nubetis_notify(self, messages):
        self.given.append([message.key for message in messages])
        if self.breaks_at in self.given[-1]:
            raise OSError("line down")
        return [message.key for message in messages if self.takes(message.key)]


@pytest.fixture
def post():
    """A plug-in that delivers."""
    return Post()


@pytest.fixture
def org(nubetis_store_url, nubetis_clock, post):
    """An organisation with that plug-in."""
    with make_org(nubetis_store_url, clock=nubetis_clock, plugins=[post]) as org:
        yield org


def send(session, *keys, leads=1, progress=None):
    """Apply a plan that causes messages."""
    plan = session.plan_create("leads", [{"name": key} for key in keys or "x" for _ in range(leads)])
    messages = tuple([Message(kind="welcome", key=key, body={"to": key}) for key in keys])
    return session.apply(attrs.evolve(plan, messages=messages), progress=progress)


def states(org):
    """Give key → state of all messages."""
    at = OUTBOX.layout.index
    return {row[at["key"]]: row[at["state"]] for row in rows_of(org, OUTBOX)}


def test_messages_are_written_with_what_causes_them(org):
    """One transaction: the records and their messages."""
    send(org.administrator(), "a", "b")

    assert states(org) == {"a": "waiting", "b": "waiting"}


def test_a_transaction_taken_back_sends_nothing(org):
    """A failed unit leaves no message."""

    def work(session):
        send(session, "a")
        session.create("leads")

    with refusing("required"):
        org.administrator().unit(work)
    assert (states(org), org.deliver()) == ({}, 0)


def test_what_was_taken_is_not_offered_again(org, post):
    """Delivered is done."""
    send(org.administrator(), "a", "b")

    assert (org.deliver(), org.deliver()) == (2, 0)
    assert post.given == [["a", "b"]]


def test_what_was_not_taken_is_offered_again(org, post, nubetis_clock):
    """At least once: a message waits until somebody takes it."""
    send(org.administrator(), "a", "b")
    post.takes = lambda key: key == "b"
    assert org.deliver() == 1
    post.takes = lambda key: True
    assert org.deliver() == 0
    nubetis_clock.advance(minutes=1)

    assert org.deliver() == 1
    assert post.given == [["a", "b"], ["a"]]


def test_a_plug_in_that_breaks_loses_no_message(org, post, nubetis_clock):
    """The error names the plug-in; everything is offered again."""
    send(org.administrator(), "a")
    post.breaks_at = "a"
    with refusing("plugin", PluginError) as caught:
        org.deliver()
    post.breaks_at = None
    nubetis_clock.advance(minutes=1)

    assert caught.value.params["hook"] == "nubetis_notify"
    assert org.deliver() == 1


def test_a_second_message_with_the_same_key_is_not_written(org):
    """The key makes a message idempotent: the work is done, the message stays one."""
    session = org.administrator()
    send(session, "a")
    send(session, "a")

    assert session.count("leads") == 2
    assert states(org) == {"a": "waiting"}
    assert org.deliver() == 1
    send(session, "a")
    assert org.deliver() == 0


@pytest.mark.usefixtures("small_chunks")
def test_a_long_operation_sends_its_messages_once(org):
    """Many transactions, one set of messages."""
    send(org.administrator(), "a", leads=8)

    assert states(org) == {"a": "waiting"}


class PowerCut(BaseException):
    """What the death of the process is played by: no error of nubetis, so that nobody takes care of it."""


def stopping(after, error):
    """Give a progress that raises *error* once *after* records are written."""

    def progress(position, total):
        if position >= after:
            raise error

    return progress


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("after", [3, 6])
@pytest.mark.parametrize("error", [PowerCut(), Cancelled("cancelled", done=0)], ids=["killed", "cancelled"])
def test_an_operation_that_is_stopped_tells_the_world_when_it_is_resumed_to_its_end(org, after, error):
    """Wherever it stopped nothing was sent; the end sends everything, once."""
    session = org.administrator()
    with pytest.raises(type(error)):
        send(session, "a", "b", leads=4, progress=stopping(after, error))
    assert states(org) == {}
    (left,) = org.interrupted()
    resuming.resume(org.administrator(), left)
    resuming.resume(org.administrator(), left)

    assert states(org) == {"a": "waiting", "b": "waiting"}
    assert (org.deliver(), org.deliver()) == (2, 0)


@pytest.mark.usefixtures("small_chunks")
def test_an_operation_killed_after_its_last_transaction_is_done(org):
    """Its end is in its last transaction: nothing is left to resume, and its messages are there."""
    with pytest.raises(PowerCut):
        send(org.administrator(), "a", leads=8, progress=stopping(8, PowerCut()))

    assert (org.interrupted(), states(org)) == ([], {"a": "waiting"})


@pytest.mark.usefixtures("small_chunks")
def test_an_operation_that_fails_in_the_middle_has_told_nobody(org):
    """What is taken back was never announced, neither by the operation nor by its undoing."""
    session = org.administrator()
    plan = session.plan_create("products", [{"name": str(n), "code": str(n)} for n in range(8)])
    session.create("products", name="Other", code="7")
    with refusing("not_unique"):
        session.apply(attrs.evolve(plan, messages=(Message(kind="new", key="a"),)))

    assert (states(org), org.interrupted()) == ({}, [])


@pytest.mark.parametrize("leads", [1, 8])
@pytest.mark.usefixtures("small_chunks")
def test_a_refused_plan_tells_nobody(org, leads):
    """Nothing is written, nothing is sent."""
    session = org.administrator()
    plan = session.plan_create("leads", [{"name": "x"}] * leads + [{}])
    with refusing("refused"):
        session.apply(attrs.evolve(plan, messages=(Message(kind="new", key="a"),)))

    assert states(org) == {}


@pytest.mark.parametrize("leads", [1, 8])
@pytest.mark.usefixtures("small_chunks")
def test_an_operation_that_wrote_nothing_tells_nobody(org, leads):
    """Every record drifted, and that was tolerated: there is nothing to tell."""
    session = org.administrator()
    send(session, *[str(n) for n in range(leads)])
    org.deliver()
    plan = session.plan_update("leads", EVERYTHING, company="New")
    session.apply(session.plan_update("leads", EVERYTHING, company="Other"))
    operation = session.apply(attrs.evolve(plan, messages=(Message(kind="new", key="a"),)), tolerance=leads)

    assert (operation.position, len(operation.skipped)) == (0, leads)
    assert "a" not in states(org)


@pytest.mark.usefixtures("small_chunks")
def test_a_long_operation_keeps_to_keys_that_were_used(org):
    """Idempotent over all operations, long or short."""
    session = org.administrator()
    send(session, "a")
    org.deliver()
    send(session, "a", "b", leads=4)

    assert states(org) == {"a": "done", "b": "waiting"}


def test_deliveries_come_in_lots(org, post):
    """No more than asked for, oldest first."""
    send(org.administrator(), "a", "b", "c")

    assert (org.deliver(limit=2), org.deliver(limit=2)) == (2, 1)
    assert post.given == [["a", "b"], ["c"]]


def test_nothing_is_delivered_before_it_is_due(org, nubetis_clock):
    """A clock that went back makes messages wait."""
    send(org.administrator(), "a")
    nubetis_clock.move_to(nubetis_clock.now - timedelta(hours=1))
    assert org.deliver() == 0
    nubetis_clock.advance(hours=2)

    assert org.deliver() == 1


def test_what_another_worker_delivered_meanwhile_stays_done(org, post):
    """Two workers have the same messages in their hands; the slower one takes none."""
    send(org.administrator(), "a", "b")

    def meanwhile(_):
        post.takes = lambda key: True
        org.deliver()
        post.takes = lambda key: False

    post.takes = meanwhile
    assert (org.deliver(), states(org)) == (0, {"a": "done", "b": "done"})


def test_what_nobody_takes_does_not_stand_in_the_way_of_the_rest(org, post):
    """It is due later than they are."""
    send(org.administrator(), "bad", "worse", "good")
    post.takes = lambda key: key == "good"

    assert (org.deliver(limit=2), org.deliver(limit=2)) == (0, 1)
    assert states(org) == {"bad": "waiting", "worse": "waiting", "good": "done"}


def test_one_for_which_a_plug_in_raises_does_not_stand_in_the_way_of_the_rest(org, post):
    """They are handed to it one by one; its error comes when all were."""
    send(org.administrator(), "good", "bad", "fine")
    post.breaks_at = "bad"
    with refusing("plugin", PluginError):
        org.deliver()

    assert post.given == [["good", "bad", "fine"], ["good"], ["bad"], ["fine"]]
    assert states(org) == {"good": "done", "bad": "waiting", "fine": "done"}


def test_what_is_not_taken_is_offered_later_each_time_and_then_given_up(org, post, nubetis_clock):
    """After 1, 2, 4… minutes, at most 12 hours; after twelve times the doctor names it, and it can be offered again."""
    send(org.administrator(), "a")
    post.takes, waits = lambda key: False, []
    for _ in range(11):
        org.deliver()
        minutes = 0
        while not due(org):
            nubetis_clock.advance(minutes=1)
            minutes += 1
        waits.append(minutes)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 720]
    assert (org.deliver(), states(org)) == (0, {"a": "dead"})
    nubetis_clock.advance(days=9)
    assert (org.deliver(), [found.code for found in org.check()]) == (0, ["messages_dead"])
    assert (org.deliver(dead=True), states(org)) == (0, {"a": "dead"})
    post.takes = lambda key: True
    assert (org.deliver(dead=True), states(org), org.check()) == (1, {"a": "done"}, [])


def due(org):
    """Say whether a message is due by now."""
    at = OUTBOX.layout.index["due_at"]
    return any(row[at] <= instant_text(org._world.now()) for row in rows_of(org, OUTBOX))


@pytest.mark.parametrize("limit", [-1, "x", None, 1.5, 10**30], ids=repr)
def test_a_number_of_messages_that_is_none_is_refused(org, limit):
    with refusing("bad_argument", match="limit"):
        org.deliver(limit=limit)


@pytest.mark.parametrize(
    "given",
    [
        {"key": ""}, {"key": "x" * 301}, {"key": 5}, {"key": None}, {"key": "\ud800"}, {"key": "a\0"}, {"kind": None},
        {"body": {"x": float("nan")}}, {"body": {"x": {1}}}, {"body": {"x": "\ud800"}}, {"body": "text"},
        {"body": None}, {"body": {"x": b"1"}},
    ],
    ids=repr,
)  # fmt: skip
def test_a_message_that_could_not_be_kept_is_refused_when_it_is_made(given):
    with refusing("bad_argument", match=next(iter(given))):
        Message(**{"kind": "x", "key": "k", **given})
