"""A tiny dataset, an algorithm that fails on demand, and runs of it in real processes."""

import fcntl
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ivfbench
import numpy as np
import psutil
import pytest

PACKAGE = Path(ivfbench.__file__).parents[1]
REGISTERED = Path(__file__).parent / "registered"


@pytest.fixture(scope="session")
def common(tmp_path_factory):
    """A folder that all processes of pytest-xdist share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@contextmanager
def alone(folder):
    """One of them at a time."""
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def data(common):
    """2,000 vectors of 16 dimensions and 40 test queries."""
    from ivfbench.datasets.truth import exact_neighbors
    from ivfbench.datasets.write import write_dataset

    rng = np.random.default_rng(3)
    train, test = (rng.standard_normal((count, 16)).astype(np.float32) for count in (2000, 40))
    neighbors, distances = exact_neighbors(train, test, 20, "euclidean")
    path, held = common / "tiny.hdf5", {"neighbors": neighbors, "distances": distances}
    with alone(common / "data"):
        return path if path.exists() else write_dataset(path, train=train, test=test, metric="euclidean", **held)


@dataclass
class Lab:
    """A folder of results, the diary of what was done for it, and the means to do it."""

    data: Path
    folder: Path
    algorithms: list

    def __post_init__(self):
        self.folder.mkdir(exist_ok=True)
        self.out, self.experiment = self.folder / "out", self.folder / "faults.yml"
        self.write()

    def write(self):
        listed = "".join(f"  - {{type: Faulty, {fields}}}\n" for fields in self.algorithms)
        self.experiment.write_text(f"repetitions: 2\nsingle_queries: 3\nalgorithms:\n{listed}")

    @property
    def diary(self):
        """Lines without the numbers of processes."""
        return [line.partition(" ")[2] for line in self._lines()]

    @property
    def processes(self):
        """The numbers of workers and of their children."""
        return {int(line.split()[-1 if " child " in line else 0]) for line in self._lines()}

    def _lines(self):
        path = self.folder / "diary"
        return path.read_text().splitlines() if path.exists() else []

    def command(self, *arguments, **variables):
        """What `subprocess` needs for a run."""
        paths = [str(REGISTERED), str(PACKAGE), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200", **variables}
        environment |= {"FAULTS_DIARY": str(self.folder / "diary"), "PYTHONDONTWRITEBYTECODE": "1"}
        what = ["run", self.experiment, "--dataset", self.data, "--threads", 1, "--out", self.out, "--no-figures"]
        return {
            "args": [sys.executable, "-m", "ivfbench", *map(str, [*what, *arguments])],
            "cwd": self.folder,
            "env": environment,
            "start_new_session": True,
        }

    def run(self, *arguments, preexec=None, **variables):
        """A whole run."""
        command = self.command(*arguments, **variables)
        return subprocess.run(**command, capture_output=True, text=True, timeout=300, preexec_fn=preexec)

    def run_once(self, *arguments):
        """A whole run, or what it said if it was done before."""
        said = self.folder / "said.json"
        with alone(self.folder):
            if not said.exists():
                done = self.run(*arguments)
                said.write_text(json.dumps([done.returncode, done.stdout, done.stderr]))
        return subprocess.CompletedProcess(arguments, *json.loads(said.read_text()))

    def start(self, *arguments, **variables):
        """A run that begins; its log is `log`."""
        with (self.folder / "log").open("w") as stream:
            return subprocess.Popen(**self.command(*arguments, **variables), stdout=stream, stderr=stream)

    @property
    def log(self):
        return (self.folder / "log").read_text()

    def runs(self):
        """The runs by the names of their algorithms."""
        from ivfbench.results.store import load_runs

        return {run.parameters["name"]: run for run in load_runs(self.out)}


@pytest.fixture
def lab(data, tmp_path):
    """A function: the lab of these algorithms."""
    return lambda *algorithms: Lab(data, tmp_path / "lab", list(algorithms))


@pytest.fixture(scope="session")
def shared_lab(data, common):
    """The same for all tests, by a name of its own."""
    return lambda name, *algorithms: Lab(data, common / name, list(algorithms))


def wait_for(condition, seconds=90.0):
    """Whatever `condition` returns, as soon as it is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.002)
    raise TimeoutError(f"nothing within {seconds} s")


@pytest.fixture(name="wait_for", scope="session")
def wait_for_fixture():
    return wait_for


@pytest.fixture(scope="session")
def all_gone():
    """A function: wait until none of these processes runs."""

    def gone(pids):
        def alive(pid):
            try:
                return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
            except psutil.NoSuchProcess:
                return False

        return wait_for(lambda: not any(map(alive, pids)), seconds=20)

    return gone


@pytest.fixture(scope="session")
def answers():
    """A function: everything about runs that does not depend on the clock."""

    def kept(runs):
        return {
            (name, point.mode, str(point.query_parameters)): (
                point.status,
                *(array.tobytes() for array in (point.ids, point.distances, point.lists_probed, point.points_scanned)),
                point.seconds.shape,
            )
            for name, run in runs.items()
            for point in run.points
        }

    return kept


PAUSING = ("name: a, points: 4, pause: 0.02", "name: b, points: 4, pause: 0.02")
SWEEP = 2 * 2 * 4  # points of two algorithms in two modes
SAME = ["dataset", "algorithm", "query_parameters", "mode", "status", "recall", "lists_probed", "points_scanned"]


@pytest.fixture
def pausing(lab):
    """A lab of two algorithms that leave time to be killed in."""
    return lab(*PAUSING)


@pytest.fixture(scope="session")
def undisturbed(shared_lab):
    """A run of theirs that nobody disturbed."""
    lab = shared_lab("undisturbed", *PAUSING)
    done = lab.run_once()
    assert done.returncode == 0, done.stderr
    assert len(lab.diary) == 2 + SWEEP
    return lab


@pytest.fixture
def assert_as_undisturbed(undisturbed, answers):
    """A function: assert that a lab holds what the undisturbed run does, and nothing besides."""

    def compare(lab):
        from ivfbench.results.store import load_runs
        from ivfbench.results.table import table

        assert answers(lab.runs()) == answers(undisturbed.runs())
        assert table(load_runs(lab.out))[SAME].equals(table(load_runs(undisturbed.out))[SAME])
        left = [path for path in lab.out.rglob("*") if path.suffix in (".unfinished", ".part") or path.name == ".lock"]
        assert left == []

    return compare
