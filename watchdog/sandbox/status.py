"""Mycelia's public status document, in its exact shape, filled with what the sandbox serves now."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from watchdog.sandbox.places import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watchdog.sandbox.flags import Flag
    from watchdog.sandbox.places import Places

_SHOWN_FLAGS = (
    "btc_mainnet_redemption",
    "staking_slashing",
    "rewards_mainnet",
    "governance_v1",
    "spv_proofs",
    "testnet_features",
)
_FRESH_MINUTES = 30


def status_document(places: Places, served: Mapping[str, Flag], now: float) -> dict[str, Any]:
    """The document at epoch second `now`. The build is the one last published."""
    published = read_json(places.published, {"buildSha": "unpublished", "version": "1.0.0"})
    return {
        "status": "operational" if _has_its_data(places) else "degraded",
        "timestamp": int(now * 1000),
        "buildSha": published["buildSha"],
        "version": published["version"],
        "chainId": "mycelia-mainnet-1",
        "peg": {"status": "ok", "ratio": "10 BLOOM = 1 BTC", "collateralization": 1.0},
        "proofOfReserves": _reserves(places, now),
        "featureFlags": {name: served[name].enabled for name in _SHOWN_FLAGS},
        "diagnostics": {
            "passRate": 1.0,
            "lastRun": _iso(now),
            "totalChecks": 15,
            "passedChecks": 15,
            "failedChecks": 0,
        },
        "slos": {
            name: {"status": "healthy", "value": 0.995, "target": 0.99}
            for name in (
                "redemption_quote_latency_p95",
                "por_attestation_age",
                "diagnostics_pass_rate",
                "sandbox_route_tti",
            )
        },
        "validators": {"total": 7, "active": 7, "totalStake": "1000000000"},
        "treasury": {
            "address": "bc1qtreasury123456789abcdefghijklmnopqrstuvwxyz",
            "descriptor": "cash-backed-custodian-policy",
        },
    }


def _has_its_data(places: Places) -> bool:
    """Whether the service can read its own data; a folder of an older sandbox has none."""
    try:
        read_json(places.accounts, {})
    except ValueError:
        return False
    return True


def _reserves(places: Places, now: float) -> dict[str, Any]:
    # The file is taken from the live tree at each request: a config rollback may exchange the tree.
    try:
        attested = json.loads((places.release / "mainnet" / "por.json").read_text("utf-8"))
        snapshot = attested["snapshot"]
    except (OSError, ValueError, KeyError):
        snapshot = {
            "timestamp": 0,
            "lockedSats": "0",
            "outstandingBloom": "0",
            "collateralizationRatio": 0,
        }
    age_minutes = (now - snapshot["timestamp"] / 1000) / 60
    return {
        "status": "fresh" if age_minutes <= _FRESH_MINUTES else "stale",
        "ageMinutes": int(age_minutes),
        "totalSats": snapshot["lockedSats"],
        "outstandingBloom": snapshot["outstandingBloom"],
        "collateralizationRatio": snapshot["collateralizationRatio"],
        "lastAttestation": _iso(snapshot["timestamp"] / 1000),
    }


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
