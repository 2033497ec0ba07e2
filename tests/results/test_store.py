"""What is written comes back to the bit, and nothing half-written is ever read."""

import dataclasses
import json
import logging
import math
import subprocess
import sys

import h5py
import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ivfbench.results import store
from ivfbench.results.canonical import canonical_json
from ivfbench.results.errors import NewerSchemaError, ResultError
from ivfbench.results.run import Point, Routing, Run, failed_point
from ivfbench.results.store import begin, find_run, fold, load_run, load_runs, save_run
from ivfbench.results.unfinished import add_point

IDENTITY = ("dataset", "dataset_sha256", "algorithm", "parameters", "k", "seed", "threads")


SIZES = ("n", "dimension", "index_bytes", "router_bytes", "peak_memory_bytes", "train_bytes")
INTEGERS = (*SIZES, "seed", "threads")
SECONDS = ("build_seconds", "learn_seconds", "label_seconds", "compile_seconds")


def assert_same(left, right):
    """Equal in every field: arrays by dtype, shape and bytes, NaN equal to NaN."""
    assert type(left) is type(right)
    for field in dataclasses.fields(left):
        one, other = getattr(left, field.name), getattr(right, field.name)
        if isinstance(one, np.ndarray):
            assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
        elif field.name == "routing" and one is not None:
            assert_same(one, other)
        elif field.name == "points":
            assert len(one) == len(other)
            for a, b in zip(one, other, strict=True):
                assert_same(a, b)
        else:
            assert canonical_json(one, strict=False) == canonical_json(other, strict=False), field.name


def identity(run):
    return {name: getattr(run, name) for name in IDENTITY}


texts = st.text(max_size=30)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=True)
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts, lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
notes = st.dictionaries(texts, anything, max_size=4)
finite = st.floats(allow_nan=False, allow_infinity=False)
strict = st.dictionaries(texts, st.integers() | texts | finite, max_size=3)
seconds = st.floats(allow_nan=True)


def array(draw, dtype, shape):
    return draw(arrays.arrays(np.dtype(dtype), shape))


@st.composite
def points(draw, truths, k):
    mode = draw(st.sampled_from(["single", "batch"]))
    if draw(st.booleans()):
        return failed_point(mode, 1, draw(strict), k, draw(texts))
    queries, repetitions = draw(st.integers(1, truths)), draw(st.integers(1, 3))
    return Point(
        mode=mode,
        threads=1 if mode == "single" else draw(st.integers(1, 64)),
        query_parameters=draw(strict),
        ids=array(draw, "int32", (queries, k)),
        distances=array(draw, "float64", (queries, k)),
        lists_probed=array(draw, "int64", queries),
        points_scanned=array(draw, "int64", queries),
        seconds=array(draw, "float64", (repetitions, queries if mode == "single" else 1)),
    )


@st.composite
def routings(draw, truths, stored, n):
    lists, timed = draw(st.integers(1, 5)), draw(st.integers(1, truths))

    def counts(highest):
        of_file = st.integers(0, min(highest, 2**31 - 1))
        return draw(arrays.arrays(np.int32, (truths, stored), elements=of_file))

    return Routing(
        rank=counts(lists),
        before=counts(n),
        size=counts(n),
        scanned=array(draw, "float64", lists),
        seconds=array(draw, "float64", (draw(st.integers(1, 3)), timed)),
        nprobe=draw(st.integers(1, lists)),
    )


@st.composite
def runs(draw):
    k, truths = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    shape = (truths, k + draw(st.integers(0, 2)))
    sizes = {name: draw(st.integers(0, 2**62)) for name in INTEGERS}
    return Run(
        **{name: draw(texts) for name in ("dataset", "dataset_sha256", "metric", "algorithm", "message")},
        **sizes,
        **{name: draw(seconds) for name in SECONDS},
        synthetic=draw(st.booleans()),
        parameters=draw(strict),
        k=k,
        truth_ids=array(draw, "int32", shape),
        truth_distances=array(draw, "float64", shape),
        stored_truth_distances=array(draw, "float32", shape),
        notes=draw(notes),
        environment=draw(notes),
        points=tuple(draw(st.lists(points(truths, k), max_size=3))),
        routing=draw(st.none() | routings(*shape, sizes["n"])),
    )


@settings(deadline=None, max_examples=40)
@given(runs())
def test_round_trip(tmp_path_factory, run):
    folder = tmp_path_factory.mktemp("store")
    path = save_run(folder, run)
    assert_same(load_run(path), run)
    assert find_run(folder, **identity(run)) == path
    assert path.relative_to(folder).parts[1] == str(run.k)


def test_a_realistic_run_round_trips(tmp_path, sample_runs):
    for run in [*sample_runs(), *sample_runs(dataset="routed", routing=True)]:
        assert_same(load_run(save_run(tmp_path, run)), run)


def test_a_file_from_before_there_was_routing(tmp_path, sample_runs):
    path = save_run(tmp_path, sample_runs(routing=True)[0])
    with h5py.File(path, "r+") as file:
        del file["routing"]  # that is all that a file of that time lacks
    assert_same(load_run(path), sample_runs()[0])


def test_a_failed_build_round_trips(tmp_path, sample_runs):
    run = dataclasses.replace(sample_runs()[0], status="failed", message="out of memory\x00\ud800", points=())
    assert_same(load_run(save_run(tmp_path, run)), run)


def test_notes_far_longer_than_an_attribute(tmp_path, sample_runs):
    run = dataclasses.replace(sample_runs()[0], notes={"log": "x" * 300_000})
    assert load_run(save_run(tmp_path, run)).notes["log"] == "x" * 300_000


def test_numpy_scalars_in_notes_become_plain(tmp_path, sample_runs):
    notes = {"a": np.float32(0.5), "b": np.arange(3), "c": np.int64(4)}
    run = dataclasses.replace(sample_runs()[0], notes=notes)
    assert load_run(save_run(tmp_path, run)).notes == {"a": 0.5, "b": [0, 1, 2], "c": 4}


def test_the_path_is_readable_and_safe(tmp_path, sample_runs):
    run = dataclasses.replace(sample_runs()[0], dataset="../up/../../and away")
    path = save_run(tmp_path, run)
    assert path.is_relative_to(tmp_path)
    assert path.parent == tmp_path / "up-..-..-and-away" / "10"
    name, _, digits = path.stem.rpartition("-")
    assert name == "IVF-KMeans-lists-100-Centroid-scoring-normalised-Float32"
    assert len(digits) == 12


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"values": [0.5]}},
        {"parameters": {"values": [0, 5]}},
        {"parameters": {"values": [-1]}},
        {"seed": 8},
        {"threads": 5},
        {"dataset_sha256": "cd" * 32},
        {"algorithm": "IVF(KMeans(lists=100) Centroid(scoring='normalised') Float32())"},
    ],
)
def test_what_differs_never_shares_a_file(tmp_path, sample_runs, change):
    run = dataclasses.replace(sample_runs()[0], parameters={"values": [1]})
    other = dataclasses.replace(run, **change)
    first, second = save_run(tmp_path, run), save_run(tmp_path, other)
    assert first != second
    assert find_run(tmp_path, **identity(run)) == first
    assert find_run(tmp_path, **identity(other)) == second


def test_the_order_of_parameters_does_not_matter(tmp_path, sample_runs):
    run = dataclasses.replace(sample_runs()[0], parameters={"a": 1, "b": 2})
    path = save_run(tmp_path, run)
    turned = identity(run) | {"parameters": {"b": np.int64(2), "a": 1}}
    assert find_run(tmp_path, **turned) == path


def test_equal_runs_give_equal_bytes(tmp_path, sample_runs):
    # Two processes, started one after the other: HDF5 counts time in whole seconds, and hashes differ.
    script = (
        "import sys, numpy as np, dataclasses\n"
        "from ivfbench.results.store import load_run, save_run\n"
        "print(save_run(sys.argv[2], load_run(sys.argv[1])))\n"
    )
    first = save_run(tmp_path / "a", sample_runs()[0])
    command = [sys.executable, "-c", script, str(first), str(tmp_path / "b")]
    again = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path).stdout.strip()
    assert first.read_bytes() == (tmp_path / "b").joinpath(again).read_bytes()


def test_nothing_but_the_result_is_left_behind(tmp_path, sample_runs):
    path = save_run(tmp_path, sample_runs()[0])
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]


def test_a_write_that_fails_keeps_the_old_file(tmp_path, sample_runs):
    run = sample_runs()[0]
    path = save_run(tmp_path, run)
    before = path.read_bytes()
    with pytest.raises(ResultError, match=r"run\.notes\.thing: found a object"):
        save_run(tmp_path, dataclasses.replace(run, notes={"thing": object()}))
    assert path.read_bytes() == before
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]


def test_no_changed_byte_goes_unnoticed(tmp_path, sample_runs):
    run = sample_runs(lists=8, modes=("batch",))[0]
    path = save_run(tmp_path, run)
    whole, draw = path.read_bytes(), np.random.default_rng(0)
    for place in draw.choice(len(whole), 300, replace=False):
        changed = bytearray(whole)
        changed[place] ^= 1 << int(draw.integers(8))
        path.write_bytes(changed)
        try:
            found = load_run(path)
        except ResultError:
            continue
        assert_same(found, run)  # a byte that nothing stands in


class TestReading:
    def test_foreign_files_are_skipped_with_one_line_each(self, tmp_path, sample_runs, caplog):
        path = save_run(tmp_path, sample_runs()[0])
        (tmp_path / "text.hdf5").write_text("not HDF5 at all")
        (path.parent / "half.hdf5").write_bytes(path.read_bytes()[:5000])
        with h5py.File(tmp_path / "other.hdf5", "w") as file:
            file["train"] = np.zeros((3, 2))
        with caplog.at_level(logging.WARNING):
            found = load_runs(tmp_path)
        assert len(found) == 1
        assert len(caplog.messages) == 3
        assert all(message.startswith("skipped ") and "\n" not in message for message in caplog.messages)

    def test_an_unfinished_file_is_not_a_run(self, tmp_path, sample_runs):
        run = sample_runs()[0]
        path = save_run(tmp_path, run)
        with h5py.File(path, "r+") as file:
            del file.attrs["complete"]
        with pytest.raises(ResultError, match="no completion mark"):
            load_run(path)
        assert find_run(tmp_path, **identity(run)) is None

    def test_a_newer_schema_is_refused_everywhere(self, tmp_path, sample_runs):
        run = sample_runs()[0]
        path = save_run(tmp_path, run)
        with h5py.File(path, "r+") as file:
            file.attrs["schema_version"] = 99
        readers = (
            lambda: load_run(path),
            lambda: load_runs(tmp_path),
            lambda: find_run(tmp_path, **identity(run)),
        )
        for read in readers:
            with pytest.raises(NewerSchemaError, match="found schema 99, expected 2 or older") as caught:
                read()
            assert str(path) in str(caught.value)

    @pytest.mark.parametrize("name", ["truth_ids", "facts", "points/0003/seconds"])
    def test_a_missing_piece_is_named_not_guessed(self, tmp_path, sample_runs, name):
        path = save_run(tmp_path, sample_runs()[0])
        with h5py.File(path, "r+") as file:
            del file[name]
        with pytest.raises(ResultError, match="damaged run"):
            load_run(path)

    def test_an_unknown_fact_is_damage(self, tmp_path, sample_runs):
        path = save_run(tmp_path, sample_runs()[0])
        with h5py.File(path, "r+") as file:
            facts = json.loads(bytes(file["facts"][()]))
            del file["facts"]
            file["facts"] = json.dumps(facts | {"surprise": 1})
        with pytest.raises(ResultError, match="surprise"):
            load_run(path)

    def test_reading_needs_no_permission_to_write(self, tmp_path, sample_runs):
        path = save_run(tmp_path, sample_runs()[0])
        before = path.read_bytes()
        path.chmod(0o444)
        load_runs(tmp_path)
        assert path.read_bytes() == before

    @pytest.mark.parametrize("step", ["_measured", "whole"])
    def test_a_sweep_that_is_folded_while_it_is_read_is_not_lost(self, tmp_path, sample_runs, monkeypatch, step):
        run = sample_runs(modes=("single",))[0]
        path = begin(tmp_path, dataclasses.replace(run, points=()))
        add_point(path, run, 0, run.points[0])
        read = getattr(store, step)

        def and_then_fold(asked):  # as a runner does that is done just now
            monkeypatch.undo()
            found = read(asked)
            fold(path)
            return found

        monkeypatch.setattr(store, step, and_then_fold)
        (found,) = load_runs(tmp_path)
        assert len(found.points) == 1
        assert "builds" not in found.notes
        assert [one for one in tmp_path.rglob("*") if one.is_file()] == [path]

    def test_the_order_is_that_of_the_paths(self, tmp_path, sample_runs):
        saved = [save_run(tmp_path, run) for name in ("b", "a") for run in sample_runs(dataset=name)]
        assert len(set(saved)) == 4
        found = [(run.dataset, run.algorithm) for run in load_runs(tmp_path)]
        assert [name for name, _ in found] == ["a", "a", "b", "b"]
        assert found == [(run.dataset, run.algorithm) for run in map(load_run, sorted(saved))]

    def test_no_folder_and_no_file(self, tmp_path):
        with pytest.raises(ResultError, match="no such folder"):
            load_runs(tmp_path / "nowhere")
        with pytest.raises(ResultError, match="no such file"):
            load_run(tmp_path / "nothing.hdf5")
        assert load_runs(tmp_path) == []


class TestCheck:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"mode": "both"}, "mode: found 'both', expected one of single, batch"),
            ({"status": "fine"}, "status: found 'fine'"),
            ({"threads": 2}, "found 2 threads in single mode"),
            ({"ids": np.zeros((40, 10), np.int64)}, "ids: found int64 of 2 dimensions, expected int32"),
            ({"ids": np.zeros((41, 10), np.int32)}, "found 41 queries, expected 1 to 40"),
            ({"ids": np.zeros((0, 10), np.int32)}, "found 0 queries"),
            ({"ids": np.zeros((40, 9), np.int32)}, r"ids: found the shape \(40, 9\), expected \(40, 10\)"),
            ({"distances": np.zeros((40, 9))}, r"distances: found the shape \(40, 9\)"),
            ({"points_scanned": np.zeros(3, np.int64)}, r"points_scanned: found the shape \(3,\)"),
            ({"seconds": np.zeros((5, 1))}, r"seconds: found the shape \(5, 1\), expected \(5, 40\)"),
            ({"seconds": np.zeros((0, 40))}, "no repetitions"),
            ({"lists_probed": [1] * 40}, "lists_probed: found <class 'list'>"),
        ],
    )
    def test_points(self, tmp_path, sample_runs, change, message):
        run = sample_runs()[0]
        wrong = dataclasses.replace(run.points[0], **change)
        with pytest.raises(ResultError, match=message) as caught:
            save_run(tmp_path, dataclasses.replace(run, points=(wrong,)))
        assert "\n" not in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"status": "maybe"}, "status: found 'maybe'"),
            ({"status": "failed"}, "found 16 points, expected none"),
            ({"k": 21}, "found a truth of 20 neighbours, expected 21"),
            ({"k": 0}, "found k = 0"),
            ({"truth_distances": np.zeros((40, 19))}, r"truth_distances: found the shape \(40, 19\)"),
            ({"stored_truth_distances": np.zeros((40, 20))}, "expected float32"),
            ({"parameters": {"x": math.nan}}, "parameters: found NaN"),
            ({"parameters": {1: 2}}, r"found the key 1 \(int\)"),
        ],
    )
    def test_runs(self, tmp_path, sample_runs, change, message):
        with pytest.raises(ResultError, match=message):
            save_run(tmp_path, dataclasses.replace(sample_runs()[0], **change))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"rank": np.zeros((40, 20), np.int64)}, "routing: rank: found int64 of 2 dimensions, expected int32"),
            ({"rank": np.full((40, 20), 101, np.int32)}, "routing: rank: found 101 to 101, expected 0 to 100"),
            ({"before": np.full((40, 20), -1, np.int32)}, "before: found -1 to -1, expected 0 to 4000"),
            ({"size": np.zeros((40, 10), np.int32)}, r"size: found the shape \(40, 10\), expected \(40, 20\)"),
            ({"seconds": np.zeros((3, 0))}, r"found seconds of the shape \(3, 0\)"),
            ({"seconds": np.zeros((3, 41))}, "expected repetitions of 1 to 40 queries"),
        ],
    )
    def test_routing(self, tmp_path, sample_runs, change, message):
        run = sample_runs(routing=True)[0]
        wrong = dataclasses.replace(run, routing=dataclasses.replace(run.routing, **change))
        with pytest.raises(ResultError, match=message):
            save_run(tmp_path, wrong)
        assert list(tmp_path.iterdir()) == []
