"""The streams of contacts and companies: who is written down, when, and with which errors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, TypeVar

import attrs

from nubetis.errors import InvalidValue
from nubetis.samples.countries import COUNTRIES, chosen
from nubetis.samples.noise import (
    TYPICAL,
    Draft,
    Noise,
    Process,
    company_processes,
    contact_processes,
    missing_rates,
)
from nubetis.samples.records import LEAD_SOURCES, Company, Contact
from nubetis.samples.words import NOTES, Pool
from nubetis.samples.world import Firm, Market, Person, Population

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["companies", "contacts"]

_ALL = tuple(COUNTRIES)
_PENDING = 8_192
_SIZES = (2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5)
_OPENED = datetime(2014, 1, 2, 8, tzinfo=UTC)
_OPEN_SECONDS = 11 * 365 * 86_400
_SOURCES = Pool.of(LEAD_SOURCES, flat=1.5)
_NOBODY_BEFORE = 1955
_T = TypeVar("_T")


def contacts(
    count: int, seed: int = 1, *, noise: Noise = TYPICAL, countries: Sequence[str] = _ALL
) -> Iterator[Contact]:
    """Give that many contacts, one by one, equal for equal arguments.

    The people are the same for every ``noise`` with the same households, colleagues, shared addresses and
    share of duplicates, so that a record can be laid beside its clean twin.  Records of one person lie
    anywhere in a run of up to some 50,000; in a longer run they are some 50,000 records apart.

    Args:
        count: How many records.
        seed: Another seed gives other people.
        noise: What goes wrong, and how often.
        countries: Codes among ``PE ES MX CO AR CL BR US``; their shares keep their proportion.

    Raises:
        InvalidValue: The count is negative, or a country unknown.

    >>> ana, *others = contacts(100, seed=7)
    >>> ana == next(contacts(100, seed=7)), len({contact.entity for contact in (ana, *others)}) < 100
    (True, True)
    """
    people = Population(
        seed,
        Market(seed, chosen(countries)),
        households=noise.households,
        colleagues=noise.colleagues,
        shared_email=noise.shared_email,
    )
    return _contacts(_checked(count), people, desk=_Desk.of(seed, noise, processes=contact_processes(noise)))


def companies(
    count: int, seed: int = 1, *, noise: Noise = TYPICAL, countries: Sequence[str] = _ALL
) -> Iterator[Company]:
    """Give that many companies, one by one: those for which the `contacts` of the seed work, by their number.

    Args:
        count: How many records.
        seed: Another seed gives other companies.
        noise: What goes wrong, and how often.
        countries: Codes among ``PE ES MX CO AR CL BR US``.

    Raises:
        InvalidValue: The count is negative, or a country unknown.

    >>> [company.country for company in companies(2, countries=["PE"])]
    ['PE', 'PE']
    """
    market = Market(seed, chosen(countries))
    return _companies(_checked(count), market, desk=_Desk.of(seed, noise, processes=company_processes(noise)))


def _checked(count: int) -> int:
    """Give the count, or refuse it."""
    if count < 0:
        raise InvalidValue("bad_argument", argument="count", reason=f"how many records, not {count}")
    return count


@attrs.frozen(eq=False)
class _Desk:
    """Where records are written down: the errors, and sources of chance that keep apart."""

    noise: Noise
    order: Random
    details: Random
    errors: Random
    processes: list[tuple[float, Process]]
    missing: dict[str, list[tuple[str, float]]]

    @classmethod
    def of(cls, seed: int, noise: Noise, *, processes: list[tuple[float, Process]]) -> _Desk:
        """Make the desk of a stream."""
        names = ("order", "details", "errors")
        order, details, errors = (Random(f"{seed}/{name}") for name in names)  # noqa: S311 - seeded on purpose
        return cls(noise, order, details, errors, processes, missing_rates(noise.missing))

    def source(self, first: str, *, is_first: bool) -> str:
        """Give the lead source: the entity's own, or another for the records after the first."""
        return first if is_first else _SOURCES.pick(self.details)

    def note(self) -> str:
        """Give a note, most often none."""
        chance = self.details.random()
        return NOTES[int(chance / 0.15 * len(NOTES))] if chance < 0.15 else ""

    def amount(self, least: int, decades: float) -> Decimal:
        """Draw an amount between the least and that many decades more."""
        return Decimal(int(least * 100 * 10 ** (self.details.random() * decades))).scaleb(-2)

    def created(self, number: int, count: int) -> datetime:
        """Give the instant of the record: they follow each other."""
        return _OPENED + timedelta(seconds=int(_OPEN_SECONDS * (number + self.details.random()) / count))

    def spoil(self, draft: Draft, *, is_first: bool) -> None:
        """Let the errors happen, then lose what the source does not ask for."""
        chance = self.errors.random
        if self.processes and (not is_first or chance() < self.noise.first):
            for rate, process in self.processes:
                if chance() < rate:
                    process(draft)
        if self.noise.missing:
            self._lose(draft)

    def _lose(self, draft: Draft) -> None:
        """Lose values by the habits of the source; one way to reach the person remains."""
        text, chance = draft.text, self.errors.random
        reach = text["email"], text.get("mobile") or text["phone"]
        for name, rate in self.missing[text["lead_source"]]:
            if chance() < rate:
                _lose_field(draft, name)
        if draft.person and draft.person.born.year < _NOBODY_BEFORE and chance() < 0.5 * self.noise.missing:
            text["email"] = ""
        if not (text["email"] or text["phone"] or text.get("mobile")):
            text["mobile" if "mobile" in text else "phone"] = reach[1]


def _lose_field(draft: Draft, name: str) -> None:
    """Empty a field, and what goes with it."""
    if name == "birth_date":
        draft.born = None
    elif name == "amount":
        draft.amount = None
    elif name == "employees":
        draft.employees = None
    elif name in draft.text:
        draft.text[name] = ""
        if name == "street":
            draft.text["postcode"] = ""
        elif name == "city":
            draft.text["region"] = ""


def _observed(entities: Iterator[_T], count: int, *, desk: _Desk) -> Iterator[tuple[_T, bool]]:
    """Give entities, some of them again later, and whether it is the first time.

    What waits is given with the chance of its share in what is left: the repeats are spread evenly over the
    rest, and all are given.
    """
    chance, duplicated = desk.order.random, desk.noise.duplicated
    waiting: list[_T] = []
    for left in range(count, 0, -1):
        if waiting and (chance() * left < len(waiting) or len(waiting) >= _PENDING):
            at = int(chance() * len(waiting))
            waiting[at], waiting[-1] = waiting[-1], waiting[at]
            yield waiting.pop(), False
            continue
        entity = next(entities)
        if chance() < duplicated:
            again = _SIZES[int(chance() * len(_SIZES))] - 1
            waiting.extend([entity] * min(again, left - 1 - len(waiting)))
        yield entity, True


def _contacts(count: int, people: Population, *, desk: _Desk) -> Iterator[Contact]:
    """Write the contacts down."""
    for number, (person, is_first) in enumerate(_observed(people, count, desk=desk)):
        text = _contact_text(person, desk, is_first=is_first)
        draft = Draft(text, desk.errors, people.offices, person.firm, person)
        draft.born, draft.amount = person.born, desk.amount(10, 4)
        desk.spoil(draft, is_first=is_first)
        yield Contact(
            id=number + 1,
            entity=person.entity,
            company_entity=draft.firm.entity if draft.firm else None,
            birth_date=draft.born,
            amount=draft.amount,
            created=desk.created(number, count),
            **draft.text,
        )


def _contact_text(person: Person, desk: _Desk, *, is_first: bool) -> dict[str, str]:
    """Give the text of a contact without a fault."""
    firm, country = person.firm, person.country
    site = firm if firm and person.at_work else person.home
    return {
        "first_name": person.given,
        "last_name": " ".join(person.surnames),
        "email": person.email,
        "phone": site.phone,
        "mobile": person.mobile,
        "company": firm.name if firm else "",
        "job_title": person.title,
        "street": site.street,
        "city": site.place.city,
        "region": site.place.region,
        "postcode": site.postcode,
        "country": country.code,
        "lead_source": desk.source(person.source, is_first=is_first),
        "tax_id": person.tax_id,
        "currency": country.currency,
        "notes": desk.note(),
    }


def _companies(count: int, market: Market, *, desk: _Desk) -> Iterator[Company]:
    """Write the companies down."""
    for number, (firm, is_first) in enumerate(_observed(market, count, desk=desk)):
        draft = Draft(_company_text(firm, desk, is_first=is_first), desk.errors, {}, firm)
        draft.employees, draft.amount = firm.employees, desk.amount(9_000 * firm.employees, 1.5)
        desk.spoil(draft, is_first=is_first)
        yield Company(
            id=number + 1,
            entity=firm.entity,
            employees=draft.employees,
            annual_revenue=draft.amount,
            created=desk.created(number, count),
            **draft.text,
        )


def _company_text(firm: Firm, desk: _Desk, *, is_first: bool) -> dict[str, str]:
    """Give the text of a company without a fault."""
    return {
        "name": firm.name,
        "trade_name": firm.trade,
        "tax_id": firm.tax_id,
        "industry": firm.industry,
        "email": f"{firm.mailbox}@{firm.domain}",
        "phone": firm.phone,
        "website": f"https://www.{firm.domain}",
        "street": firm.street,
        "city": firm.place.city,
        "region": firm.place.region,
        "postcode": firm.postcode,
        "country": firm.country.code,
        "lead_source": desk.source(firm.source, is_first=is_first),
        "currency": firm.country.currency,
        "notes": desk.note(),
    }
