"""The records that the samples give: a contact and a company, each with the truth of who it is."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import attrs

__all__ = ["LEAD_SOURCES", "TRUTH", "Company", "Contact"]

LEAD_SOURCES = ("Web", "Referral", "Trade show", "Import", "Walk-in", "Cold call", "Social media", "Partner")
"""Where records come from, the most frequent first; what a record lacks depends on it."""

TRUTH = ("id", "entity", "company_entity")
"""The fields that no real export has: which record it is, and of whom."""


def _as_dict(record: Contact | Company, *, truth: bool) -> dict[str, object]:
    """Give the fields by name, an empty text as ``None``."""
    names = (field.name for field in attrs.fields(type(record)))
    kept = (name for name in names if truth or name not in TRUTH)
    return {name: None if (value := getattr(record, name)) == "" else value for name in kept}


@attrs.frozen(kw_only=True)
class Contact:
    """A person as one source wrote it down; an empty text is a missing value.

    Attributes:
        id: 1, 2, 3… in the order given.
        entity: The real person; records of one person share it.
        company_entity: The real company of ``company``, as `companies` of the same seed numbers it.
        country: ISO 3166 code.
        amount: What the person has bought, in ``currency``.

    >>> from nubetis.samples import contacts
    >>> next(contacts(1)).to_dict(truth=False)["country"]
    'PE'
    """

    id: int
    entity: int
    company_entity: int | None = None
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    mobile: str = ""
    company: str = ""
    job_title: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""
    birth_date: date | None = None
    lead_source: str = ""
    tax_id: str = ""
    amount: Decimal | None = None
    currency: str = ""
    notes: str = ""
    created: datetime | None = None

    def to_dict(self, *, truth: bool = True) -> dict[str, object]:
        """Give the fields by name, missing ones as ``None``; without ``truth``, none of `TRUTH`.

        >>> Contact(id=1, entity=9, first_name="Ana").to_dict()["email"] is None
        True
        """
        return _as_dict(self, truth=truth)


@attrs.frozen(kw_only=True)
class Company:
    """A company as one source wrote it down; an empty text is a missing value.

    Attributes:
        id: 1, 2, 3… in the order given.
        entity: The real company; records of one company share it.
        country: ISO 3166 code.
        annual_revenue: In ``currency``.

    >>> from nubetis.samples import companies
    >>> next(companies(1)).entity
    1
    """

    id: int
    entity: int
    name: str = ""
    trade_name: str = ""
    tax_id: str = ""
    industry: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""
    employees: int | None = None
    annual_revenue: Decimal | None = None
    currency: str = ""
    lead_source: str = ""
    notes: str = ""
    created: datetime | None = None

    def to_dict(self, *, truth: bool = True) -> dict[str, object]:
        """Give the fields by name, missing ones as ``None``; without ``truth``, none of `TRUTH`.

        >>> "entity" in Company(id=1, entity=9, name="Acme").to_dict(truth=False)
        False
        """
        return _as_dict(self, truth=truth)
