"""Routing observed alone: against loops, against real searches, and in real jobs."""

import dataclasses

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.progress import silent
from ivfbench.datasets.layout import describe
from ivfbench.datasets.load import load
from ivfbench.results.routing import accuracy_at_lists
from ivfbench.results.store import load_run
from ivfbench.runner import routing
from ivfbench.runner.environment import code_digest
from ivfbench.runner.errors import RunError
from ivfbench.runner.job import earlier_result
from ivfbench.runner.plan import remaining
from ivfbench.runner.routing import observe_routing, reduce_order
from ivfbench.runner.run import run_job

RANKED = ("IVF*Centroid*",)


@pytest.fixture(scope="module")
def built(with_learn):
    dataset = load(str(with_learn))
    return dataset, IVF(KMeans(lists=12)).build(dataset.train, dataset.metric)


@pytest.fixture(scope="module")
def searched_and_routed(with_learn, make_jobs, make_told, tmp_path_factory):
    (job,) = make_jobs(with_learn, tmp_path_factory.mktemp("out"), RANKED, mode=("routing", "batch"))
    return job, run_job(job, describe(with_learn), make_told())


def test_the_assignment_is_that_of_the_lists(built):
    _, index = built
    found = index.assignment()
    assert (found.shape, found.dtype) == ((900,), np.int32)
    assert np.bincount(found, minlength=12).tolist() == index.lists.panels.sizes.tolist()
    panels = index.lists.panels
    for place in range(12):
        ids = panels.ids[panels.starts[place] : panels.starts[place + 1]].ravel()
        assert (found[ids[ids >= 0]] == place).all()


@pytest.mark.parametrize("missing", [0, 2, 5])
def test_an_order_against_a_loop(missing):
    rng = np.random.default_rng(missing)
    sizes = np.array([3, 0, 7, 1, 9], np.int64)
    order = rng.permuted(np.tile(np.arange(5, dtype=np.int32), (6, 1)), axis=1)
    if missing:
        order[:, 5 - missing :] = -1
    home = rng.integers(5, size=(6, 4)).astype(np.int32)
    rank, before, scanned = reduce_order(order, home, sizes)
    total = np.zeros(5, np.int64)
    for query in range(6):
        ranked = [place for place in order[query].tolist() if place >= 0]
        for column in range(4):
            wanted = int(home[query, column])
            place = ranked.index(wanted) if wanted in ranked else 5
            assert rank[query, column] == place
            assert before[query, column] == (sum(sizes[ranked[:place]]) if place < 5 else 20)
        total += [sum(sizes[ranked[:opened]]) for opened in range(1, 6)]
    assert scanned.tolist() == total.tolist()


def test_blocks_change_nothing(built, monkeypatch):
    dataset, index = built
    whole = observe_routing(index, dataset.test, dataset.neighbors, 1, 1, silent)
    monkeypatch.setattr(routing, "IDS_IN_BLOCK", 12 * 7)
    parts = observe_routing(index, dataset.test, dataset.neighbors, 1, 1, silent)
    for name in ("rank", "before", "size", "scanned"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name), name)


class Diary:
    """An index that writes down how it is asked to route."""

    def __init__(self, real):
        self.real, self.asked = real, []

    def __getattr__(self, name):
        return getattr(self.real, name)

    @property
    def routes(self):
        return self

    def route(self, queries, nprobe, threads=1):
        self.asked.append((len(queries), nprobe, threads))
        return self.real.routes.route(queries, nprobe, threads)


def test_the_clock_runs_for_one_query_at_a_time_on_one_thread(built):
    dataset, index = built
    diary = Diary(index)
    found = observe_routing(diary, dataset.test, dataset.neighbors, 3, 2, silent)
    assert diary.asked == [(60, 12, 2)] + [(1, 1, 1)] * 60 * (1 + 3)
    assert (found.seconds.shape, found.nprobe) == ((3, 60), 1)
    assert (found.seconds > 0).all()


def test_agrees_with_what_a_search_finds_and_scans(searched_and_routed):
    _, run = searched_and_routed
    assert run.routing.rank.shape == (60, 20)
    for point in run.points:
        probes = point.query_parameters["nprobe"]
        by_hand = [np.isin(run.truth_ids[query, :10], point.ids[query]).mean() for query in range(60)]
        np.testing.assert_allclose(accuracy_at_lists(run, 10, probes), by_hand)
        assert run.routing.scanned[probes - 1] == pytest.approx(point.points_scanned.mean())
    assert (run.routing.size > 0).all()
    assert run.routing.scanned[-1] == 900


class TestPlan:
    def test_only_the_first_k_routes_and_exact_search_never_does(self, with_learn, make_jobs):
        jobs = make_jobs(with_learn, "out", k=(10, 5), mode=("single", "routing"))
        modes = {(job.algorithm[:5], job.k): job.modes for job in jobs}
        assert modes == {
            ("Exact", 10): ("single",),
            ("Exact", 5): ("single",),
            ("IVF(K", 10): ("single", "routing"),
            ("IVF(K", 5): ("single",),
        }

    def test_routing_alone_plans_what_can_route(self, with_learn, make_jobs):
        jobs = make_jobs(with_learn, "out", k=(5, 10), mode="routing")
        assert {(job.algorithm[:5], job.k, job.modes) for job in jobs} == {("IVF(K", 5, ("routing",))}

    def test_nothing_that_routes(self, with_learn, make_jobs):
        with pytest.raises(RunError, match=r"^mode routing: found no algorithm with lists among Exact\(\)$"):
            make_jobs(with_learn, "out", mode="routing", algorithms=({"type": "Exact"},))


class TestAgain:
    def test_finished_is_what_was_routed_often_enough(self, searched_and_routed):
        job, _ = searched_and_routed
        assert remaining(job, code_digest()) is None
        assert remaining(dataclasses.replace(job, modes=("routing",)), code_digest()) is None
        assert remaining(dataclasses.replace(job, modes=("batch",)), code_digest()) is None
        assert remaining(dataclasses.replace(job, modes=("routing",), repetitions=6), code_digest()) is not None
        assert remaining(dataclasses.replace(job, modes=("routing", "single")), code_digest()) is not None

    def test_modes_add_up_in_one_file(self, with_learn, make_jobs, make_told, tmp_path):
        for mode in ("batch", "routing", "single"):
            (job,) = make_jobs(with_learn, tmp_path, RANKED, mode=mode, single_queries=5)
            assert remaining(job, code_digest()) is not None
            run = run_job(job, describe(with_learn), make_told())
            assert run.status == "ok", run.message
            assert remaining(job, code_digest()) is None
        stored = load_run(earlier_result(job))
        assert [point.mode for point in stored.points] == ["single"] * 3 + ["batch"] * 3
        assert stored.routing is not None
        assert len(list(tmp_path.rglob("*.hdf5*"))) == 1
