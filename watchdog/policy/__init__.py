"""The policy room: the YAML folder becomes one checked, hashed, frozen core `Policy`.

Nothing here acts, and nothing is raised at the caller for what a file contains: `load_folder`
returns what is in force together with every problem, each with file, line, column and remedy.
"""

from watchdog.policy.load import Load, PartLoad, PartState, PolicyFiles, load_files, load_folder
from watchdog.policy.problem import PLATFORM, Problem

__all__ = [
    "PLATFORM",
    "Load",
    "PartLoad",
    "PartState",
    "PolicyFiles",
    "Problem",
    "load_files",
    "load_folder",
]
