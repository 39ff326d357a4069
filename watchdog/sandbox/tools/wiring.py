"""What all of Mycelia's tools share: where the sandbox is, how to reach its API, and how to fail.

Only cheap parts of the standard library, and HTTP by hand over one socket: a tool is up in about
20 ms, so that what a drill measures is the watchdog and not the start of an interpreter.

Faults, from `.sandbox/tool-faults.json` (tool name -> {"kind": ..., ...}):

    pretend       print success, change nothing
    fail          exit 1, change nothing
    fail_after    change, then exit 1
    hang          wait `seconds` before changing; with `stubborn` SIGTERM is ignored
    hang_after    change, then wait
    fork          change, and leave a grandchild behind that holds stdout and stderr for `seconds`;
                  with `new_session` it also leaves the process group
    chatter       write `bytes` to stdout, then go on
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself would cost a third of the start-up time
    from collections.abc import Callable
    from typing import Any

_DEADLINE_SECONDS = 10.0
_STATE = ".sandbox"


class ToolFailedError(Exception):
    """The tool cannot do what it was asked; the text is what it tells the person."""


def read_document(root: str, name: str) -> dict[str, Any]:
    """One of the sandbox's state files; empty when it is not there."""
    try:
        with open(os.path.join(root, _STATE, name), encoding="utf-8") as file:  # noqa: PTH118, PTH123 - pathlib is slow to import
            document: dict[str, Any] = json.load(file)
            return document
    except FileNotFoundError:
        return {}


def call_api(
    root: str, method: str, path: str, document: dict[str, Any] | None = None, token: str = ""
) -> tuple[int, dict[str, Any]]:
    """One request to the sandbox's app: status and JSON object. Raises ToolFailedError."""
    port = read_document(root, "app.json").get("port")
    if port is None:
        raise ToolFailedError("the flag service is not configured on this host")
    body = b"" if document is None else json.dumps(document).encode()
    head = (
        f"{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: mycelia-tools\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    try:
        answer = _exchange(port, f"{head}\r\n".encode() + body)
    except OSError as error:
        raise ToolFailedError(f"the flag service does not answer: {error}") from error
    status_line, _, rest = answer.partition(b"\r\n")
    content = rest.partition(b"\r\n\r\n")[2]
    try:
        return int(status_line.split()[1]), json.loads(content)
    except (IndexError, ValueError):
        raise ToolFailedError(f"the flag service answers with nonsense: {status_line!r}") from None


def _exchange(port: int, request: bytes) -> bytes:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    parts: list[bytes] = []
    with socket.create_connection(("127.0.0.1", port), timeout=_DEADLINE_SECONDS) as connection:
        connection.sendall(request)
        while True:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            part = connection.recv(65536)
            if not part:
                return b"".join(parts)
            parts.append(part)


def run_tool(name: str, root: str, work: Callable[[list[str], bool], str]) -> int:
    """Run one tool with the fault it was told to have, and return its exit status.

    `work(arguments, pretend)` does it and returns what to print; with `pretend` it changes nothing.
    """
    arguments = sys.argv[1:]
    _record_call(name, root, arguments)
    fault = read_document(root, "tool-faults.json").get(name, {})
    kind = fault.get("kind", "")
    if kind == "fail":
        return _refuse(f"{name}: internal error")
    if kind == "hang":
        _hang(fault)
    if kind == "chatter":
        _chatter(int(fault.get("bytes", 10**8)))
    try:
        said = work(arguments, kind == "pretend")
    except ToolFailedError as error:
        return _refuse(f"{name}: {error}")
    if kind == "hang_after":
        _hang(fault)
    if kind == "fail_after":
        return _refuse(f"{name}: internal error")
    if kind == "fork":
        _leave_a_grandchild(root, fault)
    sys.stdout.write(f"{said}\n")
    return 0


def _refuse(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return 1


def _record_call(name: str, root: str, arguments: list[str]) -> None:
    entry = {
        "tool": name,
        "arguments": arguments,
        "cwd": os.getcwd(),  # noqa: PTH109 - pathlib is slow to import
        "environment": sorted(os.environ),
        "at": time.time(),
        "pid": os.getpid(),
    }
    _append(root, "tool-calls.jsonl", json.dumps(entry))


def _append(root: str, name: str, line: str) -> None:
    path = os.path.join(root, _STATE, name)  # noqa: PTH118 - pathlib is slow to import
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def _hang(fault: dict[str, Any]) -> None:
    if fault.get("stubborn"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(float(fault.get("seconds", 600)))


def _chatter(size: int) -> None:
    block = b"still working on it\n" * 1000
    while size > 0:
        os.write(1, block[:size])
        size -= len(block)


def _leave_a_grandchild(root: str, fault: dict[str, Any]) -> None:
    child = os.fork()
    if child:
        _append(root, "grandchildren", str(child))
        return
    if fault.get("new_session"):
        os.setsid()
    time.sleep(float(fault.get("seconds", 60)))
    os._exit(0)
