"""The shapes of the short form for Unleash: a feature's toggle in one environment."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from watchdog.policy.base import Shape
from watchdog.policy.drills import DRILLED_WITHIN
from watchdog.policy.platform_models import VERIFICATION, CheckShape, Each, HostName, Verification
from watchdog.policy.scalars import AbsolutePath, Address, Duration, Name, matching

UnleashName = Annotated[
    str,
    matching(
        r"(?!\.{1,2}\Z)[A-Za-z0-9_.~!*()-]{1,100}",
        "name in Unleash",
        "Write it as Unleash shows it: letters, digits and _ . ~ ! * ( ) - only.",
    ),
]


class ToggleShape(Shape):
    """Which toggle of which Unleash, and the credentials to switch and to read it."""

    absent: ClassVar[dict[str, str]] = {
        "url": "Say where Unleash is: url: https://unleash.example.org.",
        "feature": "Name the feature flag as Unleash does.",
        "environment": "Name the environment whose toggle is switched, like "
        "`environment: production`.",
        "admin_token": "Name the credential that may switch it: a personal access token of a "
        "user who may do little else.",
    }

    url: Address = Field(description="base address of Unleash, without /api")
    project: UnleashName = Field("default", description="the feature's project (default)")
    feature: UnleashName = Field(description="the feature flag")
    environment: UnleashName = Field(description="the environment; its others are left alone")
    admin_token: Name = Field(description="credential that may switch the toggle")
    client_token: Name | None = Field(
        None,
        description="credential of an SDK of that environment: what SDKs are served is read back; "
        "left out, only what Unleash has stored is",
    )
    served_by: Address | None = Field(
        None,
        description="base address at which SDKs are served, like an Unleash Edge; the url when "
        "left out",
    )
    ca: AbsolutePath | None = Field(None, description="CA file in place of the system's")


class UnleashActionShape(Shape):
    """Switches a feature's toggle in one environment of Unleash; docs/unleash.md."""

    absent: ClassVar[dict[str, str]] = {
        "do": "Say which way it is switched: `do: off` or `do: on`. An undo is the other way.",
        "deadline": "Say by when the read-back must show it, like `deadline: 10s`.",
    }

    each: Each | None = Field(
        None, description="label to values: one action for each of them, as for a flag"
    )
    unleash: ToggleShape = Field(description="the toggle that is switched: the target")
    do: Literal["off", "on"] = Field(description="the wanted state; an undo makes the other one")
    contained_when: list[CheckShape] = Field([], description="checks that prove containment")
    resume_when: list[CheckShape] = Field([], description="checks that must hold before an undo")
    ready_when: list[CheckShape] = Field(
        [], description="checks that must hold for it to be ready, beside its own"
    )
    verification: Verification = VERIFICATION
    deadline: Duration = Field(description="total time until the read-back shows it")
    sla: Duration | None = Field(None, description="promised time; the deadline when left out")
    drilled_within: Duration | None = DRILLED_WITHIN
    host: HostName = Field("any", description="`any`, or the one host that executes it")
