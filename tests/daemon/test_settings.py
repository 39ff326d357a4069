"""Settings that cannot be used are refused in words, all at once; variables win over the file."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from watchdog.core.words import Mode
from watchdog.settings import Settings, SettingsRefused, load_settings

Load = Callable[[str], Settings]
Refused = Callable[[str], str]


@pytest.fixture(autouse=True)
def no_variables_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("WATCHDOG_"):
            monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "watchdog.toml"


@pytest.fixture
def load(file: Path) -> Load:
    def loaded(text: str) -> Settings:
        file.write_text(text)
        return load_settings(file)

    return loaded


@pytest.fixture
def refused(load: Load, file: Path) -> Refused:
    def told(text: str) -> str:
        with pytest.raises(SettingsRefused) as refusal:
            load(text)
        return re.sub(
            rf"^{re.escape(str(file))}[:0-9]*: ", "", str(refusal.value), flags=re.MULTILINE
        )

    return told


def test_only_the_environment_must_be_said(load: Load) -> None:
    settings = load('environment = "production"')
    assert (settings.max_mode, settings.bind) == (Mode.ARMED, ("127.0.0.1", 9847))
    assert (settings.time_sync, settings.root_is_person) == ("required", False)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("max_mode = 'loud'", "max_mode: write observe, shadow, approve or armed"),
        ("max_mode = 3", "max_mode: write observe, shadow, approve or armed"),
        ("listen = 'nowhere'", "listen: write HOST:PORT, for example 127.0.0.1:9847"),
        ("listen = 'h:65536'", "listen: write HOST:PORT, for example 127.0.0.1:9847"),
        ("listen = 'h:²'", "listen: write HOST:PORT, for example 127.0.0.1:9847"),
        ("max_moed = 'armed'", "max_moed: there is no such setting; max_mode is the nearest"),
        ("_env_file = 'x'", "_env_file: there is no such setting; there are: environment, "),
        ("keep_days = true", "keep_days: write a number"),
        ("keep_days = 0", "keep_days: Input should be greater than 0"),
        ("preflight_every = inf", "preflight_every: Input should be a finite number"),
        ("checkpoint_every = nan", "checkpoint_every: Input should be"),
        ("time_sync = 'maybe'", "time_sync: Input should be 'required' or 'ignore'"),
        ("host = ''", "host: String should have at least 1 character"),
        ("control_socket = '/" + "x" * 107 + "'", "control_socket: a socket's path may have 107"),
        ("sentry_dsn = 'http://secret@'", "sentry_dsn: is no Sentry DSN"),
        ("variables = {a = 1}", "variables.a: Input should be a valid string"),
        ("store = 'sqlite:///x'", "store: write postgresql://USER@HOST/DATABASE"),
        ("store = 'postgresql://u:hunter@h/d'", "store: holds a password. Put that into a cred"),
        ("name = '" + "x" * 61 + "'", "name: String should have at most 60 characters"),
        ("rules_dir = 5", "rules_dir: Input is not a valid path"),
        ("state_dir = ''", "state_dir: is empty. Write a path, or leave it out"),
        ("control_socket = '" + "x" * 107 + "'", "control_socket: a socket's path may have 107"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key(refused: Refused, line: str, reason: str) -> None:
    told = refused(f'environment = "production"\n{line}')
    assert told.startswith(reason)
    assert "\n" not in told
    assert "secret@" not in told


def test_everything_that_is_wrong_is_told_at_once(refused: Refused) -> None:
    told = refused("listen = 'x'\nfoo = 1").splitlines()
    assert told[0].startswith("environment: is needed: Which environment")
    assert [line.partition(":")[0] for line in told] == ["environment", "listen", "foo"]


WITH_TRAPS = '''\
environment = "production"
note = """
listen = 'this is a text'
"""
  listen = "nowhere"

[variables]
app = "x"
"port" = [
  1,
]
'''


@pytest.mark.parametrize(
    ("key", "place"), [("note", "2:1"), ("listen", "5:3"), ("variables.port", "9:2")]
)
def test_what_is_wrong_is_told_with_its_line_and_column(
    load: Load, file: Path, key: str, place: str
) -> None:
    with pytest.raises(SettingsRefused) as refusal:
        load(WITH_TRAPS)
    assert f"\n{file}:{place}: {key}: " in f"\n{refusal.value}"


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("variables = {a = 1}", ":2:1: variables.a"),
        ("variables.a = 1", ":2:11: variables.a"),
        ("[foo]", ":2:2: foo"),
        ("listen = = 5", ":2:10: is not TOML: Invalid value"),
        ("# listen =", ": environment: is needed"),
    ],
)
def test_however_it_is_written(load: Load, file: Path, line: str, place: str) -> None:
    first = "# the first" if "needed" in place else "environment = 'production'"
    with pytest.raises(SettingsRefused) as refusal:
        load(f"{first}\n{line}")
    assert str(refusal.value).startswith(f"{file}{place}")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"environment = = 5", "1:15: is not TOML: "),
        (b"a = " + b"[" * 100_000, "is not TOML: nested too deeply"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"#" * 1_100_000, "has more than 1048576 bytes: is it the right one?"),
    ],
)
def test_what_is_no_settings_file_is_refused(file: Path, content: bytes, reason: str) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsRefused) as refusal:
        load_settings(file)
    assert str(refusal.value).startswith((f"{file}: {reason}", f"{file}:{reason}"))


def test_a_file_that_is_not_there_or_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="does not exist"):
        load_settings(tmp_path / "none.toml")
    with pytest.raises(SettingsRefused, match="is a folder, not a file"):
        load_settings(tmp_path)


def test_variables_win_over_the_file(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_MAX_MODE", "observe")
    monkeypatch.setenv("WATCHDOG_VARIABLES__APP", "http://elsewhere")
    monkeypatch.setenv("WATCHDOG_VARIABLES__NEW_ONE", "8")
    monkeypatch.setenv("WATCHDOG_ALLOWED_HOSTS", '["proxy"]')
    settings = load(
        'environment = "x"\nmax_mode = "armed"\n[variables]\napp = "http://here"\nkept = "yes"'
    )
    assert settings.max_mode is Mode.OBSERVE
    assert settings.allowed_hosts == ("proxy",)
    assert settings.variables == {"app": "http://elsewhere", "kept": "yes", "new_one": "8"}


PLACES = ("rules_dir", "state_dir", "control_socket", "secrets_dir", "rights")


def test_every_setting_that_is_a_path_is_among_the_places() -> None:
    paths = {n for n, one in Settings.model_fields.items() if "Path" in str(one.annotation)}
    assert paths == set(PLACES)


@pytest.mark.parametrize("key", PLACES)
def test_a_relative_path_in_the_file_is_taken_from_the_files_folder(
    load: Load, file: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.chdir("/")
    text = 'environment = "x"\n' + key
    assert getattr(load(f"{text} = 'here/or/there'"), key) == file.parent / "here/or/there"
    assert getattr(load(f"{text} = '/some/where'"), key) == Path("/some/where")


def test_a_file_that_is_itself_named_by_a_relative_path_has_a_folder_too(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("environment = 'x'\nrules_dir = 'rules'")
    (file.parent / "below").mkdir()
    monkeypatch.chdir(file.parent / "below")
    settings = load_settings(Path("..") / file.name)
    assert settings.rules_dir.is_absolute()
    assert settings.rules_dir.resolve() == (file.parent / "rules").resolve()


@pytest.mark.parametrize("key", PLACES)
def test_a_relative_path_in_a_variable_is_refused(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv(f"WATCHDOG_{key.upper()}", "some/where")
    assert refused('environment = "x"') == (
        f"WATCHDOG_{key.upper()}: {key}: 'some/where' is relative, and a variable belongs to no "
        "folder. Write the whole path, from / on"
    )


def test_a_wrong_variable_is_named_as_such(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_LISTEN", "nowhere")
    monkeypatch.setenv("WATCHDOG_MAX_MOED", "observe")
    told = refused('environment = "x"').splitlines()
    assert told[0].startswith("WATCHDOG_LISTEN: listen: write HOST:PORT")
    assert told[1] == "WATCHDOG_MAX_MOED: there is no such setting; max_mode is the nearest"


def test_a_variable_that_is_no_json_is_refused(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_VARIABLES", '{"a"')
    assert refused('environment = "x"').startswith("the environment: error parsing value")


def test_systemds_own_variables_are_none_of_ours(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert load('environment = "x"').environment == "x"


def test_a_dsn_is_not_shown(load: Load) -> None:
    settings = load('environment = "x"\nsentry_dsn = "http://topsecret@127.0.0.1:9/1"')
    assert "topsecret" not in repr(settings)
    assert load('environment = "x"\nsentry_dsn = ""').sentry_dsn is None
