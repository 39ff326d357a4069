"""What a note is about: which of the messages that people know it becomes.

Each is the name of a template; the procedure's own two are ANNOUNCED and COMPLETE.
"""

from __future__ import annotations

from enum import StrEnum


class Topic(StrEnum):
    OPENED = "incident-opened"  # trouble that people must know of
    ANNOUNCED = "rollback-announced"  # something is, or is being, rolled back
    COMPLETE = "rollback-complete"  # it is, and it helps
    UPDATE = "incident-update"
    RESOLVED = "incident-resolved"  # over: nothing of it is left
    APPROVAL = "approval-wanted"
    ESCALATED = "escalated"  # nobody answered, or it lasts
    BLIND = "blind"
    DRILL = "drill-result"
    ANNOUNCEMENT = "announcement"  # to the outside, in the words that a person approved
    NOTICE = "notice"  # about no episode: readiness, the policy, a channel
