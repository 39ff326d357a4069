"""Drills as status, handover and `drill list` tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchdog.cli.page import Page, plain

View = dict[str, Any]


def drill_told(one: View) -> str:
    """One kind in a line."""
    last, due = one["last"], one["due"]
    went = "never done"
    if last is not None:
        went = f"{'passed' if last['passed'] else 'FAILED'} {last['ended'][:16]}Z"
    if not one["planned"]:
        return went
    if not one["overdue"]:
        return f"{went}, due {due[:10]}"
    return f"{went}, OVERDUE" + (f" since {due[:10]}" if due is not None else "")


def show_drills(page: Page, status: View) -> None:
    """In status: every kind that is planned or was ever done."""
    if not status["drills"]:
        return
    page.title("Drills")
    for one in status["drills"]:
        last = one["last"]
        bad = one["overdue"] or (last is not None and not last["passed"])
        told = plain(f"  {drill_told(one)}", "red" if bad else "")
        page.line(plain(f"{one['drill']:12}", "bold"), told, indent=2)
        for reason in last["reasons"] if last is not None else ():
            page.line(reason, indent=6)


def drills_wanted(status: View) -> Iterator[str]:
    """What the next person on call must know: overdue ones, and those that failed last."""
    for one in status["drills"]:
        last = one["last"]
        if one["overdue"]:
            yield f"drill {one['drill']}: {drill_told(one)}"
        elif last is not None and not last["passed"]:
            yield f"drill {one['drill']} FAILED ({last['name']}): {'; '.join(last['reasons'])}"
