"""An action as it was written in the rules that were in force: what was run, in its own words.

Taken line by line out of the platform's file, so that nobody's variables are needed to read it.
Secrets stand there by name only.
"""

from __future__ import annotations

import re

from watchdog.core.entries import PolicyApplied
from watchdog.core.naming import family_of

PLATFORM = "platform.yaml"
_KEY = re.compile(r"""(?P<indent> +)(?P<quote>["']?)(?P<name>[^"'\s:#]+)(?P=quote)\s*:""")


def action_text(policy: PolicyApplied | None, action: str) -> str:
    """Its lines as they stood; "" where the record does not have them."""
    files = dict(policy.files) if policy is not None else {}
    lines = files.get(PLATFORM, "").splitlines()
    begins = next((n for n, line in enumerate(lines) if re.match(r"actions\s*:", line)), None)
    if begins is None:
        return ""
    depth: int | None = None
    found: list[str] = []
    for line in lines[begins + 1 :]:
        if line.strip() and not line.startswith((" ", "#")):
            break  # the next section
        key = _KEY.match(line)
        depth = len(key["indent"]) if key is not None and depth is None else depth
        if key is not None and len(key["indent"]) == depth:
            if found:
                break
            if key["name"] == family_of(action):
                found.append(line)
        elif found:
            found.append(line)
    while found and (not found[-1].strip() or found[-1].lstrip().startswith("#")):
        found.pop()  # what is said of the next one
    return "\n".join(line[depth or 0 :] for line in found)
