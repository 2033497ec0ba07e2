"""What makes times incomparable is marked in its row and said under the table; what was not told is not made up."""

import dataclasses
import math

import pandas as pd
import pytest
from ivfbench.results.caption import remarks
from ivfbench.results.conditions import cores_used, overused
from ivfbench.results.render import render
from ivfbench.results.store import load_run, save_run
from ivfbench.results.table import load_table, save_table, table

CALM = {
    "wall_seconds": 2.0, "cpu_seconds": 2.0, "elapsed_seconds": 2.5, "other_cpu_seconds": 0.1, "stolen_seconds": 0.0,
    "swapped_pages": 0, "unseen_queries_slower": 1.1,
}  # fmt: skip


@pytest.fixture
def make_run(sample_runs):
    """A function: a run whose points, single ones on 1 thread, batches on 4, all had these conditions."""

    def make(mode="single", **conditions):
        run = sample_runs(modes=(mode,))[0]
        told = {**CALM, **conditions}
        return dataclasses.replace(
            run, points=tuple(dataclasses.replace(point, conditions=told) for point in run.points)
        )

    return make


def test_conditions_travel_with_their_point(make_run, tmp_path):
    run = make_run(cores=[0, 3])
    stored = load_run(save_run(tmp_path, run))
    assert [point.conditions for point in stored.points] == [{**CALM, "cores": [0, 3]}] * len(run.points)


def test_a_calm_machine_needs_no_words(make_run):
    run = make_run()
    assert remarks([run]) == []
    assert table([run])["cores_used"].tolist() == [1.0] * len(run.points)


@pytest.mark.parametrize(
    ("mode", "cores", "marked"),
    [("single", 1.4, False), ("single", 1.6, True), ("batch", 4, False), ("batch", 6, True)],
)
def test_more_cores_than_given_are_marked_and_said(make_run, mode, cores, marked):
    run = make_run(mode, cpu_seconds=2.0 * cores)
    frame = table([run])
    assert frame["cores_used"].tolist() == [cores] * len(run.points)
    shown = render(frame[["algorithm", "threads", "cores_used"]], "markdown")
    assert (f"{cores:.3g}!" in shown) is marked
    given = 1 if mode == "single" else 4
    used = f"used {cores:.1f} cores in mode {mode}, given {given}"
    said = f"Marked ! in cores_used: {run.algorithm} on {run.dataset} {used}."
    assert remarks([run]) == ([said] if marked else [])


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"other_cpu_seconds": 4.0}, "While 8 of 8 points were timed, other processes used up to 1.6 cores."),
        ({"stolen_seconds": 0.25}, "While 8 of 8 points were timed, other virtual machines stole up to 0.1 cores."),
        ({"swapped_pages": 3}, "Memory was swapped while 8 of 8 points were timed."),
        ({"unseen_queries_slower": 40.0}, " took 40 times as long for queries that stand in no file: does it know the"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_disturbs_is_said_once(make_run, conditions, said):
    (sentence,) = remarks([make_run(**conditions)])
    assert said in sentence


def test_what_was_not_told_is_missing(sample_runs, make_run, tmp_path):
    old = sample_runs()[0]
    assert all(math.isnan(cores_used(point)) for point in old.points)
    assert not overused(math.nan, 1)
    assert table([old])["cores_used"].isna().all()
    assert remarks([old]) == []
    assert math.isnan(cores_used(make_run(wall_seconds=0.01, cpu_seconds=0.05).points[0]))  # too short to say

    path = save_table(tmp_path, table([old]).drop(columns="cores_used"))  # as earlier versions wrote it
    pd.testing.assert_frame_equal(load_table(path), table([old]))
