"""Who a uid is on this machine."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd

from watchdog.core.rights import Account


def account_of(uid: int) -> Account:
    """The user and groups of a uid, as this machine knows them."""
    try:
        found = pwd.getpwuid(uid)
    except KeyError:
        return Account()
    groups = set()
    for gid in os.getgrouplist(found.pw_name, found.pw_gid):
        with contextlib.suppress(KeyError):
            groups.add(grp.getgrgid(gid).gr_name)
    return Account(found.pw_name, frozenset(groups))
