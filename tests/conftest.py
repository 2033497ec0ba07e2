"""Shared fixtures. Nothing here may import a jitted module before the environment is set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# The first example of a test may compile a kernel, and no test asserts a time.
settings.register_profile("ivfbench", deadline=None)
settings.load_profile("ivfbench")


EXPERIMENT = """
algorithms:
  - type: Exact
  - {type: IVF, clustering: {type: KMeans, lists: 12}, query: {nprobe: [1, "50%"]}}
"""
FAILING = """
algorithms:
  - type: Exact
  - {type: IVF, clustering: {type: KMeans, lists: 12}, router: {type: Random}, routing: int8}
"""
REPORTED = """
mode: routing
repetitions: 2
seeds: [0, 1]
report: routers
algorithms:
  - {type: IVF, clustering: {type: KMeans, lists: [6, 12]}, router: {type: Centroid, scoring: [normalised, euclidean]}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder: experiments, a small dataset, a wrong one, a file and a folder that are neither."""
    from ivfbench.datasets.drift import Drift, generate, write_drift
    from ivfbench.datasets.truth import exact_neighbors
    from ivfbench.datasets.write import write_dataset

    small = Drift(n=900, dimension=16, learn=300, test=60, topics=30, k=20)
    folder = tmp_path_factory.mktemp("work")
    (folder / "small.yml").write_text(EXPERIMENT)
    write_drift(folder, small).rename(folder / "small.hdf5")
    train, test, _ = generate(small)
    ids, distances = exact_neighbors(train, test, 20, "angular")
    write_dataset(
        folder / "wrong.hdf5", train=train, test=test, metric="angular", neighbors=ids[::-1], distances=distances
    )
    (folder / "failing.yml").write_text(FAILING)
    (folder / "reported.yml").write_text(REPORTED)
    (folder / "wrong.yml").write_text("algorithm: [{type: Exact}]\n")
    (folder / "thin.yml").write_text("algorithms: [{type: Exact}]\nvariants: {pca: [4, 17]}\n")
    (folder / "file").write_text("text")
    (folder / "empty").mkdir()
    return folder


@pytest.fixture(scope="module")
def invocation(folder):
    """A function: what `subprocess` needs for one command in the working folder."""

    def spelled(*arguments, columns="100", **more):
        environment = {**os.environ, "COLUMNS": columns, "IVFBENCH_DATA": str(folder / "cache"), **more}
        return {"args": [sys.executable, "-m", "ivfbench", *map(str, arguments)], "cwd": folder, "env": environment}

    return spelled


@pytest.fixture(scope="module")
def ivfbench(invocation):
    """A function: one command, done in the working folder."""

    def run(*arguments, columns="100"):
        return subprocess.run(**invocation(*arguments, columns=columns), capture_output=True, text=True, timeout=120)

    return run


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of wordnet and sift (docs/speed.md); tests that need it skip, and say so, where none is told."""
    folder = os.environ.get("IVFBENCH_SHARED_DATA")
    if not folder:
        pytest.skip("wordnet and sift do not come with this project (set IVFBENCH_SHARED_DATA to a folder of them)")
    return Path(folder)


@pytest.fixture(scope="session")
def sample_runs():
    """A function that makes realistic runs: a small sweep of two routers over one clustering, in both modes.

    Arguments: dataset, synthetic, seed, n, lists, routers, modes, repetitions, routing. Ground truth and answers are
    consistent: a router that opens more lists finds more of the true neighbours and scans more points. With `routing`
    each run also says where the lists of its true neighbours stand, better ones for a router of better quality.
    """
    import numpy as np
    from ivfbench.results.run import Point, Routing, Run

    queries, k, stored = 40, 10, 20
    centroid, learnt = "Centroid(scoring='normalised')", "Learnt(epochs=50)"

    def make_point(rng, truth, mode, probe, lists, n, quality, repetitions):
        truth_ids, truth_distances = truth
        share = 1.0 - (1.0 - probe / lists) ** (18.0 * quality)
        found = rng.random((queries, k)) < share if probe < lists else np.ones((queries, k), bool)
        ids = np.where(found, truth_ids[:, :k], -1).astype(np.int32)
        scanned = np.full(queries, n * probe // lists) + (rng.integers(-20, 20, queries) if probe < lists else 0)
        seconds_each = 4e-6 + 2e-9 * scanned
        noise = 1.0 + 0.1 * rng.random((repetitions, queries))
        single = seconds_each * noise
        return Point(
            mode=mode,
            threads=1 if mode == "single" else 4,
            query_parameters={"nprobe": probe},
            ids=ids,
            distances=np.where(found, truth_distances[:, :k], np.inf),
            lists_probed=np.full(queries, probe, np.int64),
            points_scanned=scanned.astype(np.int64),
            seconds=single if mode == "single" else single.sum(axis=1, keepdims=True) / 3.0,
        )

    def make_routing(n, lists, quality, seed):
        rng = np.random.default_rng([seed, 77])  # the same queries for every router: they are paired
        sizes = rng.multinomial(n - lists, rng.dirichlet(np.full(lists, 4.0))) + 1
        order = rng.permuted(np.tile(sizes, (queries, 1)), axis=1)
        until = np.cumsum(order, axis=1)
        deeper = 1.0 - 0.3 * np.arange(stored) / stored
        luck = rng.random((queries, stored)) ** (1.0 / (18.0 * quality * deeper))
        rank = np.minimum(lists - 1, ((1.0 - luck) * lists)).astype(np.int32)
        size = np.take_along_axis(order, rank.astype(np.int64), axis=1)
        before = np.take_along_axis(until, rank.astype(np.int64), axis=1) - size
        return Routing(
            rank=rank,
            before=before.astype(np.int32),
            size=size.astype(np.int32),
            scanned=until.mean(axis=0),
            seconds=(1.0 + rng.random((3, 30))) * 1e-5 * quality,
            nprobe=max(1, lists // 10),
        )

    def make_run(router, quality, dataset, synthetic, seed, n, lists, modes, repetitions, routing):
        rng = np.random.default_rng([seed, round(100 * quality)])
        drawn = [rng.choice(n, stored, replace=False) for _ in range(queries)]
        truth_ids = np.array(drawn, np.int32)
        truth_distances = np.sort(rng.random((queries, stored)), axis=1) + 0.5
        probes = [probe for probe in (1, 2, 4, 8, 16, 32, 64) if probe < lists] + [lists]
        points = tuple(
            make_point(rng, (truth_ids, truth_distances), mode, probe, lists, n, quality, repetitions)
            for mode in modes
            for probe in probes
        )
        return Run(
            dataset=dataset,
            dataset_sha256="ab" * 32,
            metric="euclidean",
            synthetic=synthetic,
            n=n,
            dimension=64,
            algorithm=f"IVF(KMeans(lists={lists}), {router}, Float32())",
            parameters={"clustering": {"lists": lists}, "router": router, "codec": "Float32()"},
            k=k,
            seed=seed,
            threads=4,
            build_seconds=1.5,
            learn_seconds=0.0 if "Centroid" in router else 3.25,
            label_seconds=0.5,
            compile_seconds=2.0,
            index_bytes=n * 64 * 4,
            router_bytes=lists * 64 * 4,
            peak_memory_bytes=3 * n * 64 * 4,
            train_bytes=n * 64 * 4,
            truth_ids=truth_ids,
            truth_distances=truth_distances,
            stored_truth_distances=truth_distances.astype(np.float32),
            notes={"training_queries": "held out", "list_sizes": {"largest": 3 * n // lists}},
            environment={"cpu": "sample"},
            points=points,
            routing=make_routing(n, lists, quality, seed) if routing else None,
        )

    def make(
        dataset="sample-64-euclidean",
        synthetic=False,
        seed=7,
        n=4000,
        lists=100,
        routers=((centroid, 1.0), (learnt, 2.0)),
        modes=("single", "batch"),
        repetitions=5,
        routing=False,
    ):
        return [
            make_run(router, quality, dataset, synthetic, seed, n, lists, modes, repetitions, routing)
            for router, quality in routers
        ]

    return make


SCANNER = """
import numpy as np
from ..base.module import BaseANN


class Scanner(BaseANN):
    def __init__(self, metric, offset=0):
        self.metric, self.offset, self.name = metric, offset, f"scanner {metric}"

    def fit(self, X):
        if self.metric == "angular":
            X /= np.linalg.norm(X, axis=1, keepdims=True)  # in place, as many do
        self.rows = X

    def set_query_arguments(self, first):
        self.first, self.computed = first, 0

    def query(self, v, n):
        if self.metric == "angular":
            v /= np.linalg.norm(v)
        if self.first == 13:
            raise RuntimeError("an unlucky number")
        self.computed += self.first
        ids = np.argsort(np.square(self.rows[: self.first] - v).sum(axis=1), kind="stable")[:n] + self.offset
        return np.repeat(ids[:1], 2) if self.first == 7 else ids

    def get_additional(self):
        return {"dist_comps": self.computed}
"""
SCANNER_CONFIG = """
float:
  any:
  - name: scanner
    module: ann_benchmarks.algorithms.scanner
    constructor: Scanner
    docker_tag: ann-benchmarks-scanner
    disabled: false
    base_args: ['@metric']
    run_groups:
      base:
        args: {}
        arg_groups: [[0]]
        query_args: [[450, 13, 7, 900]]
"""


@pytest.fixture(scope="session")
def define():
    """A function: put an algorithm of ann-benchmarks into a folder of such.

    By default one that scans as many rows as its query argument says; 13 it refuses, to 7 it answers with a duplicate.
    """

    def write(root, name="scanner", module=SCANNER, config=SCANNER_CONFIG):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "module.py").write_text(module)
        (folder / "config.yml").write_text(config)
        (folder / "Dockerfile").write_text("FROM ann-benchmarks\n")

    return write


@pytest.fixture
def definitions(tmp_path, define):
    """A function: define one more algorithm, and return the folder of all."""

    def write(*arguments, **more):
        define(tmp_path / "definitions", *arguments, **more)
        return tmp_path / "definitions"

    return write


@pytest.fixture(scope="session")
def naive():
    """The oracles of tests/naive.py."""
    import importlib.util

    specification = importlib.util.spec_from_file_location("naive", Path(__file__).parent / "naive.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny() -> bool:
    """Whether kernels are interpreted, hence shapes must be tiny."""
    from numba.core import config

    return bool(config.DISABLE_JIT)


@pytest.fixture
def snapshot(tmp_path):
    """A function: everything below the test's folder, names, bytes, times."""

    def take():
        return {
            path.relative_to(tmp_path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
            for path in sorted(tmp_path.rglob("*"))
        }

    return take


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys, snapshot):
    """A function: a command that must be refused, in a folder that it must leave as it was."""
    from ivfbench.__main__ import main

    def check(command, *words):
        before = snapshot()
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("IVFBENCH_DATA", str(tmp_path / "cache"))
        monkeypatch.setattr(sys, "argv", ["ivfbench", *command.split()])
        with pytest.raises(SystemExit) as ended:
            main()
        printed, said = capsys.readouterr()
        assert (ended.value.code, printed, said.count("\n")) == (2, "", 1), said
        assert said.startswith("ivfbench: ")
        assert len(said) < 1000
        for word in words:
            assert word in said
        assert snapshot() == before

    return check
