"""Actions, checks and orders that belong to another daemon, and those that others ask of ours."""

from watchdog.engine.hosts.doing import Hand as Hand
from watchdog.engine.hosts.errands import NotCarriedOut as NotCarriedOut
from watchdog.engine.hosts.errands import Unanswered as Unanswered
from watchdog.engine.hosts.hosts import Hosts as Hosts
from watchdog.engine.hosts.looking import Looking as Looking
