"""An episode's incident record: gathered from the journal, told as a paper or as plain data.

Law: it is made of entries alone, so that it can be made again, the same, as long as the journal
has them: also long after the daemon has let go of the episode.
"""

from watchdog.lab.incident.document import document
from watchdog.lab.incident.gathering import gather
from watchdog.lab.incident.paper import incident_paper
from watchdog.lab.incident.values import Gathered

__all__ = ["Gathered", "document", "gather", "incident_paper"]
