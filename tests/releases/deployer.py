"""A small deployer of both kinds, in the standard library alone: a tool, and a service.

    deployer.py SITE deploy|can-deploy VERSION      deployer.py SITE current|previous
    deployer.py SITE serve PORT

Both work on one folder: `site.json` holds which version is served, which was before it, since when,
and which can still be deployed. Every effective change is a line of `changes`, every call one of
`calls`. A file `faults/NAME` makes it misbehave; one that hangs does so until its file is gone.
"""

from __future__ import annotations

import fcntl
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

_TICK_SECONDS = 0.01


class Folder:
    """The site's folder, as tool, service and test see it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.path / "site.json").read_text("utf-8"))
        return found

    def write(self, site: dict[str, Any]) -> None:
        beside = self.path / "site.json.new"
        beside.write_text(json.dumps(site), "utf-8")
        beside.rename(self.path / "site.json")

    @contextmanager
    def locked(self) -> Iterator[None]:
        with (self.path / "lock").open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def has(self, fault: str) -> bool:
        return (self.path / "faults" / fault).exists()

    def hang(self, fault: str) -> None:
        while self.has(fault):
            time.sleep(_TICK_SECONDS)

    def note(self, file: str, line: str) -> None:
        with (self.path / file).open("a", encoding="utf-8") as opened:
            opened.write(line + "\n")

    def lines(self, file: str) -> list[str]:
        path = self.path / file
        return path.read_text("utf-8").splitlines() if path.exists() else []

    # -- what it does ------------------------------------------------------------------------------

    def can_deploy(self, version: str) -> bool:
        self.note("calls", f"can-deploy {version}")
        self.hang("proof hangs")
        return version in self.read()["available"]

    def deploy(self, version: str) -> bool:
        """Whether it is deployed now, as it says."""
        self.note("calls", f"deploy {version}")
        if self.has("lies") or self.has("breaks down"):
            return self.has("lies")
        self.hang("hangs before")
        with self.locked():
            site = self.read()
            if version not in site["available"]:
                return False
            self.note("changes", f"{site['served']} -> {version}")
            site["previous"], site["served"] = site["served"], version
            self.write(site)
        self.hang("hangs after")
        return not self.has("says no")


def command(folder: Folder, words: list[str]) -> int:
    match words:
        case ["deploy", version]:
            done = folder.deploy(version)
            print(f"deployed {version}" if done else f"could not deploy {version}")  # noqa: T201  # a tool prints
            return 0 if done else 1
        case ["can-deploy", version]:
            found = folder.can_deploy(version)
            print(f"{version}: {'available' if found else 'purged'}")  # noqa: T201  # as above
            return 0 if found else 3
        case ["current" | "previous" as which]:
            print(folder.read()["served" if which == "current" else which])  # noqa: T201  # as above
            return 0
    return 2


class Service(BaseHTTPRequestHandler):
    """The deployer's own API, and beside it what the service that is deployed serves."""

    folder: Folder

    def do_GET(self) -> None:
        site = self.folder.read()
        match self.path.split("/")[1:]:
            case ["version"]:
                self._version(site["served"])
            case ["releases"]:
                at = site["times"].get(str(site["previous"]))
                previous = {"version": site["previous"], "at": at}
                self._say(200, {"current": site["served"], "previous": previous})
            case ["status"]:
                ill = self.folder.has("all are ill")
                ill = ill or (self.folder.has("v5 is ill") and site["served"] == "v5")
                now = int(time.time() * 1000)
                self._say(200, {"timestamp": now, "health": 0.5 if ill else 1.0})
            case ["artifacts", name]:
                found = self.folder.can_deploy(unquote(name))
                self._say(200, {"state": "available" if found else "purged"})
            case _:
                self._say(200, {"status": "ok"})

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        done = self.folder.deploy(body["version"])
        self._say(200 if done else 500, {"deployed": done})

    def _version(self, served: object) -> None:
        """As it is served; with a fault of its name, otherwise."""
        if self.folder.has("version hangs"):
            self.folder.hang("version hangs")
        if self.folder.has("version drips"):
            self._head(200, "application/json", 1000)
            for _ in range(1000):
                self.wfile.write(b" ")
                time.sleep(0.05)
        elif self.folder.has("version is huge"):
            self._head(200, "application/json", 3 << 20)
            self.wfile.write(b" " * (3 << 20))
        elif self.folder.has("version is HTML"):
            self._head(200, "text/html", 15)
            self.wfile.write(b"<html>v5</html>")
        else:
            self._say(200, {"build": served, "healthy": True})

    def _say(self, status: int, document: object) -> None:
        text = json.dumps(document).encode()
        self._head(status, "application/json", len(text))
        self.wfile.write(text)

    def _head(self, status: int, kind: str, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # who asked has gone
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def main(arguments: list[str]) -> int:
    folder = Folder(Path(arguments[0]))
    if arguments[1] == "serve":
        Service.folder = folder
        with ThreadingHTTPServer(("127.0.0.1", int(arguments[2])), Service) as server:
            server.serve_forever()
    return command(folder, arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
