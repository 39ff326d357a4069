"""What a policy could reach outside of a drill's target. Law: whatever is not known to lie within
it lies outside.

    target      what is the drill's own: one server, one folder, the credentials it was given
    argument    the closed grammar of what a command may be told
    walk        a whole policy, value by value
"""

from watchdog.drill.fence.target import Target
from watchdog.drill.fence.walk import outside

__all__ = ["Target", "outside"]
