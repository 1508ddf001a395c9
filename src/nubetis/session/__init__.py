"""The one door: what one signed-in user may do."""

from nubetis.session.door import Session

__all__ = ["Session"]
