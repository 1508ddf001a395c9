"""What PostgreSQL says when it cannot go on, in the words of :mod:`nubetis.errors`.

A message of the server may hold values, so only its name is passed on.
"""

from __future__ import annotations

import re
from typing import Final

import psycopg
from psycopg import errors

from nubetis.errors import Damaged, InvalidFilter, NubetisError, StoreBusy, StoreError
from nubetis.model.bind import DEPTH

__all__ = [
    "Unfit",
    "has_waited",
    "is_busy",
    "is_entangled",
    "is_missing",
    "translated",
    "unreachable",
    "violated",
    "was_slower",
]

_FASTER: Final = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.ActiveSqlTransaction,
)
_LOST: Final = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03"})
"""The server ends the session: it stops, or the session did nothing for too long; besides those of class 08."""
_DENIED: Final = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction, errors.FeatureNotSupported)
"""A standby says the last: it has no transactions that are serialisable."""
_COLUMNS: Final = re.compile(r"\((.*?)\)=\(")


class Unfit(psycopg.DataError):
    """The driver cannot send a constant; the server knows nothing of it, so the transaction is sound."""


def was_slower(error: Exception) -> bool:
    """Say whether the server took the unit back for the sake of another, so that nothing of it was written."""
    return isinstance(error, _FASTER)


def is_busy(error: Exception) -> bool:
    """Say whether somebody else was faster, or the connection was lost before the commit: the same may succeed now."""
    return was_slower(error) or _was_lost(error)


def _was_lost(error: Exception) -> bool:
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate in _LOST or error.sqlstate.startswith("08")


def has_waited(error: Exception) -> bool:
    """Say whether a lock was not to be had in the time for which the unit waits for one."""
    return isinstance(error, errors.LockNotAvailable)


def is_entangled(error: Exception) -> bool:
    """Say whether units waited for each other, which the server looks for after a second only."""
    return isinstance(error, errors.DeadlockDetected)


def is_missing(error: Exception) -> bool:
    """Say whether a table or a column is not there: tables are those of now, also where a snapshot is older."""
    return isinstance(error, (errors.UndefinedTable, errors.UndefinedColumn))


def violated(error: Exception) -> tuple[str, ...]:
    """Read "Key (email__f, x)=(…) already exists", or "Key (md5(code__f))": names of ours, no values."""
    if not isinstance(error, errors.UniqueViolation):
        return ()
    found = _COLUMNS.search(error.diag.message_detail or "")
    names = found[1].split(", ") if found else [error.diag.constraint_name or "id"]
    return tuple([name.removeprefix("md5(").removesuffix(")").strip('"') for name in names])


def translated(error: Exception, url: str) -> NubetisError:
    """Give the error of ours that says the same."""
    match error:
        case _ if is_busy(error):
            return StoreBusy("store_busy", url=url, seconds=0)
        case errors.DiskFull():
            return StoreError("disk_full", url=url)
        case errors.DataCorrupted() | errors.IndexCorrupted():
            return Damaged("damaged", what=url, reason="the server finds its pages broken")
        case errors.StatementTooComplex():
            return InvalidFilter("filter_depth", limit=DEPTH)
        case _ if isinstance(error, _DENIED):
            return StoreError("read_only_server", url=url, reason=_primary(error))
        case errors.DependentObjectsStillExist() | errors.TooManyColumns():
            return _unchangeable(error, url)
        case errors.ProgramLimitExceeded():
            return StoreError("store_failed", reason="a text is too long for its index, or a record for a page")
        case _:
            return StoreError("store_failed", reason=f"PostgreSQL reports {type(error).__name__}")


def _unchangeable(error: psycopg.Error, url: str) -> NubetisError:
    """Say why a table cannot be changed so, and what depends on it: names of views, tables, constraints, one a line."""
    if isinstance(error, errors.TooManyColumns):
        return StoreError("columns_used_up", url=url)
    others = (error.diag.message_detail or _primary(error)).splitlines()
    return StoreError("depended_on", url=url, others="; ".join(others))


def _primary(error: Exception) -> str:
    """Give what the server says of a right that is missing, or a write it does not take: it names tables, no values."""
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return said or type(error).__name__


def unreachable(error: psycopg.Error, url: str) -> NubetisError:
    """Give the error that says why there is no connection, in the words of the server and the driver.

    They hold no password.  What the driver asks after them ("Is the server running…?") the error says itself.
    """
    lines = [line.strip().removeprefix("connection failed: ") for line in str(error).splitlines()]
    said = dict.fromkeys([line for line in lines if line and not line.endswith("?")])
    return StoreError("unreachable", url=url, reason=" ".join(said).removesuffix("."))
