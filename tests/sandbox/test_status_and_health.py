"""The status document has the published shape and says what is served now."""

import time
from typing import Any

import httpx

from watchdog.sandbox.handle import Sandbox

SHAPE = {
    "status": str,
    "timestamp": int,
    "buildSha": str,
    "version": str,
    "chainId": str,
    "peg": {"status": str, "ratio": str, "collateralization": float},
    "proofOfReserves": {
        "status": str,
        "ageMinutes": int,
        "totalSats": str,
        "outstandingBloom": str,
        "collateralizationRatio": float,
        "lastAttestation": str,
    },
    "featureFlags": {
        "btc_mainnet_redemption": bool,
        "staking_slashing": bool,
        "rewards_mainnet": bool,
        "governance_v1": bool,
        "spv_proofs": bool,
        "testnet_features": bool,
    },
    "diagnostics": {
        "passRate": float,
        "lastRun": str,
        "totalChecks": int,
        "passedChecks": int,
        "failedChecks": int,
    },
    "slos": {
        slo: {"status": str, "value": float, "target": float}
        for slo in (
            "redemption_quote_latency_p95",
            "por_attestation_age",
            "diagnostics_pass_rate",
            "sandbox_route_tti",
        )
    },
    "validators": {"total": int, "active": int, "totalStake": str},
    "treasury": {"address": str, "descriptor": str},
}


def shape_of(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: shape_of(value) for key, value in document.items()}
    return type(document)


async def status(sandbox: Sandbox, web: httpx.AsyncClient) -> dict[str, Any]:
    document: dict[str, Any] = (await web.get(f"{sandbox.url}/ops/status.json")).json()
    return document


async def test_the_shape_is_mycelias(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    document = await status(sandbox, web)

    assert shape_of(document) == SHAPE
    assert abs(document["timestamp"] / 1000 - time.time()) < 2


async def test_it_shows_the_flags_as_served(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    await sandbox.change_flag_behind_its_back(enabled=False)

    assert (await status(sandbox, web))["featureFlags"]["btc_mainnet_redemption"] is False


async def test_any_field_can_be_set(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    sandbox.set_status("peg.collateralization", 0.97)
    sandbox.set_status("peg.status", "broken")
    sandbox.set_status("timestamp", 1704067200000)

    document = await status(sandbox, web)
    assert document["peg"]["collateralization"] == 0.97
    assert document["peg"]["status"] == "broken"
    assert document["timestamp"] == 1704067200000


async def test_an_old_attestation_makes_the_reserves_stale(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    sandbox.attest(timestamp=int((time.time() - 3600) * 1000), collateralizationRatio=0.98)

    reserves = (await status(sandbox, web))["proofOfReserves"]
    assert (reserves["status"], reserves["ageMinutes"]) == ("stale", 60)
    assert reserves["collateralizationRatio"] == 0.98


async def test_health_is_ok_until_it_is_told_to_fail(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    page = f"{sandbox.url}/health"
    assert (await web.get(page)).json() == {"status": "ok"}

    sandbox.fail_health()
    answer = await web.get(page)
    assert (answer.status_code, answer.json()) == (503, {"status": "failing"})

    sandbox.heal_health()
    assert (await web.get(page)).json() == {"status": "ok"}
