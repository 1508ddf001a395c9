"""Rows of a plan: a sequence, whether in memory or in a file."""

import gc
import tempfile
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.errors import StoreError
from nubetis.model.plan import Plan
from nubetis.session import spool
from nubetis.session.spool import Spool
from tests.stores import no_file_beyond, refusing, state_of

CELLS = st.one_of(st.none(), st.integers(-(2**62), 2**62), st.text(max_size=8), st.binary(max_size=8))
ROWS = st.lists(st.tuples(CELLS, CELLS), max_size=40)


def _long(rows, times=120):
    return [(place, *row) for place in range(times) for row in rows]


@given(rows=ROWS, start=st.integers(-50, 5000), stop=st.integers(-50, 5000))
def test_a_spool_is_the_list_of_its_rows(rows, start, stop):
    """Length, order, every slice and every single row are those of a list, spilled or not."""
    expected = _long(rows)

    found = Spool(expected, in_memory=100)

    assert expected == list(found)
    assert len(expected) == len(found)
    assert expected[start:stop] == found[start:stop]
    assert [expected[at] for at in range(0, len(expected), 37)] == [found[at] for at in range(0, len(expected), 37)]


@given(first=ROWS, second=ROWS)
def test_rows_can_be_added_after_a_spill(first, second):
    """Reading between two additions changes nothing."""
    found = Spool(_long(first), in_memory=10)
    list(found)

    found.extend(_long(second))

    assert _long(first) + _long(second) == list(found)


def test_few_rows_stay_in_memory():
    """No file is opened for a plan that is small."""
    assert not Spool([(1,)] * 100).spilled


def test_many_rows_go_to_a_file():
    """What stays in memory is bounded, whatever the number of rows."""
    found = Spool(((number,) for number in range(12_345)), in_memory=2_000)

    assert found.spilled
    assert [found[-1], found[0]] == [(12_344,), (0,)]
    assert found[10:6:-2] == [(10,), (8,)]


def test_a_spilled_plan_has_the_digest_of_one_in_memory(nubetis_session):
    """The digest is of what the plan would write, not of where it waits."""
    records = [{"last_name": f"Núñez {number}", "email": f"a{number}@acme.pe"} for number in range(3_000)]

    made = nubetis_session.plan_create("contacts", records).parts[0]

    again = type(made)(made.module, Spool(made.rows, in_memory=10))

    assert again.rows.spilled
    assert _digest(made) == _digest(again)


def _digest(part):
    return Plan(parts=(part,)).digest


# -- a folder for temporary files that is full, or is not there -------------------------------------------------------
def many():
    """Give more records than stay in memory."""
    return ({"name": f"n{number}"} for number in range(400))


@pytest.fixture
def soon_spilling(monkeypatch):
    """Let few rows stay in memory."""
    monkeypatch.setattr(Spool.__init__, "__kwdefaults__", {"in_memory": 100})
    monkeypatch.setattr(spool, "_BLOCK", 50)


@pytest.mark.usefixtures("soon_spilling")
def test_a_plan_without_a_folder_for_temporary_files_says_what_is_missing(nubetis_session, monkeypatch, tmp_path):
    """The name of the folder, which may be somebody's, is not in the error."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "ana"))
    with refusing("no_temporary", StoreError, match="TMPDIR") as caught:
        nubetis_session.plan_create("leads", many())
    said = "".join(traceback.format_exception(caught.value))

    assert str(tmp_path) not in said
    assert nubetis_session.count("leads") == 0
    monkeypatch.undo()
    assert nubetis_session.apply(nubetis_session.plan_create("leads", many())).changes == 400


@pytest.mark.parametrize("size", [0, 1, 1000, 5000])
def test_rows_that_find_no_room_are_an_error_of_ours_and_leave_no_file_open(size):
    """To whoever writes the disk is full; closing what could not be written raises nothing later."""
    rows = ((number, "x" * 20) for number in range(4000))
    with no_file_beyond(size), refusing("no_temporary", StoreError):
        Spool(rows, in_memory=100)
    gc.collect()


def test_rows_that_could_not_be_written_are_still_there():
    """What was added before stays as it was."""
    rows = [(number, "x" * 20) for number in range(100)]
    kept = Spool(rows, in_memory=100)
    with no_file_beyond(1), refusing("no_temporary", StoreError):
        kept.extend((number, "y") for number in range(4000))

    assert rows == kept[:100]


@pytest.mark.usefixtures("soon_spilling", "small_chunks")
def test_an_undo_that_finds_no_room_writes_nothing(nubetis_org, nubetis_session, monkeypatch, tmp_path):
    operation = nubetis_session.apply(nubetis_session.plan_create("leads", many()))
    before = state_of(nubetis_session)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with refusing("no_temporary", StoreError):
        nubetis_session.undo(operation)

    assert before == state_of(nubetis_session)
    assert nubetis_org.interrupted() == []
