"""A real Alertmanager: one that calls a webhook as soon as an alert fires, or nobody."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx

from tests.real_parts.scraping import write_config
from tests.real_parts.server import RealServer, program

_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Never used, since it speaks plain HTTP; but making a default one is slow."""


class RealAlertmanager(RealServer):
    """Make one with `RealAlertmanager.start`; data and log lie in its folder."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        super().__init__(folder, "alertmanager")
        self._config = write_config(folder / "alertmanager.json", config)

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        webhook: str,
        token: str = "",
        group_wait: str = "0s",
        repeats_every: str = "1h",
    ) -> Self:
        """One whose only receiver is `webhook`, called with `token` as bearer when it is given."""
        again = repeats_every != "1h"
        receiver: dict[str, Any] = {"url": webhook, "send_resolved": again}
        if token:
            receiver["http_config"] = {
                "authorization": {"type": "Bearer", "credentials": token},
            }
        config = {
            "route": {
                "receiver": "webhook",
                "group_wait": group_wait,
                "group_interval": repeats_every if again else "1m",
                "repeat_interval": repeats_every,
            },
            "receivers": [{"name": "webhook", "webhook_configs": [receiver]}],
        }
        return cls(folder / "alertmanager", config)

    @classmethod
    def quiet(cls, folder: Path) -> Self:
        """One that calls nobody."""
        config = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
        return cls(folder / "alertmanager", config)

    async def silence(self, *, seconds: float, comment: str = "migration", **labels: str) -> str:
        """A silence on alerts with these labels, as a person makes it in the page; its id."""
        now = datetime.now(UTC)
        return await self.silence_by(
            [
                {"name": name, "value": value, "isRegex": False, "isEqual": True}
                for name, value in labels.items()
            ],
            starts=now,
            ends=now + timedelta(seconds=seconds),
            comment=comment,
        )

    async def silence_by(
        self,
        matchers: Sequence[dict[str, Any]],
        *,
        starts: datetime,
        ends: datetime,
        comment: str = "migration",
        silence: str = "",
    ) -> str:
        """One by matchers as its API takes them; `silence` changes the one of that id."""
        body: dict[str, Any] = {
            "matchers": list(matchers),
            "startsAt": starts.isoformat(),
            "endsAt": ends.isoformat(),
            "createdBy": "alice",
            "comment": comment,
        }
        if silence:
            body["id"] = silence
        async with self._client() as client:
            answer = await client.post("/api/v2/silences", json=body)
            return str(answer.raise_for_status().json()["silenceID"])

    async def fire(
        self, labels: dict[str, str], *, since: datetime | None = None, over: bool = False
    ) -> datetime:
        """What a Prometheus tells it: the alert with these labels fires, or is over; since when."""
        now = datetime.now(UTC)
        since, ends = since or now, now if over else now + timedelta(hours=1)
        alert = {"labels": labels, "startsAt": since.isoformat(), "endsAt": ends.isoformat()}
        async with self._client() as client:
            (await client.post("/api/v2/alerts", json=[alert])).raise_for_status()
        return since

    async def expire(self, silence: str) -> None:
        """What a person does who ends a silence early."""
        async with self._client() as client:
            (await client.delete(f"/api/v2/silence/{silence}")).raise_for_status()

    async def alerts(self) -> list[dict[str, Any]]:
        """Those that fire now, as it knows them."""
        async with self._client() as client:
            found: list[dict[str, Any]] = (
                (await client.get("/api/v2/alerts")).raise_for_status().json()
            )
            return found

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=10, verify=_NO_TLS)

    def arguments(self) -> Sequence[str]:
        return [
            program("prometheus-alertmanager", "prometheus-alertmanager"),
            f"--config.file={self._config}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
