"""The command line, as people meet it: real processes, from arguments to exit codes."""

import io
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pandas as pd
import psutil
import pytest
from ivfbench.__main__ import main
from ivfbench.results.columns import COLUMNS
from ivfbench.results.store import load_runs


def small(*more, out):
    return ("run", "small.yml", "--dataset", "small.hdf5", "--threads", "1", "--out", out, *more)


@pytest.fixture(scope="module")
def first(ivfbench, folder):
    """The first run: what it printed, and its folder of results."""
    return ivfbench(*small(out="first")), folder / "first"


@pytest.fixture
def results(first, folder, tmp_path):
    """A copy of the first run's results, to be harmed."""
    shutil.copytree(first[1], tmp_path / "results")
    return tmp_path / "results"


def stored(out):
    """The bytes of every result file."""
    return {path.name: path.read_bytes() for path in out.rglob("*.hdf5*")}


def table_of(out):
    return pd.read_parquet(out / "results.parquet")


class TestRun:
    def test_prints_a_table_and_says_where_the_rest_is(self, first):
        done, out = first
        assert done.returncode == 0, done.stderr
        for said in ("Exact", "IVF centroid (normalised)", "recall", "mode single", "mode batch", "(synthetic)"):
            assert said in done.stdout, said
        assert f"table: {out.name}/results.parquet" in done.stdout
        assert "2 to build and sweep" in done.stderr
        assert "[2/2] IVF(KMeans(lists=12)" in done.stderr

    def test_writes_one_file_per_build_with_every_repetition(self, first):
        runs = load_runs(first[1])
        assert sorted(run.algorithm[:5] for run in runs) == ["Exact", "IVF(K"]
        for run in runs:
            for point in run.points:
                assert (point.status, len(point.seconds)) == ("ok", 5)

    def test_writes_a_tidy_table(self, first):
        frame = table_of(first[1])
        assert list(frame.columns) == [column.name for column in COLUMNS]
        assert sorted(frame["mode"]) == ["batch"] * 3 + ["single"] * 3
        assert set(frame["status"]) == {"ok"}
        assert (frame[frame["algorithm"] == "Exact()"]["recall"] == 1.0).all()
        assert set(frame["query_parameters"]) == {"{}", '{"nprobe":1}', '{"nprobe":6}'}
        assert (frame["qps"] > 0).all()

    def test_draws_figures(self, first, folder):
        done, out = first
        named = [line.removeprefix("figure: ") for line in done.stdout.splitlines() if line.startswith("figure: ")]
        assert {(folder / name).resolve() for name in named} == {path.resolve() for path in (out / "figures").iterdir()}
        kinds = {name.partition("-single-")[2] for name in named}
        for kind in ("recall-qps", "recall-points", "recall-lists"):
            assert {f"{kind}.pdf", f"{kind}.svg", f"{kind}.png"} <= kinds
        assert (folder / next(name for name in named if name.endswith("png"))).read_bytes().startswith(b"\x89PNG")

    def test_leaves_nothing_half_finished(self, first):
        assert [
            path for path in first[1].rglob("*") if path.suffix not in (".hdf5", ".parquet", ".pdf", ".svg", ".png", "")
        ] == []


class TestAgain:
    def test_what_is_finished_is_kept(self, ivfbench, results):
        before, table = stored(results), (results / "results.parquet").read_bytes()
        done = ivfbench(*small("--no-figures", out=results), columns="60")
        assert done.returncode == 0, done.stderr
        assert done.stderr == "0 to build and sweep, 2 finished before and kept (--force does them again)\n"
        assert stored(results) == before
        assert (results / "results.parquet").read_bytes() == table
        assert "IVF centroid" in done.stdout
        assert wider_than(60, done.stdout.replace(str(results), "")) == []

    def test_force_measures_again(self, ivfbench, results):
        before = stored(results)
        done = ivfbench(*small("--no-figures", "--force", "--algorithm", "exact", out=results))
        assert done.returncode == 0, done.stderr
        assert "1 to build and sweep\n" in done.stderr
        after = stored(results)
        assert after.keys() == before.keys()
        assert {name.partition("-")[0] for name in after if after[name] != before[name]} == {"Exact"}
        assert len(table_of(results)) == 6

    def test_another_mode_is_added(self, ivfbench, tmp_path):
        exact = ("--no-figures", "--algorithm", "exact")
        for mode, expected in (("single", ["single"]), ("batch", ["batch", "single"])):
            done = ivfbench(*small(*exact, "--mode", mode, out=tmp_path))
            assert done.returncode == 0, done.stderr
            assert list(table_of(tmp_path)["mode"]) == expected
        assert len(stored(tmp_path)) == 1


class TestFailures:
    def test_a_failed_job_is_a_row_and_the_others_go_on(self, ivfbench, tmp_path):
        command = ("run", "failing.yml", "--dataset", "small.hdf5", "--threads", "1", "--mode", "batch")
        done = ivfbench(*command, "--out", tmp_path, "--no-figures")
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert done.stderr.splitlines()[-1].startswith("1 failed: `ivfbench table --failed --out ")
        frame = table_of(tmp_path)
        assert list(frame["status"]) == ["ok", "failed"]
        assert list(frame["mode"]) == ["batch", "none"]
        (failed,) = (run for run in load_runs(tmp_path) if run.status == "failed")
        assert failed.message.startswith("ValueError: IVF.routing: found 'int8'")

    def test_nothing_but_failures(self, ivfbench, tmp_path):
        done = ivfbench("run", "failing.yml", "--dataset", "small.hdf5", "--algorithm", "Random", "--out", tmp_path)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert list(table_of(tmp_path)["status"]) == ["failed"]


class TestInterrupt:
    def test_ctrl_c_keeps_what_is_finished_and_leaves_no_process(self, invocation, tmp_path):
        log, out = tmp_path / "log", tmp_path / "out"
        with log.open("w") as stream:
            process = subprocess.Popen(
                **invocation(*small(out=out)), stdout=stream, stderr=stream, start_new_session=True,
            )  # fmt: skip
        try:
            children = wait_for(lambda: "[2/2]" in log.read_text() and psutil.Process(process.pid).children())
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(30) == 130
        finally:
            process.kill()
            process.wait()
        lines = log.read_text().splitlines()
        assert lines[-1] == "ivfbench: stopped; what was finished is kept, the same command goes on from there"
        assert sum("ivfbench: " in line for line in lines) == 1
        assert "Traceback" not in log.read_text()
        assert [child for child in children if child.is_running()] == []
        assert [run.algorithm for run in load_runs(out)] == ["Exact()"]
        assert [path.suffix for path in out.rglob("*") if path.is_file()] == [".hdf5"]


def wait_for(condition, seconds=90.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.02)
    raise TimeoutError(f"nothing within {seconds} s")


class TestTerminal:
    def test_a_narrow_terminal_gets_bars_that_fit(self, first, invocation):
        leader, follower = pty.openpty()
        with subprocess.Popen(
            **invocation(*small("--no-figures", out="first"), columns="60", TERM="xterm"),
            stdout=subprocess.DEVNULL,
            stderr=follower,
        ) as process:
            os.close(follower)
            said = read_all(leader)
        assert process.returncode == 0
        assert "2 finished before and kept (--force does them again)" in " ".join(said.split())
        assert "Traceback" not in said


def read_all(descriptor):
    """Everything that a terminal was sent, until its other end is closed."""
    parts = []
    with suppress(OSError):  # how Linux says that nobody holds the other end
        while part := os.read(descriptor, 4096):
            parts.append(part)
    os.close(descriptor)
    return b"".join(parts).decode()


def wider_than(columns, text):
    """Lines that do not fit; the paragraph under a table is left to the terminal to fold."""
    return [line for line in text.splitlines() if len(line) > columns and not line.startswith("Recall@k")]


class TestTable:
    def test_csv_holds_exactly_the_table(self, ivfbench, first):
        done = ivfbench("table", "--out", "first", "--format", "csv")
        assert done.returncode == 0, done.stderr
        texts, table = pd.read_csv(io.StringIO(done.stdout), dtype=str, keep_default_na=False), table_of(first[1])
        assert list(texts.columns) == list(table.columns)
        for column in COLUMNS:
            held, told = table[column.name], texts[column.name]
            numbers = told if column.dtype == "str" else [float(text or "nan") for text in told]
            np.testing.assert_array_equal(numbers, held, column.name)

    def test_is_made_anew_from_the_result_files(self, ivfbench, results):
        (results / "results.parquet").unlink()
        done = ivfbench("table", "--out", results, "--format", "parquet")
        assert done.stdout == f"{results / 'results.parquet'}\n"
        assert len(table_of(results)) == 6

    @pytest.mark.parametrize("columns", ["60", "200"])
    def test_text_fits_the_terminal(self, ivfbench, first, columns):
        done = ivfbench("table", "--out", "first", columns=columns)
        assert done.returncode == 0, done.stderr
        assert "IVF centroid" in done.stdout
        assert wider_than(int(columns), done.stdout) == []
        assert "Recall@k is the share" in done.stdout

    def test_other_formats(self, ivfbench, first):
        assert ivfbench("table", "--out", "first", "--format", "latex").stdout.startswith(
            "% needs \\usepackage{booktabs}\n\\begin{table}"
        )

    def test_at_recall(self, ivfbench, first):
        arguments = ("--at-recall", "0.7,1", "--relative-to", "*Centroid*", "--format", "csv")
        done = ivfbench("table", "--out", "first", *arguments)
        assert done.returncode == 0, done.stderr
        frame = pd.read_csv(io.StringIO(done.stdout))
        assert sorted(set(frame["recall"])) == [0.7, 1.0]
        assert len(frame) == 2 * 2 * 2  # levels, modes, algorithms
        centroid = frame[frame["algorithm"].str.contains("Centroid") & (frame["recall"] == 0.7)]
        assert (centroid["points_scanned_ratio"] == 1.0).all()
        assert (centroid["points_scanned"] < 900).all()

    def test_builds(self, ivfbench, first):
        frame = pd.read_csv(io.StringIO(ivfbench("table", "--out", "first", "--builds", "--format", "csv").stdout))
        assert len(frame) == 2
        assert (frame["peak_memory_bytes"] > 0).all()
        assert (frame["status"] == "ok").all()
        text = ivfbench("table", "--out", "first", "--builds", columns="60")
        assert text.returncode == 0
        assert "build_seconds" in text.stdout
        assert wider_than(60, text.stdout) == []


REFUSED = {
    "rnu": "Did you mean 'run'?",
    "datasets lst": "Did you mean 'list'?",
    "run --algoritm x": "--algorithm",
    "table --fromat csv": "--format",
    "run quikstart": "did you mean quickstart?",
    "run empty": "experiment empty: is a folder, expected a YAML file",
    "run wrong.yml --dataset small.hdf5": "wrong.yml: algorithm: no such key, the nearest is algorithms",
    "run small.yml": "names no datasets, expected some there or --dataset",
    "run small.yml --dataset driff": "did you mean drift?",
    "run small.yml --dataset glove-100-anglar": "did you mean glove-100-angular",
    "run small.yml --dataset ./empty": "empty: is not a file",
    "run small.yml --dataset none.hdf5": "none.hdf5: no such file",
    "run small.yml --dataset file": "file: not a readable HDF5 file",
    "run small.yml --dataset small.hdf5 --dataset wrong.hdf5": "wrong.hdf5: 'neighbors' of query ",
    "run small.yml --dataset small.hdf5 --algorithm *Lernt*": "--algorithm *Lernt*: matches none of Exact(), IVF(",
    "run small.yml --dataset small.hdf5 -k 21": "holds 20 neighbours of each query, expected at least k = 21",
    "run small.yml --dataset small.hdf5 -k 0": "-k",
    "run small.yml --dataset small.hdf5 -k ten": "-k",
    "run small.yml --dataset small.hdf5 --mode singel": "--mode",
    "run small.yml --dataset small.hdf5 --seed -1": "--seed",
    "run small.yml --dataset small.hdf5 --out file": "file: is a file, expected a folder for results",
    "run small.yml --dataset small.hdf5 --out file/deeper": "file: is a file, expected a folder for results",
    "run small.yml --dataset": "--dataset",
    "run small.yml --dataset small.hdf5 --timeout 0": "timeout: input should be greater than 0",
    "run small.yml --dataset small.hdf5 --memory -1": "memory: input should be greater than 0",
    "run small.yml --dataset small.hdf5 --memory inf": "memory: input should be a finite number",
    "run small.yml --dataset small.hdf5 --force --only-failed": "--only-failed: found --force too",
    "table --out first --failed --builds": "--failed: found another kind of table too",
    "table --out nowhere": "nowhere: found no such folder",
    "table --out file": "file: found no such folder",
    "table --out first --format cvs": "--format",
    "table --out first --at-recall 2": "--at-recall: found '2', expected recalls above 0 and at most 1",
    "table --out first --at-recall high": "--at-recall: found 'high', expected numbers",
    "table --out first --at-recall 0.9 --relative-to Nobody": "baseline 'Nobody': found no such algorithm",
    "table --out first --relative-to *Exact*": "--relative-to: found no --at-recall",
    "table --out first --builds --at-recall 0.9": "--builds: found --at-recall too",
    "table --out first --builds --format parquet": "parquet holds the whole table",
    "report --out nowhere": "nowhere: found no such folder",
    "report --out first --kind routers": "laboratory: found no run with routing, expected some (ivfbench run",
    "report --out first --kind thesys": "--kind",
    "plot --out nowhere": "nowhere: found no such folder",
    "plot --out first --kind recal-qps": "found 'recal-qps', expected one of recall-qps",
    "plot --out first --format gif": "found 'gif', expected one of pdf, svg, png",
    "datasets info driff": "did you mean drift?",
    "datasets info ./empty": "empty: is not a file",
    "datasets info file": "file: not a readable HDF5 file",
    "datasets get driff": "did you mean drift?",
    "datasets list --collection vib": "the nearest is vibe",
    "datasets verify wrong.hdf5": "wrong.hdf5: ",
    "datasets make x.hdf5 --base none.npy --queries none.npy --metric ip": "none.npy: ",
    "datasets make x.hdf5 --base none.npy": "--queries",
    "datasets derive small.hdf5 x.hdf5 --pca 17": "small: has 16 dimensions, expected at least 17 for [pca=17]",
    "datasets derive small.hdf5 x.hdf5 --metric euclidan": "did you mean 'euclidean'?",
    "datasets derive small.hdf5 x.hdf5 --learn-k 101": "--learn-k",
    "datasets derive none.hdf5 x.hdf5 --pca 4": "none.hdf5: no such file",
    "datasets embed x.hdf5 --corpus c --queries q": "--model",
    "datasets embed x.hdf5 --corpus c --queries q --model m --store int8": "--store",
    "datasets embed x.hdf5 --corpus c --queries q --model m --qrels r --test-count 3": "found qrels and test_count",
    "run thin.yml --dataset small.hdf5": "small: has 16 dimensions, expected at least 17 for [pca=17]",
}


class TestRefusals:
    @pytest.mark.parametrize("line", REFUSED)
    def test_one_line_that_says_what_is_wrong(self, first, folder, monkeypatch, capsys, line):
        before = sorted(folder.rglob("*"))
        monkeypatch.chdir(folder)
        monkeypatch.setenv("IVFBENCH_DATA", str(folder / "cache"))
        monkeypatch.setattr(sys, "argv", ["ivfbench", *line.split()])
        with pytest.raises(SystemExit) as ended:
            main()
        assert_refused(ended.value.code, *capsys.readouterr(), REFUSED[line])
        assert sorted(folder.rglob("*")) == before

    @pytest.mark.parametrize("line", ["rnu", "run quikstart", "run small.yml --dataset driff", "table --out file"])
    def test_so_it_is_in_a_process(self, ivfbench, line):
        done = ivfbench(*line.split())
        assert_refused(done.returncode, done.stdout, done.stderr, REFUSED[line])


def assert_refused(code, stdout, stderr, said):
    assert stderr.startswith("ivfbench: ")
    assert stderr.count("\n") == 1
    assert said in stderr
    assert (code, stdout) == (2, "")


class TestVariants:
    def test_are_measured_like_datasets_and_derived_once(self, ivfbench, folder, tmp_path):
        content = (
            folder / "small.yml"
        ).read_text() + "variants: [{}, {pca: 4, metric: [ip, euclidean], learn_k: 20}]\n"
        (tmp_path / "many.yml").write_text(content)
        out, command = tmp_path / "out", ("run", tmp_path / "many.yml", "--dataset", "small.hdf5", "--mode", "batch")
        done = ivfbench(*command, "--out", out, "--threads", "1", "--repetitions", "1", "--no-figures")
        assert done.returncode == 0, done.stderr
        assert "deriving small[pca=4,metric=ip,learn_k=20] 0/360 queries searched" in done.stderr
        frame = table_of(out)
        assert {(run.dataset, run.metric, run.dimension) for run in load_runs(out)} == {
            ("small", "angular", 16),
            ("small[pca=4,metric=ip,learn_k=20]", "ip", 4),
            ("small[pca=4,metric=euclidean,learn_k=20]", "euclidean", 4),
        }
        assert "small[pca=4,metric=ip,learn_k=20] (synthetic)" in set(frame["dataset"])
        assert set(frame["status"]) == {"ok"}
        assert (frame[frame["algorithm"] == "Exact()"]["recall"] == 1.0).all()
        again = ivfbench(*command, "--out", out, "--threads", "1", "--repetitions", "1", "--no-figures")
        assert "0 to build and sweep, 6 finished before" in again.stderr
        assert "deriving" not in again.stderr
        latex = ivfbench("table", "--out", out, "--format", "latex")
        assert latex.returncode == 0
        assert r"small[pca=4,metric=ip,learn\_k=20]" in latex.stdout
        plot = ivfbench("plot", "--out", out, "--format", "svg", "--kind", "recall-points")
        assert plot.returncode == 0, plot.stderr
        assert len(plot.stdout.splitlines()) == 3
