"""Who cheats gains nothing, who answers nonsense fails, and everybody has the threads and cores that were given."""

import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from ivfbench.algorithms.found import Found
from ivfbench.datasets.layout import describe
from ivfbench.results.recall import recall
from ivfbench.results.store import save_run
from ivfbench.runner.environment import _UNMEASURED, changed_libraries, code_digest, libraries
from ivfbench.runner.job import Job
from ivfbench.runner.measure import measure
from ivfbench.runner.plan import remaining
from ivfbench.runner.processor import separate_cores, usable_cores
from ivfbench.runner.run import run_job
from ivfbench.runner.threads import choose_cores, confined_to, limited_to, pinned_to

CHEATS = Path(__file__).parent / "cheats"
FAILING = {
    "writes_queries": "AnswerError: the algorithm wrote to the queries: nothing that it answered can be believed",
    "truth": "AnswerError: recall 1.00 on queries of the dataset, 0.00 on the same moved by a thousandth",
    "twice": " twice, expected every id once",
    "beyond": "found the id 900, expected 0 to 899, or -1 for none",
    "below": "query 0: found the id -2, expected 0 to 899",
    "nan": "query 0: found NaN among the distances, expected numbers",
    "floats": "ids: found float32, expected integers",
    "texts": "ids: found list, expected an array",
    "many": "ids: found the shape (",
    "few": ", 9), expected (",
    "none": "found NoneType, expected Found",
    "negative": "query 0: scanned: found -1, expected 0 or more",
}


@pytest.fixture(scope="module")
def make_job(tmp_path_factory, without_learn):
    """A function: a job for the algorithm of `cheats`, in a folder of its own."""
    digest = describe_digest(without_learn)

    def make(points, **changes):
        job = Job(
            dataset=str(without_learn),
            dataset_name="without-learn",
            dataset_sha256=digest,
            algorithm="Cheat()",
            parameters={"type": "Cheat"},
            k=10,
            seed=0,
            threads=1,
            modes=("single", "batch"),
            points=tuple(points),
            repetitions=2,
            single_queries=20,
            out=str(tmp_path_factory.mktemp("cheats")),
        )
        return dataclasses.replace(job, **changes)

    return make


def describe_digest(path):
    from ivfbench.datasets.dataset import file_sha256

    return file_sha256(path)


@pytest.fixture(scope="module")
def cheated(make_job, without_learn, make_told, tmp_path_factory):
    """Everything that FAILING names done in one process, on as many cores as there are up to two: (job, run, diary)."""
    diary = tmp_path_factory.mktemp("diary") / "diary"
    cores = choose_cores(min(2, len(usable_cores())))
    points = [{"how": how} for how in ("honest", "writes_train", *FAILING, "truth_or_search", "tells")]
    job = make_job(points, threads=len(cores), cores=cores)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(CHEATS), os.environ.get("PYTHONPATH", "")]))
        patch.setenv("CHEATS_DATASET", str(without_learn))
        patch.setenv("CHEATS_DIARY", str(diary))
        run = run_job(job, describe(without_learn), make_told())
        overwriting = make_job(points[:1], parameters={"type": "Cheat", "overwrites": True}, threads=1)
        failed = run_job(overwriting, describe(without_learn), make_told())
    return job, run, failed, [json.loads(line) for line in diary.read_text().splitlines()]


@pytest.fixture(scope="module")
def points(cheated):
    return {(point.mode, point.query_parameters["how"]): point for point in cheated[1].points}


class TestCheats:
    @pytest.mark.parametrize("mode", ["single", "batch"])
    @pytest.mark.parametrize("how", FAILING)
    def test_what_is_no_answer_fails_its_point_and_says_why(self, points, mode, how):
        point = points[mode, how]
        assert point.status == "failed"
        assert FAILING[how] in point.message
        assert "\n" not in point.message

    @pytest.mark.parametrize("mode", ["single", "batch"])
    def test_the_others_are_measured_on_pristine_data(self, cheated, points, mode):
        _, run, _, _ = cheated
        for how in ("honest", "truth_or_search", "tells"):  # the last two after the data was written to
            point = points[mode, how]
            assert (point.status, point.message) == ("ok", "")
            found = recall(point.ids, point.distances, run.truth_ids, run.truth_distances, run.k, run.metric)
            assert found.mean() == 1.0

    def test_who_writes_to_the_rows_while_it_searches_fails_and_then_gains_nothing(self, cheated, points):
        _, run, _, _ = cheated
        first, later = points["single", "writes_train"], points["batch", "writes_train"]
        assert first.status == "failed"
        assert first.message.startswith("AnswerError: the algorithm wrote to the vectors it was built from")
        found = recall(later.ids, later.distances, run.truth_ids, run.truth_distances, run.k, run.metric)
        assert found.mean() < 0.1  # the array that it knows is nobody's any more

    def test_a_build_that_writes_to_its_training_rows_fails(self, cheated):
        _, _, failed, _ = cheated
        assert (failed.status, failed.points) == ("failed", ())
        assert failed.message.startswith("AnswerError: the algorithm wrote to the vectors it was built from")

    def test_who_knows_the_truth_and_searches_otherwise_is_seen_by_the_clock(self, points):
        conditions = points["single", "truth_or_search"].conditions
        assert conditions["unseen_queries_slower"] > 2  # 50 ms were slept
        assert points["batch", "honest"].conditions["unseen_queries_slower"] is None


class TestThreads:
    def test_every_library_has_what_was_given(self, cheated):
        job, _, _, diary = cheated
        assert {line["mode"] for line in diary} == {"single", "batch"}
        for line in diary:
            expected = 1 if line["mode"] == "single" else job.threads
            assert set(line["told"].values()) == {expected}, line

    def test_all_threads_of_the_process_stay_on_its_cores(self, cheated):
        job, run, _, diary = cheated
        for line in diary:
            allowed = job.cores[:1] if line["mode"] == "single" else job.cores
            assert line["cores"] == [sorted(allowed)]
        assert run.environment["affinity"] == sorted(job.cores)

    def test_limits_are_put_back(self):
        import numba
        from threadpoolctl import threadpool_info

        def now():
            return numba.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]

        before = now()
        with limited_to(1):
            assert now()[0] == 1
            assert set(now()[1]) <= {1}
        assert now() == before

    def test_cores_are_put_back(self):
        before = os.sched_getaffinity(0)
        core = min(before)
        with pinned_to([core]):
            assert os.sched_getaffinity(0) == {core}
            assert subprocess.check_output([sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"]) == (
                f"{{{core}}}\n".encode()
            )
        with confined_to([core]):
            seen = []
            inside = threading.Thread(target=lambda: seen.append(os.sched_getaffinity(0)))
            inside.start()
            inside.join()
            assert seen == [{core}]
        assert os.sched_getaffinity(0) == before

    def test_as_many_cores_as_threads(self):
        cores = separate_cores()
        assert sorted(cores) == usable_cores()
        assert choose_cores(1) == (cores[0],)
        with pytest.raises(ValueError, match=f"--pin: found 999 threads and {len(cores)} usable cores"):
            choose_cores(999)


class Burner:
    """An index of which two threads, and a process, are each busy until they have had 0.2 s of a core."""

    def search(self, queries, k, *, threads):
        def burn():
            while time.thread_time() < 0.2:
                np.sort(np.arange(20_000)[::-1])

        busy = [threading.Thread(target=burn) for _ in range(2)]
        for thread in busy:
            thread.start()
        code = "import time\nwhile time.process_time() < 0.2: pass"
        subprocess.run([sys.executable, "-S", "-c", code], check=True)
        for thread in busy:
            thread.join()
        return answer(len(queries), k)


class Reuser:
    """An index that answers in one array, again and again."""

    def __init__(self, k):
        self.ids, self.asked = np.zeros((1, k), dtype=np.int32), 0

    def search(self, queries, k, *, threads):
        self.ids[...] = int(queries[0, 0])
        return answer(1, k)._replace(ids=self.ids)


def answer(queries, k):
    work = np.ones(queries, dtype=np.int64)
    return Found(np.zeros((queries, k), dtype=np.int32), np.zeros((queries, k), dtype=np.float32), work, work)


class TestConditions:
    def test_all_processor_time_is_counted_whoever_took_it(self):
        measured = measure(Burner(), np.zeros((3, 4), np.float32), 2, {}, mode="batch", threads=1, repetitions=1)
        told = measured.conditions
        assert told["cpu_seconds"] >= 0.55  # of 0.6: ticks of others' clocks are hundredths
        assert 0.15 <= told["children_cpu_seconds"] <= told["cpu_seconds"]
        assert told["elapsed_seconds"] >= told["wall_seconds"] >= measured.seconds.sum() > 0

    def test_sleep_is_no_processor_time(self):
        class Sleeper:
            def search(self, queries, k, *, threads):
                time.sleep(0.2)
                return answer(len(queries), k)

        measured = measure(Sleeper(), np.zeros((3, 4), np.float32), 2, {}, mode="batch", threads=1, repetitions=1)
        assert measured.conditions["wall_seconds"] >= 0.2
        assert measured.conditions["cpu_seconds"] < 0.2

    def test_what_else_happened_is_told(self, points):
        told = points["batch", "honest"].conditions
        assert told["cores"]
        for name in ("other_cpu_seconds", "stolen_seconds", "load_average"):
            assert told[name] >= 0

    def test_an_answer_cannot_be_changed_later(self):
        queries = np.arange(30, dtype=np.float32)[:, None]
        measured = measure(Reuser(5), queries, 5, {}, mode="single", threads=1, repetitions=2)
        np.testing.assert_array_equal(measured.found.ids, np.tile(np.arange(30)[:, None], 5))

    def test_no_garbage_is_collected_between_queries(self):
        import gc

        class Litterer:
            def __init__(self):
                self.seen = set()

            def search(self, queries, k, *, threads):
                self.seen.add(gc.isenabled())
                return answer(len(queries), k)

        index = Litterer()
        queries = np.zeros((70, 4), np.float32)
        measure(index, queries[:1], 2, {}, mode="single", threads=1, repetitions=1)
        index.seen.clear()
        asked = []
        index.search = lambda *args, **more: asked.append(gc.isenabled()) or answer(1, 2)
        measure(index, queries, 2, {}, mode="single", threads=1, repetitions=2)
        assert asked == [True] * 64 + [False] * 140
        assert gc.isenabled()


class TestVersions:
    @pytest.fixture
    def honest(self, cheated, make_job):
        """A finished job, in a folder that tests may harm."""
        job, run, _, _ = cheated
        points = tuple(point for point in run.points if point.status == "ok")
        run = dataclasses.replace(run, points=points)
        job = make_job([{"how": "honest"}, {"how": "tells"}], threads=job.threads)
        save_run(job.out, run)
        return job, run

    def test_every_library_that_is_imported_has_its_package_told(self):
        owners = metadata.packages_distributions()  # of the standard library, which knows every file of each package
        imported = {name.partition(".")[0] for name in tuple(sys.modules)} - set(sys.stdlib_module_names)
        found = libraries()
        assert found.keys() == {package for name in imported for package in owners.get(name, ())} - _UNMEASURED
        assert found["numpy"] == np.__version__

    def test_libraries_are_recorded_and_finished_work_is_known(self, honest):
        job, run = honest
        import faiss

        assert run.environment["libraries"]["numpy"] == np.__version__
        assert run.environment["libraries"]["faiss-cpu"] == faiss.__version__
        assert changed_libraries(run.environment) == []
        assert remaining(job, code_digest()) is None

    @pytest.mark.parametrize("package", ["numpy", "numba", "faiss-cpu"])
    def test_another_version_is_another_measurement(self, honest, package):
        job, run = honest
        now = run.environment["libraries"][package]
        libraries = {**run.environment["libraries"], package: "0.0.1"}
        run = dataclasses.replace(run, environment={**run.environment, "libraries": libraries})
        save_run(job.out, run)
        assert changed_libraries(run.environment) == [f"{package} 0.0.1 -> {now}"]
        assert remaining(job, code_digest()) is not None

    def test_what_is_not_installed_any_more_has_not_changed(self, honest):
        job, run = honest
        libraries = {**run.environment["libraries"], "no-such-package": "1.0"}
        save_run(job.out, dataclasses.replace(run, environment={**run.environment, "libraries": libraries}))
        assert remaining(job, code_digest()) is None


def test_the_environment_tells_the_whole_machine(cheated):
    told = cheated[1].environment
    assert told["processor"]
    assert told["features"]
    assert told["logical_cores"] >= len(told["affinity"]) >= 1
    assert told["command"]  # of the runner
    assert told["variables"]["NUMBA_NUM_THREADS"] == str(cheated[0].threads)
    assert told["floor"]["empty_index"] >= told["floor"]["clock"] > 0
    assert told["conditions_of_the_build"]["wall_seconds"] > 0
    assert told.keys() >= {"microcode", "governors", "simultaneous_multithreading", "kernel", "container", "llvm"}
