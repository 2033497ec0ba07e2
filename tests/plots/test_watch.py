"""A report that follows its results: a real process writes it, a browser would reload it."""

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
from ivfbench.plots.site.watch import state, summary, watch
from ivfbench.plots.site.write import WHILE_IT_GROWS, write_site
from ivfbench.results.errors import ResultError
from ivfbench.results.store import begin, load_runs, save_run
from ivfbench.results.unfinished import add_point

PATIENCE = 60.0  # seconds


def version_of(page):
    found = re.search(r'data-version="([0-9a-f]{16})"', page.read_text("utf-8"))
    return found and found.group(1)


def test_a_process_follows_the_results_until_it_is_told_to_stop(tmp_path, sample_runs):
    first, second = sample_runs(modes=("single",))
    save_run(tmp_path, first)
    page = tmp_path / "report" / "index.html"
    command = [sys.executable, "-m", "ivfbench", "watch", "--out", str(tmp_path), "--every", "0.1"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "100"}
    )
    try:
        versions = []
        for run in (None, second):
            if run is not None:
                save_run(tmp_path, run)
            wanted, until = state(tmp_path), time.monotonic() + PATIENCE
            while not (page.is_file() and version_of(page) == wanted):
                assert time.monotonic() < until
                assert process.poll() is None
                time.sleep(0.05)
            versions.append(wanted)
        assert versions[0] != versions[1]
        told = tmp_path / "report" / "assets" / "version.js"
        until = time.monotonic() + PATIENCE
        while told.read_text() != f'live.found("{versions[1]}");\n':
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    assert "1 builds, 8 points measured" in out


def test_every_point_of_an_unfinished_sweep_is_another_state(tmp_path, sample_runs):
    run = sample_runs(modes=("single",))[0]
    states = [state(tmp_path)]
    path = begin(tmp_path, dataclasses.replace(run, points=()))
    for place, point in enumerate(run.points[:2]):
        states.append(state(tmp_path))
        add_point(path, run, place, point)
    assert "1 builds, 2 points measured" in summary(load_runs(tmp_path))
    assert len({*states, state(tmp_path)}) == 4
    assert state(tmp_path) == state(tmp_path)


def test_what_comes_and_goes_meanwhile_is_looked_for_again(tmp_path):
    (tmp_path / "gone.hdf5").symlink_to(tmp_path / "nowhere")  # listed, and not there
    ended = threading.Event()

    def begin_and_remove():
        while not ended.is_set():
            sweep = tmp_path / "data" / "10" / "run.hdf5.unfinished"
            sweep.mkdir(parents=True)
            (sweep / "0000.part").write_bytes(b"")
            shutil.rmtree(tmp_path / "data")

    runner = threading.Thread(target=begin_and_remove)
    runner.start()
    try:
        seen, until = set(), time.monotonic() + 60
        while len(seen) < 2 and time.monotonic() < until:
            seen.add(state(tmp_path))
        assert len(seen) > 1
        (tmp_path / "gone.hdf5").unlink()
        assert all(load_runs(tmp_path) == [] for _ in range(300))
    finally:
        ended.set()
        runner.join()


def test_routers_are_compared_in_full_once_at_the_end(tmp_path, sample_runs):
    runs, said = sample_runs(routing=True, modes=()), f"intervals and p-values come of {WHILE_IT_GROWS} resamples"
    write_site(runs, tmp_path, version="a1")
    assert said in (tmp_path / "routing.html").read_text("utf-8")
    write_site(runs, tmp_path)
    assert "resamples" not in (tmp_path / "routing.html").read_text("utf-8")


def test_it_says_who_leads_and_what_failed(tmp_path, sample_runs):
    centroid, learnt = sample_runs(modes=("single",))
    lost = dataclasses.replace(centroid, status="failed", message="ran out of memory", points=())
    said = summary([centroid, learnt, lost])
    assert said.startswith("3 builds, 16 points measured, 1 failed or skipped\n")
    assert said.index("IVF learnt") < said.index("IVF centroid")
    assert "failed: IVF(KMeans(lists=100), Centroid(scoring='normalised'), Float32()), sample" in said
    assert "ran out of memory" in said
    assert next(watch(tmp_path, tmp_path / "report", 0.1)) == summary([]) == "no finished run yet\n"
    assert list(tmp_path.iterdir()) == []


def test_no_folder(tmp_path):
    with pytest.raises(ResultError, match="found no such folder"):
        next(watch(tmp_path / "nowhere", tmp_path, 0.1))
