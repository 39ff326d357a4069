"""Process settings: what differs from machine to machine, never what a rule means.

From `watchdog.toml` and `WATCHDOG_*` variables (these win). What is wrong is refused at the
start with the key and the remedy; there are no silent defaults for a misspelt key.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from watchdog.core.words import Mode

DEFAULT_FILE = Path("/etc/slo-watchdog/watchdog.toml")


class SettingsRefused(Exception):
    """The settings cannot be used; the message has a line for each thing that is wrong."""


def _mode(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return Mode[value.upper()]
        except KeyError:
            raise ValueError("write observe, shadow, approve or armed") from None
    return value


def _loopback(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("write HOST:PORT, for example 127.0.0.1:9847")
    return value


class Settings(BaseSettings):
    """All settings, in the order in which an operator meets them."""

    model_config = SettingsConfigDict(
        env_prefix="WATCHDOG_", extra="forbid", frozen=True, validate_default=True
    )

    environment: str = Field(
        min_length=1,
        description="Which environment this process acts in; a policy for another is refused.",
    )
    max_mode: Annotated[Mode, BeforeValidator(_mode)] = Field(
        Mode.ARMED,
        description="The ceiling of every rule's mode: observe, shadow, approve or armed.",
    )
    rules_dir: Path = Field(Path("/etc/slo-watchdog/rules"), description="The rules folder.")
    state_dir: Path = Field(
        Path("/var/lib/slo-watchdog"), description="Journal and history; one process at a time."
    )
    control_socket: Path = Field(
        Path("/run/slo-watchdog/control.sock"),
        description="Whatever changes something goes through here.",
    )
    listen: Annotated[str, AfterValidator(_loopback)] = Field(
        "127.0.0.1:9847", description="Where the read-only pages, metrics and API are served."
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Further Host names under which the pages may be asked for, behind a proxy."
    )
    host: str = Field(
        default_factory=lambda: os.uname().nodename,
        description="This machine's name; actions bound to another host are not started here.",
    )
    secrets_dir: Path | None = Field(
        None, description="Credentials, one a file; $CREDENTIALS_DIRECTORY is looked at first."
    )
    root_is_person: bool = Field(
        default=False, description="Whether orders given as root count as a person's."
    )
    time_sync: Literal["required", "ignore"] = Field(
        "required", description="Whether actions are held while the clock is not synchronised."
    )
    variables: dict[str, str] = Field(
        default_factory=dict, description="Variables of the policy that win over the vars file."
    )
    preflight_every: float = Field(
        30.0, gt=0, description="Seconds between two preflights of every action."
    )
    checkpoint_every: float = Field(
        15.0, gt=0, description="Seconds between two checkpoints of windows and clocks."
    )
    keep_days: int = Field(400, gt=0, description="How long journal entries are kept.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="auto: text on a terminal, JSON elsewhere."
    )
    sentry_dsn: SecretStr | None = Field(
        None, description="Reports bugs to Sentry, scrubbed; off without it."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @property
    def bind(self) -> tuple[str, int]:
        """Host and port of `listen`; a port of 0 takes a free one."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


def load_settings(file: Path) -> Settings:
    """Read the file and the environment. Raises SettingsRefused with every problem at once."""
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsRefused(
            f"{file}: does not exist. Write it, or name another: --config FILE"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"{file}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsRefused(f"{file}: is not TOML: {error}") from None
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = [_told(file, problem["loc"], problem) for problem in error.errors()]
        raise SettingsRefused("\n".join(lines)) from None


def _told(file: Path, where: tuple[int | str, ...], problem: Any) -> str:
    key = ".".join(str(part) for part in where)
    match problem["type"]:
        case "extra_forbidden":
            known = ", ".join(Settings.model_fields)
            return f"{file}: {key}: there is no such setting; there are: {known}"
        case "missing":
            return f"{file}: {key}: is needed: {Settings.model_fields[key].description}"
        case _:
            return f"{file}: {key}: {problem['msg']}"


__all__ = ["DEFAULT_FILE", "Settings", "SettingsRefused", "load_settings"]
