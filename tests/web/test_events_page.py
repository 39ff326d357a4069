"""docs/events.md: what it tells people to type works as it stands."""

import asyncio
import re
import subprocess
from pathlib import Path
from shutil import which

from ruamel.yaml import YAML

from tests.e2e.senders import TOKEN
from tests.real_parts import RealAlertmanager
from tests.web.test_inbound import doors, told
from watchdog.core.channels import Channel
from watchdog.policy import load_files

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
SHELL = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TEXTS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


async def run(script: str) -> subprocess.CompletedProcess[str]:
    """By a shell of its own, in which any failure counts."""
    command = ["sh", "-euc", script]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=30, check=False
    )


async def test_a_key_is_made_and_an_event_is_signed_as_the_page_says(tmp_path: Path) -> None:
    assert which("curl")
    assert which("openssl")
    making, signing = SHELL
    async with doors(tmp_path) as watch:
        here = {
            "/etc/slo-watchdog/secrets": str(tmp_path),
            "http://localhost:9847": watch.url,
            "chgrp slo-watchdog": "true",
        }
        for text, instead in here.items():
            making, signing = making.replace(text, instead), signing.replace(text, instead)
        (tmp_path / "security-webhook").unlink()
        made = await run(making)
        assert made.returncode == 0, made.stderr
        assert (tmp_path / "security-webhook").stat().st_mode & 0o777 == 0o640
        sent = await run(signing)
        assert (sent.returncode, sent.stdout) == (0, '{"recorded":"inc-42"}'), sent.stderr
        again = await run(signing)
        assert again.returncode != 0
        assert "409" in again.stderr
        (entry,) = told(watch)
        assert (entry.id, entry.summary) == ("inc-42", "a signing key leaked")


def test_the_channels_and_the_rule_of_the_page_load() -> None:
    channels, rule, _, other = TEXTS
    base = Path(__file__).resolve().parents[2] / "rules"
    files = {str(f.relative_to(base)): f.read_text() for f in base.rglob("*.yaml")}
    platform = re.sub(r"^events:\n(?:  .*\n)*", "", files["platform.yaml"], flags=re.MULTILINE)
    files = {"platform.yaml": platform + channels} | {
        name: text for name, text in files.items() if name.startswith("vars/")
    }
    second = rule.replace("security-incident", "told").splitlines()
    second[3] = other.rstrip()
    files["redemption-team/rules.yaml"] = (
        "version: 1\nrules:\n" + rule + "\n".join(second[1:]) + "\n"
    )
    load = load_files(files, "production")
    assert load.errors == ()
    assert load.policy is not None
    kinds = [s.how.kind for s in load.policy.sources.values() if isinstance(s.how, Channel)]
    assert kinds == ["hmac", "token"]
    assert [rule.kind for rule in load.policy.rules.values()] == ["event", "event"]


async def test_an_alertmanager_with_the_settings_of_the_page_is_heard(tmp_path: Path) -> None:
    token = tmp_path / "slo-watchdog-token"
    token.write_text(TOKEN, encoding="utf-8")
    async with doors(tmp_path) as watch:
        text = TEXTS[2].replace("http://localhost:9847", watch.url)
        text = text.replace("/etc/alertmanager/slo-watchdog-token", str(token))
        settings = YAML(typ="safe").load(text)
        async with RealAlertmanager(tmp_path / "am", settings) as alertmanager:
            await alertmanager.fire({"alertname": "ForOthers", "severity": "critical"})
            await alertmanager.fire(
                {"alertname": "Down", "severity": "critical", "team": "redemption"}
            )
            await watch.until(lambda: bool(told(watch)))
        (entry,) = told(watch)
        assert (entry.channel, dict(entry.labels)["alertname"]) == ("alerts", "Down")
