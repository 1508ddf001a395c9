"""Rows of a plan: a sequence, whether in memory or in a file."""

from hypothesis import given
from hypothesis import strategies as st

from nubetis.model.plan import Plan
from nubetis.session.spool import Spool

CELLS = st.one_of(st.none(), st.integers(-(2**62), 2**62), st.text(max_size=8), st.binary(max_size=8))
ROWS = st.lists(st.tuples(CELLS, CELLS), max_size=40)


def _long(rows, times=120):
    return [(place, *row) for place in range(times) for row in rows]


@given(rows=ROWS, start=st.integers(-50, 5000), stop=st.integers(-50, 5000))
def test_a_spool_is_the_list_of_its_rows(rows, start, stop):
    """Length, order, every slice and every single row are those of a list, spilled or not."""
    expected = _long(rows)

    spool = Spool(expected, in_memory=100)

    assert expected == list(spool)
    assert len(expected) == len(spool)
    assert expected[start:stop] == spool[start:stop]
    assert [expected[at] for at in range(0, len(expected), 37)] == [spool[at] for at in range(0, len(expected), 37)]


@given(first=ROWS, second=ROWS)
def test_rows_can_be_added_after_a_spill(first, second):
    """Reading between two additions changes nothing."""
    spool = Spool(_long(first), in_memory=10)
    list(spool)

    spool.extend(_long(second))

    assert _long(first) + _long(second) == list(spool)


def test_few_rows_stay_in_memory():
    """No file is opened for a plan that is small."""
    assert not Spool([(1,)] * 100).spilled


def test_many_rows_go_to_a_file():
    """What stays in memory is bounded, whatever the number of rows."""
    spool = Spool(((number,) for number in range(12_345)), in_memory=2_000)

    assert spool.spilled
    assert [spool[-1], spool[0]] == [(12_344,), (0,)]
    assert spool[10:6:-2] == [(10,), (8,)]


def test_a_spilled_plan_has_the_digest_of_one_in_memory(nubetis_session):
    """The digest is of what the plan would write, not of where it waits."""
    records = [{"last_name": f"Núñez {number}", "email": f"a{number}@acme.pe"} for number in range(3_000)]

    made = nubetis_session.plan_create("contacts", records).parts[0]

    again = type(made)(made.module, Spool(made.rows, in_memory=10))

    assert again.rows.spilled
    assert _digest(made) == _digest(again)


def _digest(part):
    return Plan(parts=(part,)).digest
