"""Whether an answer over HTTP means that something was taken, refused, or is to be told again."""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.core.asking import Endpoint
from watchdog.ports import Delivered, SecretMissing, Secrets, Shown
from watchdog.wire.http import HttpAnswer, HttpProblem, Trouble
from watchdog.wire.scrub import scrubbed

_PASSING = frozenset({408, 420, 425, 429})  # 420 is Statuspage's own for too many requests
_LONGEST_WAIT_SECONDS = 3600.0
_LONGEST_REASON = 200


def shown_by(outcome: HttpAnswer | HttpProblem, asked: Endpoint, secrets: Secrets) -> Shown:
    """2xx is taken; 4xx refuses, except what passes by itself; nobody knows of all else.

    What the answer says is told without the credentials that it was asked with.
    """
    if isinstance(outcome, HttpProblem):
        ours = outcome.kind in {Trouble.OURS, Trouble.SECRET_MISSING}
        return Shown(Delivered.REFUSED if ours else Delivered.NOT_SENT, outcome.reason)
    if 200 <= outcome.status < 300:
        return Shown(Delivered.SENT)
    said = " ".join(outcome.body.decode("utf-8", "replace").split())
    shown = scrubbed(said, known=_texts(asked, secrets), most=_LONGEST_REASON)
    reason = f"HTTP {outcome.status}" + (f": {shown}" if shown else "")
    result = Delivered.REFUSED if refuses(outcome) else Delivered.NOT_SENT
    return Shown(result, reason, retry_after(outcome))


def _texts(asked: Endpoint, secrets: Secrets) -> Iterator[str]:
    for header in asked.headers:
        if header.secret is not None:
            try:
                yield secrets.read(header.secret)
            except SecretMissing:
                continue


def refuses(answer: HttpAnswer) -> bool:
    """Whether its own word is that telling it again will not help."""
    return 400 <= answer.status < 500 and answer.status not in _PASSING


def retry_after(answer: HttpAnswer) -> float | None:
    """Seconds; a date is not read: whoever asks for a pause says how long."""
    said = str(answer.headers.get("retry-after", ""))
    return min(float(said), _LONGEST_WAIT_SECONDS) if said.isascii() and said.isdigit() else None
