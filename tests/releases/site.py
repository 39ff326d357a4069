"""A service named shop that a small deployer serves, and what a story does to it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.real_parts.server import RealServer
from tests.releases.deployer import Folder
from watchdog.core.releases import (
    DeployRelease,
    FieldOf,
    PrintedBy,
    back,
)
from watchdog.core.spec import ActionSpec, Check, Command, Endpoint, HttpCall, Step

TOOL = Path(__file__).with_name("deployer.py")
BAD, GOOD, OLDER = "v5", "v4", "v3"
TARGET = "release:shop"
SHOWS = "build == '${anchor.version}'"


class Shop(RealServer):
    """v5 is served, and v4 was before it."""

    ready_path = "/health"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "deployer")
        self.site = Folder(folder)
        (folder / "faults").mkdir()
        self.reset()

    def reset(self) -> None:
        """As new; what still hangs goes on."""
        for file in (*self.folder.glob("faults/*"), *self.folder.glob("c*s")):
            file.unlink()
        times = {BAD: "2026-01-03T00:00:00Z", GOOD: "2026-01-02T00:00:00Z", OLDER: 1767225600000}
        self.site.write(
            {"served": BAD, "previous": GOOD, "available": [BAD, GOOD, OLDER], "times": times}
        )

    def arguments(self) -> Sequence[str]:
        return self.tool("serve", str(self.port))

    def tool(self, *words: str) -> tuple[str, ...]:
        """Without the libraries, it starts in a fortieth of a second."""
        return (sys.executable, "-I", "-S", str(TOOL), str(self.folder), *words)

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[Shop]:
        with asyncio.Runner() as runner:
            shop = cls(folder)
            runner.run(shop.__aenter__())
            yield shop
            runner.run(shop.__aexit__(None, None, None))

    # -- what a story does -------------------------------------------------------------------------

    def change(self, **parts: Any) -> None:
        with self.site.locked():
            self.site.write(self.site.read() | parts)

    def fault(self, name: str) -> None:
        (self.folder / "faults" / name).touch()

    def mend(self, name: str) -> None:
        (self.folder / "faults" / name).unlink()

    def purge(self, version: str) -> None:
        self.change(available=[one for one in self.site.read()["available"] if one != version])

    # -- what it shows -----------------------------------------------------------------------------

    @property
    def served(self) -> str:
        return str(self.site.read()["served"])

    @property
    def changes(self) -> list[str]:
        return self.site.lines("changes")

    def calls(self, word: str) -> list[str]:
        return [line for line in self.site.lines("calls") if line.startswith(word + " ")]

    # -- the two kinds of action -------------------------------------------------------------------

    def by_tool(self, **different: Any) -> DeployRelease:
        how = DeployRelease(
            by=Command(self.tool("deploy", "${anchor.version}")),
            target=TARGET,
            present=FieldOf(Endpoint(f"{self.url}/version"), "build"),
            anchor=PrintedBy(Command(self.tool("previous"))),
            deployable=Command(self.tool("can-deploy", "${anchor.version}")),
        )
        return replace(how, **different)

    def by_call(self, **different: Any) -> DeployRelease:
        releases = Endpoint(f"{self.url}/releases")
        artifact = Endpoint(f"{self.url}/artifacts/${{anchor.version}}")
        how = DeployRelease(
            by=HttpCall("PUT", Endpoint(f"{self.url}/deploys"), '{"version": "${anchor.version}"}'),
            target=TARGET,
            present=FieldOf(Endpoint(f"{self.url}/version"), "build"),
            anchor=FieldOf(releases, "previous.version", "previous.at"),
            deployable=Check(artifact, "state == 'available'"),
        )
        return replace(how, **different)

    def action(self, how: DeployRelease | None = None, **different: Any) -> ActionSpec:
        how = how or self.by_tool()
        spec = ActionSpec(
            name="roll-back-shop",
            target=TARGET,
            read_back=Endpoint(f"{self.url}/version"),
            do=Step(how, SHOWS),
            undo=Step(back(how), SHOWS),
            contained_when=(Check(Endpoint(f"{self.url}/version"), "healthy == `true`"),),
            resume_when=(),
            deadline_seconds=4.0,
            sla_seconds=60.0,
            host="any",
            sha256="",
            anchor_margin_seconds=0.0,
        )
        return replace(spec, **different)
