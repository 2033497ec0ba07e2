"""The processor and what surrounds it, as the system describes them: what cannot be known is None, never guessed."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

CPUS = Path("/sys/devices/system/cpu")
_CONTAINERS = ("docker", "containerd", "kubepods", "libpod", "lxc")


def read(path: Path | str) -> str | None:
    """Return the text of a file of the system, stripped; None where there is none."""
    with suppress(OSError, UnicodeDecodeError):
        return Path(path).read_text().strip()
    return None


def describe_processor() -> dict[str, Any]:
    """Return model, features, microcode, caches and clock of the processor, as JSON data."""
    import llvmlite.binding

    said = _cpuinfo()
    features = llvmlite.binding.get_host_cpu_features()
    return {
        "processor": said.get("model name") or said.get("Model") or _named(),
        "processor_name_of_llvm": llvmlite.binding.get_host_cpu_name(),
        "features": sorted(name for name, there in features.items() if there),
        "microcode": said.get("microcode"),
        "last_level_cache": read(CPUS / "cpu0/cache/index3/size"),
        "cores": psutil.cpu_count(logical=False),
        "logical_cores": psutil.cpu_count(),
        "affinity": usable_cores(),
        "cores_granted": granted_cores(),
        "simultaneous_multithreading": _flag(CPUS / "smt/active"),
        "governors": _governors(),
        "boost": _boost(),
        "clock_source": read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "numa_nodes": read("/sys/devices/system/node/online"),
        "huge_pages": read("/sys/kernel/mm/transparent_hugepage/enabled"),
        "virtual_machine": "hypervisor" in said.get("flags", "").split() if said else None,
        "container": _container(),
    }


def usable_cores() -> list[int]:
    """Return the logical cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def separate_cores() -> list[int]:
    """Return the usable cores, those that share no physical core with an earlier one first.

    Within each part the highest number comes first: systems are fond of core 0 for their own work.
    """
    first: list[int] = []
    shared: list[int] = []
    seen: set[str] = set()
    for core in reversed(usable_cores()):
        siblings = read(CPUS / f"cpu{core}/topology/thread_siblings_list") or str(core)
        (shared if siblings in seen else first).append(core)
        seen.add(siblings)
    return first + shared


def granted_cores() -> float | None:
    """Return how many cores' worth of time a control group grants this process; None where it sets no limit."""
    told = read("/sys/fs/cgroup/cpu.max")
    if told is None:  # the older control groups
        quota, period = (read(f"/sys/fs/cgroup/cpu/cpu.cfs_{name}_us") for name in ("quota", "period"))
        told = f"{quota} {period}"
    with suppress(ValueError, ZeroDivisionError):
        quota, period = told.split()
        if int(quota) > 0:
            return int(quota) / int(period)
    return None


def _cpuinfo() -> dict[str, str]:
    # What it says of the first core.
    lines = (line.partition(":") for line in (read("/proc/cpuinfo") or "").splitlines())
    said: dict[str, str] = {}
    for name, _, value in lines:
        said.setdefault(name.strip(), value.strip())
    return said


def _named() -> str:
    import platform

    return platform.processor() or platform.machine()


def _flag(path: Path) -> bool | None:
    told = read(path)
    return None if told is None else told == "1"


def _boost() -> bool | None:
    if (told := _flag(CPUS / "cpufreq/boost")) is not None:
        return told
    off = _flag(CPUS / "intel_pstate/no_turbo")
    return None if off is None else not off


def _governors() -> list[str] | None:
    # Of the cores that this process may use, each once.
    found = {read(CPUS / f"cpu{core}/cpufreq/scaling_governor") for core in usable_cores()} - {None}
    return sorted(name for name in found if name) or None


def _container() -> str | None:
    if Path("/.dockerenv").exists():
        return "docker"
    if Path("/run/.containerenv").exists():
        return "podman"
    groups = read("/proc/1/cgroup") or ""
    return next((name for name in _CONTAINERS if name in groups), None)
