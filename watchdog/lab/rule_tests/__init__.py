"""Unit tests of rules: promtool's format as it is, and what it has no words for.

Verdicts, the states of episodes, gates that refuse, actions that would run, pages. Our rules are
run by the core through `Rehearsal`; Prometheus's by the embedded evaluator. `docs/testing-rules.md`
tells an author what to write.
"""

from watchdog.lab.rule_tests.reading import Unreadable, files_at
from watchdog.lab.rule_tests.report import Report
from watchdog.lab.rule_tests.run import run_files
from watchdog.lab.rule_tests.schema import tests
from watchdog.lab.rule_tests.under_test import Loader

__all__ = ["Loader", "Report", "Unreadable", "files_at", "run_files", "tests"]
