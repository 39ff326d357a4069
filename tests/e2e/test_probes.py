"""Rules that look by themselves, in the daemon: a broken attestation pauses redemption."""

from pathlib import Path

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import TEAM, armed
from watchdog.core.replay import replayed
from watchdog.sandbox import ed25519
from watchdog.sandbox.handle import Sandbox

POR, RELEASE, HEALTH, DOOR = "por-attestation", "release-files", "public-probe", "door"


def look_by_themselves(watchdog: Watchdog, sandbox: Sandbox) -> Path:
    """Rules for each kind of probe; the attestation that one of them reads."""
    por = sandbox.attest()
    secret = sandbox.places.signing_key.read_text(encoding="ascii")
    attested = {
        "attestation": str(por),
        "signers": [ed25519.public_key(bytes.fromhex(secret)).hex()],
        "max_age": "30m",
        "min_collateralization": 1,
    }
    watched = {"severity": "P0", "every": "1s", "stale_after": "4s"}
    more = {"every": "1s", "for": "1s", "stale_after": "4s", "override": "this is a story"}
    watchdog.rules.owners[TEAM] = {
        POR: armed() | more | {"integrity": attested},
        RELEASE: watched
        | {"integrity": {"manifest": str(por.parent / "checksums.txt"), "extra": "ignore"}},
        HEALTH: watched
        | {
            "liveness": {
                "http": f"{sandbox.url}/health",
                "expect": "status == 'ok'",
                "fail": "2 of 3",
            }
        },
        DOOR: watched | {"liveness": {"tcp": sandbox.url.removeprefix("http://")}},
    }
    return por


async def test_an_attestation_below_the_peg_pauses_redemption(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    por = look_by_themselves(watchdog, sandbox)
    await watchdog.on_guard()
    for rule in (POR, RELEASE, HEALTH, DOOR):
        await watchdog.verdict(rule, "healthy")
    sandbox.attest(collateralizationRatio=0.97)
    episode = await watchdog.episode(POR, state="contained")
    assert episode.outcome == "done"
    assert not sandbox.is_enabled()
    (decided,) = watchdog.decisions(POR)
    assert decided.verdict is not None
    assert decided.verdict.reason == f"{por}: collateralised 0.97, below 1"
    assert replayed(decided) == (), "it is decided again from what the journal kept"

    release = por.parent / "release.json"
    as_it_was = release.read_text()
    try:
        release.write_text("{}")
        assert (await watchdog.verdict(RELEASE, "breached")).endswith("1 changed: release.json")
    finally:
        release.write_text(as_it_was)
    sandbox.fail_health()
    assert "2 of 3 are a breach" in await watchdog.verdict(HEALTH, "breached")
    sandbox.heal_health()
    for page in ("/", f"/rules/{HEALTH}", "/metrics"):
        assert HEALTH in await watchdog.page(page)
