"""The drill's fence: what a policy names is the drill's own for certain, or it is not begun."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.house.tree import REPOSITORY
from watchdog.core.asking import Command, Endpoint
from watchdog.core.spec import Policy
from watchdog.core.trees import RestoreSystem
from watchdog.demo.stage import shipped_rules
from watchdog.drill.fence import Target, outside
from watchdog.drill.scenes import QUICK
from watchdog.policy import load_files, load_folder
from watchdog.policy.folder import read_folder

TARGET = Target("http://127.0.0.1:4711", Path("/tmp/mycelia"))  # only a name here


def policy(**variables: str) -> Policy:
    given = {"app": TARGET.url, "public": TARGET.url, "mycelia": str(TARGET.root), **QUICK}
    load = load_folder(shipped_rules(), "sandbox", variables={**given, **variables})
    assert load.policy is not None, load.errors
    assert not load.errors
    return load.policy


def test_the_shipped_rules_stay_within_the_target() -> None:
    assert outside(policy(), TARGET) == ()


@pytest.mark.parametrize(
    ("variable", "place", "says"),
    [
        ("app", "http://127.0.0.1:47111", "reaches http://127.0.0.1:47111/"),
        ("public", "https://mycelia.example.org", "rule public-probe reaches https://mycelia"),
        ("launchctl", "/usr/bin/mycelia-launchctl", "reaches /usr/bin/mycelia-launchctl"),
        ("pnpm", "/tmp/mycelia/../pnpm", "reaches /tmp/mycelia/../pnpm"),
        ("pnpm", "/usr/bin/pnpm", "verification of pause-redemption reaches /usr/bin/pnpm"),
        ("mycelia", "/srv/mycelia", "restore-mainnet-config reaches /srv/mycelia/release/mainnet"),
        ("mycelia", "/srv/mycelia", "restore-system reaches /srv/mycelia/backups/system-backup"),
        ("mycelia", "/srv/mycelia", "rule release-files reaches /srv/mycelia/release/mainnet/"),
        ("mycelia", "/srv/mycelia", "rule por-attestation reaches /srv/mycelia/release/mainnet/"),
    ],
)
def test_what_lies_outside_is_named(variable: str, place: str, says: str) -> None:
    found = outside(policy(**{variable: place}), TARGET)
    assert any(says in one for one in found), found


def test_what_nobody_thought_of_is_met_as_well() -> None:
    plain = policy()
    action = plain.actions["pause-redemption"]
    elsewhere = replace(action, read_back=Endpoint("https://prod.example.org/flags"))
    other = replace(plain, actions={**plain.actions, "pause-redemption": elsewhere})
    assert outside(other, TARGET) == (
        "action pause-redemption reaches https://prod.example.org/flags",
    )


def contacting(text: str, target: Target = TARGET, **variables: str) -> tuple[str, ...]:
    """What the shipped rules reach with this contacts.yaml in place of theirs."""
    files = read_folder(shipped_rules()).files | {"contacts.yaml": text}
    given = {"app": TARGET.url, "public": TARGET.url, "mycelia": str(TARGET.root), **QUICK}
    load = load_files(files, "sandbox", variables={**given, **variables})
    assert load.policy is not None, load.errors
    assert not load.errors
    return outside(load.policy, target)


TEAM = "audiences: {team: {to: [c]}}\n"
PAGE = "    components: {r: {name: R, targets: ['flag:btc_mainnet_redemption']}}\n"


@pytest.mark.parametrize(
    ("contacts", "place"),
    [
        (
            'channels: {c: {url: "mailto://relay.example.org?to=all@example.org"}}\n',
            "mailto://relay",
        ),
        ('channels: {c: {url: "json://127.0.0.1:4711/"}}\n', "json://127.0.0.1:4711/"),
        (
            'channels: {c: {webhook: "HTTPS://hooks.example.org/x"}}\n',
            "HTTPS://hooks.example.org/x",
        ),
        (
            "channels: {c: {apprise: none}}\nstatus-pages:\n  p:\n    file: /srv/status.json\n"
            "    host: any\n" + PAGE,
            "/srv/status.json",
        ),
    ],
)
def test_nobody_is_told_of_a_drill_by_a_channel_of_production(contacts: str, place: str) -> None:
    found = contacting("version: 1\n" + contacts + TEAM)
    assert any(f"contacts reaches {place}" in one for one in found), found


ROOT, URL = TARGET.root, TARGET.url

WITHIN = [
    *(
        "",
        "pause",
        "--quick",
        "-xf",
        "--",
        "-",
        "-5",
        "--count=3",
        "50%",
        "+5",
        "0.5",
        "release-1.2",
    ),
    *("12:30", "23:59:59", "redemption:on", "release:verify", "flag:btc:mainnet", "v1.2.3"),
    *("08:30", "+0.25", "0", ".env", "16777215", "." * 3),
    *("release/mainnet", "./report.json", ".", "@mycelia/redemption", "@redemption", "a=b,c=d"),
    *(f"{ROOT}/release", f"--root={ROOT}/release", f"-C{ROOT}/release", f"-xf{ROOT}/a.tar.gz"),
    *(f"{ROOT}/a:{ROOT}/b", f"of={ROOT}/disk", f"{ROOT}/a, {ROOT}/b", f"@{ROOT}/body.json"),
    *(URL, f"--url={URL}/flags?name=a&on=1", f"{URL}/a,{URL}/b", "127.0.0.1:4711"),
    *("for practice, as the drill asks.", "${anchor.version}", f"{ROOT}/r/${{present.version}}"),
    *('{"flag": "redemption", "enabled": false, "n": [1, 2.5]}', f'["{ROOT}/a", "{URL}/b"]'),
]

OUTSIDE = [
    # paths
    *("/srv/mycelia", "--root=/srv/mycelia", "-C/srv/mycelia", "-xf/etc/x", "-avzf/etc/x"),
    *(f"{ROOT}/a:/srv/b", f"{ROOT}x/a", f"--root={ROOT}/../prod", "../prod", "..", "a/../../b"),
    *("-C../prod", "-Crelease/a", "--root=..", "//srv/x", "of=/dev/sda", "@/etc/passwd"),
    *(f"{ROOT}/a /etc/x", f"{ROOT}/a,/etc/x", "a\n/etc/x", f"{ROOT}/a\0", "file:/etc/x"),
    # what a shell would read
    *("x>/srv/y", "x>y", "a|/bin/rm", "a|rm", "a;rm", "a&&rm", "a&", "$HOME/x", "${VAR}/x"),
    *("$HOME", "${VAR}", "${anchor.version", "$(reboot)", "`reboot`", "~", "~/.ssh/config"),
    *("--x=~root", "release/*", "release/?", "{a,b}", "'/srv'/x", '"/srv/x"', "a\\b", "[a-z]"),
    # hosts and addresses
    *("example.com", "example.com.", "db.example:5432", "--db=prod.example.org:5432", "db:5432"),
    *("deploy@web-1", "deploy@web-1:/srv/mycelia", f"web-1:{ROOT}/x", "-hexample.com", "localhost"),
    *("127.0.0.1", "127.0.0.1:47111", "127.0.0.1:47", "127.1", "10.1", "-h127.0.0.1", "1.2.3.4"),
    *("[::1]:9090", "[::1]", "::1", "[2001:db8::1]:9090", "fe80:a:b:c:d:e:f:a", "2130706433"),
    *("2130706433:8080", "-h2130706433", "0x7f000001", "0x7f.1", "017700000001", "-h0x7f000001"),
    *("0:22", "00:22", "12:300", "http:evil", "https:evil.example", "16777216", "9" * 5000),
    *("-" + "9" * 5000, "ex%61mple.com", "x:0x16", "a::b", "localhost:http", "@@x", "a@"),
    *("user@", "web\uff0eexample", "package.json", "ip6-localhost"),
    *('{"host": 2130706433}', "\uff12\uff11\uff13\uff10\uff17\uff10\uff16\uff14\uff13\uff13"),
    # addresses
    *("--url=https://prod.example.org", "--flag=ftp://prod/x", "http://127.0.0.1:47111/"),
    *(f"{URL}/a,https://prod.example.org", f"{URL}@evil/", f"{URL}/a|b", f"{URL}/a b/../../../etc"),
    *("http://127.0.0.1@evil/", f"{URL}?to=http://evil/", f"{URL}\\@evil/", f"a{URL}", f"-u{URL}"),
    *("//prod.example.org/x", "unix:///run/docker.sock", f"x={URL}/$(id)"),
    '{"to": "https://prod.example.org"}', '{"/etc/x": 1}', '["example.com"]', '[["a|b"]]',
]  # fmt: skip


def commanding(*arguments: str, target: Target = TARGET, cwd: Path | None = ROOT) -> list[str]:
    """What a policy reaches whose action runs the drill's own tool with these arguments."""
    plain = policy(app=target.url, public=target.url, mycelia=str(target.root))
    action = plain.actions["pause-redemption"]
    how = Command((f"{target.root}/bin/tool", *arguments), str(cwd) if cwd is not None else None)
    acting = {action.name: replace(action, do=replace(action.do, how=how), undo=None)}
    found = outside(replace(plain, actions=acting), target)
    begin = "action pause-redemption reaches "
    return [one.removeprefix(begin) for one in found if one.startswith(begin)]


@pytest.mark.parametrize("argument", WITHIN)
def test_an_argument_that_stays_within_is_no_reason_to_refuse(argument: str) -> None:
    assert commanding(argument) == []


@pytest.mark.parametrize("argument", OUTSIDE)
def test_an_argument_that_is_not_proven_to_stay_within_is_refused_with_a_reason(
    argument: str,
) -> None:
    (found,) = commanding(argument)
    assert found.startswith(f"{argument!r}: ")


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        ("-xf/etc/x", "lies outside of the drill's folder"),
        ("a/../../b", "leads upwards"),
        ("a|/bin/rm", "a shell"),
        ("example.com", "may be a host. A file of the drill's is written ./example.com"),
        ("10.1", "may be an address"),
        ("http://127.0.0.1@evil/", "is not the drill's own server"),
        ("-C./release/a", "is joined to its option"),
    ],
)
def test_the_reason_is_said(argument: str, why: str) -> None:
    (found,) = commanding(argument)
    assert why in found


@pytest.mark.parametrize("argument", ["release/mainnet", ".", "./x", "--root=a/b", "@a/b"])
def test_a_relative_path_is_nowhere_without_the_folder_that_the_command_runs_in(
    argument: str,
) -> None:
    (found,) = commanding(argument, cwd=None)
    assert "names no `cwd`" in found


def test_a_name_with_a_dot_is_a_file_where_there_is_one(tmp_path: Path) -> None:
    target = Target(URL, tmp_path)
    assert commanding("package.json", target=target, cwd=tmp_path) != []
    (tmp_path / "package.json").touch()
    assert commanding("package.json", "--of=package.json", target=target, cwd=tmp_path) == []
    assert commanding("package.json", target=target, cwd=None) != []


@pytest.mark.parametrize(
    "argument",
    [
        "out",
        "out/file",
        "./out",
        "--into=out",
        "-Cout",
        "{root}/out",
        "{root}/out/file",
        "a b",
        "-Cout{root}/x",
    ],
)
def test_a_link_that_leads_out_is_outside(tmp_path: Path, argument: str) -> None:
    root = tmp_path / "mycelia"
    root.mkdir()
    for name in ("out", "a b"):
        (root / name).symlink_to(tmp_path)
    (root / "in").symlink_to(root)
    target = Target(URL, root)
    (found,) = commanding(argument.format(root=root), target=target, cwd=root)
    assert "lies outside of the drill's folder" in found
    led_in = argument.replace("out", "in").replace("a b", "in").format(root=root)
    assert commanding(led_in, target=target, cwd=root) == []


def test_a_link_that_leads_nowhere_is_outside(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (found,) = commanding("round", target=Target(URL, tmp_path), cwd=tmp_path)
    assert found == "'round': it lies outside of the drill's folder"


def test_what_is_only_compared_or_read_is_no_place() -> None:
    plain = policy()
    rule = plain.rules["redemption-error-rate"]
    labelled = replace(
        rule, labels=(("instance", "https://prod.example.org"), ("path", "/api")),
        runbook="https://wiki.example.org", summary="/redeem fails",
    )  # fmt: skip
    assert outside(replace(plain, rules={rule.name: labelled}), TARGET) == ()


def test_a_link_that_leads_out_is_outside_wherever_a_policy_names_it(tmp_path: Path) -> None:
    root = tmp_path / "mycelia"
    (root / "bin").mkdir(parents=True)
    (root / "bin/tool").symlink_to("/bin/true")
    (root / "backups").mkdir()
    (root / "backups/system-backup-1.tar.gz").symlink_to("/etc/hostname")
    target = Target(URL, root)
    assert commanding(target=target, cwd=root) == [f"{root}/bin/tool"]
    found = outside(policy(mycelia=str(root)), target)
    assert f"action restore-system reaches {root}/backups/system-backup-*.tar.gz" in found


def test_what_a_system_restore_runs_afterwards_stays_within_too() -> None:
    plain = policy()
    action = plain.actions["restore-system"]
    how = action.do.how
    assert isinstance(how, RestoreSystem)
    tool = f"{ROOT}/bin/tool"
    more = replace(how, verify=((tool, "a/b"), (tool, "../b"), ("/bin/true",)))
    with_it = replace(action, do=replace(action.do, how=more))
    found = outside(replace(plain, actions={"restore-system": with_it}), TARGET)
    assert len(found) == 2
    assert "'../b'" in found[0]
    assert found[1] == "action restore-system reaches /bin/true"


@pytest.mark.parametrize(
    ("url", "within"),
    [
        (URL, True), (f"{URL}/", True), (f"{URL}/a?b=c&d=%20", True),
        (f"{URL}/r/${{anchor.version}}", True),
        (f"{URL}@evil/", False), (f"{URL}/@evil/a|b", False), (f"{URL}\\evil", False),
        (f"{URL}1/", False), ("http://[::1]:4711/", False), ("http://2130706433:4711/", False),
        ("http://0x7f.1:4711/", False), ("http://127.0.0.1/", False), (f"{URL}/${{HOME}}", False),
        ("https://127.0.0.1:4711/", False), (f"{URL}#@evil/", False),
    ],
)  # fmt: skip
def test_only_addresses_of_its_own_server_are_the_drills(url: str, *, within: bool) -> None:
    assert TARGET.serves(url) is within


CREDENTIALS = frozenset({"security-webhook", "apprise-chat", "apprise-mail", "apprise-phone"})
"""The drill's own, and no others."""

OWN = replace(TARGET, credentials=CREDENTIALS)

CHAT = "channels: {c: {apprise: apprise-chat}}\n"
CALL = "    call: {method: POST, url: 'https://page.example.org', json: {s: '${status}'}"


@pytest.mark.parametrize(
    ("contacts", "place"),
    [
        (CHAT + "status-pages:\n  p:\n    statuspage: abc\n    token: page-token\n" + PAGE, ""),
        (
            CHAT + "status-pages:\n  p:\n    statuspage: abc\n    token: page-token\n"
            "    api: 'https://page.example.org'\n" + PAGE,
            "",
        ),
        (
            CHAT + "status-pages:\n  p:\n    statuspage: abc\n    token: apprise-chat\n" + PAGE,
            "https://api.statuspage.io",
        ),
        (CHAT + "status-pages:\n  p:\n" + CALL + "}\n" + PAGE, "https://page.example.org"),
        (
            CHAT
            + "status-pages:\n  p:\n"
            + CALL
            + ", headers: {X-Key: {secret: page-key}}}\n"
            + PAGE,
            "",
        ),
        ("channels: {c: {webhook: 'https://ci.example.org/hook', hmac: ci-key}}\n", ""),
        (
            "channels: {c: {webhook: 'https://ci.example.org/hook', hmac: security-webhook}}\n",
            "https://ci.example.org/hook",
        ),
        ("link: 'https://watchdog.example.org'\n" + CHAT, ""),
    ],
)
def test_who_is_told_is_judged_by_what_the_drill_would_send(contacts: str, place: str) -> None:
    """Without the credential that it names, no page and no webhook is sent anything."""
    found = contacting("version: 1\n" + contacts + TEAM, target=OWN)
    assert found == ((f"contacts reaches {place}",) if place else ())


@pytest.mark.parametrize("at", [0, 1], ids=["the first", "the whole set-up"])
def test_whoever_follows_the_docs_may_practise(at: int) -> None:
    """The contacts that docs/telling.md shows, none of whose credentials the drill has."""
    text = (REPOSITORY / "docs/telling.md").read_text()
    shown = re.findall(r"^```yaml\n(version: 1\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert contacting(shown[at], target=OWN) == ()
