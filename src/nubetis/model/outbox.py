"""The outbox: messages to the outside, written in the last transaction of what causes them and delivered after it.

An operation of many transactions that is stopped has sent nothing; one that is taken back never will.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import attrs

from nubetis.errors import InvalidValue, require
from nubetis.model.kinds.texts import is_storable
from nubetis.types import Json

__all__ = ["Message"]


_LONGEST: Final = 300


def _check_text(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    require(value, str, argument=attribute.name, expected="a text")
    if not value or len(str(value)) > _LONGEST or not is_storable(str(value)):
        raise InvalidValue("bad_argument", argument=attribute.name, reason="give a text of 1 to 300 characters")


def _check_body(_: object, attribute: attrs.Attribute[Mapping[str, Json]], value: object) -> None:
    require(value, Mapping, argument=attribute.name, expected="values by name")
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, default=dict)
    except (TypeError, ValueError, RecursionError):
        text = "\0"
    if not is_storable(text):
        raise InvalidValue("bad_argument", argument=attribute.name, reason="give what JSON can hold")


@attrs.frozen(kw_only=True)
class Message:
    """Something to be done outside, at least once.

    *key* makes it idempotent: a second message with the same key is not written.

    >>> Message(kind="welcome", key="welcome:ana", body={"to": "ana@acme.pe"}).kind
    'welcome'
    """

    kind: str = attrs.field(validator=_check_text)
    key: str = attrs.field(validator=_check_text)
    body: Mapping[str, Json] = attrs.field(factory=dict, validator=_check_body)
