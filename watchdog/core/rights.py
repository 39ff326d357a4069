"""Who may order what, for whose rules, as the rights file says.

Laws: what no grant gives is refused, and the refusal says which right is missing, for which owner,
and who has it. Placing a hold needs no right: whoever reaches the control socket may stop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Right(StrEnum):
    """What may be given. `docs/people.md` tells which order needs which."""

    ACK = "ack"
    HOLD = "hold"  # to end one; placing one needs no right
    APPROVE = "approve"
    UNDO = "undo"
    ACT = "act"
    ROLLBACK = "rollback"
    APPLY = "apply"
    SILENCE = "silence"
    DEPLOY = "deploy"  # to begin and end deploys by command
    UNFREEZE = "unfreeze"  # to let a target be deployed again that was rolled back


@dataclass(frozen=True, slots=True)
class Account:
    """Who somebody is to this machine: a user with groups, or the key that signed."""

    user: str = ""
    groups: frozenset[str] = frozenset()
    key: str = ""  # "ssh-ed25519 AAAA...", without its comment


@dataclass(frozen=True, slots=True)
class Grant:
    """Some rights, for some owners or all, to some users, groups and keys."""

    rights: frozenset[Right]
    owners: frozenset[str]  # empty: all
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    keys: tuple[tuple[str, str], ...] = ()  # (the key, whose it is)

    def gives(self, right: Right, owner: str) -> bool:
        """`owner` "" is what belongs to nobody alone: only a grant for all owners gives that."""
        return right in self.rights and (not self.owners or owner in self.owners)

    def holds(self, account: Account) -> bool:
        return (
            account.user in self.users
            or bool(account.groups & self.groups)
            or any(account.key == key for key, _ in self.keys)
        )

    @property
    def holders(self) -> tuple[str, ...]:
        return (
            *(f"user {name}" for name in sorted(self.users)),
            *(f"group {name}" for name in sorted(self.groups)),
            *(f"the key of {name}" for _, name in self.keys),
        )


@dataclass(frozen=True, slots=True)
class Rights:
    """One rights file. `file` is where it lies."""

    file: str
    grants: tuple[Grant, ...] = field(default=())

    def has(self, account: Account, right: Right, owner: str) -> bool:
        return any(g.gives(right, owner) and g.holds(account) for g in self.grants)

    def refusal(
        self, name: str, account: Account, right: Right, owners: Iterable[str], *, every: bool
    ) -> str:
        """Why this is not theirs to order; "" where it is.

        It concerns several owners: `every` asks for the right for each of them, else one will do.
        None at all is what belongs to nobody alone.
        """
        wanted = sorted(set(owners)) or [""]
        lacking = [owner for owner in wanted if not self.has(account, right, owner)]
        if not lacking or (not every and len(lacking) < len(wanted)):
            return ""
        told = "; ".join(self._missing(right, owner) for owner in lacking)
        return f"{name} lacks the right `{right.value}` {told} ({self.file})"

    def who_has(self, right: Right, owner: str) -> tuple[str, ...]:
        found = [one for g in self.grants if g.gives(right, owner) for one in g.holders]
        return tuple(dict.fromkeys(found))

    def _missing(self, right: Right, owner: str) -> str:
        whose = f"for {owner}" if owner else "for all owners"
        who = ", ".join(self.who_has(right, owner)) or "nobody"
        return f"{whose}, which is given to: {who}"
