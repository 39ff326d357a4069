"""The story, scene by scene; each scene waits for what must happen and fails when it does not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from watchdog.demo.stage import Stage, StageFailed

RULE = "redemption-error-rate"
FLAG = "btc_mainnet_redemption"
WATCHED_SECONDS = 10

Say = Callable[[str], None]


@dataclass(slots=True)
class Story:
    """What came of it. `ok` only if every scene went as it should."""

    ok: bool = False
    failed: str = ""
    episodes: list[dict[str, Any]] = field(default_factory=list)
    effective_changes: int = 0
    seconds_fault_to_effect: float | None = None

    def document(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "failed": self.failed,
            "flag": FLAG,
            "effective_changes": self.effective_changes,
            "seconds_fault_to_effect": self.seconds_fault_to_effect,
            "episodes": self.episodes,
        }


async def tell(stage: Stage, say: Say) -> Story:
    """Play it once. What does not go as it should is in the story, not raised."""
    story = Story()
    try:
        await _play(stage, story, say)
        story.ok = True
    except (StageFailed, TimeoutError) as error:
        story.failed = str(error) or "a scene took too long"
        say(f"This did not go as it should: {story.failed}")
    story.effective_changes = stage.sandbox.flag_changes(FLAG)
    with contextlib.suppress(StageFailed):  # a daemon that died has been told of above
        story.episodes = [_short(ep) for ep in await stage.read("/v1/episodes")]
    return story


async def _play(stage: Stage, story: Story, say: Say) -> None:
    say(f"Mycelia answers at {stage.sandbox.url}; redemption is on, 200 requests a second.")
    say(f"The watchdog's page: {stage.page}")
    say("Waiting until the rule has seen its whole window healthy: only then may a breach act.")
    await stage.until("the rule is clear", 40, _cleared)

    began = await stage.sandbox.break_redemption(0.5)
    say("Redemption breaks: half of all requests fail from now on.")
    episode = await stage.until("a breach", 20, _opened)
    say(f"Breached: {episode['verdict']['reason']}. Episode {episode['id']} is open.")
    episode = await stage.until("containment", 40, _in_state("contained", "latched"))
    if episode["state"] != "contained":
        raise StageFailed(f"{episode['id']} is {episode['state']}: {episode['reason']}")
    off_at = stage.sandbox.changes(FLAG)[-1].at
    story.seconds_fault_to_effect = round(off_at - began, 3)
    say(
        f"Paused by itself {story.seconds_fault_to_effect:.2f} s after the first failure "
        f"({episode['seconds_breach_to_effect']:.2f} s after the breach was seen; "
        "it must last 3 s)."
    )
    say(f"Proven by reading it back from where it is served: {episode['read_back']}.")
    say(f"Contained: {episode['reason']}.")
    await _show_verified(stage, say, "do")
    await _explain(stage, say)
    await _show_told(stage, say)

    await stage.sandbox.mend_redemption()
    say("A person mends redemption and undoes the pause:")
    say(f"  $ slo-watchdog undo {episode['id']} --reason 'fix deployed'")
    done = await stage.order("/v1/undo", what=episode["id"], reason="fix deployed")
    if done["data"].get("outcome") != "done":
        raise StageFailed(done["effect"])
    say(f"Undone: {done['effect']}.")
    await _show_verified(stage, say, "undo")
    say("Watched: a fresh breach now would reopen it at once.")
    await stage.until("quiet", WATCHED_SECONDS + 30, _in_state("ok"))
    say("Quiet. The episode is over; every step of it stands in the journal.")


async def _explain(stage: Stage, say: Say) -> None:
    why = await stage.read(f"/v1/why/{RULE}")
    decision = why["last_decision"]
    say(f"Why: decision {decision['decision']}, {decision['ruling']}, after asking every gate:")
    for gate in decision["gates"]:
        say(f"  {'pass  ' if gate['passed'] else 'REFUSE'} {gate['gate']:13} {gate['reason']}")


async def _show_verified(stage: Stage, say: Say, direction: str) -> None:
    """The procedure's checks after a rollback: run beside everything, and recorded."""

    async def known(stage: Stage) -> dict[str, Any] | None:
        found = (await _opened(stage) or {}).get("verification", [])
        of = [one for one in found if one["direction"] == direction]
        over = [one for one in of if all(check["truth"] for check in one["checks"])]
        return over[-1] if over else None

    one = await stage.until("verification", 60, known)
    say(f"V{one['told'][1:]}.")
    for check in one["checks"]:
        say(f"  {check['truth']:7} {check['check']:15} {check['reason']}")


async def _show_told(stage: Stage, say: Say) -> None:
    """What people have got by now, in the sandbox's chat and mail: one message of each kind."""
    told = await stage.until("a message", 20, _told)
    say(f"Told by {told['to']}: {told['told']['title']}")
    say("Nobody outside is told anything before a person has seen the text:")
    say(f"  $ slo-watchdog announce {told['episode']} --to community")


async def _told(stage: Stage) -> dict[str, Any] | None:
    """The newest message of the chat about the episode."""
    episode = await _opened(stage)
    try:
        answer = await stage.inbox()
    except StageFailed:
        return None
    chat = [one for one in answer if one["to"] == "chat"]
    if episode is None or not chat:
        return None
    return {**chat[-1], "episode": episode["id"]}


async def _cleared(stage: Stage) -> dict[str, Any] | None:
    rule = (await stage.read(f"/v1/why/{RULE}"))["rule"]
    return dict(rule) if rule["cleared"] else None


async def _opened(stage: Stage) -> dict[str, Any] | None:
    return next((dict(ep) for ep in await stage.read("/v1/episodes") if ep["rule"] == RULE), None)


def _in_state(*states: str) -> Callable[[Stage], Any]:
    async def look(stage: Stage) -> dict[str, Any] | None:
        found = await _opened(stage)
        return found if found is not None and found["state"] in states else None

    return look


def _short(ep: dict[str, Any]) -> dict[str, Any]:
    keys = (
        "id",
        "rule",
        "action",
        "state",
        "world",
        "outcome",
        "seconds_breach_to_effect",
        "read_back",
        "reason",
    )
    return {key: ep[key] for key in keys}
