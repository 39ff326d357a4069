"""What others tell us: a real Alertmanager and a signed webhook, up to the paused flag."""

import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.senders import ALERTED, INCIDENT, TOKEN, Sender, let_events_in
from tests.real_parts import RealAlertmanager
from watchdog.core.channels import EventReceived
from watchdog.core.replay import replayed
from watchdog.sandbox.handle import Sandbox


async def test_a_signed_security_event_pauses_the_flag_once(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    let_events_in(watchdog)
    await watchdog.on_guard()
    sender = Sender(watchdog)
    forged = await sender.post_signed(b'{"id": "inc-41"}', key="a-key-that-somebody-made-up")
    assert forged.status_code == 401
    minor = await sender.tell("inc-41", labels={"severity": "minor"})
    assert minor.status_code == 200
    answer = await sender.tell("inc-42")
    assert (answer.status_code, answer.json()) == (200, {"recorded": "inc-42"})
    episode = await watchdog.episode(INCIDENT, state="contained")
    assert (episode.outcome, episode.read_back) == ("done", "enabled: false")
    assert not sandbox.is_enabled()

    again = await sender.tell("inc-42")
    assert again.status_code == 409
    await passes(watchdog)
    assert sandbox.flag_changes() == 1
    assert [ep.rule for ep in await watchdog.episodes()] == [INCIDENT]
    assert [replayed(decided) for decided in watchdog.decisions(INCIDENT)] == [()]


async def test_a_missing_credential_lets_the_daemon_start_and_the_rule_say_so(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    let_events_in(watchdog)
    watchdog.rules.rules[INCIDENT]["on_blind"] = {"page_after": "1s"}
    (Path(watchdog.settings["secrets_dir"]) / "security-webhook").unlink()
    await watchdog.start()
    reason = await watchdog.verdict(INCIDENT, "blind", "deaf")
    assert "credential security-webhook does not exist" in reason
    await watchdog.clear(ALERTED)
    answer = await Sender(watchdog).tell("inc-42")
    assert answer.status_code == 503

    async def told() -> bool:
        return bool(watchdog.pages(f"{INCIDENT} is blind"))

    await watchdog.until("people are told", told)
    assert sandbox.flag_changes() == 0


@pytest.mark.sim
async def test_an_alert_pauses_once_however_often_a_real_alertmanager_repeats_it(
    sandbox: Sandbox, watchdog: Watchdog, tmp_path: Path
) -> None:
    let_events_in(watchdog)
    watchdog.settings["listen"] = f"127.0.0.1:{free_port()}"
    await watchdog.on_guard()
    webhook = f"http://{watchdog.settings['listen']}/api/v1/alertmanager"
    start = RealAlertmanager.start
    async with start(tmp_path, webhook=webhook, token=TOKEN, repeats_every="1s") as alertmanager:
        labels = {"alertname": "MyceliaCompromised", "severity": "critical"}
        since = await alertmanager.fire(labels)
        first = await watchdog.episode(ALERTED, state="contained")
        assert not sandbox.is_enabled()
        await repeated(watchdog)
        await watchdog.restart()
        await repeated(watchdog)
        await watchdog.order("undo", what=first.id, reason="it was a test")
        await watchdog.episode(ALERTED, state="ok")  # watched for 2 s, and told again meanwhile
        await repeated(watchdog)
        assert len(await watchdog.episodes()) == 1

        await alertmanager.fire(labels, since=since, over=True)
        await watchdog.until("the end is told", over(watchdog))
        await alertmanager.fire(labels)
        second = await watchdog.episode(ALERTED, state="contained")
        assert second.id != first.id
    assert sandbox.flag_changes() == 3
    assert {rule.rule for rule in await watchdog.episodes()} == {ALERTED}
    began = {one.began for one in watchdog.entries(EventReceived)}
    assert len(began) == 2


async def passes(watchdog: Watchdog, number: int = 8) -> None:
    """Let it judge so many times more: time enough to do what it should not."""

    async def count() -> int:
        return int((await watchdog.read("/v1/status"))["passes"])

    before = await count()

    async def more() -> bool:
        return await count() >= before + number

    await watchdog.until("more passes", more)


def free_port() -> int:
    """One that stays the same when the daemon starts again."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def repeated(watchdog: Watchdog, times: int = 2) -> None:
    """Wait until an Alertmanager has told what it told before so many times more."""

    async def count() -> float:
        name = r'slo_watchdog_events_total\{channel="alertmanager",result="repeated"\} (\S+)'
        found = re.search(name, await watchdog.page("/metrics"))
        return float(found[1]) if found else 0.0

    before = await count()

    async def more() -> bool:
        return await count() >= before + times

    await watchdog.until("it is repeated", more)


def over(watchdog: Watchdog) -> Callable[[], Awaitable[bool]]:
    """Whether the end of an alert is on record."""

    async def look() -> bool:
        return any(one.status == "resolved" for one in watchdog.entries(EventReceived))

    return look
