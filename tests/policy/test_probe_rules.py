"""Rules that look by themselves: what an owner may write, and what becomes of it."""

from __future__ import annotations

import pytest

from tests.policy.texts import PLATFORM, at, folder, load, unmarked
from watchdog.core.probes import (
    AttestationProbe,
    CommandProbe,
    HttpProbe,
    ManifestProbe,
    Probed,
    TcpProbe,
)
from watchdog.core.spec import Command, Endpoint, Policy
from watchdog.policy.diff import compare

KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

EXAMPLE = """\
version: 1
rules:
  peg-collateralised:
    severity: P0
    source: status
    integrity: {expr: peg_ratio, breach_when: "< 1"}
    for: 45s
    playbook: redemption
    up_to: pause-redemption
    mode: armed
    armed_because: the peg is the product; a pause costs minutes
  por-attestation:
    severity: P1
    integrity:
      attestation: /srv/mycelia/release/mainnet/por.json
      signers: ["{{ por_signer }}"]
      max_age: 30m
      min_collateralization: 1
    every: 1m
    for: 3m
    playbook: redemption
    mode: approve
  release-files:
    severity: P1
    integrity: {manifest: /srv/mycelia/release/mainnet/checksums.txt, extra: ignore}
    every: 1m
    for: 3m
    playbook: redemption
    mode: approve
  mycelia-down:
    severity: P0
    liveness: {up: app}
    for: 30s
    corroborate: [public-probe]
    playbook: redemption
    mode: observe
  public-probe:
    severity: P0
    liveness: {http: "https://mycelia.example/health", fail: 3 of 5}
    every: 10s
    mode: observe
"""


def rule(body: str) -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"version: 1\nrules:\n  por:\n    severity: P1\n{lines}"


def policy(text: str, platform: str = PLATFORM) -> Policy:
    files = folder(platform, f'app: http://localhost:3000\npor_signer: "{KEY}"\n', team_a=text)
    outcome = load(files)
    assert outcome.complete, [problem.text for problem in outcome.errors]
    assert outcome.policy is not None
    return outcome.policy


def signal(body: str, platform: str = PLATFORM) -> Probed:
    found = policy(rule(body), platform).rules["por"].signal
    assert isinstance(found, Probed)
    return found


def test_the_examples_of_the_language_load() -> None:
    loaded = policy(EXAMPLE)
    assert loaded.sources["probe:public-probe"].how == HttpProbe(
        Endpoint("https://mycelia.example/health"), None, ""
    )
    assert loaded.sources["probe:release-files"].how == ManifestProbe(
        "/srv/mycelia/release/mainnet/checksums.txt", extra=False
    )
    assert loaded.sources["probe:por-attestation"].how == AttestationProbe(
        None, "/srv/mycelia/release/mainnet/por.json", (KEY,), 1800.0, 1.0
    )
    public = loaded.rules["public-probe"]
    assert (public.source, public.every_seconds, public.stale_after_seconds) == (
        "probe:public-probe", 10.0, 20.0,
    )  # fmt: skip
    assert isinstance(public.signal, Probed)
    assert (public.signal.fails, public.signal.looks) == (3, 5)
    assert loaded.rules["mycelia-down"].corroborate == ("public-probe",)


def test_a_look_that_hangs_is_over_before_the_next_is_due() -> None:
    for every, deadline in (("5s", 4.0), ("10s", 8.0), ("1m", 10.0)):
        source = policy(rule(f'liveness: {{tcp: "db:5432"}}\nevery: {every}')).sources["probe:por"]
        assert source.deadline_seconds == deadline


def test_doors_and_commands_are_taken_as_written() -> None:
    assert signal('liveness: {tcp: "[::1]:443", fail: 2 of 2}').how == TcpProbe("::1", 443)
    granted = PLATFORM.replace("team-a: [", "team-a: [run:check_disk, ")
    words = "command: [check_disk, -w, '10%'], cwd: /srv, failing: [2], inconclusive: 0 of 0"
    body = f"liveness: {{{words}}}"
    assert signal(body, granted).how == CommandProbe(
        Command(("check_disk", "-w", "10%"), "/srv"), (2,), "0 of 0"
    )


REFUSED = {
    "two ways": ("integrity: {expr: peg, §manifest: /a/b}", "Write exactly one"),
    "no way": ("§liveness: {fail: 3 of 5}", "Write exactly one of"),
    "foreign key": ("integrity: {manifest: /a/b, §max_age: 5m}", "`max_age` is for attestation"),
    "a source": ('liveness: {tcp: "a:1"}\n§source: app', "Remove `source`"),
    "too often": ('liveness: {tcp: "a:1"}\nevery: §500ms', "Write 1s or longer"),
    "a long deadline": ('liveness: {tcp: "a:1"}\ndeadline: §11s', "Write at most 10s"),
    "no port": ("liveness: {tcp: §localhost}", "Write it like db.example:5432"),
    "a port too high": ('liveness: {tcp: §"a:70000"}', "Write it like db.example:5432"),
    "an odd count": ('liveness: {tcp: "a:1", fail: §5 of 3}', "can never be counted"),
    "no count": ('liveness: {tcp: "a:1", fail: §3}', "Write it like 3 of 5"),
    "a redirect": ('liveness: {http: "http://a", status: §302}', "never followed"),
    "an odd expectation": ("liveness: {http: 'http://a', expect: §'length(x)'}", "a function"),
    "a program": ("liveness: {command: [§sh, -c, 'exit 1']}", "team-a may not run sh"),
    "a relative program": ("liveness: {command: [§./check]}", "Write the program's whole path"),
    "no signers": ("integrity: {§attestation: /por, max_age: 5m}", "Add signers"),
    "no age": (f'integrity: {{§attestation: /por, signers: ["{KEY}"]}}', "Add `max_age"),
    "no key": ("integrity: {attestation: /por, max_age: 5m, signers: [§abc]}", "64 hex digits"),
    "a relative file": ("integrity: {manifest: §sums.txt}", "Begin it with /"),
    "a password": (
        'liveness: {http: §"http://me:hunter2@a/health"}',
        "a user or password in an address",
    ),
    "an expr without bound": ("source: status\n§integrity: {expr: peg_ratio}", "breach_when"),
    "armed without for": (
        'liveness: {tcp: "a:1"}\nplaybook: redemption\nmode: §armed\narmed_because: so it is',
        "for: 30s",
    ),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_a_probe_is_refused_at_its_place(name: str) -> None:
    body, says = REFUSED[name]
    text, line, column = unmarked(rule(body))
    outcome = load(folder(team_a=text))
    found = at(outcome.errors, "team-a/rules.yaml", line, column)
    assert any(says in problem for problem in found), [e.text for e in outcome.errors]
    assert "hunter2" not in str(found)


def test_a_grant_of_no_program_is_refused() -> None:
    text, line, column = unmarked(PLATFORM.replace("team-a: [", "team-a: [§run:bin/check, "))
    found = at(load(folder(text)).errors, "platform.yaml", line, column)
    (told,) = found
    assert told.startswith("bin/check is no program that probes may run. Write its bare name")


def test_what_a_probe_does_is_part_of_its_rules_meaning() -> None:
    first = policy(rule('liveness: {tcp: "db:5432"}'))
    for other in ('liveness: {tcp: "db:5433"}', 'liveness: {tcp: "db:5432", fail: 1 of 2}'):
        assert policy(rule(other)).rules["por"].sha256 != first.rules["por"].sha256
    slower = policy(rule('liveness: {tcp: "db:5432"}\ndeadline: 2s'))
    assert slower.sha256 != first.sha256, "a saved deadline must be seen to wait for `apply`"
    assert compare(first, slower)
