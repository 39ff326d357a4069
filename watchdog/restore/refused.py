"""The one way out of a check: a sentence that names what is wrong."""

from __future__ import annotations


class Refused(Exception):
    """It is not done; the message says why, with the member, file or person that it is about."""


def shown(text: str) -> str:
    """A name as it may stand in a sentence: short, and moving no cursor."""
    plain = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return plain if len(plain) <= 300 else f"{plain[:200]}...{plain[-80:]}"
