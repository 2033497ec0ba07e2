"""The high-water mark of this process's memory, where the system tells it."""

import resource
from pathlib import Path

import psutil

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def resident_bytes() -> int:
    """Return the memory that this process occupies now."""
    return int(psutil.Process().memory_info().rss)


def reset_peak() -> None:
    """Let the high-water mark begin anew, where Linux allows it; elsewhere it keeps the whole process's peak."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return


def peak_bytes() -> int:
    """Return the high-water mark since `reset_peak`."""
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * 1024
