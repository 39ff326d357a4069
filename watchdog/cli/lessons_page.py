"""Follow-ups and the procedure's review as people are shown them."""

from __future__ import annotations

from typing import Any

from watchdog.cli.page import Page, plain

View = dict[str, Any]


def show_lessons(page: Page, status: View) -> None:
    """In status: what is overdue, each; of the rest only how many there are."""
    opened, late = status["follow_ups"], [one for one in status["follow_ups"] if one["overdue"]]
    review = review_told(status["procedure"])
    if not opened and not review:
        return
    page.title("To be done after episodes")
    if review:
        page.line(plain(review, "red"), indent=2)
    for one in late:
        show_follow_up(page, one)
    rest = len(opened) - len(late)
    if rest:
        page.line(f"{rest} open and in time. See: slo-watchdog follow-up list --open", indent=2)


def review_told(procedure: View | None) -> str:
    """That the procedure must be looked at again; "" where it need not."""
    if procedure is None or not procedure["overdue"]:
        return ""
    return (
        f"The procedure's review is overdue: {procedure['document']} was reviewed on "
        f"{procedure['reviewed']}. When you have, write the day into platform.yaml, and apply"
    )


def follow_up_told(one: View) -> str:
    state = "OVERDUE" if one["overdue"] else "open" if one["open"] else "closed"
    return f"{state}, {one['task']} by {one['owner']}, due {one['due']}, for {one['episode']}"


def show_follow_up(page: Page, one: View) -> None:
    style = "red" if one["overdue"] else ""
    page.line(plain(one["follow_up"], "bold"), plain(f"  {follow_up_told(one)}", style), indent=2)
    page.line(one["text"], indent=6)
    if not one["open"]:
        page.line(f"closed by {one['closed_by']}: {one['closed_reason']}", indent=6)
