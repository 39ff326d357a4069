"""A daemon whose rule answers with a release of the shop."""

from __future__ import annotations

from typing import Any

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import TEAM
from tests.releases.site import Shop

NAME = "roll-back-shop"


def written(shop: Shop, kind: str) -> dict[str, Any]:
    """As a team writes it."""
    version = f"{shop.url}/version"
    action: dict[str, Any] = {
        "release": "shop",
        "present": {"get": version, "value": "build"},
        "anchor": {"run": list(shop.tool("previous")), "margin": "1ms"},
        "deployable": {"run": list(shop.tool("can-deploy", "${anchor.version}"))},
        "do": {"run": list(shop.tool("deploy", "${anchor.version}"))},
        "read_back": {"get": version, "expect": "build == '${anchor.version}'"},
        "contained_when": [{"get": version, "expect": "healthy == `true`"}],
        "deadline": "6s",
    }
    if kind == "call":
        releases = {"get": f"{shop.url}/releases", "value": "previous.version"}
        artifact = f"{shop.url}/artifacts/${{anchor.version}}"
        deploy = {"method": "PUT", "url": f"{shop.url}/deploys"}
        action["anchor"] = {**releases, "released_at": "previous.at"}
        action["deployable"] = {"get": artifact, "expect": "state == 'available'"}
        action["do"] = {"call": {**deploy, "json": {"version": "${anchor.version}"}}}
    return action


def arm(daemon: Watchdog, shop: Shop, kind: str) -> None:
    """The rule that watches the peg answers with the release."""
    platform = daemon.rules.platform
    platform["actions"] = {NAME: written(shop, kind)}
    platform["playbooks"]["redemption"] = [{"action": NAME, "mode": "armed", "within": "5s"}]
    platform["grants"][TEAM] = ["redemption", NAME]
    platform["sources"]["status"]["json"] = f"{shop.url}/status"
    platform["sources"]["status"]["samples"] = {"mycelia_collateralization_ratio": "health"}
    del platform["sources"]["app"]
