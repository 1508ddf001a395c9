"""What may be shown of a URL."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["shown"]

_USER: Final = re.compile(r"(?<=://)(?P<name>[^:@/?#]*)(?::.*)?@(?!.*@)", re.DOTALL)
"""From the name to the last ``@``: a password may hold any letter, rightly escaped or not."""
_SECRET: Final = re.compile(r"(?<=[?&])(?P<name>[^=&]*(?:pass|secret|token)[^=&]*)=[^&]*", re.IGNORECASE)


def shown(url: str) -> str:
    """Give *url* without passwords, for errors, logs and answers.

    >>> shown("postgresql://ana:s3cret@db.example/crm?schema=acme&password=s3cret")
    'postgresql://ana@db.example/crm?schema=acme&password=…'
    >>> shown("sqlite:///acme.db")
    'sqlite:///acme.db'
    """
    return _SECRET.sub(r"\g<name>=…", _USER.sub(r"\g<name>@", url))
