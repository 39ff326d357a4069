"""A real Unleash on a real PostgreSQL: it tells nobody of itself, and asks nobody for versions.

Its environments are `development` and `production`; there is one project, `default`.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.real_parts.node import NODE, kept
from tests.real_parts.postgres import RealPostgres
from tests.real_parts.server import RealServer

PRODUCTION, DEVELOPMENT = "production", "development"
EDITOR, VIEWER = 2, 3
"""Root roles: one may switch toggles, the other only looks."""

_ADMIN = "*:*.of-the-tests-alone"
_PASSWORD = "Of-the-tests-alone-1"
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Never used, since it speaks plain HTTP; but making a default one is slow."""


@dataclass(frozen=True, slots=True)
class Token:
    """One that was made; `holder` is the person whose it is, for those of persons."""

    secret: str
    holder: int = 0


class RealUnleash(RealServer):
    """Use it with `async with`; it brings its own database server along."""

    ready_path = "/health"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "unleash")
        self._program = kept("unleash") / "unleash-server/dist/server.js"
        # What it keeps is gone with the test.
        self._database = RealPostgres("fsync=off", "synchronous_commit=off")

    async def __aenter__(self) -> Self:
        self._database.__enter__()
        try:
            self._database.database("unleash")
            return await super().__aenter__()
        except BaseException:
            self._database.__exit__(None, None, None)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            self._database.__exit__(kind, error, trace)

    def arguments(self) -> Sequence[str]:
        return [str(NODE), str(self._program)]

    def environment(self) -> Mapping[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "TZ": "UTC",
            "NODE_ENV": "production",
            "DATABASE_URL": f"{self._database.url('unleash')}?sslmode=disable",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": str(self.port or "0"),
            "CHECK_VERSION": "false",
            "SEND_TELEMETRY": "false",
            "INIT_ADMIN_API_TOKENS": _ADMIN,
            "SIMPLE_LOGIN_LIMIT_PER_MINUTE": "1000",
            "CREATE_USER_RATE_LIMIT_PER_MINUTE": "1000",
        }

    @property
    def admin_token(self) -> str:
        return _ADMIN

    # -- what people do in its pages ---------------------------------------------------------------

    async def feature(self, name: str, *on_in: str) -> None:
        """A new feature flag, switched on in these environments."""
        await self._do("POST", "projects/default/features", {"name": name, "type": "release"})
        for environment in on_in:
            await self.switch(name, environment, on=True)

    async def switch(self, name: str, environment: str, *, on: bool) -> None:
        word = "on" if on else "off"
        await self._do(
            "POST", f"projects/default/features/{name}/environments/{environment}/{word}"
        )

    async def archive(self, name: str) -> None:
        await self._do("DELETE", f"projects/default/features/{name}")

    async def client_token(self, environment: str, kind: str = "client") -> Token:
        """What an SDK of that environment is given; or, of kind `frontend`, a browser."""
        wanted = {
            "tokenName": f"{kind} of {environment}",
            "type": kind,
            "environment": environment,
            "projects": ["default"],
        }
        return Token(str((await self._do("POST", "api-tokens", wanted))["secret"]))

    async def person(self, name: str, role: int) -> Token:
        """A person with this role, and a personal access token of theirs."""
        new = {"username": name, "password": _PASSWORD, "rootRole": role, "sendEmail": False}
        holder = (await self._do("POST", "user-admin", new))["id"]
        async with self._client("") as client:
            who = {"username": name, "password": _PASSWORD}
            (await client.post("/auth/simple/login", json=who)).raise_for_status()
            wish = {"description": "for the watchdog", "expiresAt": "2099-01-01T00:00:00Z"}
            made = await client.post("/api/admin/user/tokens", json=wish)
            return Token(str(made.raise_for_status().json()["secret"]), holder)

    async def revoke(self, token: Token) -> None:
        """Of a person's: with the person. Of another's: the token alone."""
        if token.holder:
            await self._do("DELETE", f"user-admin/{token.holder}")
        else:
            await self._do("DELETE", f"api-tokens/{token.secret}")

    # -- what became of it -------------------------------------------------------------------------

    async def is_on(self, name: str, environment: str) -> bool:
        """As it is stored."""
        found = await self._do("GET", f"projects/default/features/{name}")
        (one,) = (each for each in found["environments"] if each["name"] == environment)
        return bool(one["enabled"])

    async def switches(self, name: str) -> list[tuple[str, str]]:
        """By its own record: (environment, on or off) of every effective switch, oldest first."""
        found = await self._do("GET", f"events/{name}")
        words = {"feature-environment-enabled": "on", "feature-environment-disabled": "off"}
        told = sorted(found["events"], key=lambda event: int(event["id"]))
        return [(one["environment"], words[one["type"]]) for one in told if one["type"] in words]

    async def _do(self, method: str, path: str, body: object = None) -> Any:
        async with self._client(_ADMIN) as client:
            answer = await client.request(method, f"/api/admin/{path}", json=body)
            answer.raise_for_status()
            return answer.json() if answer.content else None

    def _client(self, token: str) -> httpx.AsyncClient:
        headers = {"authorization": token} if token else {}
        return httpx.AsyncClient(
            base_url=self.url, headers=headers, trust_env=False, timeout=10, verify=_NO_TLS
        )
