"""Draws the episode table for the documentation: `python -m tests.core.decisions.diagram`.

The page between the two marks is written from the table and from nothing else.
"""

from __future__ import annotations

from pathlib import Path

from watchdog.core.episode import TABLE
from watchdog.core.states import Event, State

PAGE = Path(__file__).parents[3] / "docs" / "episode.md"
BEGIN, END = "<!-- drawn from the table -->", "<!-- end of the drawing -->"


def drawn() -> str:
    """The moves as a mermaid diagram and as a table; what stays where it is, in one line each."""
    ways: dict[tuple[State, State], list[Event]] = {}
    stays: dict[Event, list[State]] = {}
    for (state, event), after in TABLE.items():
        if state is after:
            stays.setdefault(event, []).append(state)
        else:
            ways.setdefault((state, after), []).append(event)
    order = list(State)
    sorted_ways = sorted(ways.items(), key=lambda way: tuple(map(order.index, way[0])))
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> ok"]
    for (state, after), events in sorted_ways:
        lines.append(f"    {state} --> {after}: {', '.join(events)}")
    lines += ["```", "", "| from | event | to |", "|---|---|---|"]
    for (state, after), events in sorted_ways:
        lines += [f"| {state} | {event} | {after} |" for event in events]
    lines += ["", "Noted, and moving nothing:", ""]
    for event, states in stays.items():
        names = "every state" if len(states) == len(order) else ", ".join(states)
        lines.append(f"* {event} in {names}")
    return "\n".join(lines)


def with_drawing(page: str) -> str:
    """The page with its drawing made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{drawn()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_drawing(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
