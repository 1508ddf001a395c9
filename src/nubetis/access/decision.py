"""What a policy answers: a decision with its reasons, and the explanation of it.

Gates come first, in this order, and the first that does not hold ends it: ``user`` (he is active), ``module`` (it is no
ledger), ``profile`` (it permits the verb) or ``delegation`` (it was lent), ``grant`` (something gives the record).
Those that later parts add stand between: what the edition has, networks and the sign-in after ``user``, locks before
``grant``.  Grants only add; of several the greatest level counts.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from nubetis.types import ModuleName, RecordId

if TYPE_CHECKING:
    from nubetis.access.permissions import FieldLevel
    from nubetis.access.sharing import Level

__all__ = ["Action", "Decision", "Explanation", "Granted", "Lack", "Reason", "Step"]


class Action(enum.StrEnum):
    """What one may do in a module."""

    VIEW = "view"
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"
    SHARE = "share"
    IMPORT = "import"
    EXPORT = "export"
    MASS_UPDATE = "mass_update"
    MASS_DELETE = "mass_delete"
    TRANSFER = "transfer"
    MERGE = "merge"
    SEND_MAIL = "send_mail"
    MASS_MAIL = "mass_mail"


class Reason(enum.StrEnum):
    """Why something is allowed or not; the values are stable codes."""

    ADMINISTRATOR = "administrator"
    OWNER = "owner"
    EVERYBODY = "everybody"
    PERMITTED = "permitted"
    DEFAULT = "default"
    HIERARCHY = "hierarchy"
    PEERS = "peers"
    RULE = "rule"
    CRITERIA = "criteria"
    SHARE = "share"
    TEAM = "team"
    PARENT = "parent"
    INVOLVED = "involved"
    SYSTEM = "system"
    INACTIVE = "inactive"
    ACTIVE = "active"
    PROFILE = "profile"
    DELEGATION = "delegation"
    NO_GRANT = "no_grant"
    SHORT = "short"
    LEDGER = "ledger"
    EDITION = "edition"

    @property
    def sentence(self) -> str:
        """The reason as a sentence, in English."""
        return _SENTENCES[self]

    @property
    def denial(self) -> str:
        """The sentence for that it is not so, in English; what is a no itself stays as it is."""
        return _DENIALS.get(self, self.sentence)


_SENTENCES = {
    Reason.ADMINISTRATOR: "the profile is an administrator's",
    Reason.OWNER: "the user owns the record",
    Reason.EVERYBODY: "every user may",
    Reason.PERMITTED: "the profile allows it",
    Reason.DEFAULT: "everybody has the records of this module",
    Reason.HIERARCHY: "the owner's role is below the user's",
    Reason.PEERS: "the owner has the same role, and its users see each other's records",
    Reason.RULE: "a sharing rule gives the owner's records",
    Reason.CRITERIA: "a sharing rule gives records with such values",
    Reason.SHARE: "the record is shared with the user",
    Reason.TEAM: "the user works on the record",
    Reason.INVOLVED: "the user may share the record that it is about, or is named in it",
    Reason.PARENT: "the user has the record that this one belongs to",
    Reason.SYSTEM: "nubetis does it for a named purpose",
    Reason.ACTIVE: "the user is active",
    Reason.INACTIVE: "the user is not active",
    Reason.PROFILE: "the profile does not allow it",
    Reason.DELEGATION: "it was not lent to the one who acts for the user",
    Reason.NO_GRANT: "nothing gives the user this record",
    Reason.SHORT: "what gives the user this record does not go so far",
    Reason.LEDGER: "ledgers are written by nubetis alone",
    Reason.EDITION: "the edition of the organisation has not got it",
}


_DENIALS = {
    Reason.OWNER: "the user does not own the record",
    Reason.DEFAULT: "not everybody has the records of this module",
    Reason.HIERARCHY: "the owner's role is not below the user's",
    Reason.PEERS: "the owner does not have the same role",
    Reason.RULE: "the sharing rule does not give this owner's records",
    Reason.CRITERIA: "the record does not have the values of the sharing rule",
    Reason.SHARE: "the record is not shared with the user",
    Reason.TEAM: "the user does not work on the record",
    Reason.INVOLVED: "the user may not share the record that it is about, and is not named in it",
    Reason.PARENT: "the user does not have the record that this one belongs to",
}
"""Of the grants; gates that do not hold have a reason of their own."""


@attrs.frozen
class Step:
    """One gate or grant that was looked at, in order; *detail* says by which way a grant comes.

    A grant that holds, and does not go so far as was asked, is *short*: it is not matched.
    """

    name: str
    matched: bool
    reason: Reason
    detail: str = ""
    short: bool = False

    @property
    def sentence(self) -> str:
        """What was found, in English: the reason, or that it is not so."""
        return self.reason.sentence if self.matched or self.short else self.reason.denial


@attrs.frozen
class Granted:
    """A grant that holds for the record: why, how far it goes, and the name of the rule where one gives it."""

    reason: Reason
    level: Level
    rule: str = ""


@attrs.frozen
class Lack:
    """What is missing: *what* is a permission (``edit``, ``manage_users``), a level, or ``active``."""

    reason: Reason
    what: str


@attrs.frozen(kw_only=True)
class Decision:
    """Whether *user* may do *action*, and why.

    *level* is how far the user has the record, whatever the gates say, and *grants* are those that give it: once there
    is nothing more to be had no further ones are looked for, which :class:`Explanation` does.  *gates* are those that
    were looked at, up to the first that does not hold.  *fields* are those that one only reads; hidden ones are not
    among them.  *missing* says what would have to be there, *reasons* are codes that never change.
    """

    allowed: bool
    action: Action
    module: ModuleName
    user: str
    level: Level
    reasons: tuple[Reason, ...]
    record: RecordId | None = None
    gates: tuple[Step, ...] = ()
    grants: tuple[Granted, ...] = ()
    missing: tuple[Lack, ...] = ()
    fields: Mapping[str, FieldLevel] = attrs.field(factory=dict)

    @property
    def because(self) -> str:
        """The reasons as a sentence."""
        said = "; ".join(reason.sentence for reason in self.reasons)
        return f"{said} ({self.level.text} only)" if Reason.SHORT in self.reasons else said


@attrs.frozen(kw_only=True)
class Explanation:
    """A decision and the steps that led to it; *misses* say what nearly was enough, to who may know the rules.

    A gate's *detail* names the profile and the permission sets that let the user do it, or what they lack.
    """

    decision: Decision
    steps: tuple[Step, ...]
    misses: tuple[str, ...] = ()

    def __str__(self) -> str:
        verb = "may" if self.decision.allowed else "may not"
        head = (
            f"{self.decision.user} {verb} {self.decision.action.value} {self.decision.record or self.decision.module}"
        )
        near = [f"  ~ {each}" for each in self.misses]
        fields = [f"  {level}: {', '.join(names)}" for level, names in self.fields.items()]
        return "\n".join([f"{head}: {self.decision.because}", *map(_line, self.steps), *near, *fields])

    @property
    def fields(self) -> dict[str, list[str]]:
        """The fields of which the user has less than all, by what he has: ``hidden`` or ``read``."""
        found: dict[str, list[str]] = {}
        for name, level in sorted(self.decision.fields.items(), key=lambda each: (each[1], each[0])):
            found.setdefault(level.name.lower(), []).append(name)
        return found


def _line(step: Step) -> str:
    way = f" ({step.detail})" if step.detail else ""
    return f"  {'✓' if step.matched else '·'} {step.name}: {step.sentence}{way}"
