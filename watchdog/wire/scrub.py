"""Text from outside, made fit for the record: secrets taken out, controls taken out, shortened.

What a tool prints and what a server answers may quote the credentials that were sent. `Redactor`
hides the secrets of one request; here also whatever looks like a credential is hidden, since
an output may hold secrets that we were never told of. The look is only a second net.

Hiding comes before shortening: half a secret would no longer be recognised.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "***"

_SHORTEST = 4  # hiding shorter texts would riddle every output with stars and tell their length

_CONTROLS = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?"  # a terminal's sequences
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)

_NAMED_SO = (
    r"[\w.-]{0,40}(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|credential)[\w.-]{0,40}"
)

_LOOKS_SECRET: tuple[tuple[re.Pattern[str], str], ...] = (
    # Authorization: Bearer abc, and the scheme alone in the middle of a sentence
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[\w.~+/-]{6,}=*"), rf"\1\2{HIDDEN}"),
    (
        re.compile(r"(?i)\b((?:proxy-)?authorization\W{1,4}(?!bearer|basic)(?:\w+ )?)\S+"),
        rf"\1{HIDDEN}",
    ),
    # https://user:password@host
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)[^\s/@\"']{1,500}@"), rf"\1{HIDDEN}@"),
    # password=x, "token": "x", --api-key x
    (
        re.compile(
            rf"(?i)(\b{_NAMED_SO}\"?\s{{0,3}}[=:]\s{{0,3}})(\"[^\"\n]*\"?|'[^'\n]*'?|[^\s,;&\"']+)"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(rf"(?i)(--{_NAMED_SO}\s+)[^\s-]\S*"), rf"\1{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*"), HIDDEN),  # a JSON web token
    (re.compile(r"\b(?:gh[opsru]_|github_pat_|glpat-|xox[abpr]-|AKIA|sk_live_)[\w-]{10,}"), HIDDEN),
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
        ),
        HIDDEN,
    ),
)


def scrubbed(text: str, *, known: Iterable[str] = (), most: int, cut_off: bool = False) -> str:
    """`text` without control characters, without the `known` secrets in their usual encodings
    and without what looks like one, at most `most` characters of it: its begin and its end.

    `cut_off` says that `text` is the begin of something longer: its end may hold half a secret
    that nobody recognises, and only its begin is given.
    """
    text = _CONTROLS.sub("", text)
    forms = {_CONTROLS.sub("", form) for secret in known for form in _forms(secret)}
    spellings = {form for form in forms if len(form) >= _SHORTEST}
    for spelling in sorted(spellings, key=len, reverse=True):  # one secret may contain another
        text = text.replace(spelling, HIDDEN)
    for pattern, instead in _LOOKS_SECRET:
        text = pattern.sub(instead, text)
    return text[:most] if cut_off else shortened(text, most)


def shortened(text: str, most: int) -> str:
    """At most `most` characters: the beginning and the end, since errors come last."""
    if len(text) <= most:
        return text
    gap = " [...] "
    head = max(0, most - len(gap)) // 2
    tail = max(0, most - len(gap) - head)
    return f"{text[:head]}{gap}{text[len(text) - tail :]}"[:most]


def _forms(secret: str) -> Iterable[str]:
    """As written, without its outer blanks, and as URLs, JSON and Basic authentication put it."""
    yield secret
    yield secret.strip()
    yield quote(secret, safe="")
    yield quote(secret)
    yield json.dumps(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode()
    # Each line of a key by itself: tools print them so.
    yield from (line for line in secret.splitlines() if len(line) >= 16)
