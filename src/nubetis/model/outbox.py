"""The outbox: messages to the outside, written in the last transaction of what causes them and delivered after it.

An operation of many transactions that is stopped has sent nothing; one that is taken back never will.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from nubetis.types import Json

__all__ = ["Message"]


@attrs.frozen(kw_only=True)
class Message:
    """Something to be done outside, at least once.

    *key* makes it idempotent: a second message with the same key is not written.

    >>> Message(kind="welcome", key="welcome:ana", body={"to": "ana@acme.pe"}).kind
    'welcome'
    """

    kind: str
    key: str
    body: Mapping[str, Json] = attrs.field(factory=dict)
