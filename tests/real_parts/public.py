"""A status page of Atlassian's, as its documentation has it: a real HTTP server on loopback.

It can be taken away and brought back at the same address, refuse, hang, ask for a pause, and do
what it is asked while its answer is lost.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from tests.real_parts.people import HookServer

TOKEN = "a-token-of-the-page"
PAGE = "kctbh9vrtdwd"
COURSES = ("investigating", "identified", "monitoring", "resolved")
CONDITIONS = (
    "operational",
    "degraded_performance",
    "partial_outage",
    "major_outage",
    "under_maintenance",
)

Row = dict[str, Any]


@dataclass
class Statuspage(HookServer):
    """`refuses` is a status that every request gets; `loses` answers of changes that it made."""

    components: dict[str, str] = field(default_factory=lambda: {"b13yz5g2cw10": "operational"})
    incidents: list[Row] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # "POST /incidents", in their order
    refuses: int = 0
    loses: bool = False
    says: bytes | None = None  # in place of what it would answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def changes(self) -> list[str]:
        return [one.partition(" ")[0] for one in self.asked if not one.startswith("GET")]

    @property
    def open_incidents(self) -> list[Row]:
        return [one for one in self.incidents if one["status"] != "resolved"]

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, path, _ = first.split(" ")
        self.asked.append(f"{method} {path.removeprefix(f'/v1/pages/{PAGE}')}")
        if self.hangs:
            await asyncio.sleep(3600)
        status, told = self._done(method, path, headers, body)
        if self.loses and method != "GET":
            return
        raw = self.says if self.says is not None else json.dumps(told).encode()
        pause = f"Retry-After: {self.retry_after}\r\n" if self.retry_after else ""
        head = f"HTTP/1.1 {status} Said\r\n{pause}Content-Length: {len(raw)}\r\n"
        writer.write(head.encode() + b"Content-Type: application/json\r\nConnection: close\r\n\r\n")
        writer.write(raw)
        await writer.drain()

    def _done(self, method: str, path: str, headers: Row, body: bytes) -> tuple[int, Any]:
        if self.refuses or headers.get("authorization") != f"OAuth {TOKEN}":
            return self.refuses or 401, {"error": "Could not authenticate"}
        where = path.partition("?")[0].removeprefix(f"/v1/pages/{PAGE}/incidents")
        known = next((one for one in self.incidents if where == f"/{one['id']}"), None)
        if method == "GET" and where == "/unresolved":
            return 200, self.open_incidents
        if method == "GET" and known is not None:
            return 200, known
        if method == "PATCH" and known is not None:
            return self._changed(known, json.loads(body)["incident"], set())
        if (method, where) == ("POST", ""):
            made: Row = {"id": f"i{len(self.incidents) + 1}", "incident_updates": []}
            told = json.loads(body)["incident"]
            return self._changed(made, told, {"name", "status", "body"})
        return 404, {"error": "Not found"}

    def _changed(self, one: Row, told: Row, needed: set[str]) -> tuple[int, Any]:
        if wrong := self._wrong(told, needed):
            return 422, {"error": wrong}
        one |= {key: told[key] for key in ("name", "status", "metadata") if key in told}
        one["incident_updates"].insert(0, {"status": one["status"], "body": told.get("body")})
        self.components |= told.get("components", {})
        if needed:
            self.incidents.append(one)
        return (201 if needed else 200), one

    def _wrong(self, told: Row, needed: set[str]) -> str:
        conditions = told.get("components", {})
        if missing := needed - told.keys():
            return f"{', '.join(missing)} can't be blank"
        if told.get("status", "identified") not in COURSES:
            return "status is not included in the list"
        if unknown := conditions.keys() - self.components.keys():
            return f"components {unknown} not found"
        return "" if set(conditions.values()) <= set(CONDITIONS) else "component status is invalid"
