"""The gain by how many lists hold a query's neighbours, against a loop over queries."""

import dataclasses

import numpy as np
import pytest
from ivfbench.results.cells import Cells
from ivfbench.results.relevant_lists import (
    COLUMNS,
    PARTS,
    SHARE,
    lists_holding,
    relevant_lists,
    relevant_lists_table,
)
from ivfbench.results.routing import accuracy_at_points


@pytest.fixture(scope="module")
def runs(sample_runs):
    return [run for seed in (1, 2) for run in sample_runs(routing=True, modes=(), seed=seed)]


def test_lists_are_counted_once_each(runs):
    found = lists_holding(runs[0], 10)
    assert found.tolist() == [len(set(row)) for row in runs[0].routing.rank[:, :10].tolist()]
    assert (lists_holding(runs[0], 1) == 1).all()


def test_against_a_loop(runs):
    frame = relevant_lists(runs, resamples=200)
    assert tuple(frame.columns) == COLUMNS
    centroids, learnt = runs[0::2], runs[1::2]
    for first, last in PARTS:
        name = f"{first}" if first == last else f"{first}-{last}"
        ours, theirs = [], []
        for mine, base in zip(learnt, centroids, strict=True):
            found, expected = (accuracy_at_points(run, 10, SHARE * run.n) for run in (mine, base))
            for query, ranks in enumerate(mine.routing.rank[:, :10].tolist()):
                if first <= len(set(ranks)) <= last:
                    ours.append(found[query])
                    theirs.append(expected[query])
        rows = frame[frame["lists"] == name]
        assert len(rows) == (1 if ours else 0)
        for row in rows.to_dict("records"):
            assert row["queries"] == len(ours) / 2
            assert row["difference"] == pytest.approx(np.mean(ours) - np.mean(theirs))
            assert row["low"] <= row["difference"] <= row["high"]


def test_fewer_neighbours_than_k_are_left_out(runs):
    assert relevant_lists(runs, k=21).empty
    assert isinstance(relevant_lists_table(relevant_lists(runs, k=21)), Cells)


def test_cells_hold_every_row(runs):
    frame = relevant_lists(runs, resamples=50)
    assert len(relevant_lists_table(frame).rows) == len(frame) > 0


def test_a_query_under_many_seeds_is_one_query(sample_runs):
    once = relevant_lists(sample_runs(routing=True, modes=(), seed=1), resamples=2000)
    again = [
        dataclasses.replace(run, seed=seed) for seed in (1, 2, 3) for run in sample_runs(routing=True, modes=(), seed=1)
    ]
    thrice = relevant_lists(again, resamples=2000)
    widths = [(frame["high"] - frame["low"]).to_numpy() for frame in (once, thrice)]
    np.testing.assert_allclose(widths[0], widths[1], rtol=0.15, atol=0.01)
