"""All that `check` finds, in one page.

`python -m watchdog.policy.lint.page > docs/checks.md` writes it; a test says when it is old, and
another that every entry has an example that fails and one that passes.
"""

from __future__ import annotations

import sys

from watchdog.policy.lint import here, live
from watchdog.policy.lint.catalogue import LINTS
from watchdog.policy.lint.laws import LAWS

_INTRO = """\
# What `slo-watchdog check` finds

<!-- Written from the code: `python -m watchdog.policy.lint.page > docs/checks.md`. -->

    slo-watchdog check rules/                        what the files show, and this host's tools
    slo-watchdog check rules/ --live                 asks sources and actions as well
    slo-watchdog check rules/ --strict --json        for a pipeline

Every finding has file, line and column, says why it matters and what to write. Refused are the \
laws of the language: the daemon keeps its last good policy. An *error* loads, and can never do \
what it is for. A *warning* loads, and somebody should look. The exit status is 1 for refusals and \
errors, with `--strict` for warnings too; 0 otherwise.

One run tells all that can be known: what is wrong in one file hides nothing of another. Beside a \
`platform.yaml` that is refused the owners' rules are judged against what is right of it, and what \
only follows from its faults is not told. A misspelt key is told, and what stands under it is \
judged as what the key most likely means; a bad word in a rule hides none of the names and \
expressions beside it. Of a value that a variable brings, the refusal says where it is used and \
where it is set. A finding that several environments have is told once and names them; where \
they differ in a path, it says which has which.

A command that is not on this host is told of actions for this host or for any; since a pipeline's \
host need not have the tools, it does not count for `--strict`.

With `--live` the sources are asked once each, within their own deadlines, and every action for \
this host or for any gets its preflight: tools, folders, credentials, and the read-back. Nothing \
is changed. A source that does not answer is itself a finding.
"""


def page() -> str:
    """docs/checks.md."""
    lines = [_INTRO, "## Refused by the load", "", "| | why |", "|---|---|"]
    lines += [f"| {law.title} | {law.why} |" for law in LAWS]
    lines += ["", "Many more slips are refused, each in place: `docs/rules.md` has the language."]
    found = (
        ("From the files", LINTS),
        ("Of this host, without `--live`", here.LINTS),
        ("With `--live`", live.LINTS),
    )
    for title, lints in found:
        lines += ["", f"## {title}", "", "| name | | what | why |", "|---|---|---|---|"]
        lines += [f"| `{one.id}` | {one.level.value} | {one.title} | {one.why} |" for one in lints]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
