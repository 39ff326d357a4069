"""The shapes of actions that put a whole back: a configuration's folder, a system."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from watchdog.policy.base import Shape
from watchdog.policy.drills import DRILLED_WITHIN
from watchdog.policy.platform_models import (
    VERIFICATION,
    Argument,
    CheckShape,
    Each,
    EnvName,
    HostName,
    Verification,
)
from watchdog.policy.scalars import AbsolutePath, Duration, matching

RelativePath = Annotated[
    str,
    matching(
        r"(?!/)(?!(?:.*/)?\.\.?(?:/|\Z))[^\x00-\x1f\x7f]{1,500}",
        "path inside the folder",
        "Write it like por.json or config/keys.json, without `..`.",
    ),
]


class RunShape(Shape):
    """A command that only looks; exit status 0 means that all is well."""

    run: Annotated[list[Argument], Field(min_length=1, max_length=100)] = Field(
        description="command as a list of arguments; there is no shell"
    )
    cwd: AbsolutePath | None = Field(None, description="folder to run in")
    env: list[EnvName] = Field([], description="names of the variables let through")


class PublishShape(RunShape):
    """The command that makes what was changed be served."""

    idempotent: bool = Field(
        default=False,
        description="whether doing it twice is as doing it once; else an unknown outcome is left "
        "to a person",
    )


class FactShape(Shape):
    """Something that the anchor says of itself, for `${anchor.NAME}` in `expect`."""

    file: RelativePath = Field(description="file in the folder; its first line is the value")


class AnchorShape(Shape):
    """What must be known of what is restored; every other key names a fact."""

    model_config = Shape.model_config | {"extra": "allow"}
    __pydantic_extra__: dict[str, FactShape]

    margin: Duration = Field(
        600.0,
        description="how much before the first bad sample its content must be known (10m)",
    )


class TreeShape(Shape):
    """The folders: what is live, and what is put in its place."""

    current: AbsolutePath = Field(description="the live folder")
    previous: AbsolutePath = Field(description="what is restored; it stays where it is")
    mutable: list[RelativePath] = Field(
        [], description="files of it that stay live: what they hold now is kept"
    )
    keep_backups: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="how many displaced folders are kept; the oldest go first, after a success"
    )


ArchivePattern = Annotated[
    str,
    matching(
        r"/(?:[^*?\[\x00-\x1f\x7f]+/)*[^/\x00-\x1f\x7f]+",
        "pattern of archives",
        "Write its whole path, with * in the last part alone: /srv/backups/system-*.tar.gz.",
    ),
]
UnitPattern = Annotated[
    str,
    matching(
        r"[A-Za-z0-9][A-Za-z0-9:_.@\\*?-]{0,254}",
        "pattern of unit names",
        "Write it like mycelia-*.",
    ),
]


class SystemShape(Shape):
    """What is restored, and over what; root's own restore.toml must allow it as well."""

    archive: ArchivePattern = Field(
        description="archives, by a pattern in the last part of the path; the newest is taken"
    )
    root: AbsolutePath = Field(description="the folder it is put back over: / or one below")
    services: Annotated[list[UnitPattern], Field(min_length=1, max_length=50)] = Field(
        description="units that are stopped before and started after, if they ran"
    )
    max_age: Duration = Field(description="an archive that is older is not ready, like 26h")


class AgeShape(Shape):
    """How old what is restored must be."""

    margin: Duration = Field(
        600.0,
        description="how much before the first bad sample its content must be known (10m)",
    )


class SystemActionShape(Shape):
    """Restores a system from an archive: by the privileged helper, with signatures alone."""

    absent: ClassVar[dict[str, str]] = {
        "read_back": "An action that nobody can verify is refused: say where its effect is served, "
        "like read_back: {get: ADDRESS, expect: \"status == 'operational'\"}.",
        "deadline": "Say by when the read-back must show it, like `deadline: 4h`.",
        "host": "A system is a host's: name it, or write `host: any` where there is one.",
    }

    system: SystemShape = Field(description="what is restored, and over what: the target")
    anchor: AgeShape = Field(AgeShape(), description="how old what is restored must be")
    verify: list[RunShape] = Field(
        [], description="commands that the helper runs at the end; all in one folder"
    )
    read_back: CheckShape = Field(description="where health is served, and what it must show")
    contained_when: list[CheckShape] = Field([], description="checks that prove containment")
    resume_when: list[CheckShape] = Field([], description="checks that must hold before an undo")
    verification: Verification = VERIFICATION
    deadline: Duration = Field(description="total time until the read-back shows it")
    sla: Duration | None = Field(None, description="promised time; the deadline when left out")
    host: HostName = Field(description="the one host that executes it, or `any`")


class ConfigActionShape(Shape):
    """Puts a folder back as it was: exchanged whole and at once, verified, published, read back."""

    absent: ClassVar[dict[str, str]] = {
        "read_back": "An action that nobody can verify is refused: say where its effect is served, "
        "like read_back: {get: ADDRESS, expect: \"buildSha == '${anchor.build_sha}'\"}.",
        "deadline": "Say by when the read-back must show it, like `deadline: 5m`.",
        "host": "A folder belongs to a host: name it, or write `host: any` where there is one.",
        "anchor": "Say how old it must be, like anchor: {build_sha: {file: BUILD_SHA}, "
        "margin: 10m}.",
    }

    each: Each | None = Field(
        None, description="label to values: one action for each of them, as of a flag"
    )
    config: TreeShape = Field(description="the folder that is changed: the target")
    anchor: AnchorShape = Field(description="what must be known of what is restored")
    verify: list[RunShape] = Field([], description="commands that must pass before it is published")
    publish: PublishShape | None = Field(None, description="the command that makes it be served")
    read_back: CheckShape = Field(description="where the effect is served, and what it must show")
    contained_when: list[CheckShape] = Field([], description="checks that prove containment")
    resume_when: list[CheckShape] = Field([], description="checks that must hold before an undo")
    verification: Verification = VERIFICATION
    deadline: Duration = Field(
        description="total time until the read-back shows it; a third of it is kept for the way "
        "back, should it not verify"
    )
    sla: Duration | None = Field(None, description="promised time; the deadline when left out")
    drilled_within: Duration | None = DRILLED_WITHIN
    host: HostName = Field(description="the one host that executes it, or `any`")
