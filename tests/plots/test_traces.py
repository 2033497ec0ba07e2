"""Curves on numbers: what a figure claims, without the figure."""

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from ivfbench.plots.draw import named
from ivfbench.plots.errors import PlotError
from ivfbench.plots.kind import USUAL_OPTIONS
from ivfbench.plots.kinds.recall import list_count, probe_count
from ivfbench.plots.registry import KINDS, USUAL, kind_named
from ivfbench.results.table import table


def rows(points, algorithm="A()", lists=50, seed=1, threads=1, status="ok", probing="Fixed", n=400):
    """Table rows of one curve from (nprobe, recall, qps, points scanned)."""
    return [
        {
            "dataset": "small",
            "k": 10,
            "mode": "single" if threads == 1 else "batch",
            "threads": threads,
            "seed": seed,
            "algorithm": algorithm,
            "probing": probing,
            "parameters": json.dumps({"clustering": {"lists": lists}} if lists else {}),
            "query_parameters": json.dumps({"nprobe": probe} if probe else {}),
            "recall": recall,
            "qps": qps,
            "qps_low": 0.9 * qps,
            "qps_high": 1.2 * qps,
            "points_scanned": scanned,
            "lists_probed": float(probe),
            "n": n,
            "status": status,
        }
        for probe, recall, qps, scanned in points
    ]


SWEEP = ((1, 0.4, 100.0, 20.0), (2, 0.6, 80.0, 40.0), (4, 0.5, 90.0, 80.0), (5, 0.55, 50.0, 100.0))


def traces(frame, kind):
    measured = frame[frame["status"] == "ok"]
    return KINDS[kind].traces(named(measured), USUAL_OPTIONS) if len(measured) else []


def one(points=SWEEP, kind="recall-qps", **changes):
    (trace,) = traces(pd.DataFrame(rows(points, **changes)), kind)
    return trace


def test_recall_qps_is_the_front_with_its_interval():
    trace = one()
    assert trace.x.tolist() == [0.4, 0.5, 0.6]
    assert trace.y.tolist() == [100.0, 90.0, 80.0]
    np.testing.assert_allclose(trace.low, [90.0, 81.0, 72.0])
    np.testing.assert_allclose(trace.high, [120.0, 108.0, 96.0])
    assert (trace.label, trace.algorithm, trace.threads) == ("A", "A()", 1)


def test_recall_points_keeps_every_point_by_work():
    trace = one(kind="recall-points")
    np.testing.assert_allclose(trace.x, [5.0, 10.0, 20.0, 25.0])
    assert trace.y.tolist() == [0.4, 0.6, 0.5, 0.55]
    assert trace.low.tolist() == trace.high.tolist() == trace.y.tolist()


def test_points_scanned_need_the_size_of_the_data():
    assert traces(pd.DataFrame(rows(SWEEP, n=0)), "recall-points") == []


def test_of_settings_of_equal_work_the_best_is_shown():
    trace = one([(1, 0.4, 9.0, 20.0), (1, 0.6, 8.0, 20.0), (1, 0.6, 7.0, 20.0), (2, 0.7, 5.0, 40.0)], "recall-points")
    assert (trace.x.tolist(), trace.y.tolist()) == ([5.0, 10.0], [0.6, 0.7])


def test_recall_lists_is_a_percentage_of_the_lists():
    assert one(kind="recall-lists").x.tolist() == [2.0, 4.0, 8.0, 10.0]


def test_what_has_no_lists_is_left_out_of_recall_lists_only():
    frame = pd.DataFrame(rows(SWEEP) + rows([(0, 1.0, 5.0, 400.0)], "Exact()", lists=0))
    assert [trace.label for trace in traces(frame, "recall-lists")] == ["A"]
    assert [trace.label for trace in traces(frame, "recall-qps")] == ["A", "Exact"]


def test_a_logarithmic_axis_never_sees_zero():
    trace = one([(1, 0.0, 9.0, 0.0), (2, 0.5, 8.0, 10.0)], kind="recall-points")
    assert trace.x.tolist() == [2.5]
    assert one([(1, 0.9, 0.0, 1.0), (2, 0.5, 8.0, 10.0)]).y.tolist() == [8.0]


def test_seeds_are_one_curve_of_medians_with_the_widest_interval():
    measured = ((0.4, 100.0, 10.0), (0.5, 300.0, 20.0), (0.9, 200.0, 60.0))
    first, second, third = ([(1, *values)] for values in measured)
    frame = pd.DataFrame(rows(first) + rows(second, seed=2) + rows(third, seed=3))
    (trace,) = traces(frame, "recall-qps")
    assert (trace.x.tolist(), trace.y.tolist()) == ([0.5], [200.0])
    np.testing.assert_allclose([trace.low[0], trace.high[0]], [90.0, 360.0])
    (trace,) = traces(frame, "recall-points")
    assert trace.x.tolist() == [5.0]


def test_threads_are_separate_curves_and_say_so():
    frame = pd.DataFrame(rows(SWEEP, threads=2) + rows(SWEEP, threads=8))
    assert [trace.label for trace in traces(frame, "recall-qps")] == ["A, 2 threads", "A, 8 threads"]


def test_policies_are_separate_curves_and_say_so():
    frame = pd.DataFrame(rows(SWEEP) + rows(SWEEP, probing="Patience") + rows(SWEEP, probing="SoftmaxMass"))
    for kind in USUAL:
        shown = traces(frame, kind)
        assert [trace.label for trace in shown] == ["A", "A, Patience", "A, SoftmaxMass"]
        assert [trace.algorithm for trace in shown] == ["A()", "A(), Patience", "A(), SoftmaxMass"]
    both = [*rows(SWEEP, threads=2, probing="Patience"), *rows(SWEEP, threads=8)]
    labels = [trace.label for trace in traces(pd.DataFrame(both), "recall-qps")]
    assert labels == ["A, 8 threads", "A, Patience, 2 threads"]


def test_failed_rows_are_left_out():
    lost = rows([(8, math.nan, math.nan, math.nan)], status="failed")
    (trace,) = traces(pd.DataFrame(rows(SWEEP) + lost), "recall-points")
    assert len(trace.x) == 4
    assert traces(pd.DataFrame(lost), "recall-points") == []


def test_curves_come_sorted_whatever_the_order_of_rows(sample_runs):
    frame = table(sample_runs(modes=("single",)))
    for kind in USUAL:
        straight, turned = traces(frame, kind), traces(frame[::-1], kind)
        assert [t.algorithm for t in straight] == sorted(t.algorithm for t in straight)
        assert len(straight) == 2
        for one_trace, other in zip(straight, turned, strict=True):
            for field in dataclasses.fields(one_trace):
                np.testing.assert_array_equal(getattr(one_trace, field.name), getattr(other, field.name))


def test_unknown_kind():
    with pytest.raises(PlotError, match="found 'pie', expected one of recall-qps, recall-points, recall-lists"):
        kind_named("pie")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"clustering":{"lists":328}}', 328.0),
        ('{"clustering":{"type":"KMeans"}}', math.nan),
        ('{"clustering":null}', math.nan),
        ("{}", math.nan),
        ("[]", math.nan),
        ('{"clustering":{"lists":0}}', math.nan),
    ],
)
def test_list_count(text, expected):
    np.testing.assert_equal(list_count(text), expected)


def test_probe_count_prefers_what_was_asked():
    assert probe_count('{"nprobe":3}', 7.5) == 3.0
    assert probe_count('{"mass":0.9}', 7.5) == 7.5
    assert probe_count('{"probing":{"type":"SoftmaxMass","recall":0.9}}', 7.5) == 7.5
