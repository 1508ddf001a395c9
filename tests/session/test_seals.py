"""Tampering with the journal is found, whatever is changed, dropped, put elsewhere or cut off."""

from __future__ import annotations

import os
from random import Random

import attrs
import pytest

from nubetis import Surroundings, create
from nubetis.errors import Damaged
from nubetis.model.plan import OperationState
from nubetis.model.store import Batch, Inserts, Removals, Updates
from nubetis.model.system import CHANGES, ENTRIES, OPERATIONS, SEALS
from nubetis.session import past
from tests.stores import refusing, rows_of

ROUNDS = int(os.environ.get("NUBETIS_TAMPERING", "300"))
"""How often the store is tampered with; the long proof says 10,000."""

FREE = {"operations": {"state", "position", "changes", "ended_at"}}
"""Columns that go on changing while an operation runs, so that no seal covers them."""


def journal(session):
    """Make some history."""
    leads = [session.create("leads", name=str(number), email=f"{number}@acme.pe") for number in range(4)]
    for lead in leads:
        session.edit(lead.id, name=f"{lead['name']}!", company="Acme")
    session.delete(leads[0].id)
    session.undo(past.operations(session, limit=1)[0])


def swap(random, value):
    """Give another value of the same kind."""
    if value is None:
        return 7
    if isinstance(value, int):
        return value + random.choice([-1, 1, 1 << 20])
    if not value:
        return "x"
    at = random.randrange(len(value))
    return value[:at] + chr((ord(value[at]) - 32 + random.randrange(1, 90)) % 95 + 32) + value[at + 1 :]


def batches(random, org):
    """Give batches that tamper, without end: one cell, one row, two rows exchanged, a tail with its seals."""
    ledgers = {module.name: (module, rows_of(org, module)) for module in (OPERATIONS, ENTRIES, CHANGES, SEALS)}
    while True:
        module, rows = ledgers[random.choice(sorted(ledgers))]
        kind = random.choice(["cell", "cell", "cell", "drop", "exchange", "tail", "twin"])
        if kind == "tail":
            yield kind, tail(random, ledgers)
        elif kind == "drop":
            yield f"{kind} {module.name}", Batch(parts=(Removals(module, [random.choice(rows)[0]]),))
        elif kind == "twin":
            row = random.choice(ledgers["changes"][1])
            yield kind, Batch(parts=(Inserts(CHANGES, [(row[0] + 1, *row[1:])]),))
        else:
            names = [c.name for c in module.layout.columns if c.name not in {"id", *FREE.get(module.name, ())}]
            name, pair = random.choice(names), random.sample(rows, 2)
            at = module.layout.index[name]
            cells = [swap(random, pair[0][at])] if kind == "cell" else [pair[1][at], pair[0][at]]
            if kind == "exchange" and cells[0] == cells[1]:
                continue
            keys = [row[0] for row in pair[: len(cells)]]
            yield f"{kind} {module.name}.{name}", Batch(parts=(Updates(module, (name,), keys, [(c,) for c in cells]),))


def tail(random, ledgers):
    """Cut off the last seals with all they cover: an anchor alone finds that out."""
    seals = ledgers["seals"][1]
    cut = seals[random.randrange(1, len(seals)) :]
    entries = {row[1] for row in cut}
    changes = [row[0] for row in ledgers["changes"][1] if row[1] in entries]
    return Batch(
        parts=(Removals(SEALS, [row[0] for row in cut]), Removals(ENTRIES, sorted(entries)), Removals(CHANGES, changes))
    )


class Undone(Exception):
    """Ends a unit without writing it."""


def found_out(org, batch, anchor):
    """Tamper in a unit that is not committed, and verify inside it."""
    from nubetis.session.sealing import _Verifier

    answer = []

    def unit(txn):
        assert txn.write(batch).written
        answer.append(_Verifier(txn, org._around.secret).run(anchor).tampered)
        raise Undone

    with pytest.raises(Undone):
        org._world.store.write(unit)
    return bool(answer[0])


@pytest.mark.parametrize("secret", [None, b"key"], ids=["plain", "keyed"])
def test_every_tampering_is_found(nubetis_store_url, rng: Random, secret):
    """Changes, drops, exchanges, strangers and cut tails: all of a thousand are seen, and none where there is none."""
    around = Surroundings(secret=secret)
    with create(nubetis_store_url, administrator="a@acme.pe", around=around) as org:
        journal(org.system("testing"))
        anchor = org.verify().anchor
        missed = []
        for _, (kind, batch) in zip(range(ROUNDS // 4), batches(rng, org), strict=False):
            if not found_out(org, batch, anchor):
                missed.append(kind)
        assert missed == []
        assert org.verify(anchor=anchor).tampered == ()


COLUMNS = [
    (module, column.name)
    for module in (OPERATIONS, ENTRIES, CHANGES, SEALS)
    for column in module.layout.columns
    if column.name not in {"id", *FREE.get(module.name, ())}
]


@pytest.mark.parametrize(("module", "column"), COLUMNS, ids=[f"{module.name}.{column}" for module, column in COLUMNS])
def test_no_column_of_the_journal_can_be_changed_unseen(nubetis_org, nubetis_session, rng: Random, module, column):
    """Each column of each ledger, but those that go on changing while an operation runs."""
    journal(nubetis_session)
    anchor = nubetis_org.verify().anchor
    at = module.layout.index[column]
    row = rows_of(nubetis_org, module)[-1]
    batch = Batch(parts=(Updates(module, (column,), [row[0]], [(swap(rng, row[at]),)]),))

    assert found_out(nubetis_org, batch, anchor)


def test_a_journal_that_nobody_touched_verifies(nubetis_org, nubetis_session):
    """Seals follow what is written; an old anchor stays good."""
    anchors = []
    for _ in range(3):
        journal(nubetis_session)
        anchors.append(nubetis_org.verify().anchor)

    assert all(nubetis_org.verify(anchor=anchor).tampered == () for anchor in anchors)
    assert nubetis_org.verify().entries == len(rows_of(nubetis_org, ENTRIES)) == len(rows_of(nubetis_org, SEALS))


def test_requiring_a_tampered_journal_raises(nubetis_org, nubetis_session):
    """``require`` stops with the first place."""
    journal(nubetis_session)
    nubetis_org.verify()
    last = rows_of(nubetis_org, CHANGES)[-1]
    batch = Batch(parts=(Updates(CHANGES, ("before",), [last[0]], [('{"32":["forged"]}',)]),))
    nubetis_org._world.store.write(lambda txn: txn.write(batch))

    with refusing("tampered", Damaged):
        nubetis_org.verify().require()


@pytest.mark.parametrize("seal", ["another's", "none there is"])
def test_an_entry_that_says_to_be_sealed_and_is_not_is_found(nubetis_org, nubetis_session, seal):
    """No sealer would ever come to it, and what it changed would be told as history."""
    journal(nubetis_session)
    anchor = nubetis_org.verify().anchor
    last = rows_of(nubetis_org, ENTRIES)[-1]
    forged = (last[0] + 1, *last[1:-1], last[-1] if seal == "another's" else 999)

    assert found_out(nubetis_org, Batch(parts=(Inserts(ENTRIES, [forged]),)), anchor)


@pytest.mark.parametrize("seal", [None, 1, 999])
def test_an_entry_that_no_longer_says_where_it_was_sealed_is_found(nubetis_org, nubetis_session, seal):
    """Without its number the sealer would seal it once more, and it would be told twice."""
    journal(nubetis_session)
    anchor = nubetis_org.verify().anchor
    last = rows_of(nubetis_org, ENTRIES)[-1]
    batch = Batch(parts=(Updates(ENTRIES, ("seal",), [last[0]], [(seal,)]),))

    assert found_out(nubetis_org, batch, anchor)


def test_a_chain_of_another_key_does_not_verify(nubetis_store_url):
    """Without the key nobody makes the seals anew."""
    around = Surroundings(secret=b"one")
    with create(nubetis_store_url, administrator="a@acme.pe", around=around) as org:
        journal(org.system("testing"))
        org.verify()
        org._around = attrs.evolve(around, secret=b"two")
        assert org.verify().tampered


def test_what_an_operation_goes_on_to_say_breaks_no_seal(nubetis_org, nubetis_session, small_chunks):
    """State and position of a long operation move after its first entry was sealed."""
    positions = []

    def look(position, total):
        positions.append(position)
        assert nubetis_org.verify().tampered == ()

    plan = nubetis_session.plan_create("leads", [{"name": str(number)} for number in range(8)])
    assert nubetis_session.apply(plan, progress=look).state == OperationState.DONE
    assert nubetis_org.verify().tampered == ()
    assert positions == [3, 6, 8]
