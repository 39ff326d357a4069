"""Rules of others become rules of ours: what came over, what changed, what was dropped.

`import_texts` is pure. It returns a file in our language, loaded once by the very loader that will
read it, and a report in which every field that did not come over as it was has its line.
"""

from watchdog.policy.importers.importing import Imported, import_texts
from watchdog.policy.importers.report import Came, Fate, Note, Report

__all__ = ["Came", "Fate", "Imported", "Note", "Report", "import_texts"]
