"""Who tells a story's daemon of events: a webhook that signs, and what an Alertmanager posts."""

import hashlib
import hmac
import json
import time
from typing import Any

import httpx

from tests.e2e.household import NO_TLS, Watchdog
from tests.e2e.rulebook import Rule, armed

KEY = "a-key-that-only-security-knows"
TOKEN = "a-token-that-only-alertmanager-shows"
INCIDENT = "security-incident"
ALERTED = "alerted"


def let_events_in(watchdog: Watchdog) -> None:
    """Two channels with their credentials, and a rule on each."""
    watchdog.rules.platform["events"] = {
        "security": {"hmac": "security-webhook"},
        "alertmanager": {"token": "alertmanager"},
    }
    secret(watchdog, "security-webhook", KEY)
    secret(watchdog, "alertmanager", TOKEN)
    watchdog.rules.rules[INCIDENT] = on_event("security", severity="critical")
    watchdog.rules.rules[ALERTED] = on_event("alertmanager", alertname="=~Mycelia.*")


def secret(watchdog: Watchdog, name: str, text: str) -> None:
    folder = str(watchdog.settings["secrets_dir"])
    with open(f"{folder}/{name}", "w", encoding="utf-8") as file:  # noqa: PTH123  # one line
        file.write(text + "\n")


def on_event(channel: str, **match: str) -> Rule:
    rule = armed(event={"from": channel, "match": match})
    return {key: value for key, value in rule.items() if key not in {"for", "stale_after"}}


class Sender:
    """Posts to the daemon's web port as others do."""

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog

    async def tell(self, name: str, **more: Any) -> httpx.Response:
        """A signed event."""
        labels = {"severity": "critical"}
        body = json.dumps({"id": name, "labels": labels, "summary": "a key leaked"} | more)
        return await self.post_signed(body.encode())

    async def post_signed(
        self, body: bytes, *, key: str = KEY, at: float | None = None, channel: str = "security"
    ) -> httpx.Response:
        return await self.post("/api/v1/events", body, signed(body, key, at, channel))

    async def alert(self, *alerts: dict[str, Any], token: str = TOKEN) -> httpx.Response:
        """What an Alertmanager posts."""
        body = json.dumps({"version": "4", "status": "firing", "alerts": alerts}).encode()
        headers = {"Authorization": f"Bearer {token}"}
        return await self.post("/api/v1/alertmanager", body, headers)

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=15, verify=NO_TLS) as web:
            return await web.post(self._watchdog.web + path, content=body, headers=headers)


def signed(
    body: bytes, key: str = KEY, at: float | None = None, channel: str = "security"
) -> dict[str, str]:
    """The three headers of a signed event."""
    timestamp = str(int(time.time() if at is None else at))
    made = hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "X-Watchdog-Channel": channel,
        "X-Watchdog-Timestamp": timestamp,
        "X-Watchdog-Signature": f"sha256={made}",
    }
