"""Status pages, told what stands: a loop beside everything that decides.

The law: what a page is to show is worked out anew from the book each time, and told when it is not
what the page accepted last; so telling it again mends whatever went wrong before. Nothing that is
decided waits for it. Each page has a task of its own; one that fails is told again ever more
slowly, and holds no other up. A page of the network is told by who leads, a file by the daemon of
its host, whoever leads.
"""

from __future__ import annotations

from watchdog.engine.status_pages.pages import PageFares as PageFares
from watchdog.engine.status_pages.pages import StatusPages as StatusPages
