"""Tiny true datasets, with and without training queries, and the means to do real jobs on them."""

import numpy as np
import pytest

EXPERIMENT = """
algorithms:
  - type: Exact
  - type: IVF
    clustering: {type: KMeans, lists: 12}
    router: [{type: Centroid}, {type: Learnt, epochs: 2}]
    query: {nprobe: [2, "50%", 12]}
"""


def write(path, metric, learn=None):
    """Write 900 vectors of 16 dimensions and 60 test queries, in 30 clumps; the same bytes every time."""
    from ivfbench.datasets.truth import exact_neighbors
    from ivfbench.datasets.write import write_dataset

    rng = np.random.default_rng(5)
    middles = 2 * rng.standard_normal((30, 16))

    def rows(count):
        return (middles[rng.integers(30, size=count)] + rng.standard_normal((count, 16))).astype(np.float32)

    train, test, lessons = rows(900), rows(60), rows(300)
    neighbors, distances = exact_neighbors(train, test, 20, metric)
    held = {}
    if learn:
        held = {"learn": lessons, "learn_neighbors": exact_neighbors(train, lessons, 5, metric)[0]}
    return write_dataset(path, train=train, test=test, metric=metric, neighbors=neighbors, distances=distances, **held)


@pytest.fixture(scope="session")
def with_learn(tmp_path_factory):
    """An angular dataset that brings training queries."""
    return write(tmp_path_factory.mktemp("data") / "with-learn.hdf5", "angular", learn=True)


@pytest.fixture(scope="session")
def without_learn(tmp_path_factory):
    """A euclidean dataset that brings none."""
    return write(tmp_path_factory.mktemp("data") / "without-learn.hdf5", "euclidean")


@pytest.fixture
def make_dataset(tmp_path):
    """A function: a dataset of this metric that brings no training queries."""
    return lambda metric: write(tmp_path / f"{metric}.hdf5", metric)


@pytest.fixture(scope="session")
def make_jobs():
    """A function: the jobs of the small experiment on a dataset file."""
    from ivfbench.datasets.layout import describe
    from ivfbench.runner.experiment import Experiment, parse_experiment
    from ivfbench.runner.plan import plan

    def make(path, out, pattern=(), **changes):
        experiment = parse_experiment(EXPERIMENT, "small.yml")
        experiment = Experiment.model_validate({**experiment.model_dump(), **changes})
        return plan(experiment, [(str(path), describe(path))], out=str(out), threads=1, pattern=pattern)

    return make


class Told:
    """A display that remembers what it was told."""

    def __init__(self):
        self.events = []

    def plan(self, jobs, finished):
        self.events.append(("plan", len(jobs), finished))

    def begin(self, job, following):
        self.events.append(("begin", job.algorithm, following and following.algorithm))

    def stage(self, stage, done, total, remark):
        self.events.append(("stage", stage, done, total))

    def end(self, job, run):
        self.events.append(("end", job.algorithm, run.status))

    def say(self, line):
        self.events.append(("say", line))


@pytest.fixture(scope="session")
def make_told():
    """A function: a new display."""
    return Told


@pytest.fixture
def told():
    return Told()
