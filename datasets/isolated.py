"""A stranger's file is opened in a process of its own first.

HDF5 is a library in C that trusts its files: some damaged ones make it crash, some keep it busy for ever, some make it
ask for all of the memory. The first process to open a file is therefore one that may die: if it does, the answer is one
line, and nothing else was lost. It costs about a third of a second, and the time to read the file where all of it is
checked.
"""

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .errors import DatasetError
from .layout import Description, describe
from .own_process import module_command
from .reader import read_dataset

_MEMORY = 2**30  # bytes to describe any file, over what the process has already
_SECONDS = 5  # of computing to describe any file
_MORE_SECONDS = 120  # to check small data: a kernel may have to be compiled for it
_BYTES_PER_SECOND = 10**6  # of computing on all cores, to read and check; sound files are read a hundred times faster


def describe_isolated(path: str | Path, name: str | None = None, *, whole: bool = False) -> Description:
    """Describe a dataset file, opened in another process, which may crash over it.

    Parameters
    ----------
    path
        An HDF5 file.
    name
        What to call it; the file's stem by default.
    whole
        Read and check all of it, as `read_dataset` does; otherwise no vector is read.

    Returns
    -------
    Description
        As `describe` gives it.

    Raises
    ------
    DatasetError
        What `describe` or `read_dataset` says, or that the file brought the process down.
    """
    asked = json.dumps({"path": str(path), "name": name, "whole": whole})
    done = subprocess.run(
        module_command("datasets.isolated"), input=asked, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise DatasetError(f"{path}: not a readable HDF5 file: reading it {_ending(done.returncode, done.stderr)}")
    told = json.loads(done.stdout)
    if "refused" in told:
        raise DatasetError(told["refused"])
    return Description(**{**told, "path": Path(told["path"])})


def _ending(code: int, said: str) -> str:
    if code == -signal.SIGXCPU:
        return "did not come to an end"
    if code < 0:
        return f"crashed the process ({signal.strsignal(-code)})"
    lines = [line for line in said.splitlines() if line.strip()]
    return f"failed: {lines[-1].strip() if lines else f'exit code {code}'}"


def _answer(path: str, name: str | None, whole: bool) -> dict[str, Any]:
    try:
        _limit(_MEMORY, _SECONDS)
        told = describe(path, name)
        if whole:
            need = 4 * (told.n + told.queries + told.learn_count) * told.dimension + 12 * told.queries * told.neighbors
            _limit(_MEMORY + 3 * need, _MORE_SECONDS + (need + told.bytes) // _BYTES_PER_SECOND)
            dataset = read_dataset(path, name)
            assert dataset.learn is None or dataset.learn.size  # training queries and their neighbours are read too
            assert dataset.learn_neighbors is None or dataset.learn_neighbors.size
    except DatasetError as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": f"{path}: does not fit in memory"}
    return {**asdict(told), "path": str(told.path)}


def _limit(memory: int, seconds: int) -> None:
    # Soft limits: they can be raised again. Address space is counted, since HDF5 reserves before it reads.
    if sys.platform == "linux":
        held = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (held + memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main() -> None:
    """Read what is asked as JSON from standard input, and answer as JSON."""
    asked = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    json.dump(_answer(**asked), sys.stdout)


if __name__ == "__main__":
    main()
