"""`ivfbench export`, and other suites' results in `table` and `plot`, as people meet them: real processes."""

import csv
import io
import os

import h5py
import numpy as np
import pytest
from ivfbench.datasets.load import load


@pytest.fixture(scope="module")
def foreign(folder):
    """A results folder as ann-benchmarks leaves it, measured on the working folder's small dataset."""
    data = load(folder / "small.hdf5")
    out = folder / "annb" / "results"
    for algorithm, found in (("annoy", 4), ("annoy", 9), ("hnswlib", 10)):
        path = out / "small" / "10" / algorithm / f"{found}.hdf5"
        path.parent.mkdir(parents=True, exist_ok=True)
        ids, distances = np.array(data.neighbors[:, :10]), np.array(data.distances[:, :10])
        ids[:, found:], distances[:, found:] = -1, np.inf
        told = {"algo": algorithm, "name": f"{algorithm} {found}", "dataset": "small", "distance": "angular"}
        told |= {"count": 10, "run_count": 5, "batch_mode": False, "best_search_time": 1e-5 * found}
        with h5py.File(path, "w") as file:
            file.attrs.update({**told, "build_time": 1.5, "index_size": 8.0, "candidates": float(found)})
            file["times"] = np.full(60, 2e-5 * found, np.float32)
            file["neighbors"], file["distances"] = ids.astype(np.int32), distances.astype(np.float32)
    (out / "small" / "10" / "annoy" / "broken.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n")
    return out


@pytest.fixture
def untouched(foreign):
    """Their folder is the same after the test as before."""

    def seen():
        return {path: path.stat().st_mtime_ns for path in foreign.rglob("*")}

    before = seen()
    yield
    assert seen() == before


ASKED = ("--out", "annb/results", "--dataset", "small.hdf5")


@pytest.mark.usefixtures("untouched", "foreign")
class TestTheirResults:
    def test_table(self, ivfbench):
        done = ivfbench("table", *ASKED, "--format", "csv")
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("skipped annb/results/small/10/annoy/broken.hdf5: found an unreadable file")
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        assert {(row["algorithm"], row["recall_ann_benchmarks"], round(float(row["qps"]))) for row in rows} == {
            ("annoy", "0.4", 25000),
            ("annoy", "0.9", 11111),
            ("hnswlib", "1.0", 10000),
        }

    def test_table_in_the_terminal_says_who_measured(self, ivfbench):
        done = ivfbench("table", *ASKED)
        assert done.returncode == 0, done.stderr
        assert "ann-benchmarks measured; queries per second are those of its best run." in done.stdout

    def test_at_recall_and_builds(self, ivfbench):
        done = ivfbench("table", *ASKED, "--at-recall", "0.5", "--relative-to", "annoy")
        assert done.returncode == 0, done.stderr
        done = ivfbench("table", *ASKED, "--builds", "--format", "csv")
        assert [row["build_seconds"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["1.5", "1.5"]

    def test_plot(self, ivfbench, tmp_path):
        done = ivfbench("plot", *ASKED, "--output", tmp_path / "figures", "--format", "svg")
        assert done.returncode == 0, done.stderr
        (figure,) = (tmp_path / "figures").iterdir()  # work is not told, hence one kind
        text = figure.read_text("utf-8")
        assert figure.name == "small-synthetic-k10-single-recall-qps.svg"
        assert all(name in text for name in ("annoy", "hnswlib"))

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("plot", *ASKED), "--output: found annb/results/figures, expected a folder outside annb/results"),
            (("plot", *ASKED, "--output", "annb/results"), "--output: found annb/results, expected a folder outside"),
            (("table", *ASKED, "--format", "parquet"), "parquet would be written into annb/results"),
            (("table", *ASKED[:2]), "dataset 'small': found neither beside the results nor in the cache"),
            (("export", "ann-benchmarks", "annb/results/x", *ASKED), "lies in the folder of results"),
        ],
    )
    def test_refusals_are_one_line(self, ivfbench, arguments, said):
        done = ivfbench(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        ours = [line for line in done.stderr.splitlines() if not line.startswith("skipped ")]
        assert len(ours) == 1
        assert said in ours[0]


@pytest.mark.usefixtures("untouched", "foreign")
class TestExport:
    def test_ann_benchmarks(self, ivfbench, tmp_path):
        done = ivfbench("export", "ann-benchmarks", tmp_path / "made", *ASKED)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"3 result files: {tmp_path / 'made' / 'results'}\n"
        assert (
            f"their tools look for the dataset at {tmp_path / 'made' / 'data' / 'small-synthetic.hdf5'}\n"
            in done.stderr
        )
        assert len(list((tmp_path / "made" / "results" / "small-synthetic" / "10").glob("*/*.hdf5"))) == 3
        done = ivfbench("table", "--out", tmp_path / "made" / "results", "--dataset", "small.hdf5", "--format", "csv")
        again = csv.DictReader(io.StringIO(done.stdout))
        assert sorted(row["recall_ann_benchmarks"] for row in again) == ["0.4", "0.9", "1.0"]

    def test_csv(self, ivfbench, tmp_path):
        done = ivfbench("export", "csv", tmp_path / "all.csv", *ASKED)
        assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'all.csv'}\n"), done.stderr
        rows = list(csv.DictReader((tmp_path / "all.csv").read_text().splitlines()))
        assert sorted(row["k-nn"] for row in rows) == ["0.4", "0.9", "1.0"]
        (tmp_path / "all.csv").write_text("mine")
        done = ivfbench("export", "csv", tmp_path / "all.csv", *ASKED)
        assert done.returncode == 2
        assert "found a file of other contents" in done.stderr
        assert (tmp_path / "all.csv").read_text() == "mine"

    def test_cuvs(self, ivfbench, tmp_path):
        done = ivfbench("export", "cuvs", tmp_path, *ASKED)
        assert done.returncode == 0, done.stderr
        names = sorted(os.path.relpath(line, tmp_path) for line in done.stdout.splitlines())
        assert "small-synthetic/result/build/ivfbench-annoy,base.csv" in names
        assert "small-synthetic/result/search/ivfbench-hnswlib,base,k10,bs1,latency.csv" in names

    def test_nothing_to_export(self, ivfbench, tmp_path):
        done = ivfbench("export", "ann-benchmarks", tmp_path / "made", "--out", "empty")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "ivfbench: found no measured sweep point, expected some to export\n"
        assert not (tmp_path / "made").exists()
