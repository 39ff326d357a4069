"""What we ship to watch the watchdog with: every expression of it, and what an expression names."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

REPOSITORY = Path(__file__).parents[2]
PROMETHEUS = REPOSITORY / "deploy" / "prometheus"
ALERTS = PROMETHEUS / "slo-watchdog.rules.yaml"
SCRAPE = PROMETHEUS / "scrape.yaml"
DASHBOARD = REPOSITORY / "deploy" / "grafana" / "slo-watchdog.json"

GIVEN_BY_PROMETHEUS = frozenset({"job", "instance"})

_METRIC = re.compile(r"\b(?P<name>(?:slo_watchdog|process)_\w+|up\b)(?:\{(?P<matchers>[^}]*)\})?")
_MATCHER = re.compile(r'(?P<label>\w+)\s*(?P<how>=~|!~|!=|=)\s*"(?P<value>[^"]*)"')
_LABELS_OF_AN_OPERATOR = re.compile(
    r"\b(?:by|without|on|ignoring|group_left|group_right) \(([^)]*)\)"
)
_LABELS_OF_A_TEXT = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


@dataclass(frozen=True)
class Shipped:
    """One expression, where it stands, and the texts that name its labels."""

    where: str
    expr: str
    texts: str = ""

    @property
    def metrics(self) -> set[str]:
        return {found["name"] for found in _METRIC.finditer(self.expr)}

    @property
    def matchers(self) -> Iterator[tuple[str, str, str, str]]:
        """Metric, label, operator and value of each matcher."""
        for metric in _METRIC.finditer(self.expr):
            for found in _MATCHER.finditer(metric["matchers"] or ""):
                yield metric["name"], found["label"], found["how"], found["value"]

    @property
    def labels(self) -> set[str]:
        """Those that operators and texts name, of whichever metric."""
        named = {
            label.strip()
            for labels in _LABELS_OF_AN_OPERATOR.findall(self.expr)
            for label in labels.split(",")
        }
        return named | set(_LABELS_OF_A_TEXT.findall(self.texts)) - {"value"}

    @property
    def asked(self) -> str:
        """The numbers, with the dashboard's variables filled in as "all", zeros among them."""
        numbers = self.expr.removesuffix(" > 0")
        return numbers.replace("$job", ".+").replace("$instance", ".+")


def read(file: Path) -> Any:
    """A YAML document."""
    return YAML(typ="safe", pure=True).load(file.read_text())


@cache
def alerts() -> dict[str, dict[str, Any]]:
    """Every alert rule by its name."""
    groups = read(ALERTS)["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


@cache
def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return found


def of_alerts() -> Iterator[Shipped]:
    for name, rule in alerts().items():
        texts = " ".join([*rule["labels"].values(), *rule["annotations"].values()])
        yield Shipped(f"alert {name}", rule["expr"], texts)


def of_dashboard() -> Iterator[Shipped]:
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            where = f"panel {panel['title']} {target['refId']}"
            yield Shipped(where, target["expr"], target["legendFormat"])
    for note in dashboard()["annotations"]["list"]:
        yield Shipped(f"annotation {note['name']}", note["expr"], note["titleFormat"])
