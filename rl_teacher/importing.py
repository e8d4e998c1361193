"""A user's own module, by name: found on PYTHONPATH, or in the folder in which the command was started."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType


def look_here() -> None:
    """Let modules in the present folder be found; after all others, so that none of the user's hides a library."""
    here = os.getcwd()
    if not {"", here} & set(sys.path):
        sys.path.append(here)
    importlib.invalidate_caches()  # it may have been written a moment ago


def import_own(module: str) -> ModuleType:
    """The module of that name. Raises whatever importing it raises.

    Args:
        module: "package.module".
    """
    look_here()
    return importlib.import_module(module)
