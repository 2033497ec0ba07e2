"""Jobs in real processes: what they leave behind, and what is left when they die."""

import dataclasses
import shutil

import numpy as np
import psutil
import pytest
from ivfbench.algorithms.registry import MEMBERS
from ivfbench.algorithms.value import from_parameters
from ivfbench.datasets.layout import describe
from ivfbench.datasets.learn import training_queries
from ivfbench.datasets.load import load
from ivfbench.results.builds import builds
from ivfbench.results.caption import caption
from ivfbench.results.recall import recall
from ivfbench.results.run import failed_point
from ivfbench.results.store import begin, fold, load_run, load_runs, save_run
from ivfbench.results.table import table
from ivfbench.results.unfinished import add_point
from ivfbench.runner.environment import code_digest
from ivfbench.runner.experiment import parse_experiment
from ivfbench.runner.job import earlier_result
from ivfbench.runner.lessons import lessons
from ivfbench.runner.plan import plan, remaining
from ivfbench.runner.run import Outcome, run_job, run_jobs
from ivfbench.runner.threads import THREAD_VARIABLES


@pytest.fixture(scope="session")
def finished(tmp_path_factory, with_learn, without_learn, make_jobs, make_told):
    """All that `ALL` names, done once for all tests: {(dataset, algorithm): (job, run, display)}."""
    out, ended = tmp_path_factory.mktemp("out"), {}
    for path, pattern in ((with_learn, ()), (without_learn, ("IVF*",))):
        for job in make_jobs(path, out, pattern, single_queries=25):
            display = make_told()
            run = run_job(job, describe(path), display)
            name = next(name for name in ("Exact", "Centroid", "Learnt") if name in job.algorithm)
            ended[path.stem, name] = (job, run, display)
    return ended


ALL = [("with-learn", name) for name in ("Exact", "Centroid", "Learnt")]
ALL += [("without-learn", name) for name in ("Centroid", "Learnt")]


@pytest.fixture(params=ALL, ids=" ".join)
def one(request, finished):
    return finished[request.param]


@pytest.fixture
def exact(finished, with_learn, tmp_path):
    """A finished job on exact search, its result in a folder that tests may harm."""
    job, run, _ = finished["with-learn", "Exact"]
    job = dataclasses.replace(job, out=str(tmp_path / "out"))
    path = save_run(job.out, run)
    return job, path


def point_recall(run, point):
    return recall(point.ids, point.distances, run.truth_ids, run.truth_distances, run.k, run.metric)


class TestRun:
    def test_says_what_was_done(self, one):
        job, run, _ = one
        assert (run.status, run.message) == ("ok", "")
        for name in ("algorithm", "parameters", "k", "seed", "threads", "dataset_sha256"):
            assert getattr(run, name) == getattr(job, name), name
        assert (run.dataset, run.n, run.dimension, run.synthetic) == (job.dataset_name, 900, 16, False)
        assert run.metric == ("angular" if run.dataset == "with-learn" else "euclidean")
        assert run.train_bytes == 900 * 16 * 4
        assert run.index_bytes >= run.train_bytes
        assert run.peak_memory_bytes > 0
        assert (run.build_seconds > 0, run.compile_seconds > 0) == (True, True)

    def test_is_what_lies_in_the_folder(self, one):
        job, run, _ = one
        stored = load_run(earlier_result(job))
        assert stored.algorithm == run.algorithm
        for kept, told in zip(stored.points, run.points, strict=True):
            np.testing.assert_array_equal(kept.ids, told.ids)
            np.testing.assert_array_equal(kept.seconds, told.seconds)

    def test_every_point_in_both_modes(self, one):
        job, run, _ = one
        settings = [(point.mode, dict(point.query_parameters)) for point in run.points]
        assert settings == [(mode, dict(point)) for mode in ("single", "batch") for point in job.points]
        for point in run.points:
            queries = 25 if point.mode == "single" else 60
            assert (point.status, point.threads) == ("ok", 1)
            assert point.ids.shape == point.distances.shape == (queries, 10)
            assert point.seconds.shape == (5, queries if point.mode == "single" else 1)
            assert (point.seconds > 0).all()

    def test_both_modes_give_the_same_answers(self, one):
        _, run, _ = one
        half = len(run.points) // 2
        for single, batch in zip(run.points[:half], run.points[half:], strict=True):
            assert single.query_parameters == batch.query_parameters
            np.testing.assert_array_equal(single.ids, batch.ids[:25])
            np.testing.assert_array_equal(single.points_scanned, batch.points_scanned[:25])

    def test_the_work_is_counted(self, one):
        _, run, _ = one
        for point in run.points:
            probed = point.query_parameters.get("nprobe", 1)
            assert (point.lists_probed == probed).all()
            everything = probed == (12 if "IVF" in run.algorithm else 1)
            assert (point.points_scanned == 900).all() == everything

    def test_all_lists_are_exact_search(self, one):
        _, run, _ = one
        for point in run.points[len(run.points) // 2 - 1 :: len(run.points) // 2]:  # the last of each mode
            assert (point_recall(run, point) == 1.0).all()

    def test_fewer_lists_are_not(self, finished):
        for dataset in ("with-learn", "without-learn"):
            for name in ("Centroid", "Learnt"):
                _, run, _ = finished[dataset, name]
                assert 0.2 < point_recall(run, run.points[0]).mean() < 1.0

    def test_the_truth_is_that_of_the_file(self, one):
        job, run, _ = one
        dataset = load(job.dataset)
        np.testing.assert_array_equal(run.truth_ids, dataset.neighbors)
        np.testing.assert_array_equal(run.stored_truth_distances, dataset.distances)
        np.testing.assert_allclose(run.truth_distances, dataset.distances, rtol=1e-5, atol=1e-6)

    def test_the_fingerprint(self, one):
        _, run, _ = one
        assert run.environment["code"] == code_digest()
        assert run.environment["variables"].items() >= dict.fromkeys(THREAD_VARIABLES, "1").items()
        assert run.environment["packages"]["numpy"] == np.__version__

    def test_progress_is_told(self, one):
        job, _, display = one
        stages = [event[1:] for event in display.events if event[0] == "stage"]
        assert stages[0] == ("loading", 0, 1)
        count = len(job.points)
        for mode in ("single", "batch"):
            assert [stage for stage in stages if stage[0] == f"{mode} queries"][-1] == (f"{mode} queries", count, count)
        assert any(stage[0] == "learn" for stage in stages) == ("Learnt" in job.algorithm)


class TestTrainingQueries:
    @pytest.mark.parametrize(
        ("dataset", "source", "count"),
        [("with-learn", "learn", 300), ("without-learn", "train sample, self excluded", 900)],
    )
    def test_the_notes_say_where_they_came_from(self, finished, dataset, source, count):
        _, run, _ = finished[dataset, "Learnt"]
        assert (run.notes["training_source"], run.notes["training_queries"]) == (source, count)
        assert run.learn_seconds > 0
        assert run.router_bytes >= 12 * 16 * 4

    def test_a_codec_that_reads_queries_gets_them_whatever_the_router(self, with_learn, without_learn):
        codec = {"type": "ProductQuantiser"}
        for path, expected in ((with_learn, "learn"), (without_learn, None)):
            data = load(path)
            for router in ("Centroid", "Learnt"):
                algorithm = from_parameters({"type": "IVF", "router": {"type": router}, "codec": codec}, MEMBERS)
                given, seconds = lessons(data, algorithm, 0, 10)
                if router == "Centroid":
                    assert seconds == 0.0
                    assert (given and given.source) == expected
                else:
                    assert given.from_train == (expected is None)

    def test_as_many_neighbours_as_are_asked_for(self, without_learn):
        algorithm = from_parameters({"type": "IVF"}, MEMBERS)
        given, _ = lessons(load(without_learn), algorithm, 0, 25, calibrates=True)
        assert given.neighbors.shape[1] == 25

    def test_labelling_is_charged_where_the_file_has_no_labels(self, finished):
        assert finished["without-learn", "Learnt"][1].label_seconds > 0
        assert finished["without-learn", "Centroid"][1].label_seconds == 0

    @pytest.mark.parametrize("dataset", ["with-learn", "without-learn"])
    def test_no_test_query_is_among_them(self, finished, dataset):
        job, _, _ = finished[dataset, "Learnt"]
        data = load(job.dataset)
        taught, _ = lessons(data, job.build_algorithm(), job.seed, job.k)
        asked = {row.tobytes() for row in data.test}
        allowed = {row.tobytes() for row in (data.learn if data.has_learn else data.train)}
        handed = {row.tobytes() for row in taught.queries}
        assert len(asked) == 60
        assert not handed & asked
        assert handed <= allowed
        given = training_queries(data, seed=job.seed, exact=True)
        assert given.queries.tobytes() == taught.queries.tobytes()
        assert given.neighbors.tobytes() == taught.neighbors.tobytes()

    @pytest.mark.parametrize("name", ["Exact", "Centroid"])
    def test_who_does_not_learn_gets_none(self, finished, with_learn, name):
        job, run, _ = finished["with-learn", name]
        assert lessons(load(with_learn), job.build_algorithm(), 0, job.k) == (None, 0.0)
        assert "training_source" not in run.notes
        assert run.learn_seconds == 0


class TestFinishedWork:
    def test_is_recognised(self, one):
        job, _, _ = one
        assert remaining(job, code_digest()) is None

    @pytest.mark.parametrize(
        "change",
        [
            {"k": 9},
            {"seed": 1},
            {"threads": 2},
            {"dataset_sha256": "0" * 64},
            {"repetitions": 6},
            {"single_queries": 26},
            {"single_queries": None},
            {"points": ({"nprobe": 2}, {"nprobe": 3})},
            {"parameters": {"type": "IVF"}},
        ],
        ids=str,
    )
    def test_anything_else_is_not(self, finished, change):
        job, _, _ = finished["with-learn", "Centroid"]
        assert remaining(dataclasses.replace(job, **change), code_digest()) is not None

    def test_less_than_was_done_is(self, finished):
        job, _, _ = finished["with-learn", "Centroid"]
        for change in ({"repetitions": 4}, {"modes": ("batch",)}, {"points": ({"nprobe": 6},)}):
            assert remaining(dataclasses.replace(job, **change), code_digest()) is None, change

    def test_other_code_did_other_work(self, one):
        assert remaining(one[0], "other code") is not None

    def test_a_failed_point_is_not_finished(self, finished, tmp_path):
        job, run, _ = finished["with-learn", "Centroid"]
        failed = dataclasses.replace(run.points[0], status="failed", message="no")
        save_run(tmp_path, dataclasses.replace(run, points=(failed, *run.points[1:])))
        job = dataclasses.replace(job, out=str(tmp_path))
        assert remaining(job, code_digest()) is not None
        assert remaining(dataclasses.replace(job, modes=("batch",)), code_digest()) is None

    def test_points_of_another_sweep_are_kept(self, exact):
        _, path = exact
        before = load_run(path)
        begun = sweep_again(path, before, [point for point in before.points if point.mode == "single"])
        assert [point.mode for point in begun.points] == ["single", "batch"]
        assert begun.points[1].seconds.tobytes() == before.points[1].seconds.tobytes()
        assert begun.notes["builds"] == 2  # the points stem from two of them

    def test_a_failed_point_replaces_no_measured_one(self, exact):
        _, path = exact
        before = load_run(path)
        lost = dataclasses.replace(failed_point("single", 1, {}, before.k, "no"), status="killed")
        assert [point.status for point in sweep_again(path, before, [lost]).points] == ["ok", "ok"]

    def test_results_of_other_code_are_set_aside_and_never_lost(self, exact):
        job, path = exact
        contents, run = [], load_run(path)
        for name in ("", "1", "2"):
            contents.append(path.read_bytes())
            other = {**run.environment, "code": f"other code {name}"}
            run = sweep_again(path, dataclasses.replace(run, environment=other), run.points)
            assert path.with_name(f"{path.name}.old{name}").read_bytes() == contents[-1]
            assert load_run(path).environment["code"] == f"other code {name}"
            assert "builds" not in run.notes
        assert len(set(contents)) == 3
        assert sorted(item.read_bytes() for item in path.parent.glob("*.old*")) == sorted(contents)
        assert len(load_runs(job.out)) == 1


def sweep_again(path, run, points):
    """Measure these points again: what a worker does, and then the runner."""
    build = dataclasses.replace(run, points=())
    assert begin(path.parents[2], build) == path
    for place, point in enumerate(points):
        add_point(path, build, place, point)
    return fold(path)


class Killer:
    """A display that kills every child of this process when it hears of a stage."""

    def __init__(self, stage):
        self.awaited = stage

    def stage(self, stage, done, total, remark):
        if stage == self.awaited:
            for child in psutil.Process().children():
                child.kill()


class TestFailures:
    def test_a_killed_process_leaves_a_failed_run(self, finished, with_learn, tmp_path, told):
        job = dataclasses.replace(finished["with-learn", "Exact"][0], out=str(tmp_path))
        run = run_job(job, describe(with_learn), Killer("compiling"))
        assert (run.status, run.points) == ("killed", ())
        assert run.message.startswith("the process was killed by SIGKILL (Killed): ")
        (stored,) = load_runs(tmp_path)
        assert (stored.status, stored.message, stored.n) == ("killed", run.message, 900)
        assert psutil.Process().children() == []

        again = run_job(job, describe(with_learn), told)  # a failure stands in nobody's way
        assert again.status == "ok"
        assert [kept.status for kept in load_runs(tmp_path)] == ["ok"]
        assert list(tmp_path.rglob("*.old*")) == []

    def test_a_failure_never_replaces_a_measurement(self, exact, with_learn):
        job, path = exact
        before = path.read_bytes()
        run = run_job(job, describe(with_learn), Killer("compiling"))
        assert run.status == "killed"
        assert path.read_bytes() == before
        assert [item for item in path.parent.iterdir() if item != path] == []

    def test_but_one_of_other_code_is_set_aside(self, exact, with_learn):
        job, path = exact
        run = load_run(path)
        save_run(job.out, dataclasses.replace(run, environment={**run.environment, "code": "other code"}))
        before = path.read_bytes()
        assert run_job(job, describe(with_learn), Killer("compiling")).status == "killed"
        assert [stored.status for stored in load_runs(job.out)] == ["killed"]
        assert path.with_name(f"{path.name}.old").read_bytes() == before

    def test_nor_does_the_failure_of_a_point(self, exact, with_learn):
        job, path = exact
        before = load_run(path)
        run = run_job(job, describe(with_learn), Killer("single queries"))
        assert [(point.mode, point.status) for point in run.points] == [("batch", "ok"), ("single", "killed")]
        after = {point.mode: point for point in load_run(path).points}
        assert after["single"].seconds.tobytes() == before.points[0].seconds.tobytes()
        assert after["batch"].seconds.tobytes() != before.points[1].seconds.tobytes()

    def test_a_changed_file_fails_its_job_and_no_other(self, with_learn, without_learn, tmp_path, make_jobs, told):
        copy = tmp_path / "copy.hdf5"
        shutil.copy(with_learn, copy)
        jobs = [make_jobs(path, tmp_path / "out", ("exact",))[0] for path in (copy, without_learn)]
        descriptions = {str(path): describe(path) for path in (copy, without_learn)}
        shutil.copy(without_learn, copy)
        outcome, (changed, other) = run_jobs(jobs, descriptions, told)
        assert outcome == Outcome(done=1, kept=0, failed=1)
        assert changed.message == f"ValueError: {copy}: the file changed while the run was going on"
        assert (changed.status, other.status) == ("failed", "ok")
        assert {run.dataset: run.status for run in load_runs(tmp_path / "out")} == {
            "copy": "failed",
            "without-learn": "ok",
        }
        assert [event for event in told.events if event[0] != "stage"] == [
            ("plan", 2, 0),
            ("begin", "Exact()", "Exact()"),
            ("end", "Exact()", "failed"),
            ("begin", "Exact()", None),
            ("end", "Exact()", "ok"),
        ]

    def test_what_cannot_be_asked_is_skipped_and_fails_nothing(self, make_dataset, tmp_path, told):
        path = make_dataset("manhattan")
        ours = "{type: IVF, codec: {type: Int8}}"
        experiment = parse_experiment(f"algorithms: [{{type: Hnswlib}}, {{type: LoRANN}}, {ours}]", "peers.yml")
        jobs = plan(experiment, [(str(path), describe(path))], out=str(tmp_path / "out"), threads=1)
        outcome, runs = run_jobs(jobs, {str(path): describe(path)}, told)
        assert outcome == Outcome(done=0, kept=0, failed=0, skipped=3)
        assert [event for event in told.events if event[0] == "stage"] == []  # no process was started
        frame = builds(load_runs(tmp_path / "out"))
        assert frame["status"].tolist() == ["skipped"] * 3
        why = {run.parameters["type"]: run.message for run in runs}
        for name, package in (("Hnswlib", "hnswlib"), ("LoRANN", "lorann")):
            assert why[name].startswith(("metric: found manhattan", f"{package} is not installed"))
        assert why["IVF"].startswith("Int8(): found metric 'manhattan', expected one of ")
        assert "Rows without measures because they were skipped: 3." in caption(table(runs))

    def test_an_impossible_type(self, finished, with_learn, tmp_path, told):
        job = dataclasses.replace(finished["with-learn", "Exact"][0], out=str(tmp_path), parameters={"type": "Exakt"})
        run = run_job(job, describe(with_learn), told)
        assert run.status == "failed"
        assert run.message.startswith("ValueError: type: found 'Exakt', expected one of ")
        assert load_runs(tmp_path)[0].message == run.message

    def test_a_process_that_cannot_begin(self, finished, with_learn, tmp_path, told, monkeypatch):
        job = dataclasses.replace(finished["with-learn", "Exact"][0], out=str(tmp_path))
        monkeypatch.setenv("PYTHONHOME", str(tmp_path / "nowhere"))
        run = run_job(job, describe(with_learn), told)
        assert run.status == "failed"
        assert run.message.startswith("the process ")
        assert "nothing printed" not in run.message
        assert "\n" not in run.message
