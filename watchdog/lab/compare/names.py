"""Which alert of Prometheus a rule of ours is compared with, and on whose word.

`--map` goes first; then `from: FILE#Alert` in the rule; then the label `alertname`, which imported
rules carry; then an alert of the rule's own name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from watchdog.core.spec import RuleSpec
from watchdog.policy.importers.in_place import FROM, is_alert_file
from watchdog.policy.nodes import BadText, Node
from watchdog.policy.tree import read_trees

SAME_NAME = "the same name"


@dataclass(frozen=True, slots=True)
class Named:
    """The alert of one rule. `by` says where the name comes from."""

    alert: str
    by: str


def alert_names(
    rules: Mapping[str, RuleSpec], files: Iterable[tuple[str, str]], given: Mapping[str, str]
) -> dict[str, Named]:
    """Of every rule; whether there is such an alert is another question."""
    read = _read_in_place(files)
    found = {}
    for name, rule in rules.items():
        labelled = dict(rule.labels).get("alertname")
        if name in given:
            found[name] = Named(given[name], "--map")
        elif (rule.owner, name) in read:
            found[name] = Named(read[rule.owner, name], "from")
        elif labelled:
            found[name] = Named(labelled, "the label alertname")
        else:
            found[name] = Named(name, SAME_NAME)
    return found


def _read_in_place(files: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """(owner, rule) -> alert, of rules that say `from: FILE#Alert` or `FILE#Alert/2`."""
    found = {}
    for path, text in files:
        owner, slash, _ = path.partition("/")
        if not slash or is_alert_file(text) or f"{FROM}:" not in text:
            continue
        try:
            trees = read_trees(text, path)
        except BadText:
            continue  # it was in force once, so another version wrote it; the load says so
        for tree in trees:
            for rule, node in _mapping(tree, "rules").items():
                says = node[1].entries.get(FROM) if node[1].kind == "mapping" else None
                alert = says[1].text.partition("#")[2] if says is not None else ""
                name, slash, number = alert.rpartition("/")
                if alert:
                    found[owner, rule] = name if slash and number.isdecimal() else alert
    return found


def _mapping(tree: Node, key: str) -> Mapping[str, tuple[object, Node]]:
    found = tree.entries.get(key) if tree.kind == "mapping" else None
    return found[1].entries if found is not None else {}
