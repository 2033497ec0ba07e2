"""What we write for other suites: every array, attribute, type and path, and their metrics computed by plain loops."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from ivfbench.datasets.distance import distances_to
from ivfbench.datasets.metric import METRICS
from ivfbench.datasets.truth import exact_neighbors
from ivfbench.results.errors import ResultError
from ivfbench.results.exchange.ann_benchmarks import curve_name, write_ann_benchmarks
from ivfbench.results.exchange.ann_benchmarks_csv import ann_benchmarks_table, write_ann_benchmarks_csv
from ivfbench.results.exchange.cuvs import write_cuvs
from ivfbench.results.recall import recall_ann_benchmarks
from ivfbench.results.run import failed_point
from ivfbench.results.table import table

ATTRIBUTES = {
    "algo": str,
    "name": str,
    "dataset": str,
    "distance": str,
    "count": np.int64,
    "run_count": np.int64,
    "batch_mode": np.bool_,
    "best_search_time": np.float64,
    "candidates": np.float64,
    "build_time": np.float64,
    "index_size": np.float64,
    "expect_extra": np.bool_,
}
THEIR_COLUMNS = (
    "algorithm,parameters,count,k-nn,epsilon,largeepsilon,rel,qps,p50,p95,p99,p999,distcomps,build,candidates,"
    "indexsize,queriessize,dataset"
)


def opened(path):
    with h5py.File(path, "r") as file:
        return dict(file.attrs), {name: file[name][()] for name in file}


def only(run, *points):
    return replace(run, points=points)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestFiles:
    def test_each_has_their_arrays_attributes_and_types(self, sample_runs, tmp_path):
        runs = sample_runs()
        paths = write_ann_benchmarks(tmp_path, runs)
        points = [(run, point) for run in runs for point in run.points]
        assert len(set(paths)) == len(paths) == len(points)
        for path, (run, point) in zip(paths, points, strict=True):
            told, arrays = opened(path)
            assert {name: array.dtype for name, array in arrays.items()} == {
                "times": np.float32,
                "neighbors": np.int32,
                "distances": np.float32,
            }
            assert arrays["times"].shape == (40,)
            assert arrays["neighbors"].shape == arrays["distances"].shape == (40, 10)
            for name, kind in ATTRIBUTES.items():
                assert isinstance(told[name], kind), name
            passes = point.seconds.sum(axis=1)
            assert told["best_search_time"] == passes.min() / 40
            assert told["batch_mode"] == (point.mode == "batch")
            assert (told["count"], told["run_count"]) == (10, 5)
            assert told["candidates"] == (point.ids >= 0).sum() / 40
            assert told["build_time"] == run.build_seconds + run.learn_seconds + run.label_seconds
            assert told["index_size"] == run.index_bytes / 1024
            assert told["dist_comps"] == 5 * point.points_scanned.sum()
            expected = point.seconds[passes.argmin()] if point.mode == "single" else np.full(40, passes.min() / 40)
            np.testing.assert_array_equal(arrays["times"], expected.astype(np.float32))

    def test_paths_are_theirs(self, sample_runs, tmp_path):
        for path in write_ann_benchmarks(tmp_path, sample_runs(dataset="my_set 64/euclidean")):
            told, _ = opened(path)
            results, dataset, count, folder, file = path.relative_to(tmp_path).parts
            assert (results, dataset, count) == ("results", "my-set-64-euclidean", "10")
            assert told["dataset"] == dataset
            assert folder == told["algo"] + ("-batch" if told["batch_mode"] else "")
            assert re.fullmatch(r"\w+\.hdf5", file)
            assert not file.startswith("_")

    def test_names_survive_their_pages(self, sample_runs, tmp_path):
        run = sample_runs(routers=(("Centroid(scoring='normalised')", 1.0),))[0]
        odd = replace(run.points[0], query_parameters={"a": '<"x"&\\>', "nprobe": 1})
        (path,) = write_ann_benchmarks(tmp_path, [only(run, odd)])
        told, _ = opened(path)
        assert not set("\"'<>&\\\n") & set(told["name"])
        assert "nprobe=1" in told["name"]
        assert "seed=7" in told["name"]
        assert "_" not in told["algo"] + told["dataset"] + told["distance"]
        assert told["algo"] == "ivfbench-IVF-centroid-normalised"
        assert json.loads(told["query_parameters"]) == odd.query_parameters

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("Hnswlib(M=16)", "ivfbench-Hnswlib"),
            ("Exact()", "ivfbench-Exact"),
            ("IVF(KMeans(lists=9), Learnt(epochs=2), Int8())", "ivfbench-IVF-learnt-epochs-2-int8"),
            ("IVF(KMeans(lists=7), Learnt(epochs=2), Int8())", "ivfbench-IVF-learnt-epochs-2-int8"),
        ],
    )
    def test_builds_of_one_kind_are_one_curve(self, text, name):
        assert curve_name(text) == name

    def test_answers_are_packed_to_the_left(self, sample_runs, tmp_path):
        run = sample_runs(modes=("single",))[0]
        ids, distances = run.points[0].ids.copy(), run.points[0].distances.copy()
        ids[0], distances[0] = [7, -1, 5, -1, -1, 3, -1, -1, -1, -1], np.arange(10)
        (path,) = write_ann_benchmarks(tmp_path, [only(run, replace(run.points[0], ids=ids, distances=distances))])
        _, arrays = opened(path)
        assert arrays["neighbors"][0].tolist() == [7, 5, 3] + [-1] * 7
        assert arrays["distances"][0].tolist() == [0, 2, 5] + [np.inf] * 7

    def test_settings_that_their_slugs_confuse_keep_files_of_their_own(self, sample_runs, tmp_path):
        run = sample_runs(modes=("single",))[0]
        settings = [[0.5], [0, 5], [-1], [1], "1", "x" * 5000, "x" * 5001]
        points = [replace(run.points[0], query_parameters={"a": setting}) for setting in settings]
        points.append(replace(points[0], mode="batch", seconds=points[0].seconds.sum(axis=1, keepdims=True)))
        points.append(replace(points[-1], threads=2))
        runs = [only(run, *points), only(replace(run, seed=8), *points), only(replace(run, threads=9), *points)]
        paths = write_ann_benchmarks(tmp_path, runs)
        assert len({path for path in paths if path.is_file()}) == 3 * len(points)
        assert max(len(path.name.encode()) for path in paths) < 200

    def test_untold_work_is_left_out(self, sample_runs, tmp_path):
        run = sample_runs(modes=("single",))[0]
        nothing = np.zeros(40, np.int64)
        (path,) = write_ann_benchmarks(tmp_path, [only(run, replace(run.points[0], points_scanned=nothing))])
        assert "dist_comps" not in opened(path)[0]

    def test_failed_points_are_left_out(self, sample_runs, tmp_path):
        run = sample_runs(modes=("single",))[0]
        failed = failed_point("single", 1, {"nprobe": 99}, 10, "no")
        assert len(write_ann_benchmarks(tmp_path, [only(run, failed, run.points[0])])) == 1
        for write in (write_ann_benchmarks, write_cuvs, write_ann_benchmarks_csv):
            with pytest.raises(ResultError, match="no measured sweep point"):
                write(tmp_path / "none", [only(run, failed)])
        assert not (tmp_path / "none").exists()


class TestWhatIsThere:
    def test_ours_is_replaced_by_the_same_bytes(self, sample_runs, tmp_path):
        write_ann_benchmarks(tmp_path, sample_runs())
        before = contents(tmp_path)
        for path in before:
            with h5py.File(tmp_path / path, "r+") as file:
                file.create_group("metrics")  # as their plot.py does
        write_ann_benchmarks(tmp_path, sample_runs())
        assert contents(tmp_path) == before

    @pytest.mark.parametrize("foreign", ["hdf5", "text"])
    def test_theirs_is_refused_and_nothing_is_written(self, sample_runs, tmp_path, foreign):
        paths = write_ann_benchmarks(tmp_path / "a", sample_runs())
        theirs = tmp_path / "b" / paths[-1].relative_to(tmp_path / "a")
        theirs.parent.mkdir(parents=True)
        if foreign == "hdf5":
            with h5py.File(theirs, "w") as file:
                file.attrs["algo"] = "annoy"
        else:
            theirs.write_text("text")
        before = contents(tmp_path / "b")
        with pytest.raises(ResultError, match=r"that ivfbench did not write, expected none") as caught:
            write_ann_benchmarks(tmp_path / "b", sample_runs())
        assert str(theirs) in str(caught.value)
        assert contents(tmp_path / "b") == before

    @pytest.mark.parametrize("write", [write_cuvs, lambda path, runs: [write_ann_benchmarks_csv(path / "t.csv", runs)]])
    def test_other_texts_are_refused_and_equal_ones_are_not(self, sample_runs, tmp_path, write):
        paths = write(tmp_path, sample_runs())
        before = contents(tmp_path)
        assert write(tmp_path, sample_runs()) == paths
        assert contents(tmp_path) == before
        paths[-1].write_text("somebody's")
        before = contents(tmp_path)
        with pytest.raises(ResultError, match="found a file of other contents"):
            write(tmp_path, sample_runs())
        assert contents(tmp_path) == before

    def test_a_file_where_a_folder_belongs(self, sample_runs, tmp_path):
        (tmp_path / "results").write_text("text")
        with pytest.raises(ResultError, match="cannot be written"):
            write_ann_benchmarks(tmp_path, sample_runs())


def real_run(sample_runs, metric, rng):
    """Answers on real vectors with many ties: rows short, padded, out of order, repeated, near and far."""
    train = np.repeat(np.round(rng.standard_normal((60, 4)), 1), 2, axis=0).astype(np.float32)
    test = np.round(rng.standard_normal((40, 4)), 1).astype(np.float32)
    if metric == "normalized":
        train, test = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (train, test))
    truth_ids, stored = exact_neighbors(train, test, 20, metric)
    ids = np.where(rng.random((40, 10)) < 0.7, truth_ids[:, :10], rng.integers(-1, 120, (40, 10))).astype(np.int32)
    ids[:5], ids[5, 3:] = -1, -1
    run = sample_runs(modes=("single",))[0]
    point = replace(run.points[0], ids=ids, distances=distances_to(train, test, ids, metric))
    truth = distances_to(train, test, truth_ids, metric)
    told = {"truth_ids": truth_ids, "truth_distances": truth, "stored_truth_distances": stored}
    return replace(run, metric=metric, dataset=f"small-4-{metric}", points=(point,), **told)


def their_recall(distances, truth, k, limit):
    """Plain loops over what their files hold; the mean is divided last."""
    hits = []
    for row, true in zip(distances, truth, strict=False):
        bound = limit(float(true[k - 1]))
        hits.append(float(sum(1 for distance in row[:k] if float(distance) <= bound)))
    return sum(hits) / len(hits) / float(k)


@pytest.mark.parametrize("metric", METRICS)
class TestTheirMetrics:
    def test_recall_is_theirs_to_the_last_digit(self, sample_runs, tmp_path, metric):
        run = real_run(sample_runs, metric, np.random.default_rng(3))
        (path,) = write_ann_benchmarks(tmp_path, [run])
        _, arrays = opened(path)
        theirs = their_recall(arrays["distances"], run.stored_truth_distances, 10, lambda d: d + 1e-3)
        (row,) = table([run]).to_dict("records")
        assert 0.3 < theirs < 0.95
        assert row["recall_ann_benchmarks"] == theirs
        each = recall_ann_benchmarks(run.points[0].distances, run.stored_truth_distances, 10)
        assert each[:5].tolist() == [0.0] * 5  # rows without any answer
        assert 0 < each[5] <= 0.3  # a short row

    def test_the_table_is_theirs(self, sample_runs, tmp_path, metric):
        run = real_run(sample_runs, metric, np.random.default_rng(4))
        (path,) = write_ann_benchmarks(tmp_path, [run])
        told, arrays = opened(path)
        (row,) = ann_benchmarks_table([run]).to_dict("records")
        assert ",".join(row) == THEIR_COLUMNS
        truth, distances = run.stored_truth_distances, arrays["distances"]
        assert row["k-nn"] == their_recall(distances, truth, 10, lambda d: d + 1e-3)
        assert row["epsilon"] == their_recall(distances, truth, 10, lambda d: d * (1 + 0.01))
        assert row["largeepsilon"] == their_recall(distances, truth, 10, lambda d: d * (1 + 0.1))
        assert row["rel"] == np.inf  # short rows: theirs divides infinities
        assert row["qps"] == 1 / told["best_search_time"]
        for name, percent in (("p50", 50), ("p95", 95), ("p99", 99), ("p999", 99.9)):
            assert row[name] == float(np.percentile(arrays["times"], percent)) * 1000.0
        assert row["distcomps"] == told["dist_comps"] / (5 * 40)
        same = {"build": "build_time", "candidates": "candidates", "indexsize": "index_size", "dataset": "dataset"}
        for name, attribute in {**same, "algorithm": "algo", "parameters": "name", "count": "count"}.items():
            assert row[name] == told[attribute]
        assert row["queriessize"] == told["index_size"] / row["qps"]


def test_recall_rounds_as_their_files_do():
    # A distance beyond the bound that float32 rounds back to it: what their file holds decides, hence it counts.
    for stored in np.linspace(0.1, 0.9, 50).astype(np.float32):
        bound = np.float64(stored) + 1e-3
        held = np.float32(bound)
        distance = np.nextafter(bound, 1)
        if held <= bound and np.float32(distance) == held:
            break
    assert distance > bound
    assert recall_ann_benchmarks(np.array([[distance]]), np.array([[stored]]), 1).tolist() == [1.0]


def test_the_csv_tells_batches_apart(sample_runs, tmp_path):
    runs = sample_runs()
    path = write_ann_benchmarks_csv(tmp_path / "made" / "all.csv", runs)
    lines = list(csv.reader(path.read_text().splitlines()))
    assert ",".join(lines[0]) == THEIR_COLUMNS
    assert len(lines) - 1 == sum(len(run.points) for run in runs)
    assert {line[0] for line in lines[1:] if line[0].endswith("-batch")} == {
        "ivfbench-IVF-centroid-normalised-batch",
        "ivfbench-IVF-learnt-epochs-50-batch",
    }


def test_rel_is_theirs_when_nothing_is_missing(sample_runs):
    run = sample_runs(modes=("single",))[0]
    exact = only(run, run.points[-1])
    (row,) = ann_benchmarks_table([exact]).to_dict("records")
    assert row["k-nn"] == 1.0
    assert row["rel"] == pytest.approx(exact.points[0].distances.sum() / run.truth_distances.sum(), rel=1e-6)
    assert 0 < row["rel"] < 0.6  # 10 of the 20 stored neighbours, and the nearer ones


def split(path):
    """Lines as cuVS-bench's plot reads them: cut at every comma, the first five fields count."""
    return [line.split(",")[:5] for line in path.read_text().splitlines()[1:]]


def test_cuvs_tables_are_what_its_plot_reads(sample_runs, tmp_path):
    runs = sample_runs()
    paths = write_cuvs(tmp_path, runs)
    assert {path.relative_to(tmp_path).parts[:2] for path in paths} == {("sample-64-euclidean", "result")}
    assert {path.parent.name for path in paths} == {"build", "search"}
    built = {tuple(line[:2]): float(line[2]) for path in paths if path.parent.name == "build" for line in split(path)}
    assert sorted(built.values()) == [2.0, 5.25]
    frame = table(runs)
    for path in (path for path in paths if path.parent.name == "search"):
        algorithm, group, k, batch, kind = path.stem.split(",")
        assert (group, k) == ("base", "k10")
        assert batch in ("bs1", "bs40")
        mode = "single" if batch == "bs1" else "batch"
        lines = [(name, index, *map(float, rest)) for name, index, *rest in split(path)]
        assert {line[0] for line in lines} == {algorithm}
        assert {line[:2] for line in lines} <= set(built)
        ours = frame[(frame["mode"] == mode) & frame["algorithm"].map(lambda text: curve_name(text) == algorithm)]  # noqa: B023
        rates = ours.groupby("recall")["qps"].max()
        assert {line[2] for line in lines} <= set(rates.index)
        if kind == "raw":
            assert len(lines) == len(ours)
        else:
            place = 3 if kind == "throughput" else 4
            values = [line[place] for line in lines]
            assert values == sorted(values, reverse=kind == "throughput")
            assert [line[2] for line in lines] == sorted({line[2] for line in lines})
        for line in lines:
            assert line[3] == pytest.approx(rates[line[2]]) or kind == "raw"
            assert line[4] == pytest.approx(1 / line[3] if mode == "single" else 40 / line[3], rel=0.2)
    assert all(isinstance(path, Path) and len(pd.read_csv(path)) for path in paths)
