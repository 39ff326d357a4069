"""Playbooks: ladders of actions, and, where these are for listed values, one for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from watchdog.core.approvals import RESTORE_APPROVALS, restores_system
from watchdog.core.naming import Values, family_of, labelled, values_in
from watchdog.core.spec import ActionSpec, Playbook, Rung
from watchdog.core.words import Mode
from watchdog.policy.expressions import same_expectation
from watchdog.policy.meant import corrected
from watchdog.policy.platform_models import RungShape
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.scalars import is_name, shown
from watchdog.policy.shape import closest, shape_of

_LONGEST_REQUEST_SECONDS = 86400.0

Actions = Mapping[str, ActionSpec | None]


def playbooks_of(
    entries: Iterable[Entry], actions: Actions, findings: Findings
) -> dict[str, Playbook]:
    """All of them; beside one with actions for listed values, that of each value."""
    found: dict[str, Playbook] = {}
    wanted: dict[str, tuple[str, str, str]] = {}  # target -> (expectation, action, playbook)
    by_family: dict[str, list[str]] = {}
    for name in actions:
        by_family.setdefault(family_of(name), []).append(name)
    for entry in entries:
        rungs = _rungs(entry, by_family, _restores(actions), findings)
        if rungs is None:
            made = [Playbook(entry.name, ())]  # known by its name, and refused
        else:
            made = _unfolded(entry, rungs, by_family, findings)
        found |= {book.name: book for book in made}
        for book in made:
            _check_opposites(entry, book, actions, wanted, findings)
    return found


def _restores(actions: Actions) -> frozenset[str]:
    """Those of them that restore a whole system."""
    return frozenset(
        family_of(name)
        for name, action in actions.items()
        if action is not None and restores_system(action)
    )


def _rungs(
    entry: Entry,
    actions: Mapping[str, list[str]],
    restores: frozenset[str],
    findings: Findings,
) -> list[tuple[int, Rung]] | None:
    """As written, each with its place in the list; None where one cannot be read, since of a
    ladder that lacks a rung nobody can tell what it leads to.
    """
    if entry.node.kind != "list" or not entry.node.items:
        findings.refuse(
            entry.node.place,
            f"the playbook {entry.name} is no list of rungs",
            "Write it as - {action: NAME, mode: armed, within: 2m}.",
        )
        return None
    rungs: list[tuple[int, Rung]] = []
    whole = True
    for index, node in enumerate(entry.node.items):
        written = Entry(f"{entry.name}[{index}]", node.place, node)
        rung_entry = corrected(RungShape, written, findings)
        _check_action(rung_entry, actions, findings)
        shape = shape_of(RungShape, rung_entry, findings)
        if shape is None:
            whole = False
            continue
        if any(rung.action == shape.action for _, rung in rungs):
            findings.refuse(
                rung_entry.at("action"),
                f"{shape.action} stands twice in the playbook {entry.name}",
                "One episode never causes the same action twice: remove one.",
            )
        restore = shape.action in restores
        _check_asking(rung_entry, shape, findings, restore=restore)
        rungs.append((index, _rung(shape, RESTORE_APPROVALS if restore else 1)))
    return rungs if whole else None


def _check_action(rung: Entry, actions: Mapping[str, list[str]], findings: Findings) -> None:
    """Whatever else is wrong with the rung."""
    found = rung.node.entries.get("action")
    name = found[1].value if found is not None else None
    if isinstance(name, str) and is_name(name) and name not in actions:
        findings.refuse(rung.at("action"), f"there is no action {name}", closest(name, actions))


def _rung(shape: RungShape, usual: int) -> Rung:
    mode = Mode[shape.mode.upper()]
    return Rung(
        shape.action,
        mode,
        shape.within,
        shape.approvals or usual,
        shape.approve_within,
        shape.attribute.within if shape.attribute is not None else None,
    )


def _check_asking(entry: Entry, shape: RungShape, findings: Findings, *, restore: bool) -> None:
    """Whoever writes how many must say yes does not want it done without asking."""
    if shape.mode == "armed" and restore:
        findings.refuse(
            entry.at("mode"),
            f"{shape.action} restores a whole system, which is never done without asking",
            "Write mode: approve.",
        )
    elif restore and shape.approve_within > _LONGEST_REQUEST_SECONDS:
        findings.refuse(
            entry.at("approve_within"),
            "the privileged helper takes no request that is older than a day",
            "Write at most 24h.",
        )
    elif shape.mode == "armed" and shape.approvals is not None:
        findings.refuse(
            entry.at("approvals"),
            "`approvals` beside `mode: armed`, which asks nobody",
            "Write mode: approve, or remove `approvals`.",
        )


def _unfolded(
    entry: Entry,
    rungs: list[tuple[int, Rung]],
    actions: Mapping[str, list[str]],
    findings: Findings,
) -> list[Playbook]:
    labels: dict[str, None] = {}
    whole: list[Values] = [()]
    for index, rung in rungs:
        sets = [values_in(name) for name in actions.get(rung.action, ())]
        if not sets or not sets[0]:
            continue
        joined = [
            tuple((dict(one) | dict(other)).items())
            for one in whole
            for other in sets
            if all(dict(one).get(label, value) == value for label, value in other)
        ]
        lost = not all(any(set(one) <= set(all_of) for all_of in joined) for one in [*whole, *sets])
        if lost:
            findings.refuse(
                entry.at(index, "action"),
                f"{rung.action} is for other values than the actions before it in the playbook "
                f"{entry.name}",
                "List the same values in `each` of both, so that every ladder is whole.",
            )
            return [Playbook(entry.name, ())]  # known by its name, and refused
        whole = joined
        labels |= dict.fromkeys(label for label, _ in sets[0])
    plain = [rung for _, rung in rungs]
    if not labels:
        return [Playbook(entry.name, tuple(plain))]
    own = [
        Playbook(
            labelled(entry.name, _ordered(values, labels)),
            tuple(_for(rung, values, actions) for rung in plain),
        )
        for values in whole
    ]
    reach = [replace(r, action=name) for r in plain for name in actions[r.action]]
    return [Playbook(entry.name, tuple(reach), tuple(labels)), *own]


def _ordered(values: Values, labels: Iterable[str]) -> Values:
    return tuple((label, dict(values)[label]) for label in labels)


def _for(rung: Rung, values: Values, actions: Mapping[str, list[str]]) -> Rung:
    """The rung with the action of these values, where it is one for values."""
    of_values = (name for name in actions[rung.action] if set(values_in(name)) <= set(values))
    return replace(rung, action=next(of_values))


def _check_opposites(
    entry: Entry,
    playbook: Playbook,
    actions: Actions,
    wanted: dict[str, tuple[str, str, str]],
    findings: Findings,
) -> None:
    """One target, one wanted state: else two episodes would fight over it."""
    written = [node.plain().get("action") for node in entry.node.items if node.kind == "mapping"]
    for rung in playbook.rungs:
        action = actions.get(rung.action)
        if action is None:
            continue
        first = wanted.setdefault(action.target, (action.do.expect, action.name, entry.name))
        if not same_expectation(first[0], action.do.expect):
            findings.refuse(
                entry.at(written.index(family_of(rung.action)), "action"),
                f"{action.name} wants {shown(action.do.expect)} of {action.target}, and "
                f"{first[1]} in the playbook {first[2]} wants {shown(first[0])}",
                "Playbooks may not pull one target two ways: let them want the same state.",
            )
