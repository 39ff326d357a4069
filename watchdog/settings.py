"""Process settings: what differs from machine to machine, never what a rule means.

From `watchdog.toml` and `WATCHDOG_*` variables (these win; `WATCHDOG_VARIABLES__APP` is `app` in
`variables`). A relative path in the file is taken from the file's folder, never from the folder in
which the process happens to be started; in a variable it is refused. What is wrong is refused at
the start with the key and the remedy, all of it at once; there are no silent defaults for a
misspelt key, in the file or in the environment.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from sentry_sdk.utils import BadDsn, Dsn

from watchdog.core.words import Mode
from watchdog.wire.files import NotPlainError, plain_file, read_all
from watchdog.wire.store_address import refusal
from watchdog.wire.toml_places import fault_place, place_of

DEFAULT_FILE = Path("/etc/slo-watchdog/watchdog.toml")

PREFIX = "WATCHDOG_"
_NESTED = "__"
_SYSTEMDS_OWN = frozenset({"WATCHDOG_PID", "WATCHDOG_USEC"})
_LONGEST_SOCKET_PATH = 107  # bytes; the kernel's limit for AF_UNIX is 108 with the final NUL
_MOST_BYTES = 1024 * 1024
_DAY_SECONDS = 86400.0


class SettingsRefused(Exception):
    """The settings cannot be used; the message has a line for each thing that is wrong."""


def _mode(value: Any) -> Any:
    if isinstance(value, Mode):
        return value
    try:
        return Mode[str(value).upper()]
    except KeyError:
        raise ValueError("write observe, shadow, approve or armed") from None


def _count(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("write a number")  # noqa: TRY004  # pydantic makes a refusal of this one
    return value


def _address(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ValueError("write HOST:PORT, for example 127.0.0.1:9847")
    return value


def _path(value: Any) -> Any:
    if value == "":
        raise ValueError("is empty. Write a path, or leave it out")
    return value


def _absolute(value: Path) -> Path:
    """Relative ones of the file are absolute by now: what still is not came from a variable."""
    if not value.is_absolute():
        raise ValueError(
            f"{os.fspath(value)!r} is relative, and a variable belongs to no folder. Write the "
            "whole path, from / on"
        )
    return value


def _store(value: str) -> str:
    """What is wrong with it is not quoted: it may hold a password, against all advice."""
    if value and (why := refusal(value)):
        raise ValueError(why)
    return value


def _socket_path(value: Path) -> Path:
    if len(os.fsencode(value)) > _LONGEST_SOCKET_PATH:
        raise ValueError(f"a socket's path may have {_LONGEST_SOCKET_PATH} bytes at most")
    return value


def _dsn(value: SecretStr | None) -> SecretStr | None:
    """Off when empty. What is wrong with it is not quoted: a DSN is a secret."""
    if value is None or not value.get_secret_value():
        return None
    try:
        Dsn(value.get_secret_value())
    except BadDsn:
        raise ValueError("is no Sentry DSN; leave it out to report nowhere") from None
    return value


Place = Annotated[Path, BeforeValidator(_path), AfterValidator(_absolute)]
Seconds = Annotated[float, Field(gt=0, le=_DAY_SECONDS, allow_inf_nan=False)]


class Settings(BaseSettings):
    """All settings, in the order in which an operator meets them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=_NESTED,
        extra="forbid",
        frozen=True,
        validate_default=True,
    )

    environment: str = Field(
        min_length=1,
        description="Which environment this process acts in; a policy for another is refused.",
    )
    max_mode: Annotated[Mode, BeforeValidator(_mode)] = Field(
        Mode.ARMED,
        description="The ceiling of every rule's mode: observe, shadow, approve or armed.",
    )
    rules_dir: Place = Field(Path("/etc/slo-watchdog/rules"), description="The rules folder.")
    state_dir: Place = Field(
        Path("/var/lib/slo-watchdog"), description="Journal and history; one process at a time."
    )
    control_socket: Annotated[Place, AfterValidator(_socket_path)] = Field(
        Path("/run/slo-watchdog/control.sock"),
        description="Whatever changes something goes through here.",
    )
    listen: Annotated[str, AfterValidator(_address)] = Field(
        "127.0.0.1:9847", description="Where the read-only pages, metrics and API are served."
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Further Host names under which the pages may be asked for, behind a proxy."
    )
    host: str = Field(
        min_length=1,
        default_factory=lambda: os.uname().nodename,
        description="This machine's name; actions bound to another host are not started here.",
    )
    name: str = Field(
        "",
        max_length=60,
        description="This daemon's own name among those that share a store; `host` if left out.",
    )
    store: Annotated[str, AfterValidator(_store)] = Field(
        "",
        description="postgresql://USER@HOST/DATABASE for daemons that share one; else SQLite in "
        "`state_dir`.",
    )
    store_password: str = Field(
        "", description="Name of the credential that holds the store's password; none if empty."
    )
    lease: Annotated[float, Field(ge=1, le=600, allow_inf_nan=False)] = Field(
        10.0,
        description="Seconds for which a daemon leads without being heard of, where daemons share "
        "a store.",
    )
    secrets_dir: Place | None = Field(
        None, description="Credentials, one a file; $CREDENTIALS_DIRECTORY is looked at first."
    )
    rights: Place = Field(
        Path("/etc/slo-watchdog/rights.toml"),
        description="Who may order what, see people.md. Left out and not there: whoever reaches "
        "the control socket and counts as a person may order everything.",
    )
    root_is_person: bool = Field(
        default=False, description="Whether orders given as root count as a person's."
    )
    time_sync: Literal["required", "ignore"] = Field(
        "required",
        description="Whether actions are held until the clock is synchronised: required or ignore.",
    )
    variables: dict[str, str] = Field(
        default_factory=dict, description="Variables of the policy that win over the vars file."
    )
    shadow_days: Annotated[float, BeforeValidator(_count)] = Field(
        14.0,
        ge=0,
        le=3650,
        allow_inf_nan=False,
        description="Days that a rule must have watched in shadow before it may act without "
        "`armed_because`.",
    )
    preflight_every: Seconds = Field(
        30.0, description="Seconds between two preflights of every action."
    )
    checkpoint_every: Seconds = Field(
        15.0, description="Seconds between two checkpoints of windows and clocks."
    )
    keep_days: Annotated[int, BeforeValidator(_count)] = Field(
        400, gt=0, le=36_500, description="How many days journal entries are kept."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="auto: text on a terminal, JSON elsewhere."
    )
    sentry_dsn: Annotated[SecretStr | None, AfterValidator(_dsn)] = Field(
        None, description="Reports bugs to Sentry, scrubbed; off without it."
    )
    sentry_monitor: str = Field(
        "",
        description="Slug of a Sentry cron monitor that is checked in to, as a dead man's switch.",
    )
    heartbeat: str = Field(
        "", description="Credential with a URL that is asked after completed passes; none if empty."
    )
    heartbeat_every: Seconds = Field(60.0, description="Seconds between two of these.")

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
    def known_as(self) -> str:
        """Its name among daemons that share a store."""
        return self.name or self.host

    @property
    def bind(self) -> tuple[str, int]:
        """Host and port of `listen`; a port of 0 takes a free one."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


_PLACES = frozenset({"rules_dir", "state_dir", "control_socket", "secrets_dir", "rights"})


def load_settings(file: Path) -> Settings:
    """Read the file and the environment. Raises SettingsRefused with every problem at once."""
    text, given = _read(file)
    misspelt = [f"{key}: {_unknown(key[len(PREFIX) :])}" for key in _strangers()]
    # A key that begins with "_" would be an option of the library, not a setting of ours.
    private = [
        f"{_at(file, text, key)}: {key}: {_unknown(key)}" for key in given if key.startswith("_")
    ]
    known = {key: _from(file, key, value) for key, value in given.items() if key[:1] != "_"}
    try:
        settings = Settings(**known)
    except ValidationError as error:
        told = [_told(file, text, problem["loc"], problem) for problem in error.errors()]
    except SettingsError as error:
        told = [f"the environment: {error}. Write JSON, or {PREFIX}VARIABLES{_NESTED}NAME=VALUE"]
    else:
        if not misspelt and not private:
            return settings
        told = []
    raise SettingsRefused("\n".join([*told, *private, *misspelt]))


def _from(file: Path, key: str, value: Any) -> Any:
    """The file's value; a relative path as seen from the file's folder."""
    if key in _PLACES and isinstance(value, str) and value:
        return file.absolute().parent / value
    return value


def _at(file: Path, text: str, *path: int | str) -> str:
    """The file, with line and column where the key is in it."""
    place = place_of(text, [str(step) for step in path])
    return str(file) if place is None else f"{file}:{place[0]}:{place[1]}"


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    """The text, and what it says."""
    try:
        with plain_file(str(file)) as fd:
            raw = read_all(fd, _MOST_BYTES)
        if raw is None:
            raise SettingsRefused(
                f"{file}: has more than {_MOST_BYTES} bytes: is it the right one?"
            )
        text = raw.decode("utf-8")
        return text, tomllib.loads(text)
    except NotPlainError as error:
        raise SettingsRefused(f"{file}: is {error}, not a file. Name one: --config FILE") from None
    except FileNotFoundError:
        raise SettingsRefused(
            f"{file}: does not exist. Write it, or name another: --config FILE"
        ) from None
    except OSError as error:
        raise SettingsRefused(f"{file}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise SettingsRefused(f"{file}: is not UTF-8 text") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        told = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "nested too deeply"
        what, place = fault_place(told)
        raise SettingsRefused(f"{file}{place}: is not TOML: {what}") from None


def _strangers() -> Iterator[str]:
    """Variables of ours that no setting takes; the library would pass over them in silence."""
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name not in _SYSTEMDS_OWN:
            key, nested, _ = name[len(PREFIX) :].lower().partition(_NESTED)
            if key not in Settings.model_fields or (nested and key != "variables"):
                yield name


def _told(file: Path, text: str, where: tuple[int | str, ...], problem: Any) -> str:
    key = ".".join(str(part) for part in where)
    variable = _variable(key)
    place = f"{variable}: {key}" if variable else f"{_at(file, text, *where)}: {key}"
    match problem["type"]:
        case "extra_forbidden":
            return f"{place}: {_unknown(key)}"
        case "missing":
            return f"{place}: is needed: {Settings.model_fields[key].description}"
        case _:
            return f"{place}: {problem['msg'].removeprefix('Value error, ')}"


def _variable(key: str) -> str:
    """The environment's variable that a setting came from, if it came from there."""
    wanted = {f"{PREFIX}{key.replace('.', _NESTED)}".upper()}
    wanted.add(f"{PREFIX}{key.partition('.')[0]}".upper())
    return next((name for name in sorted(os.environ) if name.upper() in wanted), "")


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key.lower(), Settings.model_fields, 1)
    known = (
        f"{near[0]} is the nearest" if near else "there are: " + ", ".join(Settings.model_fields)
    )
    return f"there is no such setting; {known}"


__all__ = ["DEFAULT_FILE", "PREFIX", "Settings", "SettingsRefused", "load_settings"]
