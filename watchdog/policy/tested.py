"""Which rules the test files of a rules folder speak of, without running any.

For the lint that misses a unit test. It looks for the rule's name where a check names one; whether
the check passes is told by running it (`slo-watchdog test`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from watchdog.core.naming import family_of
from watchdog.policy.folder import TESTS_END
from watchdog.policy.nodes import BadText, Node, Place
from watchdog.policy.reading import Unreadable, text_of
from watchdog.policy.tree import read_tree

_NAMED_BY = {
    "alert_rule_test": "alertname",
    "rule_test": "rule",
    "episode_test": "rule",
    "action_test": "rule",
    "page_test": "rule",
}


def rules_tested_in(folder: str | Path) -> Mapping[str, Place]:
    """Every rule that a check of a test file below the folder names, with the first such place.

    A file that cannot be read speaks of none; running it says why.
    """
    found: dict[str, Place] = {}
    root = Path(folder)
    for path in sorted(root.rglob(f"*{TESTS_END}")):
        try:
            text = text_of(path)
        except Unreadable:
            continue
        for name, place in rules_tested(text, path.relative_to(root).as_posix()):
            found.setdefault(name, place)
    return found


def rules_tested(text: str, file: str) -> Iterator[tuple[str, Place]]:
    """Every rule that one test file's checks name, with its place; of a member its family."""
    try:
        tree = read_tree(text, file, texts=True)
    except BadText:
        return
    for case in _items(tree, "tests"):
        for word, key in _NAMED_BY.items():
            for check in _items(case, word):
                for one in (check, *_items(check, "exp_actions")):
                    named = one.child(key)
                    if named is not None and named[1].text:
                        yield family_of(named[1].text), named[1].place


def _items(node: Node | None, key: str) -> list[Node]:
    found = node.child(key) if node is not None and node.kind == "mapping" else None
    return [item for item in found[1].items if item.kind == "mapping"] if found else []
