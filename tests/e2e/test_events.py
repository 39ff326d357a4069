"""What others tell us: a real Alertmanager and a signed webhook, up to the paused flag."""

from tests.e2e.household import Watchdog
from tests.e2e.senders import INCIDENT, Sender, let_events_in
from watchdog.sandbox.handle import Sandbox


async def test_a_signed_security_event_pauses_the_flag_once(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    let_events_in(watchdog)
    await watchdog.on_guard()
    sender = Sender(watchdog)
    answer = await sender.tell("inc-42")
    assert (answer.status_code, answer.json()) == (200, {"recorded": "inc-42"})
    episode = await watchdog.episode(INCIDENT, state="contained")
    assert not sandbox.is_enabled()
    assert sandbox.flag_changes() == 1
    assert episode.outcome == "done"
