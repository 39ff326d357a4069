"""The rules folder of a story, as plain values that a story may change before it is saved.

Small and fast: sources are read four times a second, windows are two seconds long and `for` is
three polls, so that a story takes seconds. JSON is YAML, so what is saved is read as YAML.
"""

import json
from pathlib import Path
from typing import Any

from watchdog.sandbox.handle import Sandbox

ERRORS = "redemption-error-rate"
PEG = "peg-collateralised"
PAUSE = "pause-redemption"
SLOW = "slow-rewards"
RESTORE = "restore-mainnet-config"
TEAM = "redemption-team"

BAD = 'redemption_requests_total{code=~"5.."}'
TOTAL = "redemption_requests_total"

Rule = dict[str, Any]


def armed(**more: Any) -> Rule:
    """What every armed rule of a story has, besides what it judges."""
    return {
        "severity": "P0",
        "runbook": "docs/runbooks/redemption.md",
        "for": "750ms",
        "stale_after": "2s",
        "playbook": "redemption",
        "mode": "armed",
        "armed_because": "this is a story",
        "cooldown": "1s",
        "watch": "2s",
        **more,
    }


def error_rate(**more: Any) -> Rule:
    """More than 5 % of redemptions fail; judged by the counters themselves."""
    threshold = {"bad": BAD, "total": TOTAL, "over": "2s", "breach_when": "> 5%"}
    return armed(source="app", threshold=threshold, minimum_events=20, **more)


def slo(*, budget: str, period: str, long: str, short: str, **more: Any) -> Rule:
    """Nine of ten redemptions succeed, judged by how fast the budget of the rest burns."""
    pair = {"budget": budget, "long": long, "short": short}
    shape = {"objective": "90%", "period": period, "bad": BAD, "total": TOTAL, "burn": [pair]}
    return armed(source="app", slo=shape, minimum_events=20, **more)


def peg(**more: Any) -> Rule:
    """The reserves cover what is out: a number in the status document, whatever the traffic."""
    held = {"expr": "mycelia_collateralization_ratio", "breach_when": "< 1"}
    return armed(source="status", integrity=held, **more)


class Rulebook:
    """`platform`, `owners` and `contacts` are what is written; `save` puts them into the folder."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.platform = _platform(sandbox)
        self.owners: dict[str, dict[str, Rule]] = {TEAM: {PEG: peg()}}
        self.contacts: dict[str, Any] = {}  # nobody is told

    @property
    def rules(self) -> dict[str, Rule]:
        """The redemption team's rules."""
        return self.owners[TEAM]

    @property
    def pause(self) -> dict[str, Any]:
        """The action that pauses redemption."""
        action: dict[str, Any] = self.platform["actions"][PAUSE]
        return action

    def watch_errors(self, **more: Any) -> None:
        """Let the one rule be the share of failing redemptions."""
        self.owners[TEAM] = {ERRORS: error_rate(**more)}

    def pause_by_call(self, **more: Any) -> None:
        """Pause by an HTTP call with a token, in place of the launch tool."""
        url = self.pause["read_back"]["get"]
        token = {"Authorization": {"secret": "governance", "prefix": "Bearer "}}
        for step, enabled in (("do", False), ("undo", True)):
            self.pause[step] = {
                "call": {
                    "method": "PUT",
                    "url": url,
                    "headers": token,
                    "json": {"enabled": enabled},
                },
                "expect": self.pause[step]["expect"],
            }
        self.pause.update(more)

    def add_rung(self, *, within: str) -> None:
        """A ladder: pause redemption, and when that is proven not to help, slow the rewards."""
        flag = f"{self.sandbox.url}/api/feature-flags/rewards_slow_mode"
        tool = str(self.sandbox.launchctl.path)
        root = str(self.sandbox.root)
        self.platform["actions"][SLOW] = {
            "flag": "rewards_slow_mode",
            "read_back": {"get": flag},
            "do": {"run": [tool, "slow", "rewards"], "cwd": root, "expect": "enabled == `true`"},
            "deadline": "4s",
        }
        self.platform["playbooks"]["redemption"] = [
            {"action": PAUSE, "mode": "armed", "within": within},
            {"action": SLOW, "mode": "armed", "within": within},
        ]
        self.platform["grants"][TEAM].append(SLOW)

    def add_configuration(self, pnpm: Path, *, mode: str, within: str) -> None:
        """A ladder: pause redemption, and when that is proven not to help, the release before."""
        status, root = f"{self.sandbox.url}/ops/status.json", str(self.sandbox.root)

        def script(name: str) -> dict[str, Any]:
            return {"run": [str(pnpm), "run", name], "cwd": root, "env": ["PATH"]}

        self.platform["actions"][RESTORE] = {
            "config": {
                "current": f"{root}/release/mainnet",
                "previous": f"{root}/release/mainnet-previous",
                "mutable": ["por.json"],
            },
            "anchor": {"build_sha": {"file": "BUILD_SHA"}, "margin": "1ms"},
            "verify": [script("release:verify")],
            "publish": {**script("release:publish"), "idempotent": True},
            "read_back": {"get": status, "expect": "buildSha == '${anchor.build_sha}'"},
            "contained_when": [{"get": status, "expect": "version == '0.9.9'"}],
            "deadline": "30s",
            "host": "any",
        }
        self.platform["playbooks"]["redemption"] = [
            {"action": PAUSE, "mode": "armed", "within": within},
            {"action": RESTORE, "mode": mode, "within": within},
        ]
        self.platform["grants"][TEAM].append(RESTORE)

    def save(self) -> None:
        """Write the folder as it stands now."""
        self._write("platform.yaml", self.platform)
        if self.contacts:
            self._write("contacts.yaml", self.contacts)
        for owner, rules in self.owners.items():
            self._write(f"{owner}/rules.yaml", {"version": 1, "rules": rules})

    def scribble(self, owner: str, text: str) -> None:
        """Put some other text in place of an owner's rules."""
        (self.folder / owner / "rules.yaml").write_text(text, encoding="utf-8")

    def _write(self, name: str, document: dict[str, Any]) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _platform(sandbox: Sandbox) -> dict[str, Any]:
    flag = f"{sandbox.url}/api/feature-flags/btc_mainnet_redemption"
    status = f"{sandbox.url}/ops/status.json"
    tool, root = str(sandbox.launchctl.path), str(sandbox.root)
    off = "featureFlags.btc_mainnet_redemption == `false`"
    return {
        "version": 1,
        "environment": "sandbox",
        "sources": {
            "app": {"scrape": sandbox.metrics_url, "every": "250ms", "deadline": "500ms"},
            "status": {
                "json": status,
                "every": "250ms",
                "deadline": "500ms",
                "timestamp": "timestamp",
                "samples": {"mycelia_collateralization_ratio": "peg.collateralization"},
            },
        },
        "actions": {
            PAUSE: {
                "flag": "btc_mainnet_redemption",
                "read_back": {"get": flag},
                "do": {
                    "run": [tool, "pause", "redemption"],
                    "cwd": root,
                    "expect": "enabled == `false`",
                },
                "undo": {
                    "run": [tool, "resume", "redemption"],
                    "cwd": root,
                    "expect": "enabled == `true`",
                },
                "contained_when": [{"get": status, "expect": off}],
                "resume_when": [{"get": f"{sandbox.url}/health", "expect": "status == 'ok'"}],
                "deadline": "4s",
            }
        },
        "playbooks": {"redemption": [{"action": PAUSE, "mode": "armed", "within": "5s"}]},
        "grants": {TEAM: ["redemption", PAUSE]},
        "limits": {"budget": {"actions": 20, "per": "1h"}, "blast_radius": 5},
    }
