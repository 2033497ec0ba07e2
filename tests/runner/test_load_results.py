"""Results of other suites: files written by hand as those suites write them, joined with their dataset."""

import logging
import math
import shutil
from dataclasses import replace

import h5py
import numpy as np
import pytest
from ivfbench.datasets.load import load
from ivfbench.results.check import check_run
from ivfbench.results.errors import ResultError
from ivfbench.results.exchange.ann_benchmarks import write_ann_benchmarks
from ivfbench.results.store import save_run
from ivfbench.results.table import table
from ivfbench.runner.errors import RunError
from ivfbench.runner.exchange.load_results import load_results

QUERIES = 60


@pytest.fixture
def data(without_learn):
    return load(without_learn)


@pytest.fixture
def suite(tmp_path, without_learn):
    """A folder of another suite: an empty results/, and the dataset in data/ beside it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "results").mkdir()
    shutil.copy(without_learn, tmp_path / "data" / "small.hdf5")
    return tmp_path / "results"


def answers(data, found, k=10):
    """The first `found` true neighbours of each query, and far points for the rest, with float32 distances."""
    ids = np.array(data.neighbors[:, :k], np.int32)
    ids[:, found:] = -1
    distances = np.array(data.distances[:, :k], np.float32)
    distances[:, found:] = np.inf
    return ids, distances


def write_point(group, data, found=10, *, best=1e-4, left_out=(), **attributes):
    """Write what ann-benchmarks and VIBE write for a sweep point; the last run was slower than the best one."""
    ids, distances = answers(data, found)
    times = best * np.random.default_rng(found).uniform(0.5, 2.5, QUERIES)
    told = {"best_search_time": best, "name": f"annoy(found={found})", "run_count": 5, "distance": "euclidean"}
    told |= {"count": 10, "build_time": 2.5, "index_size": 64.0, "algo": "annoy", "dataset": "small"}
    told |= {"batch_mode": False, "candidates": 10.0, "expect_extra": False, **attributes}
    group.attrs.update({name: value for name, value in told.items() if name not in left_out})
    for name, array in (("times", times.astype("f")), ("neighbors", ids), ("distances", distances)):
        if name not in left_out:
            group.create_dataset(name, data=array)


def write_file(suite, data, found=10, *, folder="annoy", file=None, **more):
    path = suite / "small" / "10" / folder / f"{file or found}.hdf5"
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as held:
        write_point(held, data, found, **more)
    return path


def warnings(caplog):
    return [record.message for record in caplog.records if record.levelno >= logging.WARNING]


class TestAnnBenchmarks:
    def test_points_become_rows(self, suite, data, caplog):
        for found in (3, 8, 10):
            write_file(suite, data, found, best=1e-5 * found)
        write_file(suite, data, 9, folder="annoy-batch", batch_mode=True)
        loaded = load_results(suite)
        assert not loaded.ours
        assert warnings(caplog) == []
        (run,) = loaded.runs
        check_run(run)
        assert (run.dataset, run.metric, run.n, run.k, run.algorithm) == ("small", "euclidean", 900, 10, "annoy")
        assert (run.build_seconds, run.index_bytes, run.dataset_sha256) == (2.5, 65536, data.sha256)
        frame = table(loaded.runs).set_index("query_parameters")
        for found in (3, 8, 10):
            row = frame.loc[f'{{"name":"annoy(found={found})"}}']
            assert row["recall"] == pytest.approx(found / 10)
            assert row["recall_ann_benchmarks"] == found / 10
            assert row["qps"] == pytest.approx(1e5 / found, rel=1e-12)
            assert (row["mode"], row["threads"], row["status"]) == ("single", 1, "ok")
            assert math.isnan(row["points_scanned"])
        batch = frame.loc['{"name":"annoy(found=9)"}']
        assert (batch["mode"], batch["threads"]) == ("batch", 0)
        assert batch["qps"] == pytest.approx(1e4, rel=1e-12)
        assert math.isnan(batch["latency_p50_ms"])

    def test_times_keep_their_shape(self, suite, data):
        path = write_file(suite, data)
        with h5py.File(path, "r") as file:
            times = file["times"][()].astype(float)
        seconds = load_results(suite).runs[0].points[0].seconds
        assert seconds.shape == (1, QUERIES)
        np.testing.assert_allclose(seconds[0], times * (1e-4 / times.mean()), rtol=1e-12)

    def test_points_of_one_build_are_one_run(self, suite, data):
        for found, seconds in ((3, 2.5), (4, 2.5), (5, 7.25)):
            write_file(suite, data, found, build_time=seconds)
        runs = load_results(suite).runs
        assert sorted((run.build_seconds, len(run.points)) for run in runs) == [(2.5, 2), (7.25, 1)]

    def test_points_that_share_a_name_stay_apart(self, suite, data):
        for found in (3, 4):
            write_file(suite, data, found, name="scann", file=f"leaves_{found}")
        frame = table(load_results(suite).runs)
        assert sorted(frame["query_parameters"]) == [
            '{"file":"leaves_3","name":"scann"}',
            '{"file":"leaves_4","name":"scann"}',
        ]

    def test_what_is_missing_is_taken_from_the_path(self, suite, data, caplog):
        left_out = ("name", "algo", "dataset", "count", "batch_mode", "build_time", "index_size", "distance")
        write_file(suite, data, 7, folder="faiss-ivf-batch", file="nprobe_7", left_out=left_out)
        (run,) = load_results(suite).runs
        assert warnings(caplog) == []
        assert (run.dataset, run.algorithm, run.k) == ("small", "faiss-ivf", 10)
        assert math.isnan(run.build_seconds)
        assert run.index_bytes == 0
        assert (run.points[0].mode, run.points[0].query_parameters) == ("batch", {"name": "nprobe_7"})

    @pytest.mark.parametrize(("left_out", "rate"), [(("best_search_time",), None), (("distances",), 1e4)])
    def test_other_things_may_be_missing(self, suite, data, left_out, rate):
        path = write_file(suite, data, 7, left_out=left_out)
        with h5py.File(path, "r") as file:
            rate = rate or 1 / file["times"][()].astype(float).mean()
        (row,) = table(load_results(suite).runs).to_dict("records")
        assert row["recall_ann_benchmarks"] == 0.7
        assert row["qps"] == pytest.approx(rate)

    def test_a_part_of_the_folder_is_enough(self, suite, data):
        write_file(suite, data)
        assert len(load_results(suite / "small" / "10" / "annoy").runs) == 1
        assert len(load_results(suite.parent).runs) == 1  # with data/ inside, which holds no results


class TestSkipped:
    """One bad file costs one line, never the others."""

    @pytest.fixture
    def said(self, suite, data, caplog):
        def load_beside_a_good_one():
            write_file(suite, data, 10, file="good")
            (run,) = load_results(suite).runs
            assert [point.query_parameters["name"] for point in run.points] == ["annoy(found=10)"]
            (line,) = warnings(caplog)
            assert "\n" not in line
            return line

        return load_beside_a_good_one

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
    def test_truncated(self, suite, data, said, share):
        path = write_file(suite, data, 4)
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        assert said().startswith(f"skipped {path}: found an unreadable file")

    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ({"distance": "angular"}, "found distance 'angular', expected 'euclidean' as in the dataset"),
            ({"distance": "hamming"}, "metric 'hamming' is not supported"),
            ({"best_search_time": -1.0}, "best_search_time: found times below 0 or not finite"),
            ({"best_search_time": math.inf}, "best_search_time: found times below 0 or not finite"),
            ({"best_search_time": 0.0}, "times: found nothing but 0"),
            ({"left_out": ("times",), "type": "range"}, "found a search of type 'range'"),
            ({"ivfbench": "Exact()", "seed": 0, "query_parameters": "[1]"}, "query_parameters: found '[1]'"),
            ({"ivfbench": "Exact()", "seed": 0, "query_parameters": '{"a":NaN}'}, "expected a JSON object"),
            ({"ivfbench": "Exact()", "seed": 0, "query_parameters": "{"}, "found an unreadable file"),
            ({"ivfbench": "Exact()"}, "found an unreadable file"),
            ({"left_out": ("neighbors",)}, "found no answers with their times"),
        ],
    )
    def test_told_wrongly(self, suite, data, said, more, expected):
        path = write_file(suite, data, 4, **more)
        line = said()
        assert line.startswith(f"skipped {path}: ")
        assert expected in line

    @pytest.mark.parametrize(
        ("name", "array", "expected"),
        [
            ("neighbors", np.full((QUERIES, 10), 900, np.int32), "found ids from 900 to 900, expected -1 to 899"),
            ("neighbors", np.full((QUERIES, 10), -2, np.int32), "found ids from -2 to -2, expected -1 to 899"),
            ("neighbors", np.zeros((QUERIES, 10)), "neighbors: found float64 of 2 dimensions, expected integers"),
            ("neighbors", np.zeros(QUERIES, np.int32), "neighbors: found int32 of 1 dimensions"),
            ("neighbors", np.zeros((0, 10), np.int32), "neighbors: found the shape (0, 10)"),
            ("distances", np.zeros((QUERIES, 9), "f"), "distances: found the shape (60, 9), expected (60, 10)"),
            ("times", np.zeros(7, "f"), "times: found the shape (7,), expected (60,)"),
            ("times", np.full(QUERIES, np.nan, "f"), "times: found times below 0 or not finite"),
        ],
    )
    def test_wrong_arrays(self, suite, data, said, name, array, expected):
        path = write_file(suite, data, 4)
        with h5py.File(path, "r+") as file:
            del file[name]
            file[name] = array
        assert expected in said()

    def test_too_many_answers_for_the_dataset(self, suite, data, said):
        path = write_file(suite, data, 4)
        with h5py.File(path, "r+") as file:
            for name, shape in (("neighbors", (QUERIES, 21)), ("distances", (QUERIES, 21))):
                del file[name]
                file[name] = np.zeros(shape, "f" if name == "distances" else "i")
        assert "60 queries with 21 neighbours, expected at most 60 queries and 20 neighbours" in said()

    def test_links_to_other_files_are_not_followed(self, suite, data, said, tmp_path):
        path = write_file(suite, data, 4)
        path.rename(tmp_path / "elsewhere.h5")
        with h5py.File(path, "w") as file:
            file.attrs["best_search_time"] = 1e-4
            file["neighbors"] = h5py.ExternalLink(tmp_path / "elsewhere.h5", "neighbors")
            file["group"] = h5py.ExternalLink(tmp_path / "elsewhere.h5", "/")
        assert "neighbors: found a link or a group" in said()

    def test_not_hdf5(self, suite, data, said):
        (suite / "notes.hdf5").write_text("text")
        assert "notes.hdf5: found an unreadable file" in said()


class TestHonest:
    def test_claimed_distances_do_not_count(self, suite, data, caplog):
        path = write_file(suite, data)
        with h5py.File(path, "r+") as file:
            file["neighbors"][...] = np.random.default_rng(0).integers(0, 900, (QUERIES, 10))
            file["distances"][...] = 0.0
        (row,) = table(load_results(suite).runs).to_dict("records")
        assert row["recall"] < 0.1
        assert row["recall_ann_benchmarks"] < 0.1
        (line,) = warnings(caplog)
        assert line == f"{path}: 600 of 600 stored distances are not those of their ids: those of the ids count"

    def test_repeated_answers_count_once(self, suite, data):
        path = write_file(suite, data)
        with h5py.File(path, "r+") as file:
            file["neighbors"][...] = data.neighbors[:, :1]
            file["distances"][...] = data.distances[:, :1]
        (row,) = table(load_results(suite).runs).to_dict("records")
        assert row["recall"] == pytest.approx(0.1)
        assert row["recall_ann_benchmarks"] == 1.0

    def test_their_folder_is_only_read(self, suite, data):
        write_file(suite, data)
        before = {path: path.stat().st_mtime_ns for path in suite.parent.rglob("*")}
        load_results(suite)
        assert {path: path.stat().st_mtime_ns for path in suite.parent.rglob("*")} == before

    def test_a_prefix_of_the_queries(self, suite, data):
        path = write_file(suite, data)
        with h5py.File(path, "r+") as file:
            for name in ("times", "neighbors", "distances"):
                kept = file[name][:20]
                del file[name]
                file[name] = kept
        (row,) = table(load_results(suite).runs).to_dict("records")
        assert (row["recall"], round(row["qps"])) == (1.0, 10_000)


class TestOtherSuites:
    def test_vibe_holds_a_group_for_each_point(self, suite, make_dataset, caplog):
        shutil.copy(make_dataset("angular"), suite.parent / "data" / "small-16-cosine.hdf5")
        data = load(suite.parent / "data" / "small-16-cosine.hdf5")
        path = suite / "small-16-cosine" / "10" / "lorann" / "1024.hdf5"
        path.parent.mkdir(parents=True)
        with h5py.File(path, "w") as file:
            for found in (4, 9):
                more = {"distance": "cosine", "gpu_mode": found == 9, "dataset": "small-16-cosine", "algo": "lorann"}
                write_point(file.create_group(f"probe_{found}"), data, found, left_out=("batch_mode",), **more)
                file[f"probe_{found}"]["recalls"] = np.zeros(QUERIES)  # as its export adds
        (run,) = load_results(suite).runs
        assert warnings(caplog) == []
        assert (run.metric, run.algorithm, run.notes) == ("angular", "lorann", {"suite": "VIBE"})
        frame = table([run])
        assert dict(zip(frame["mode"], frame["recall"], strict=True)) == pytest.approx({"single": 0.4, "batch": 0.9})

    def test_big_ann_holds_ids_and_the_times_of_whole_batches(self, suite, data, caplog):
        folder = suite / "neurips23" / "ood"
        times = [0.5, 0.25, 0.75]
        more = {"search_times": times, "type": "knn", "best_search_time": 0.25}
        left_out = ("times", "distances", "batch_mode", "build_time")
        write_file(folder, data, 6, left_out=left_out, **more)
        (run,) = load_results(suite).runs
        assert warnings(caplog) == []
        assert run.notes == {"suite": "big-ann-benchmarks"}
        assert run.points[0].seconds.tolist() == [[time] for time in times]
        (row,) = table([run]).to_dict("records")
        assert (row["mode"], row["qps_high"], row["qps"]) == ("batch", QUERIES / 0.25, QUERIES / 0.5)
        assert row["recall"] == pytest.approx(0.6)

    def test_big_ann_without_every_time(self, suite, data):
        write_file(suite, data, 6, left_out=("times", "distances", "batch_mode"), best=0.25)
        (row,) = table(load_results(suite).runs).to_dict("records")
        assert row["qps"] == QUERIES / 0.25


class TestDataset:
    def test_it_may_lie_anywhere(self, suite, data, without_learn, tmp_path, monkeypatch):
        write_file(suite, data)
        (tmp_path / "data" / "small.hdf5").unlink()
        monkeypatch.setenv("IVFBENCH_DATA", str(tmp_path / "cache"))
        with pytest.raises(RunError, match=r"^dataset 'small': found neither beside the results nor in the cache"):
            load_results(suite)
        with pytest.raises(RunError):
            load_results(suite, [str(without_learn)])  # it has another name
        (tmp_path / "cache").mkdir()
        shutil.copy(without_learn, tmp_path / "Small.hdf5")
        with pytest.raises(RunError):
            load_results(suite, [str(tmp_path / "Small.hdf5")])
        shutil.copy(without_learn, tmp_path / "small.h5")
        assert len(load_results(suite, ["drift", str(tmp_path / "small.h5")]).runs) == 1

    def test_results_without_theirs_cost_one_line_not_the_others(self, suite, data, tmp_path, monkeypatch, caplog):
        monkeypatch.setenv("IVFBENCH_DATA", str(tmp_path / "cache"))
        write_file(suite, data)
        for found in (3, 4):
            write_file(suite, data, found, dataset="sift-128-euclidean")
        assert len(load_results(suite).runs) == 1
        (line,) = warnings(caplog)
        assert "dataset 'sift-128-euclidean'" in line
        assert "ivfbench datasets get sift-128-euclidean" in line

    def test_nothing_usable_is_one_line(self, suite, data):
        path = write_file(suite, data, distance="angular")
        with pytest.raises(RunError, match=r"found no usable result"):
            load_results(suite)
        assert path.is_file()

    def test_no_folder(self, tmp_path):
        with pytest.raises(ResultError, match="no such folder"):
            load_results(tmp_path / "none")


class TestOurs:
    def test_a_folder_with_a_run_of_ours_is_ours(self, suite, data, sample_runs):
        write_file(suite, data)
        save_run(suite, sample_runs()[0])
        loaded = load_results(suite)
        assert loaded.ours
        assert [run.dataset for run in loaded.runs] == ["sample-64-euclidean"]

    def test_an_empty_folder_is_ours(self, tmp_path):
        assert (load_results(tmp_path).ours, load_results(tmp_path).runs) == (True, [])

    def test_what_was_exported_comes_back(self, suite, data, sample_runs):
        rng = np.random.default_rng(8)
        (run,) = sample_runs(routers=(("Centroid()", 1.0),))
        points = []
        for place, point in enumerate(run.points):
            ids, distances = answers(data, 1 + place % 10)
            seconds = rng.uniform(1e-5, 1e-4, (5, QUERIES))
            seconds = seconds if point.mode == "single" else seconds.sum(axis=1, keepdims=True)
            zeros = np.zeros(QUERIES, np.int64)
            held = {"ids": ids, "distances": distances.astype(float), "seconds": seconds}
            points.append(replace(point, **held, lists_probed=zeros, points_scanned=zeros))
        truth = {"truth_ids": data.neighbors, "stored_truth_distances": data.distances}
        whole = {"truth_distances": data.distances.astype(float), "n": 900, "dimension": 16, "seed": 3}
        run = replace(run, dataset="small", points=tuple(points), **truth, **whole)
        write_ann_benchmarks(suite.parent, [run])
        (back,) = load_results(suite).runs
        ours, theirs = table([run]), table([back])
        for name in ("algorithm", "query_parameters", "mode", "threads", "seed", "k", "recall_ann_benchmarks"):
            assert theirs[name].tolist() == ours[name].tolist(), name
        np.testing.assert_allclose(theirs["qps"], ours["qps_high"], rtol=1e-12)  # of the best repetition
