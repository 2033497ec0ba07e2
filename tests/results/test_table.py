"""The table: its columns, its order, its failures, and its bytes."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from ivfbench.results.builds import BUILD_COLUMNS, builds
from ivfbench.results.columns import COLUMNS
from ivfbench.results.errors import ResultError
from ivfbench.results.recall import recall
from ivfbench.results.run import failed_point
from ivfbench.results.table import load_table, save_table, table

NAMES = (
    "dataset, n, dimension, algorithm, parameters, query_parameters, probing, k, mode, threads, build_threads, seed, "
    "recall, recall_promised, recall_ann_benchmarks, qps, qps_low, qps_high, "
    "latency_p50_ms, latency_p95_ms, latency_p99_ms, "
    "lists_probed, lists_probed_p10, lists_probed_p50, lists_probed_p90, points_scanned, "
    "build_seconds, learn_seconds, label_seconds, compile_seconds, index_bytes, router_bytes, "
    "peak_memory_bytes, cores_used, status"
)
MEASURES = [name for name in NAMES.split(", ")[12:26] if name != "recall_promised"]


def test_the_columns_are_these_in_this_order(sample_runs):
    assert [column.name for column in COLUMNS] == NAMES.split(", ")
    assert list(table(sample_runs()).columns) == NAMES.split(", ")
    assert list(table([]).columns) == NAMES.split(", ")


def test_the_types_are_as_declared_even_when_empty(sample_runs):
    for frame in (table(sample_runs()), table([])):
        for column in COLUMNS:
            if column.dtype == "str":
                assert pd.api.types.is_string_dtype(frame[column.name]) or frame.empty, column.name
            else:
                assert frame[column.name].dtype == column.dtype, column.name


def test_a_row_says_what_its_point_says(sample_runs):
    run = sample_runs()[0]
    point = run.points[2]
    frame = table([run])
    row = frame[(frame["mode"] == "single") & (frame["query_parameters"] == '{"nprobe":4}')].iloc[0]
    expected = recall(point.ids, point.distances, run.truth_ids, run.truth_distances, run.k, run.metric)
    assert row["recall"] == expected.mean()
    assert row["points_scanned"] == point.points_scanned.mean()
    assert row["qps"] == np.median(40 / point.seconds.sum(axis=1))
    assert row["qps_low"] == 40 / point.seconds.sum(axis=1).max()
    assert row["latency_p50_ms"] == pytest.approx(np.median(point.seconds) * 1000)
    assert json.loads(row["parameters"]) == run.parameters
    assert " " not in row["query_parameters"]
    assert (row["k"], row["seed"], row["threads"], row["status"]) == (10, 7, 1, "ok")


def test_policies_promise_and_spread(sample_runs):
    (run,) = sample_runs(modes=("single",), routers=(("Centroid()", 1.0),))
    adaptive = {"probing": {"type": "SoftmaxMass", "recall": 0.8, "temperature": None}}
    opened = np.arange(1, 41, dtype=np.int64)
    mixed = dataclasses.replace(run.points[0], query_parameters=adaptive, lists_probed=opened)
    still = {"probing": {"type": "Patience", "overlap": 0.95, "patience": 8, "most": None}}
    patient = dataclasses.replace(run.points[0], query_parameters=still)
    frame = table([dataclasses.replace(run, points=(run.points[2], mixed, patient))]).set_index("probing")
    assert frame["recall_promised"].to_dict() == pytest.approx(
        {"Fixed": np.nan, "SoftmaxMass": 0.8, "Patience": np.nan}, nan_ok=True
    )
    spread = frame[["lists_probed_p10", "lists_probed_p50", "lists_probed_p90"]]
    assert spread.loc["Fixed"].tolist() == [4.0, 4.0, 4.0]
    assert spread.loc["SoftmaxMass"].tolist() == pytest.approx([4.9, 20.5, 36.1])
    assert json.loads(frame.loc["SoftmaxMass", "query_parameters"]) == adaptive


def test_what_has_no_lists_has_no_probing(sample_runs):
    (run,) = sample_runs(modes=("single",), routers=(("Centroid()", 1.0),))
    exact = dataclasses.replace(run, points=(dataclasses.replace(run.points[0], query_parameters={}),))
    lost = dataclasses.replace(run, points=(), status="failed", message="no memory")
    assert table([exact])["probing"].tolist() == table([lost])["probing"].tolist() == ["none"]


def test_threads_are_those_of_the_point_and_batches_have_no_latency(sample_runs):
    frame = table(sample_runs())
    batch = frame[frame["mode"] == "batch"]
    assert set(batch["threads"]) == {4}
    assert batch["latency_p50_ms"].isna().all()
    assert batch["qps"].notna().all()


def test_the_order_does_not_depend_on_the_order_of_the_runs(sample_runs):
    runs = [*sample_runs(), *sample_runs(dataset="another"), *sample_runs(seed=3)]
    frame = table(runs)
    pd.testing.assert_frame_equal(frame, table(runs[::-1]))
    keys = ["dataset", "k", "mode", "algorithm", "seed", "points_scanned"]
    rows = list(frame[keys].itertuples(index=False, name=None))
    assert rows == sorted(rows)


def test_a_failed_point_and_a_failed_build_keep_a_row(sample_runs):
    good, other = sample_runs()
    lost = failed_point("single", 1, {"nprobe": 9}, good.k, "killed")
    good = dataclasses.replace(good, points=(*good.points, lost))
    other = dataclasses.replace(other, points=(), status="failed", message="no memory")
    frame = table([good, other])
    assert len(frame) == len(good.points) + 1
    failed = frame[frame["status"] == "failed"]
    assert len(failed) == 2
    assert failed[MEASURES].isna().all().all()
    build = failed[failed["algorithm"] == other.algorithm].iloc[0]
    assert (build["mode"], build["query_parameters"]) == ("none", "{}")
    assert np.isnan(build["build_seconds"])


def test_a_synthetic_dataset_says_so(sample_runs):
    runs = sample_runs(dataset="drift", synthetic=True)
    assert set(table(runs)["dataset"]) == {"drift (synthetic)"}
    assert set(builds(runs)["dataset"]) == {"drift (synthetic)"}


class TestParquet:
    def test_round_trip_and_equal_bytes(self, tmp_path, sample_runs):
        frame = table(sample_runs())
        path = save_table(tmp_path / "a", frame)
        assert path == tmp_path / "a" / "results.parquet"
        pd.testing.assert_frame_equal(load_table(path), frame)
        pd.testing.assert_frame_equal(load_table(tmp_path / "a"), frame)
        again = save_table(tmp_path / "b", load_table(path))
        assert again.read_bytes() == path.read_bytes()
        assert list((tmp_path / "a").iterdir()) == [path]

    def test_a_table_of_before_there_were_policies(self, tmp_path, sample_runs):
        frame = table(sample_runs())
        path = tmp_path / "old.parquet"
        added = ["probing", "recall_promised", *(f"lists_probed_p{percent}" for percent in (10, 50, 90))]
        frame.drop(columns=added).to_parquet(path, index=False)
        pd.testing.assert_frame_equal(load_table(path), frame)

    def test_a_table_of_before_sizes_were_told(self, tmp_path, sample_runs):
        frame = table(sample_runs())
        path = tmp_path / "old.parquet"
        added = ["n", "dimension", "peak_memory_bytes"]
        frame.drop(columns=added).to_parquet(path, index=False)
        pd.testing.assert_frame_equal(load_table(path), frame.assign(**dict.fromkeys(added, 0)))

    def test_bad_files_are_one_line(self, tmp_path, sample_runs):
        with pytest.raises(ResultError, match="no such file, expected a table in Parquet"):
            load_table(tmp_path / "none.parquet")
        (tmp_path / "text.parquet").write_text("hello")
        with pytest.raises(ResultError, match="an unreadable file") as caught:
            load_table(tmp_path / "text.parquet")
        assert "\n" not in str(caught.value)
        path = save_table(tmp_path, table(sample_runs()).drop(columns="qps"))
        with pytest.raises(ResultError, match="found no column 'qps'"):
            load_table(path)


class TestBuilds:
    def test_one_row_per_build_with_flat_notes(self, sample_runs):
        frame = builds(sample_runs())
        assert tuple(frame.columns[: len(BUILD_COLUMNS)]) == BUILD_COLUMNS
        assert list(frame.columns[len(BUILD_COLUMNS) :]) == [
            "notes.list_sizes.largest",
            "notes.training_queries",
        ]
        assert frame["peak_over_train"].tolist() == [3.0, 3.0]
        assert frame["notes.list_sizes.largest"].tolist() == [120, 120]
        assert frame["notes.training_queries"].tolist() == ["held out", "held out"]

    def test_notes_that_differ_between_runs(self, tmp_path, sample_runs):
        one, other = sample_runs()
        one = dataclasses.replace(one, notes={"mixed": 1, "only": 0.5, "sizes": [1, 2]})
        other = dataclasses.replace(other, notes={"mixed": "two"}, train_bytes=0)
        frame = builds([one, other])
        assert frame["notes.mixed"].tolist() == ["1", "two"]
        assert frame["notes.only"].tolist()[0] == 0.5
        assert np.isnan(frame["notes.only"].tolist()[1])
        assert frame["notes.sizes"].tolist()[0] == "[1,2]"
        assert np.isnan(frame["peak_over_train"].tolist()[1])
        frame.to_parquet(tmp_path / "builds.parquet")

    def test_no_builds(self):
        assert list(builds([]).columns) == list(BUILD_COLUMNS)


def test_runs_that_only_routed_have_no_rows(sample_runs):
    assert len(table(sample_runs(routing=True, modes=()))) == 0
    assert len(table(sample_runs(routing=True, modes=("batch",)))) == len(table(sample_runs(modes=("batch",))))
