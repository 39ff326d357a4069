"""The programs behind package.json: diagnose, ops:lint, ops:tail, release:verify, release:publish;
and the redemption service's own start, as far as its test flow goes.

Their exit status tells. They work on the release tree below the working directory and on the app.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time

from watchdog.sandbox.tools.wiring import ToolFailedError, call_api, read_document, run_tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_TREE = "release/mainnet"
_HTTP_OK = 200


def main(root: str) -> int:
    """Run the script that the process was called as."""
    name = os.path.basename(sys.argv[0])  # noqa: PTH119 - pathlib is slow to import
    programs = {
        "diagnose": _diagnose,
        "ops-lint": _lint,
        "ops-tail": _tail,
        "release-verify": _verify,
        "release-publish": _publish,
        "redemption": _test_flow,
    }

    def work(arguments: list[str], pretend: bool) -> str:  # noqa: FBT001 - run_tool's shape
        if name == "redemption" and "--test-flow" not in arguments:
            raise ToolFailedError("here it only runs its --test-flow")
        return f"{name}: done" if pretend else programs[name](root)

    return run_tool(name, root, work)


def _diagnose(root: str) -> str:
    _, health = call_api(root, "GET", "/health")
    _, status = call_api(root, "GET", "/ops/status.json")
    findings = []
    if health.get("status") != "ok":
        findings.append(f"health is {health.get('status')}")
    if status.get("status") != "operational":
        findings.append(f"status is {status.get('status')}")
    if status.get("peg", {}).get("status") != "ok":
        findings.append("the peg is broken")
    if findings:
        raise ToolFailedError("; ".join(findings))
    return "15/15 checks passed"


def _lint(root: str) -> str:
    # As the real one: where it can judge nothing it says so and still exits 0.
    try:
        slos = call_api(root, "GET", "/ops/status.json")[1].get("slos", {})
    except ToolFailedError:
        slos = {}
    passed = sum(1 for slo in slos.values() if slo["value"] >= slo["target"])
    if passed < len(slos):
        raise ToolFailedError(f"{passed}/{len(slos)} passed")
    return f"{passed}/{len(slos)} passed"


def _test_flow(root: str) -> str:
    """The way of one redemption, from the quote to the payout, without paying anything out."""
    status, flag = call_api(root, "GET", "/api/feature-flags/btc_mainnet_redemption")
    if status != _HTTP_OK:
        raise ToolFailedError(f"the flag: HTTP {status}")
    if not flag["enabled"]:
        return "redemption is paused, and refused as it should be"
    failing = read_document(root, "workload.json")["segments"][-1]["error_ratio"]
    if failing > 0:
        raise ToolFailedError(f"{failing:.0%} of the test redemptions failed")
    return "3/3 steps passed: quote, burn, payout"


def _tail(root: str) -> str:
    status, document = call_api(root, "GET", "/ops/status.json")
    if status != _HTTP_OK:
        raise ToolFailedError(f"status.json: HTTP {status}")
    return json.dumps(document)


def _verify(_root: str) -> str:
    wrong = list(_discrepancies())
    if wrong:
        raise ToolFailedError("; ".join(wrong))
    return f"{_TREE} verified"


def _discrepancies() -> Iterator[str]:
    try:
        manifest = _read("checksums.txt").decode()
        _read("BUILD_SHA")
    except OSError as error:
        yield f"{error.filename}: {error.strerror}"
        return
    listed = [line for line in manifest.splitlines() if line and not line.startswith("#")]
    if not listed:
        yield "checksums.txt lists no file"
    for line in listed:
        digest, _, name = line.partition("  ")
        try:
            actual = hashlib.sha256(_read(name)).hexdigest()
        except OSError as error:
            yield f"{name}: {error.strerror}"
            continue
        if actual != digest:
            yield f"{name}: content differs from checksums.txt"


def _publish(root: str) -> str:
    """Serve the live tree's build from now on. Publishing the same tree twice changes nothing."""
    wrong = list(_discrepancies())
    if wrong:
        raise ToolFailedError("; ".join(wrong))
    release = json.loads(_read("release.json"))
    build = _read("BUILD_SHA").decode().strip()
    published = {"buildSha": build, "version": release["version"], "at": time.time()}
    path = os.path.join(root, ".sandbox", "published.json")  # noqa: PTH118 - pathlib is slow to import
    with open(f"{path}.new", "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
        json.dump(published, file)
    os.replace(f"{path}.new", path)  # noqa: PTH105 - as above
    return f"published {build}"


def _read(name: str) -> bytes:
    with open(os.path.join(_TREE, name), "rb") as file:  # noqa: PTH118, PTH123 - pathlib is slow to import
        return file.read()
