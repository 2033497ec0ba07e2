"""Python imports this at its start where this folder is on PYTHONPATH: all that follows knows of `faulty.Faulty`."""

import sys

if "ivfbench.datasets.isolated" not in sys.orig_argv:  # which reads a file of data, and would only start later
    import faulty  # noqa: F401
