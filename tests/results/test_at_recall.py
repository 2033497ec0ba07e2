"""Fronts and costs at fixed recall, on numbers small enough for paper."""

import math

import pandas as pd
import pytest
from ivfbench.results.at_recall import at_recall, front
from ivfbench.results.comparison import comparison, names_one
from ivfbench.results.errors import ResultError


def sweep(points, algorithm="A()", seed=1, mode="single", threads=1, status="ok", probing="Fixed"):
    """Rows of one curve from (recall, qps, points scanned)."""
    return [
        {
            "dataset": "small",
            "k": 10,
            "mode": mode,
            "threads": threads,
            "algorithm": algorithm,
            "build_threads": 2,
            "seed": seed,
            "probing": probing,
            "recall": recall,
            "qps": qps,
            "points_scanned": scanned,
            "lists_probed": scanned / 10,
            "status": status,
        }
        for recall, qps, scanned in points
    ]


PLAIN = ((0.5, 1000.0, 10.0), (0.7, 100.0, 100.0), (0.9, 10.0, 10_000.0))


def read(points, level, cost="qps"):
    return at_recall(pd.DataFrame(sweep(points)), [level], cost).iloc[0]


class TestFront:
    def test_dominated_rows_are_gone(self):
        points = [(0.9, 10.0, 5.0), (0.5, 1000.0, 1.0), (0.6, 90.0, 9.0), (0.7, 100.0, 2.0)]
        frame = front(pd.DataFrame(sweep(points)))
        assert frame["recall"].tolist() == [0.5, 0.7, 0.9]

    def test_ties_keep_one_row(self):
        points = [(0.5, 10.0, 1.0), (0.5, 20.0, 1.0), (0.6, 20.0, 1.0), (0.6, 20.0, 1.0)]
        frame = front(pd.DataFrame(sweep(points)))
        assert frame[["recall", "qps"]].values.tolist() == [[0.6, 20.0]]

    def test_less_work_is_better(self):
        points = [(0.5, 1.0, 10.0), (0.6, 1.0, 5.0), (0.7, 1.0, 50.0)]
        assert front(pd.DataFrame(sweep(points)), "points_scanned")["recall"].tolist() == [0.6, 0.7]

    def test_curves_do_not_dominate_each_other(self):
        rows = sweep([(0.9, 100.0, 1.0)]) + sweep([(0.5, 10.0, 9.0)], seed=2) + sweep([(0.4, 1.0, 9.0)], "B()")
        assert len(front(pd.DataFrame(rows))) == 3

    def test_nor_do_policies_of_one_algorithm(self):
        rows = sweep([(0.9, 100.0, 1.0)]) + sweep([(0.5, 10.0, 9.0)], probing="Patience")
        assert front(pd.DataFrame(rows))["probing"].tolist() == ["Fixed", "Patience"]
        assert len(at_recall(pd.DataFrame(rows), [0.5])) == 2

    def test_what_failed_is_not_on_a_front(self):
        rows = sweep([(0.5, 10.0, 1.0)]) + sweep([(math.nan, math.nan, math.nan)], status="failed")
        assert len(front(pd.DataFrame(rows))) == 1
        assert front(pd.DataFrame(rows[1:])).empty

    def test_an_unknown_cost(self):
        with pytest.raises(ResultError, match="found 'time', expected one of qps, points_scanned, lists_probed"):
            front(pd.DataFrame(sweep(PLAIN)), "time")


class TestAtRecall:
    @pytest.mark.parametrize(
        ("level", "cost", "expected"),
        [
            (0.5, "qps", 1000.0),
            (0.7, "qps", 100.0),
            (0.6, "qps", math.sqrt(1000.0 * 100.0)),
            (0.65, "qps", 10**2.25),
            (0.8, "points_scanned", 1000.0),
            (0.8, "lists_probed", 100.0),
            (0.9, "points_scanned", 10_000.0),
        ],
    )
    def test_by_hand(self, level, cost, expected):
        row = read(PLAIN, level, cost)
        assert row["value"] == pytest.approx(expected)
        assert row["state"] == "reached"
        assert (row["recall_below"], row["recall_above"]) == {
            0.5: (0.5, 0.5),
            0.7: (0.7, 0.7),
            0.6: (0.5, 0.7),
            0.65: (0.5, 0.7),
            0.8: (0.7, 0.9),
            0.9: (0.9, 0.9),
        }[level]

    def test_above_the_best_and_below_the_sweep(self):
        above, below = read(PLAIN, 0.95), read(PLAIN, 0.4)
        assert math.isnan(above["value"])
        assert (above["state"], above["recall_below"]) == ("not reached", 0.9)
        assert math.isnan(below["value"])
        assert (below["state"], below["recall_above"]) == ("below the sweep", 0.5)

    def test_rounding_does_not_miss_a_level(self):
        assert read([(0.1 + 0.2, 7.0, 1.0)], 0.3)["value"] == 7.0
        assert read([(0.95 - 1e-12, 7.0, 1.0)], 0.95)["value"] == 7.0

    def test_a_free_point_has_no_logarithm(self):
        row = read([(0.1, 9.0, 0.0), (0.5, 5.0, 10.0)], 0.3, "points_scanned")
        assert row["state"] == "below the sweep"

    def test_a_failed_curve_keeps_its_rows(self):
        frame = at_recall(pd.DataFrame(sweep([(math.nan,) * 3], status="failed")), [0.5, 0.9])
        assert frame["state"].tolist() == ["failed", "failed"]

    @pytest.mark.parametrize("level", [0.0, -0.1, 1.01, math.nan])
    def test_levels_outside(self, level):
        with pytest.raises(ResultError, match="level of recall"):
            at_recall(pd.DataFrame(sweep(PLAIN)), [level])


class TestComparison:
    half = tuple((recall, 2 * qps, scanned / 4) for recall, qps, scanned in PLAIN)

    def rows(self):
        return pd.DataFrame(sweep(PLAIN, "A()") + sweep(self.half, "B(x=1)"))

    def test_one_row_per_level_and_algorithm_by_hand(self):
        frame = comparison(self.rows(), [0.8, 0.6, 0.95], "A*")
        assert list(zip(frame["recall"], frame["algorithm"], strict=True)) == [
            *((0.6, "A()"), (0.6, "B(x=1)"), (0.8, "A()"), (0.8, "B(x=1)"), (0.95, "A()"), (0.95, "B(x=1)")),
        ]
        # Halfway between two points the cost is their geometric mean.
        rates = [math.sqrt(1e5), 2 * math.sqrt(1e5), math.sqrt(1e3), 2 * math.sqrt(1e3)]
        assert frame["qps"][:4].tolist() == pytest.approx(rates)
        scanned = [math.sqrt(1e3), math.sqrt(1e3) / 4, 1000.0, 250.0]
        assert frame["points_scanned"][:4].tolist() == pytest.approx(scanned)
        assert frame["qps_ratio"][:4].tolist() == pytest.approx([1.0, 2.0, 1.0, 2.0])
        assert frame["points_scanned_ratio"][:4].tolist() == pytest.approx([1.0, 0.25, 1.0, 0.25])

    def test_where_there_is_no_number_there_is_a_state(self):
        frame = comparison(self.rows(), [0.4, 0.6, 0.95], "A*")
        states = ["below the sweep"] * 2 + ["reached"] * 2 + ["not reached"] * 2
        assert frame["qps_state"].tolist() == frame["points_scanned_state"].tolist() == states
        values = frame[["qps", "qps_ratio", "points_scanned", "points_scanned_ratio"]]
        assert values.isna().all(axis=1).tolist() == [state != "reached" for state in states]

    def test_without_a_baseline_there_are_no_ratios(self):
        row = ["dataset", "k", "mode", "threads", "recall", "algorithm", "probing", "seeds"]
        states = ["qps_state", "points_scanned_state"]
        plain, against = comparison(self.rows(), [0.6]), comparison(self.rows(), [0.6], "A*")
        assert list(plain.columns) == [*row, "qps", "points_scanned", *states]
        ratios = ["qps", "qps_ratio", "points_scanned", "points_scanned_ratio"]
        assert list(against.columns) == [*row, *ratios, *states]
        pd.testing.assert_frame_equal(plain, against[list(plain.columns)])

    def test_seeds_are_their_median_and_the_worst_state_wins(self):
        rows = []
        for seed, factor in enumerate((1.0, 2.0, 10.0)):
            rows += sweep([(r, q * factor, s) for r, q, s in PLAIN], seed=seed)
        frame = comparison(pd.DataFrame(rows), [0.5])
        assert (frame["seeds"].item(), frame["qps"].item()) == (3, 2000.0)
        rows += sweep(PLAIN[1:], seed=9)
        frame = comparison(pd.DataFrame(rows), [0.5])
        assert frame["qps_state"].item() == "below the sweep"
        assert math.isnan(frame["qps"].item())

    def test_modes_and_threads_are_never_one_row(self):
        rows = sweep(PLAIN) + sweep(PLAIN, mode="batch") + sweep(PLAIN, mode="batch", threads=2)
        assert len(comparison(pd.DataFrame(rows), [0.6])) == 3

    def test_a_group_without_the_baseline_has_no_ratio(self):
        rows = pd.DataFrame(sweep(PLAIN, "A()") + sweep(PLAIN, "B()", mode="batch"))
        frame = comparison(rows, [0.6], "A()").set_index("algorithm")
        assert math.isnan(frame.loc["B()", "qps_ratio"])
        assert frame.loc["B()", "qps_state"] == "reached"

    def test_a_baseline_that_does_not_reach_the_level_gives_no_ratio(self):
        rows = pd.DataFrame(sweep(PLAIN, "A()") + sweep([*PLAIN, (0.99, 5.0, 2e4)], "B()"))
        frame = comparison(rows, [0.9, 0.99], "A()")
        assert frame["qps"].tolist() == pytest.approx([10.0, 10.0, math.nan, 5.0], nan_ok=True)
        assert frame["qps_ratio"].tolist() == pytest.approx([1.0, 1.0, math.nan, math.nan], nan_ok=True)

    def test_an_empty_table_compares_to_nothing(self):
        assert comparison(self.rows().head(0), [0.6]).empty

    def test_the_fixed_number_of_lists_is_the_baseline_of_the_other_policies(self):
        rows = pd.DataFrame(sweep(PLAIN, "A()", probing="SoftmaxMass") + sweep(self.half, "A()"))
        frame = comparison(rows, [0.6], "A*").set_index("probing")
        assert frame["qps_ratio"].to_dict() == pytest.approx({"Fixed": 1.0, "SoftmaxMass": 0.5})
        assert names_one(rows, "A*")

    def test_one_other_policy_may_be_the_baseline_and_of_two_none(self):
        rows = sweep(PLAIN, "A()", probing="SoftmaxMass") + sweep(self.half, "B()")
        frame = comparison(pd.DataFrame(rows), [0.6], "A*").set_index("algorithm")
        assert frame["qps_ratio"].to_dict() == pytest.approx({"A()": 1.0, "B()": 2.0})
        assert names_one(pd.DataFrame(rows), "A*")
        rows += sweep(PLAIN, "A()", probing="Patience")
        assert not names_one(pd.DataFrame(rows), "A*")
        with pytest.raises(ResultError, match=r"found A\(\), Patience and A\(\), SoftmaxMass on small, expected one"):
            comparison(pd.DataFrame(rows), [0.6], "A*")

    def test_the_best_peer_is_the_fastest_other_library_at_each_level(self):
        slow = [(recall, qps / 4, math.nan) for recall, qps, _ in PLAIN]
        steep = [(0.5, 4000.0, math.nan), (0.9, 5.0, math.nan)]
        rows = pd.DataFrame([*sweep(PLAIN, "IVF(KMeans())"), *sweep(slow, "Slow()"), *sweep(steep, "Steep()")])
        frame = comparison(rows, [0.5, 0.9, 0.95], "best-peer").set_index(["recall", "algorithm"])
        assert frame["qps_ratio"].to_dict() == pytest.approx(
            {
                (0.5, "IVF(KMeans())"): 0.25, (0.5, "Slow()"): 0.0625, (0.5, "Steep()"): 1.0,
                (0.9, "IVF(KMeans())"): 2.0, (0.9, "Slow()"): 0.5, (0.9, "Steep()"): 1.0,
                **{(0.95, name): math.nan for name in ("IVF(KMeans())", "Slow()", "Steep()")},
            },
            nan_ok=True,
        )  # fmt: skip
        assert "points_scanned_ratio" not in frame
        assert frame.loc[(0.5, "Slow()"), "points_scanned_state"] == "not told"

    def test_without_peers_there_is_no_best(self):
        rows = pd.DataFrame([*sweep(PLAIN, "IVF(KMeans())"), *sweep(PLAIN, "Exact()")])
        with pytest.raises(ResultError, match=r"best-peer: found only Exact\(\), IVF\(KMeans\(\)\), expected an algo"):
            comparison(rows, [0.5], "best-peer")

    def test_what_was_skipped_says_so(self):
        rows = sweep([(math.nan,) * 3], "Peer()", mode="none", status="skipped") + sweep(PLAIN)
        frame = comparison(pd.DataFrame(rows), [0.5]).set_index("algorithm")
        assert frame["qps_state"].to_dict() == {"A()": "reached", "Peer()": "skipped"}

    def test_bad_baselines(self):
        with pytest.raises(ResultError, match=r"found no such algorithm, expected a glob for one of: A\(\), B"):
            comparison(self.rows(), [0.6], "C*")
        with pytest.raises(ResultError, match=r"found A\(\) and B\(x=1\) on small, expected one"):
            comparison(self.rows(), [0.6], "*")


class TestNamesOne:
    both = (*sweep(PLAIN, "A()"), *sweep(PLAIN, "B()"), *sweep(PLAIN, "A()", mode="batch"))

    @pytest.mark.parametrize(("baseline", "expected"), [("A*", True), ("B*", False), ("*", False), ("C*", False)])
    def test_exactly_one_in_every_group(self, baseline, expected):
        frame = pd.DataFrame(self.both)
        assert names_one(frame, baseline) is expected
        assert names_one(frame.head(0), baseline) is False

    def test_several_seeds_are_one_algorithm(self):
        assert names_one(pd.DataFrame([*self.both, *sweep(PLAIN, "A()", seed=2)]), "A*")

    def test_builds_that_failed_need_no_baseline_but_bear_no_two(self):
        def lost(algorithm):
            return sweep([(math.nan,) * 3], algorithm, mode="none", status="failed")

        assert names_one(pd.DataFrame([*self.both, *lost("B()")]), "A*")
        assert names_one(pd.DataFrame([*self.both, *lost("A()")]), "A*")
        assert not names_one(pd.DataFrame([*self.both, *lost("A()"), *lost("A(1)")]), "A*")
        assert not names_one(pd.DataFrame(lost("A()")), "A*")
