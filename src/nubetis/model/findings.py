"""What an examination can find: a code, what it is about, and what to do.

A finding is data: its sentences stand in :data:`FINDINGS` and are said in the user's language by
:func:`Finding.said` and :func:`Finding.remedy`.  It names tables, columns, ids and numbers, never a value of a record.
"""

from __future__ import annotations

import enum
import re
from shlex import quote
from typing import Final

import attrs

from nubetis.i18n import phrase, translator

__all__ = ["FINDINGS", "Area", "Finding", "Kind", "Severity"]


class Area(enum.StrEnum):
    """What was examined."""

    ENVIRONMENT = "environment"
    STORE = "store"
    SCHEMA = "schema"
    TALLIES = "tallies"
    SEALS = "seals"
    BLOBS = "blobs"
    INTEGRITY = "integrity"


class Severity(enum.StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """Something is lost, wrong, or cannot work."""
    WARNING = "warning"
    """All is there, but something should be done."""


@attrs.frozen(kw_only=True)
class Kind:
    """What all findings of one code have in common; *mends* says that a repair can put it right."""

    area: Area
    severity: Severity
    sentence: str
    remedy: str
    mends: bool = False


def _error(area: Area, sentence: str, remedy: str, *, mends: bool = False) -> Kind:
    return Kind(area=area, severity=Severity.ERROR, sentence=sentence, remedy=remedy, mends=mends)


def _warning(area: Area, sentence: str, remedy: str, *, mends: bool = False) -> Kind:
    return Kind(area=area, severity=Severity.WARNING, sentence=sentence, remedy=remedy, mends=mends)


_COMMAND: Final = re.compile(r"nubetis (doctor|journal \w+)")
_REPAIR: Final = "It can be made again from the records: nubetis doctor --repair"
_RESTORE: Final = "Stop writing, keep a copy of the files as they are, and restore the last back-up."
_FOREIGN: Final = "Nothing is lost; nubetis leaves it alone and no copy has it. Ask who made it, or take it away."

FINDINGS: Final[dict[str, Kind]] = {
    # environment
    "package_missing": _error(
        Area.ENVIRONMENT,
        "The package {about} is not installed.",
        "Install nubetis again, in an environment of its own.",
    ),
    "package_old": _error(
        Area.ENVIRONMENT,
        "The package {about} has version {detail}, which nubetis does not know.",
        "Bring the package up to date.",
    ),
    "sqlite_old": _error(
        Area.ENVIRONMENT, "SQLite {about} is older than {detail}.", "Use a Python that comes with a later SQLite."
    ),
    "sqlite_not_threadsafe": _error(
        Area.ENVIRONMENT,
        "SQLite {about} was compiled without threads.",
        "Use a Python whose SQLite is compiled with THREADSAFE=1.",
    ),
    "no_time_zones": _error(
        Area.ENVIRONMENT,
        "There is no data of the time zone {about}.",
        "Install the package tzdata, or the system's time zone data.",
    ),
    "catalogue_missing": _warning(
        Area.ENVIRONMENT,
        "The texts of the language {about} are missing.",
        "Install nubetis again; until then it speaks English.",
    ),
    # store
    "cannot_open": _error(
        Area.STORE,
        "The organisation at {about} cannot be opened: {detail}",
        "Do what the error says, or mend what else was found, and look again.",
    ),
    "not_examined": _error(
        Area.STORE, "{about} could not be examined ({detail}).", "Mend what else was found, and look again."
    ),
    "read_only": _error(
        Area.STORE,
        "{about} cannot be written.",
        "Give the user that runs nubetis the right to write the file and its folder.",
    ),
    "exposed": _warning(
        Area.STORE, "Everybody on this machine may write {about}.", "Take that right away: chmod o-w {about}"
    ),
    "disk_low": _warning(
        Area.STORE,
        "Only {count} MB are free on the disk of {about}.",
        "Make room before the disk is full; then nothing can be written.",
    ),
    "log_large": _warning(
        Area.STORE,
        "The log of {about} has {count} MB.",
        "Somebody reads an old state: end what has been running for long; then nubetis doctor --repair",
        mends=True,
    ),
    "server_old": _error(
        Area.STORE, "PostgreSQL {about} is older than {detail}.", "Move the organisation to a later server."
    ),
    "encoding_wrong": _error(
        Area.STORE,
        "The database {about} keeps text as {detail}, not as UTF8.",
        "Make a database with ENCODING 'UTF8' and move the organisation there.",
    ),
    "not_durable": _warning(
        Area.STORE,
        "The server at {about} does not sync what it writes ({detail}): the loss of power may take it.",
        "Set fsync = on in the server's settings, or say profile=fast in the URL if that is meant.",
    ),
    # schema
    "file_damaged": _error(Area.INTEGRITY, "The file {about} is damaged: {detail}.", _RESTORE),
    "table_unreadable": _error(Area.INTEGRITY, "Table {about} cannot be read to its end.", _RESTORE),
    "table_denied": _error(
        Area.STORE,
        "The user of the database may not do this with the table {about}: {detail}.",
        "Let an administrator of the server give the user all rights on the table and its schema, or for ALTER make it "
        "the user's own; then look again.",
    ),
    "columns_low": _warning(
        Area.SCHEMA,
        "Table {about} has had {count} of the 1,600 columns that PostgreSQL gives a table, with those that are gone.",
        "Before it has had all, copy the organisation into another schema, which begins anew: nubetis copy.",
    ),
    "table_missing": _error(Area.SCHEMA, "Table {about} is missing.", _RESTORE),
    "column_missing": _error(
        Area.SCHEMA,
        "Table {about} lacks {detail}, and what was in there.",
        "Nothing else is lost. It can be made again, empty: nubetis doctor --repair; take its values out of a back-up.",
        mends=True,
    ),
    "column_told": _error(
        Area.SCHEMA,
        "Table {about} lacks {detail}, which nubetis alone sets.",
        "The journal tells what was in there: nubetis doctor --repair; where it does not tell for sure this stays "
        "found, and the last back-up has it.",
        mends=True,
    ),
    "column_lost": _error(
        Area.SCHEMA, "Table {about} lacks {detail}, without which nubetis cannot know what its rows mean.", _RESTORE
    ),
    "twin_missing": _error(Area.SCHEMA, "Table {about} lacks {detail}.", _REPAIR, mends=True),
    "column_wrong": _error(Area.SCHEMA, "Table {about} has columns of another form: {detail}.", _RESTORE),
    "module_lost": _error(
        Area.SCHEMA,
        "Table {about} has {count} records, and the definition of its module is gone: nobody sees them.",
        _RESTORE,
    ),
    "table_foreign": _warning(Area.SCHEMA, "Table {about} belongs to no module.", _FOREIGN),
    "column_foreign": _warning(Area.SCHEMA, "Table {about} has columns that belong to no field: {detail}.", _FOREIGN),
    "index_foreign": _warning(Area.SCHEMA, "Table {about} has indexes that nubetis did not make: {detail}.", _FOREIGN),
    "index_missing": _warning(Area.SCHEMA, "Table {about} lacks the indexes {detail}.", _REPAIR, mends=True),
    "index_orphaned": _warning(
        Area.SCHEMA,
        "Table {about} has the indexes {detail}, which nothing needs.",
        "They only cost time: nubetis doctor --repair",
        mends=True,
    ),
    "index_wrong": _error(Area.SCHEMA, "Index {about} does not say what its table says.", _REPAIR, mends=True),
    "not_unique": _error(
        Area.SCHEMA,
        "{count} records have a value of {about} that must be unique and is not; the first is {detail}.",
        "Edit or merge them until no two are the same, then make the index again: nubetis doctor --repair",
    ),
    "twin_wrong": _error(
        Area.SCHEMA, "Column {detail} of {about} is not the fold of its text in {count} rows.", _REPAIR, mends=True
    ),
    "set_wrong": _error(
        Area.SCHEMA, "Table {detail} does not say what the choices in table {about} say.", _REPAIR, mends=True
    ),
    "schema_pending": _warning(
        Area.SCHEMA,
        "The change of the schema {about} has not come to its end.",
        "Opening the organisation goes on with it: nubetis journal resume {about}",
    ),
    "tally_wrong": _error(
        Area.TALLIES, "The tallies of {about} by {detail} do not say what its rows say.", _REPAIR, mends=True
    ),
    # seals
    "tampered": _error(
        Area.SEALS,
        "The journal is not what was written: {detail}.",
        "Find out who writes to the database; compare with a back-up whose anchor you have.",
    ),
    # blobs
    "blob_wrong": _error(
        Area.BLOBS,
        "The bytes of file {about} are not those that were kept.",
        "Take the file out of a back-up and attach it again.",
    ),
    "blob_missing": _error(
        Area.BLOBS,
        "{count} files that {about} names are not there; the first is of {detail}.",
        "Take the files out of a back-up and attach them again.",
    ),
    "blob_orphaned": _warning(
        Area.BLOBS,
        "{count} files belong to no record and to no past; the first is {about}.",
        "They only take room; an upload that is under way looks the same.",
    ),
    "plan_orphaned": _warning(
        Area.BLOBS,
        "Operation {about} has ended and still keeps {count} parts of its plan.",
        "They only take room: nubetis doctor --repair",
        mends=True,
    ),
    # integrity
    "record_lost": _error(
        Area.INTEGRITY,
        "{count} records of {about} that the journal has, and that nobody purged, are gone; the first is {detail}.",
        "Take them out of a back-up. A repair makes counts that are wrong fit what is left; this stays found.",
    ),
    "entry_lost": _error(
        Area.INTEGRITY,
        "{count} records of {about} were created by entries that are gone from the journal; the first is {detail}.",
        "The records are there. Find out who writes to the database; compare with a back-up whose anchor you have.",
    ),
    "no_administrator": _error(
        Area.INTEGRITY,
        "No active user is an administrator: nobody can let anybody in.",
        'In Python org.system("rescue") may make a user active, take one out of the bin, make a profile administrator.',
    ),
    "people_wrong": _error(
        Area.INTEGRITY,
        "People, profiles or sharing do not stand as they must ({detail}): {about}.",
        "Change that record so that it fits: the reference of errors says what the code means.",
    ),
    "cell_wrong": _error(
        Area.INTEGRITY,
        "{count} records have in {about} what nubetis never writes there; the first is {detail}.",
        "Set the field anew, or take the records out of a back-up.",
    ),
    "system_cell_wrong": _error(
        Area.INTEGRITY,
        "{count} records have in {about}, which nubetis alone sets, what it never writes there; the first is {detail}.",
        "Restore the last back-up, or ask who writes to the database to put back what was there.",
    ),
    "link_broken": _error(
        Area.INTEGRITY,
        "{count} links of {about} lead to records that never were purged and are not there; the first is of {detail}.",
        "Set the links anew, or take the records out of a back-up.",
    ),
    "operation_interrupted": _warning(
        Area.INTEGRITY,
        "Operation {about} was begun and has not come to its end.",
        "If nobody works at it: nubetis journal resume {about}; or take it back: nubetis journal undo {about}",
    ),
    "messages_dead": _warning(
        Area.INTEGRITY,
        "{count} messages were offered to the plug-ins again and again, and nobody took them; the first is {about}.",
        "Mend the plug-in that should take them, then offer them again: org.deliver(dead=True)",
    ),
    "counter_behind": _error(
        Area.INTEGRITY,
        "The counter {about} would give numbers that are taken ({count}).",
        "It can be set on: nubetis doctor --repair",
        mends=True,
    ),
    "nodes_unleased": _error(
        Area.INTEGRITY,
        "The counter of node numbers is gone: two processes could make the same ids.",
        "Close the organisation everywhere and open it again.",
    ),
    "clock_behind": _warning(
        Area.INTEGRITY,
        "The journal has entries that are {count} minutes in the future of this machine's clock.",
        "Set the clock of this machine; new ids stay in order meanwhile.",
    ),
}
"""Code → what it says; the reference lists them in this order."""


@attrs.frozen
class Finding:
    """One thing that is not in order.

    *about* names it (a table, a column, an operation, a file), *detail* and *count* say more where there is more.

    >>> found = Finding("tally_wrong", "deals", "owner")
    >>> found.area.value, found.severity.value, found.mends
    ('tallies', 'error', True)
    >>> print(found)
    The tallies of deals by owner do not say what its rows say.
    """

    code: str
    about: str
    detail: str = ""
    count: int = 0

    def __str__(self) -> str:
        return self.said("en")

    @property
    def kind(self) -> Kind:
        """What all findings of its code have in common."""
        return FINDINGS[self.code]

    @property
    def area(self) -> Area:
        """What was examined."""
        return self.kind.area

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.kind.severity

    @property
    def mends(self) -> bool:
        """Whether a repair can put it right."""
        return self.kind.mends

    def said(self, language: str) -> str:
        """Say what was found."""
        detail = phrase(self.detail, language)
        return translator(language)(self.kind.sentence).format(about=self.about, detail=detail, count=self.count)

    def remedy(self, language: str = "en", *, there: str = "") -> str:
        """Say what to do; *there* goes behind the name of each command, so that it is for the same organisation.

        >>> Finding("counter_behind", "seals").remedy(there=" --db acme.db")
        'It can be set on: nubetis doctor --db acme.db --repair'
        """
        said = _COMMAND.sub(r"\g<0>{there}", translator(language)(self.kind.remedy))
        return said.format(about=quote(self.about), there=there)
