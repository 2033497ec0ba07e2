"""The fingerprint of the machine and the software: it travels with every result."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
from threadpoolctl import threadpool_info

from ..algorithms.kernels.compile import source_digest
from .processor import describe_processor

PACKAGES = ("numpy", "numba", "llvmlite", "h5py", "pandas", "torch", "scipy", "threadpoolctl")
ROOMS = ("algorithms", "datasets", "runner")  # that decide a result
# Imported in a worker as well, and of no effect on an answer or on a time.
_UNMEASURED = {
    *("ivfbench", "h5py", "psutil", "threadpoolctl", "PyYAML", "pydantic", "rich", "pandas", "pyarrow", "narwhals"),
    *("coverage", "setuptools", "pip", "packaging", "typing_extensions", "six", "python-dateutil"),
    *("charset-normalizer", "requests", "certifi"),
}
_VARIABLES = (
    *("NUMBA_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "VECLIB_", "NUMEXPR_", "RAYON_"),
    *("MALLOC_", "LD_PRELOAD"),
)


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
            ["git", "--no-optional-locks", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def code_digest() -> str:
    """Return a hash of the sources that decide a result: algorithms, data and measurement."""
    root = Path(__file__).parents[1]
    return "".join(source_digest(root / room) for room in ROOMS)


def libraries() -> dict[str, str]:
    """Return the versions of all packages that this process has imported, but for those that only serve the runner.

    In a worker that has built and searched these are what its result depends on beside the code of ivfbench, whichever
    library that may be: another version of one of them makes another result.
    """
    imported = {name.partition(".")[0] for name in tuple(sys.modules)} - set(sys.stdlib_module_names)
    found = {package.name for package in metadata.distributions() if imported & _modules(package)} - _UNMEASURED
    return {package: version for package in sorted(found) if (version := _version(package))}


def _modules(package: metadata.Distribution) -> set[str]:
    # What a package installed that can be imported, by the first parts of its files' names. They are read as text:
    # `metadata.packages_distributions` makes an object of each file, and every worker would wait for that.
    if declared := (package.read_text("top_level.txt") or "").split():
        return set(declared)
    installed = (package.read_text("RECORD") or "").splitlines()
    return {line.lstrip('"').partition(",")[0].partition("/")[0].partition(".")[0] for line in installed} - {""}


def changed_libraries(recorded: Mapping[str, Any]) -> list[str]:
    """Return what an environment was recorded with and is here in another version, such as ``numpy 2.1.0 -> 2.2.0``.

    A package that is not here any more has not changed: what it did stands.
    """
    now = {package: _version(package) for package in recorded.get("libraries", {})}
    return [
        f"{package} {version} -> {now[package]}"
        for package, version in recorded.get("libraries", {}).items()
        if now[package] not in (None, version)
    ]


def environment() -> dict[str, Any]:
    """Return what can be known about this machine, this software and this moment, as JSON data."""
    import numba

    from .. import __version__

    try:
        layer = numba.threading_layer()
    except ValueError:  # no parallel kernel has run yet
        layer = None
    dirty = _git("status", "--porcelain")
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return {
        "ivfbench": __version__,
        "code": code_digest(),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": None if dirty is None else bool(dirty),
        "python": platform.python_version(),
        "python_build": f"{platform.python_implementation()} {' '.join(platform.python_build())}",
        "packages": {package: _version(package) for package in PACKAGES},
        "llvm": ".".join(map(str, _llvm())),
        "system": platform.platform(),
        "kernel": platform.release(),
        "c_library": " ".join(platform.libc_ver()).strip() or None,
        **describe_processor(),
        "memory_bytes": memory.total,
        "memory_available_bytes": memory.available,
        "swap_used_bytes": swap.used,
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "threading_layer": layer,
        "thread_pools": [
            {key: pool.get(key) for key in ("user_api", "internal_api", "version", "num_threads", "architecture")}
            for pool in threadpool_info()
        ],
        "variables": {name: value for name, value in sorted(os.environ.items()) if name.startswith(_VARIABLES)},
        "arguments": sys.argv,
    }


def command() -> list[str] | None:
    """Return the command line of the process that started this one."""
    with suppress(psutil.Error, AttributeError):
        return list(psutil.Process().parent().cmdline())  # type: ignore[union-attr]
    return None


def _llvm() -> tuple[int, ...]:
    import llvmlite.binding

    return tuple(llvmlite.binding.llvm_version_info)
