"""The platform's `alertmanager:` section as a core value."""

from __future__ import annotations

from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.policy.document import Document
from watchdog.policy.http import endpoint
from watchdog.policy.platform_models import AlertmanagerShape
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.shape import shape_of

KEY = "alertmanager"
LONGEST_DEADLINE_SECONDS = 5.0


def alertmanager_spec(document: Document, findings: Findings) -> AlertmanagerSpec | None:
    """None where the file has no such section, or with what is wrong in `findings`."""
    node = document.value(KEY)
    if node is None:
        return None
    entry = Entry(KEY, document.key(KEY), node)
    shape = shape_of(AlertmanagerShape, entry, findings)
    if shape is None:
        return None
    urls = [shape.url] if isinstance(shape.url, str) else shape.url
    _check(entry, shape, urls, findings)
    return AlertmanagerSpec(
        endpoints=tuple(
            endpoint(entry, (), url, shape.headers, shape.ca, findings) for url in sorted(urls)
        ),
        every_seconds=shape.every,
        deadline_seconds=shape.deadline or min(shape.every, LONGEST_DEADLINE_SECONDS),
        silences=shape.silences,
        alerts=shape.alerts,
        again_seconds=shape.again,
        page_after_seconds=shape.page_after,
        max_bytes=shape.max_bytes,
        link=shape.link or "",
    )


def _check(entry: Entry, shape: AlertmanagerShape, urls: list[str], findings: Findings) -> None:
    if not (shape.silences or shape.alerts):
        findings.refuse(
            entry.key_at("alerts"),
            "Alertmanager is asked for nothing and told nothing",
            "Write `silences: true` or `alerts: true`, or remove the section.",
        )
    for index, url in enumerate(urls):
        place = entry.at("url") if isinstance(shape.url, str) else entry.at("url", index)
        if "?" in url:
            findings.refuse(
                place, "a base address with a query", "Write only where its API begins."
            )
        elif url.rstrip("/").endswith(("/api/v1", "/api/v2", "/api/v2/alerts", "/-/ready")):
            findings.refuse(
                place,
                "that is a place inside the Alertmanager's API",
                "Write the address that its own page has, like http://HOST:9093.",
            )
        elif url.rstrip("/") in {other.rstrip("/") for other in urls[:index]}:
            findings.refuse(place, "this replica stands twice", "Keep one.")
    if shape.deadline is not None and shape.deadline > shape.every:
        findings.refuse(
            entry.at("deadline"),
            "one question may take longer than the next is away",
            f"Write at most `every`, {shape.every:g}s.",
        )
