"""What must hold after every change of people and rights; checked in the transaction that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nubetis.errors import Refused
from nubetis.model.bind import All, Missing, OneOf, Test
from nubetis.model.fields import Operator

if TYPE_CHECKING:
    from nubetis.model.schema import Schema
    from nubetis.model.store import Txn

__all__ = ["check_administrators"]


def check_administrators(txn: Txn, schema: Schema) -> None:
    """Make sure that an active administrator remains.

    Raises:
        Refused: ``last_administrator``; the transaction must not be committed.
    """
    living = Missing("deleted_in")
    administrators = All((Test("administrator", Operator.EQ, 1), living))
    keys = [key for (batch,) in txn.stream(schema.module("profiles"), administrators, columns=("id",)) for key in batch]
    active = All((Test("state", Operator.EQ, "active"), OneOf("profile", tuple(keys)), living))
    if not keys or not txn.count(schema.module("users"), active, limit=1):
        raise Refused("last_administrator")
