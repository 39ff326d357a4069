"""Rule folders as texts, and a mark for the place at which a refusal must point."""

from __future__ import annotations

from watchdog.policy import Load, Problem, load_files

MARK = "§"

PLATFORM = """\
version: 1
environment: production
sources:
  app: {scrape: "{{ app }}/metrics", every: 5s}
  prom: {prometheus: "http://localhost:9090", every: 15s, scraped_every: 30s}
  status:
    json: "{{ app }}/ops/status.json"
    every: 15s
    timestamp: timestamp
    samples: {peg_ratio: peg.collateralization}
actions:
  pause-redemption:
    flag: btc_mainnet_redemption
    read_back: {get: "{{ app }}/api/feature-flags/btc_mainnet_redemption"}
    do: {run: [mycelia-launchctl, pause, redemption], expect: "enabled == `false`"}
    undo: {run: [mycelia-launchctl, resume, redemption], expect: "enabled == `true`"}
    contained_when: [{get: "{{ app }}/ops/status.json", expect: "paused == `true`"}]
    deadline: 10s
playbooks:
  redemption:
    - {action: pause-redemption, mode: armed, within: 2m}
grants:
  team-a: [redemption, pause-redemption]
  team-b: [redemption, pause-redemption]
"""

VARS = "app: http://localhost:3000\n"

RULES = """\
version: 1
rules:
  error-rate:
    severity: P0
    runbook: docs/runbooks/redemption.md
    source: app
    threshold:
      bad: requests_total{code=~"5.."}
      total: requests_total
      over: 30s
      breach_when: "> 5%"
    minimum_events: 20
    for: 15s
    playbook: redemption
    mode: armed
    armed_because: launch decision
"""


def folder(platform: str = PLATFORM, variables: str = VARS, **owners: str) -> dict[str, str]:
    """A folder's files; owners by name, `_` for `-`: team_a=RULES."""
    files = {"platform.yaml": platform, "vars/production.yaml": variables}
    rules = owners or {"team_a": RULES}
    return files | {f"{name.replace('_', '-')}/rules.yaml": text for name, text in rules.items()}


def load(files: dict[str, str], last_good: dict[str, str] | None = None) -> Load:
    return load_files(files, "production", last_good=last_good)


def unmarked(text: str) -> tuple[str, int, int]:
    """The text without its mark, and the mark's line and column."""
    before, _, after = text.partition(MARK)
    assert MARK not in after, "one mark only"
    line = before.count("\n") + 1
    return before + after, line, len(before) - (before.rfind("\n") + 1) + 1


def at(found: tuple[Problem, ...], file: str, line: int, column: int) -> list[str]:
    """What the problems at exactly this place say."""
    return [
        f"{p.what}. {p.remedy}" for p in found if (p.file, p.line, p.column) == (file, line, column)
    ]
