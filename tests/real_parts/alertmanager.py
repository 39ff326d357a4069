"""A real Alertmanager that calls a webhook as soon as an alert fires."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.real_parts.scraping import write_config
from tests.real_parts.server import RealServer, program


class RealAlertmanager(RealServer):
    """Make one with `RealAlertmanager.start`; data and log lie in its folder."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        super().__init__(folder, "alertmanager")
        self._config = write_config(folder / "alertmanager.json", config)

    @classmethod
    def start(cls, folder: Path, *, webhook: str, token: str = "", group_wait: str = "0s") -> Self:
        """One whose only receiver is `webhook`, called with `token` as bearer when it is given."""
        receiver: dict[str, Any] = {"url": webhook, "send_resolved": False}
        if token:
            receiver["http_config"] = {
                "authorization": {"type": "Bearer", "credentials": token},
            }
        config = {
            "route": {
                "receiver": "webhook",
                "group_wait": group_wait,
                "group_interval": "1m",
                "repeat_interval": "1h",
            },
            "receivers": [{"name": "webhook", "webhook_configs": [receiver]}],
        }
        return cls(folder / "alertmanager", config)

    def arguments(self) -> Sequence[str]:
        return [
            program("prometheus-alertmanager", "prometheus-alertmanager"),
            f"--config.file={self._config}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
