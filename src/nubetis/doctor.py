"""Whether everything is in order: the environment, and an organisation with all that is in it.

>>> diagnose("memory://nowhere").findings[0].code
'cannot_open'
"""

from __future__ import annotations

import platform
import re
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata, resources
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from nubetis.backends.urls import shown
from nubetis.errors import NubetisError, StoreError
from nubetis.i18n import LANGUAGES
from nubetis.model.findings import Finding, Severity
from nubetis.org import Org, Surroundings, check_store
from nubetis.org import open as open_org
from nubetis.types import Json, Progress

__all__ = ["Diagnosis", "diagnose", "environment", "examine_environment"]

_OLDEST_SQLITE: Final = (3, 40)
_ZONE: Final = "America/Lima"
_REQUIREMENT: Final = re.compile(
    r"(?P<name>[\w.-]+)(?:\[[^]]*\])?[^;]*?(?:>=(?P<least>[\d.]+))?[^;]*(?:;.*extra == ['\"](?P<extra>[\w-]+)['\"])?"
)
_MOST_TAMPERED: Final = 100
"""Places of the journal that are listed."""


@attrs.frozen(kw_only=True)
class Diagnosis:
    """What was found: facts by area, what is not in order, and what a repair has put right.

    *error* is why the organisation could not be opened.
    """

    environment: Mapping[str, Json]
    store: Mapping[str, Json] | None = None
    organisation: Mapping[str, Json] | None = None
    findings: tuple[Finding, ...] = ()
    mended: tuple[Finding, ...] = ()
    error: NubetisError | None = None

    @property
    def in_order(self) -> bool:
        """Whether nothing was found, or nothing is left of it."""
        return not self.findings

    @property
    def severity(self) -> Severity | None:
        """How bad the worst finding is."""
        found = {each.severity for each in self.findings}
        return next((each for each in Severity if each in found), None)


def diagnose(
    url: str | None = None,
    *,
    anchor: str | None = None,
    repair: bool = False,
    progress: Progress | None = None,
    around: Surroundings | None = None,
) -> Diagnosis:
    """Examine the environment, and the organisation at *url*; with *repair* put right what can be made again.

    *anchor* is that of an earlier back-up: with it, a journal that was cut short is found, too.  Reading and repairing
    happen beside those who work.  Nothing of a record stands in the answer.

    Cost: reads all that there is; the journal, at some 20 µs a change.
    """
    found = Diagnosis(environment=environment(), findings=tuple(examine_environment()))
    if url is None:
        return found
    try:
        org = open_org(url, around=around)
    except NubetisError as error:
        return _unopened(found, url, error, around)
    with org:
        return _examined(found, org, _Wish(anchor, repair, progress))


@attrs.frozen
class _Wish:
    """How to examine."""

    anchor: str | None
    repair: bool
    progress: Progress | None


def _unopened(found: Diagnosis, url: str, error: NubetisError, around: Surroundings | None) -> Diagnosis:
    """Say why it cannot be opened, and what the store says of itself, as far as it does."""
    more: list[Finding] = []
    if isinstance(error, StoreError):
        try:
            more = check_store(url, around=around)
        except NubetisError:
            more = []
    why = Finding("cannot_open", shown(url), str(error))
    return attrs.evolve(found, findings=(*found.findings, why, *more), error=error)


def _examined(found: Diagnosis, org: Org, wish: _Wish) -> Diagnosis:
    findings = org.check(progress=wish.progress)
    mended: list[Finding] = []
    if wish.repair and any(each.mends for each in findings):
        left = org.repair(findings)
        mended = [each for each in findings if each.mends and (each.code, each.about) not in _places(left)]
        findings = left
    seals, journal = _verified(org, wish.anchor)
    return attrs.evolve(
        found,
        store=org.facts(),
        organisation={**_organisation(org), "journal": journal},
        findings=(*found.findings, *findings, *seals),
        mended=tuple(mended),
    )


def _places(findings: Iterable[Finding]) -> set[tuple[str, str]]:
    return {(each.code, each.about) for each in findings}


def _verified(org: Org, anchor: str | None) -> tuple[list[Finding], dict[str, Json]]:
    try:
        found = org.verify(anchor=anchor)
    except StoreError as error:
        return [Finding("not_examined", "seals", error.code)], {}
    tampered = [Finding("tampered", "journal", str(each)) for each in found.tampered[:_MOST_TAMPERED]]
    return tampered, {"entries": found.entries, "anchor": found.anchor}


def _organisation(org: Org) -> dict[str, Json]:
    schema = org.schema
    try:
        with org.system("doctor") as system:
            records: dict[str, Json] = {
                str(each.name): system.count(each.name) for each in schema.modules if not each.system
            }
    except StoreError:  # a finding says why
        records = {}
    return {"name": org.name, "schema_version": schema.version, "records": records}


# -- the environment --------------------------------------------------------------------------------------------------
def environment() -> dict[str, Json]:
    """Give what nubetis works with: versions, extras, time zone data, languages, the terminal.

    >>> sorted(environment())
    ['extras', 'languages', 'packages', 'python', 'sqlite', 'system', 'terminal', 'time_zones']
    """
    required = _required()
    packages: dict[str, Json] = {name: _version(name) for name, _, extra in required if extra is None}
    extras: dict[str, dict[str, Json]] = {}
    for name, _, extra in required:
        if extra not in {None, "all"}:
            extras.setdefault(str(extra), {})[name] = _version(name)
    out = sys.stdout
    terminal: dict[str, Json] = {"encoding": getattr(out, "encoding", None) or "-", "interactive": out.isatty()}
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "sqlite": sqlite3.sqlite_version,
        "packages": {"nubetis": _version("nubetis"), **packages},
        "extras": extras,
        "time_zones": _version("tzdata") if _has_zone(_ZONE) else "-",
        "languages": list(_spoken()),
        "terminal": terminal,
    }


def examine_environment() -> list[Finding]:
    """Give what of the environment nubetis cannot work with.

    >>> examine_environment()
    []
    """
    return [*_packages(), *_sqlite(), *_texts()]


def _packages() -> Iterator[Finding]:
    for name, least, extra in _required():
        version = _version(name)
        if version == "-":
            if extra is None:
                yield Finding("package_missing", name)
        elif _numbers(version) < _numbers(least):
            yield Finding("package_old", name, version)


def _sqlite() -> Iterator[Finding]:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        yield Finding("sqlite_old", sqlite3.sqlite_version, ".".join(map(str, _OLDEST_SQLITE)))
    if not sqlite3.threadsafety:
        yield Finding("sqlite_not_threadsafe", sqlite3.sqlite_version)


def _texts() -> Iterator[Finding]:
    if not _has_zone(_ZONE):
        yield Finding("no_time_zones", _ZONE)
    yield from [Finding("catalogue_missing", name) for name in LANGUAGES if name not in _spoken()]


def _has_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return False
    return True


def _spoken() -> list[str]:
    """Give the languages whose texts are there; the first stands in the code."""
    folder = resources.files("nubetis").joinpath("locale")
    texts = [folder.joinpath(name, "LC_MESSAGES", "nubetis.mo").is_file() for name in LANGUAGES[1:]]
    return [LANGUAGES[0], *[name for name, there in zip(LANGUAGES[1:], texts, strict=True) if there]]


def _required() -> list[tuple[str, str, str | None]]:
    """Give what nubetis needs: package, least version, and the extra that it belongs to."""
    found = [_REQUIREMENT.fullmatch(each) for each in metadata.requires("nubetis") or ()]
    return [(each["name"], each["least"] or "0", each["extra"]) for each in found if each is not None]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "-"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple([int(part) for part in re.findall(r"\d+", version)[:3]])
