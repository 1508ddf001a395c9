"""Contacts and companies that look like a real customer's, with the truth of who is who.

    >>> from nubetis.samples import CLEAN, contacts
    >>> people = list(contacts(1000, seed=3, noise=CLEAN))
    >>> len({person.entity for person in people})
    1000

For demonstrations, tests and benchmarks.  Everything is invented, drawn from a seed, and given one by one, so
that half a million records need no more memory than ten thousand.  `Noise` names what goes wrong; ``entity``
tells which records are of the same person.
"""

from __future__ import annotations

from nubetis.samples.files import write_csv
from nubetis.samples.noise import CLEAN, TYPICAL, Noise
from nubetis.samples.records import TRUTH, Company, Contact
from nubetis.samples.stream import companies, contacts

__all__ = ["CLEAN", "TRUTH", "TYPICAL", "Company", "Contact", "Noise", "companies", "contacts", "write_csv"]
