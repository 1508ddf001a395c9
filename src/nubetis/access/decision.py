"""What a policy answers: a decision with its reasons, and the explanation of it."""

from __future__ import annotations

import enum

import attrs

from nubetis.types import ModuleName, RecordId

__all__ = ["Action", "Decision", "Explanation", "Reason", "Step"]


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
    PARENT = "parent"
    SYSTEM = "system"
    INACTIVE = "inactive"
    PROFILE = "profile"
    NO_GRANT = "no_grant"
    LEDGER = "ledger"
    EDITION = "edition"


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
    Reason.PARENT: "the user has the record that this one belongs to",
    Reason.SYSTEM: "nubetis does it for a named purpose",
    Reason.INACTIVE: "the user is not active",
    Reason.PROFILE: "the profile does not allow it",
    Reason.NO_GRANT: "nothing gives the user this record",
    Reason.LEDGER: "ledgers are written by nubetis alone",
    Reason.EDITION: "the edition of the organisation has not got it",
}


@attrs.frozen(kw_only=True)
class Decision:
    """Whether *user* may do *action*, and why."""

    allowed: bool
    action: Action
    module: ModuleName
    user: str
    reasons: tuple[Reason, ...]
    record: RecordId | None = None

    @property
    def because(self) -> str:
        """The reasons as a sentence."""
        return "; ".join(_SENTENCES[reason] for reason in self.reasons)


@attrs.frozen
class Step:
    """One gate or grant that was looked at, in order."""

    name: str
    matched: bool
    reason: Reason


@attrs.frozen(kw_only=True)
class Explanation:
    """A decision and the steps that led to it; *misses* say what nearly was enough, to who may know the rules."""

    decision: Decision
    steps: tuple[Step, ...]
    misses: tuple[str, ...] = ()

    def __str__(self) -> str:
        verb = "may" if self.decision.allowed else "may not"
        head = (
            f"{self.decision.user} {verb} {self.decision.action.value} {self.decision.record or self.decision.module}"
        )
        lines = [f"  {'✓' if step.matched else '·'} {step.name}: {_SENTENCES[step.reason]}" for step in self.steps]
        near = [f"  ~ {each}" for each in self.misses]
        return "\n".join([f"{head}: {self.decision.because}", *lines, *near])
