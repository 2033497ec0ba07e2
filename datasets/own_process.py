"""Modules of this package in processes of their own, where nothing else is imported by accident.

``python -m`` would put the current folder before everything else, where a clone of another version, a folder of data
called as the package, or anybody's ``queue.py`` would be taken for what is meant. This file is therefore also a
program: it imports the package that it lies in, wherever that is, and runs one module of it.
"""

import importlib
import runpy
import sys
from pathlib import Path

PACKAGE = "ivfbench"


def module_command(module: str) -> list[str]:
    """Return the command that runs a module of this package, such as ``runner.worker``."""
    return [sys.executable, "-P", __file__, f"{PACKAGE}.{module}"]


def _main() -> None:
    root = Path(__file__).parents[1]
    if root.name == PACKAGE:  # else it is installed in place, and found by that
        sys.path.insert(0, str(root.parent))
        importlib.import_module(PACKAGE)
        del sys.path[0]  # its neighbours are none of our business
    module = sys.argv.pop(1)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
