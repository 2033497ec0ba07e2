"""The fingerprint of the machine and the software: it travels with every result."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
from threadpoolctl import threadpool_info

from ..algorithms.kernels.compile import source_digest

PACKAGES = ("numpy", "numba", "llvmlite", "h5py", "pandas", "torch")


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Model\t")):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    folder = Path(__file__).parents[1]
    if not (folder / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def code_digest() -> str:
    """Return a hash of the sources that decide a result: algorithms and measurement."""
    root = Path(__file__).parents[1]
    return source_digest(root / "algorithms") + source_digest(root / "runner")


def environment() -> dict[str, Any]:
    """Return what can be known about this machine, this software and this moment, as JSON data."""
    import llvmlite.binding
    import numba

    from .. import __version__

    try:
        layer = numba.threading_layer()
    except ValueError:  # no parallel kernel has run yet
        layer = None
    dirty = _git("status", "--porcelain")
    affinity = psutil.Process().cpu_affinity() if hasattr(psutil.Process, "cpu_affinity") else []
    return {
        "ivfbench": __version__,
        "code": code_digest(),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": None if dirty is None else bool(dirty),
        "python": platform.python_version(),
        "packages": {package: _version(package) for package in PACKAGES},
        "system": platform.platform(),
        "processor": _processor(),
        "processor_name_of_llvm": llvmlite.binding.get_host_cpu_name(),
        "cores": psutil.cpu_count(logical=False),
        "logical_cores": psutil.cpu_count(),
        "affinity": affinity,
        "memory_bytes": psutil.virtual_memory().total,
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "threading_layer": layer,
        "thread_pools": [
            {key: pool.get(key) for key in ("user_api", "internal_api", "version", "num_threads")}
            for pool in threadpool_info()
        ],
        "thread_variables": {
            name: value
            for name, value in sorted(os.environ.items())
            if name.endswith(("_NUM_THREADS", "_MAXIMUM_THREADS"))
        },
        "arguments": sys.argv,
    }
