"""Mycelia's executables as a test holds them: told how to fail, and asked how they were called."""

from __future__ import annotations

from typing import Any

from watchdog.sandbox.places import Places, read_json, read_lines, replace_json


class Tool:
    """One of Mycelia's executables, and the fault it is told to have. Works at its next call."""

    def __init__(self, places: Places, name: str) -> None:
        self._places = places
        self.name = name
        self.path = places.bin / name

    def has_fault(self, kind: str, **numbers: Any) -> None:
        """Any fault that watchdog.sandbox.tools.wiring knows."""
        faults = read_json(self._places.tool_faults, {})
        replace_json(self._places.tool_faults, {**faults, self.name: {"kind": kind, **numbers}})

    def is_honest(self) -> None:
        """End this tool's fault."""
        faults = read_json(self._places.tool_faults, {})
        faults.pop(self.name, None)
        replace_json(self._places.tool_faults, faults)

    def pretends_to_pause(self) -> None:
        """It prints success and exits 0, and changes nothing."""
        self.has_fault("pretend")

    def fails(self) -> None:
        self.has_fault("fail")

    def fails_after_applying(self) -> None:
        self.has_fault("fail_after")

    def hangs(self, seconds: float = 600.0, *, stubborn: bool = False) -> None:
        """It does nothing for so long; a stubborn one ignores SIGTERM."""
        self.has_fault("hang", seconds=seconds, stubborn=stubborn)

    def hangs_after_applying(self, seconds: float = 600.0) -> None:
        self.has_fault("hang_after", seconds=seconds)

    def leaves_a_grandchild(self, seconds: float = 60.0, *, new_session: bool = False) -> None:
        """It succeeds, and a grandchild of it holds its output pipes open for so long."""
        self.has_fault("fork", seconds=seconds, new_session=new_session)

    def chatters(self, size_bytes: int = 10**8) -> None:
        self.has_fault("chatter", bytes=size_bytes)

    def calls(self) -> list[dict[str, Any]]:
        """Each call so far: arguments, cwd, names in the environment, at (epoch seconds), pid."""
        return [call for call in read_lines(self._places.tool_calls) if call["tool"] == self.name]
