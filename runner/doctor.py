"""Is this a machine to measure on? What spoils timings, told before hours are spent on them."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .conditions import between, look
from .environment import environment
from .floor import measure_floor
from .threads import THREAD_VARIABLES

SAMPLE = 1.0  # seconds that others are watched
_BUSY = 0.1  # cores that others may use
_STOLEN = 0.01  # of the time
_SLOW_CLOCK = 1000.0  # nanoseconds
_UNUSUAL = {  # what workers take over and timings suffer from
    "NUMBA_DISABLE_JIT": ("1", "kernels are interpreted"),
    "NUMBA_BOUNDSCHECK": ("1", "kernels check every index"),
    "OMP_DYNAMIC": ("true", "OpenMP chooses fewer threads than it is given"),
    "MKL_DYNAMIC": ("true", "MKL chooses fewer threads than it is given"),
    "OMP_WAIT_POLICY": ("active", "idle OpenMP threads keep their cores busy"),
}
_PLACING = ("GOMP_CPU_AFFINITY", "KMP_AFFINITY", "OMP_PLACES", "OMP_PROC_BIND", "OMP_THREAD_LIMIT")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What there is to know.

    Attributes
    ----------
    environment : mapping
        Of results, and under ``floor`` what the clock costs.
    conditions : mapping
        What else the machine did during a sample; see `conditions.between`.
    warnings : tuple of str
        What spoils timings here, one line each.
    """

    environment: Mapping[str, Any]
    conditions: Mapping[str, Any]
    warnings: tuple[str, ...]


def diagnose(seconds: float = SAMPLE) -> Diagnosis:
    """Look at the machine, and watch it for some seconds without doing anything."""
    before = look()
    time.sleep(seconds)
    conditions = between(before, look())
    facts = {**environment(), "floor": asdict(measure_floor())}
    return Diagnosis(facts, conditions, tuple(warnings(facts, conditions, os.environ)))


def warnings(facts: Mapping[str, Any], conditions: Mapping[str, Any], variables: Mapping[str, str]) -> Iterator[str]:
    """Yield what spoils timings: what was found, and what to do.

    Parameters
    ----------
    facts : mapping
        As `environment` tells them, with ``floor``.
    conditions : mapping
        Of a time in which this process did nothing.
    variables : mapping
        The environment of this process.
    """
    yield from _cores(facts)
    yield from _others(facts, conditions)
    yield from _variables(variables)


def _cores(facts: Mapping[str, Any]) -> Iterator[str]:
    usable, granted = len(facts["affinity"]), facts["cores_granted"]
    slow = [name for name in facts["governors"] or () if name != "performance"]
    if slow:
        yield f"governor {', '.join(slow)}: the clock rate changes while one measures, expected performance"
    if facts["simultaneous_multithreading"]:
        yield "simultaneous multithreading is on: two threads share a core, switch it off or use run --pin"
    if usable < 2:
        yield "1 usable core: the runner, the system and what is measured share it, expected 2 or more"
    if granted is not None and granted < usable:
        yield f"a quota of {granted:g} cores on {usable}: threads are halted when it is used up, expected none"
    if facts["floor"]["clock"] > _SLOW_CLOCK:
        took = f"{facts['floor']['clock']:,.0f} ns to read the clock ({facts['clock_source']})"
        yield f"{took}: short queries drown in it, expected less than {_SLOW_CLOCK:,.0f}"


def _others(facts: Mapping[str, Any], conditions: Mapping[str, Any]) -> Iterator[str]:
    wall = conditions["wall_seconds"]
    busy = conditions["other_cpu_seconds"] / wall
    stolen = conditions["stolen_seconds"] / wall / (facts["logical_cores"] or 1)
    if busy > _BUSY:
        load = conditions["load_average"]
        average = "" if load is None else f" (load average {load:.1f})"
        yield f"other processes use {busy:.1f} cores{average}: end them, or wait"
    if stolen > _STOLEN:
        yield f"{stolen:.0%} of the time is stolen by other virtual machines: measure elsewhere"
    if conditions.get("swapped_pages"):
        yield f"{conditions['swapped_pages']} pages were swapped meanwhile: free some memory"
    elif facts["swap_used_bytes"]:
        yield f"{facts['swap_used_bytes'] / 1e6:,.0f} MB lie in swap: what is read from there is measured too"


def _variables(variables: Mapping[str, str]) -> Iterator[str]:
    counts = {name: variables[name] for name in THREAD_VARIABLES if name in variables}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{name}={value}" for name, value in counts.items())
        yield f"{said}: they fight, run sets all of them to --threads"
    for name, (spoiling, what) in _UNUSUAL.items():
        if variables.get(name, "").lower() == spoiling:
            yield f"{name}={variables[name]}: {what}, unset it"
    for name in _PLACING:
        if name in variables:
            yield f"{name}={variables[name]}: threads are placed or limited whatever run says, unset it"


def describe(diagnosis: Diagnosis) -> str:
    """Return a diagnosis as lines for people."""
    facts = diagnosis.environment
    lines = [f"{name:<14}{said}" for name, said in _facts(facts, diagnosis.conditions)]
    lines += [f"warning: {warning}" for warning in diagnosis.warnings]
    lines += [] if diagnosis.warnings else ["nothing here spoils timings, as far as can be seen"]
    return "\n".join(lines)


def _facts(facts: Mapping[str, Any], conditions: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    model = f"{facts['processor']} ({facts['processor_name_of_llvm']})"
    yield "processor", f"{model}, microcode {_told(facts['microcode'])}"
    wide = [name for name in facts["features"] if name.startswith(("avx", "sve", "neon", "amx", "fma"))]
    yield "vectors", ", ".join(wide) or "no wide ones"
    granted = "" if facts["cores_granted"] is None else f", a quota of {facts['cores_granted']:g}"
    sharing = {True: "on", False: "off", None: "not told"}[facts["simultaneous_multithreading"]]
    cores = f"{facts['cores']} physical, {facts['logical_cores']} logical, {len(facts['affinity'])} usable{granted}"
    yield "cores", f"{cores}; multithreading {sharing}"
    boost = {True: "on", False: "off", None: "not told"}[facts["boost"]]
    yield "clock rate", f"governor {_told(', '.join(facts['governors'] or ()))}, boost {boost}"
    memory, free = (facts[f"memory_{name}bytes"] / 2**30 for name in ("", "available_"))
    yield "memory", f"{memory:.1f} GiB, {free:.1f} available; huge pages {_told(facts['huge_pages'])}"
    within = [facts["container"] or "", "a virtual machine" if facts["virtual_machine"] else ""]
    inside = " in ".join(part for part in within if part)
    yield "system", facts["system"] + (f", in {inside}" if inside else "")
    pools = [f"{pool['internal_api']} {pool['version'] or ''}".strip() for pool in facts["thread_pools"]]
    yield "thread pools", ", ".join(dict.fromkeys(pools)) or "none loaded"
    versions = {"ivfbench": facts["ivfbench"], "Python": facts["python"], "LLVM": facts["llvm"], **facts["packages"]}
    yield "software", ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    state = {True: " with uncommitted changes", False: "", None: ""}[facts["uncommitted_changes"]]
    yield "commit", f"{_told(facts['commit'])}{state}"
    floor = facts["floor"]
    yield "clock", f"{floor['clock']:.0f} ns to read it, {floor['empty_index']:.0f} ns for a query to an empty index"
    busy = conditions["other_cpu_seconds"] / conditions["wall_seconds"]
    yield "others", f"{busy:.2f} cores, load average {_told(conditions['load_average'])}"


def _told(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value or "not told")
