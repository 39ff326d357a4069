"""The shapes of the `status-pages:` section of contacts.yaml.

They hold form only; what they must lead to is judged in `status_pages.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from watchdog.policy.base import Shape
from watchdog.policy.platform_models import CallShape, HostName
from watchdog.policy.scalars import AbsolutePath, Address, Duration, Name, Words, matching

PageId = Annotated[
    str, matching(r"[A-Za-z0-9_-]{1,64}", "id of Statuspage", "As its own page shows it.")
]
Field_ = Annotated[
    str,
    matching(
        r"[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,9}", "path", "Write it like ops.status."
    ),
]


class ComponentShape(Shape):
    """A part of the service as its users know it; at least one of `targets` and `rules`."""

    absent: ClassVar[dict[str, str]] = {"name": "Say what its users call it."}

    name: Words = Field(description="what its users call it")
    targets: list[Words] = Field([], description="of actions, like flag:btc_mainnet_redemption")
    rules: list[Name] = Field([], description="whose episodes concern it, whatever they roll back")
    burning: Literal["hidden", "degraded", "partial_outage", "major_outage"] = Field(
        "hidden", description="how trouble is shown for which nothing is rolled back"
    )
    summary: Words | None = Field(None, description="one sentence for its users while it is paused")
    impact: Words | None = Field(None, description="who is affected, in words for the public")
    estimate: Duration | None = Field(None, description="how long a pause of it usually lasts")
    id: PageId | None = Field(None, description="statuspage: the component's id there")
    paused_as: Literal[
        "degraded_performance", "partial_outage", "major_outage", "under_maintenance"
    ] = Field("partial_outage", description="statuspage: its word for paused")


class StatusPageShape(Shape):
    """One status page: exactly one of `statuspage`, `file` and `call`."""

    absent: ClassVar[dict[str, str]] = {
        "components": "Name what is shown: `components: {redemption: {name: Redemption, "
        'targets: ["flag:redemption"]}}`.'
    }

    statuspage: PageId | None = Field(None, description="the page's id at Atlassian Statuspage")
    token: Name | None = Field(None, description="statuspage: credential that holds the API token")
    api: Address | None = Field(
        None, description="statuspage: base address (https://api.statuspage.io)"
    )
    notify: bool = Field(True, description="statuspage: whether it tells its subscribers")  # noqa: FBT003  # pydantic's own form
    file: AbsolutePath | None = Field(None, description="JSON document that is changed in place")
    host: HostName | None = Field(None, description="file: the one host whose daemon does it")
    set_: dict[Field_, Any] | None = Field(
        None,
        alias="set",
        description="file: path in the document to text with ${FIELD}; "
        "status, incidents and notice when left out",
    )
    call: CallShape | None = Field(None, description="HTTP call with ${FIELD} in its JSON body")
    look: Address | None = Field(None, description="call: asked by GET when somebody tries it")
    components: Annotated[dict[Name, ComponentShape], Field(min_length=1, max_length=100)] = Field(
        description="what it shows, by our own names"
    )
    updates: Duration | None = Field(
        None, description="how often its readers hear of an open incident; it is said when"
    )
    again: Duration | None = Field(
        None, description="file, call: how often it is told again what it has accepted (file: 10s)"
    )
    deadline: Duration = Field(10.0, description="total time of one telling (10s)")
    page_after: Duration = Field(
        300.0, description="for how long it may fail before people are told (5m)"
    )
