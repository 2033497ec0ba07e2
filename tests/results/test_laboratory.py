"""The laboratory's table: who is compared with whom, and what every column says."""

import dataclasses
import math

import numpy as np
import pytest
from ivfbench.results.competition import contests
from ivfbench.results.curves import KEPT, curves
from ivfbench.results.errors import ResultError
from ivfbench.results.gains import facts_of, gains
from ivfbench.results.labels import natural, router_and_rest
from ivfbench.results.laboratory import BUDGETS, SHARES, laboratory
from ivfbench.results.paired import holm, paired_bootstrap
from ivfbench.results.ratios import RESAMPLES, ratio_at_recall
from ivfbench.results.routing import accuracy_at_lists, accuracy_at_points, points_at_recall, recall_curve

CENTROID, LEARNT = "centroid (normalised)", "learnt (epochs=50)"
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def routed(sample_runs):
    """Three seeds of two routers."""
    return [run for seed in SEEDS for run in sample_runs(routing=True, modes=("single",), seed=seed)]


@pytest.fixture(scope="module")
def frame(routed):
    return laboratory(routed, resamples=500)


def of(runs, word):
    return [run for run in runs if word in run.algorithm]


class TestTable:
    def test_a_row_for_each_router_k_and_budget(self, frame):
        assert len(frame) == 2 * 2 * len(BUDGETS)  # routers, k of 1 and 10: the truth holds 20
        key = ["dataset", "clustering", "router", "k", "budget", "share"]
        assert not frame.duplicated(key).any()
        assert set(frame["router"]) == {CENTROID, LEARNT}
        assert set(frame["share"]) == set(SHARES)
        assert (frame["seeds"] == 3).all()

    def test_accuracy_and_difference(self, frame, routed):
        row = frame.set_index(["router", "k", "budget", "share"])
        for k in (1, 10):
            ours = np.stack([accuracy_at_points(run, k, 0.01 * run.n) for run in of(routed, "Learnt")])
            theirs = np.stack([accuracy_at_points(run, k, 0.01 * run.n) for run in of(routed, "Centroid")])
            found = row.loc[(LEARNT, k, "points", 0.01)]
            assert found["accuracy"] == pytest.approx(ours.mean())
            assert found["difference"] == pytest.approx((ours - theirs).mean())
            alone = paired_bootstrap(ours, theirs, resamples=500)
            assert (found["low"], found["high"]) == pytest.approx((alone.low, alone.high))
        lists = np.mean([accuracy_at_lists(run, 10, 5).mean() for run in of(routed, "Centroid")])
        assert row.loc[(CENTROID, 10, "lists", 0.05)]["accuracy"] == pytest.approx(lists)

    def test_the_p_values_are_corrected_over_the_whole_table(self, frame, routed):
        told = []
        for k in (1, 10):
            for kind, share in BUDGETS:

                def values(run, k=k, kind=kind, share=share):
                    if kind == "points":
                        return accuracy_at_points(run, k, share * run.n)
                    return accuracy_at_lists(run, k, max(1, round(100 * share)))

                pair = [np.stack([values(run) for run in of(routed, name)]) for name in ("Learnt", "Centroid")]
                told.append(paired_bootstrap(*pair, resamples=500).tail_p)
        assert frame[frame["router"] == LEARNT]["p"].tolist() == pytest.approx(holm(told))
        assert frame[frame["baseline"]]["p"].isna().all()

    def test_costs(self, frame, routed):
        learnt = frame[(frame["router"] == LEARNT) & (frame["k"] == 10)].iloc[0]
        assert learnt["points_at_0.9"] == pytest.approx(
            np.mean([points_at_recall(run, 10, 0.9) for run in of(routed, "Learnt")])
        )
        assert learnt["points_ratio_at_0.9_low"] <= learnt["points_ratio_at_0.9"] <= learnt["points_ratio_at_0.9_high"]
        assert learnt["points_ratio_at_0.9"] < 1
        assert (learnt["learn_seconds"], learnt["router_bytes"]) == (3.25, 25_600)
        times = [np.median(run.routing.seconds) for run in of(routed, "Learnt")]
        assert learnt["latency_us"] == pytest.approx(1e6 * np.median(times))
        assert learnt["qps_at_0.9"] > 0
        assert frame[frame["k"] == 1]["qps_at_0.9"].isna().all()  # only k = 10 was searched
        centroid = frame[frame["baseline"]].iloc[0]
        assert (centroid["router"], centroid["points_ratio_at_0.95"]) == (CENTROID, 1.0)

    @pytest.mark.parametrize("resamples", [20, RESAMPLES + 1])
    def test_resamples_are_those_of_the_ratios_too(self, routed, resamples):
        row = laboratory(routed, resamples=resamples).query("router == @LEARNT and k == 10").iloc[0]
        few = min(resamples, RESAMPLES)
        alone = ratio_at_recall(of(routed, "Learnt"), of(routed, "Centroid"), 10, 0.9, resamples=few)
        found = tuple(row[f"points_ratio_at_0.9{end}"] for end in ("", "_low", "_high"))
        assert found == pytest.approx((alone.ratio, alone.low, alone.high), rel=1e-12)

    def test_warnings_of_the_training(self, routed):
        noted = [
            dataclasses.replace(run, notes={"warnings": ["lists without a label", f"seed {run.seed}"]})
            if "Learnt" in run.algorithm
            else run
            for run in routed
        ]
        frame = laboratory(noted, resamples=10)
        said = "lists without a label; seed 1; seed 2; seed 3"
        assert set(frame[frame["router"] == LEARNT]["warnings"]) == {said}
        assert set(frame[frame["router"] == CENTROID]["warnings"]) == {""}

    def test_seeds_that_only_one_of_them_has_do_not_make_pairs(self, routed):
        lacking = [run for run in routed if "Learnt" in run.algorithm or run.seed != 3]
        row = laboratory(lacking, resamples=10).query("router == @LEARNT and k == 1 and budget == 'points'").iloc[1]
        ours = [accuracy_at_points(run, 1, 0.01 * run.n) for run in of(lacking, "Learnt")]
        theirs = [accuracy_at_points(run, 1, 0.01 * run.n) for run in of(lacking, "Centroid")]
        assert row["accuracy"] == pytest.approx(np.mean(ours))
        assert row["difference"] == pytest.approx(np.mean(ours[:2]) - np.mean(theirs))

    def test_nothing_that_routed(self, sample_runs):
        with pytest.raises(ResultError, match="found no run with routing"):
            laboratory(sample_runs())


class TestContests:
    def test_clusterings_and_datasets_are_apart(self, sample_runs):
        runs = [run for lists in (50, 100) for run in sample_runs(routing=True, lists=lists, modes=())]
        runs += sample_runs(routing=True, dataset="other", synthetic=True, modes=())
        found = [(contest.dataset, contest.clustering) for contest in contests(runs)]
        assert found == [
            ("other (synthetic)", "k-means (lists=100)"),
            ("sample-64-euclidean", "k-means (lists=100)"),
            ("sample-64-euclidean", "k-means (lists=50)"),
        ]

    def test_one_build_under_several_k_is_one_competitor(self, sample_runs):
        runs = sample_runs(routing=True, modes=())
        (contest,) = contests([*runs, *(dataclasses.replace(run, k=5) for run in runs)])
        assert [len(contest.of(router)) for router in contest.runs] == [1, 1]

    def test_the_baseline(self, sample_runs):
        def baseline(*names, glob=None):
            routers = tuple((f"{name}", 1.0 + place) for place, name in enumerate(names))
            (contest,) = contests(sample_runs(routing=True, modes=(), routers=routers), *([glob] if glob else []))
            return contest.baseline

        normalised, euclidean = "Centroid(scoring='normalised')", "Centroid(scoring='euclidean')"
        inner = "Centroid(scoring='inner product')"
        assert baseline(normalised, euclidean, "Learnt()") == normalised
        several = f"Multi{normalised}"
        assert baseline(normalised, euclidean, several) == normalised  # not the better, whose name holds the same
        assert baseline(inner, euclidean, "Learnt()") == euclidean  # the better one
        assert baseline(inner, euclidean, "Learnt()", glob="*Learnt*") == "Learnt()"
        assert baseline("Learnt()", "Other()") is None

    def test_without_a_baseline_nothing_is_compared(self, sample_runs):
        runs = sample_runs(routing=True, modes=(), routers=(("Learnt()", 1.0), ("Other()", 2.0)))
        frame = laboratory(runs, resamples=10)
        assert frame[["difference", "low", "high", "p"]].isna().all(axis=None)
        assert frame["accuracy"].notna().all()

    def test_texts_that_are_no_inverted_files(self):
        assert router_and_rest("Exact()") is None
        found = router_and_rest("IVF(KMeans(lists=4), Learnt(k=3), Int8(bits=4))")
        assert found == (
            "Learnt(k=3)",
            "learnt (k=3)",
            "KMeans(lists=4), Int8(bits=4)",
            "k-means (lists=4), int8 (bits=4)",
        )

    def test_labels_are_sorted_as_people_do(self):
        assert sorted(["a 12", "a 4", "b", "a 4.5"], key=natural) == ["a 4", "a 4.5", "a 12", "b"]


def test_curves(routed):
    frame = curves(routed)
    assert set(frame["role"]) == {"baseline", "router"}
    one = frame[(frame["router"] == LEARNT) & (frame["k"] == 10)]
    assert one["lists"].iloc[0] == 1
    assert one["lists"].iloc[-1] == 100
    assert len(one) <= KEPT
    expected = np.mean([recall_curve(run, 10) for run in of(routed, "Learnt")], axis=0)
    np.testing.assert_allclose(one["recall"], expected[one["lists"] - 1])
    assert one["points_percent"].iloc[-1] == pytest.approx(100.0)
    assert len(curves([])) == 0


class TestGains:
    def build(self, run, router, **changes):
        lists = len(run.routing.scanned)
        parameters = {"type": "IVF", "clustering": {"type": "KMeans", "lists": lists}, "router": router}
        return dataclasses.replace(run, parameters=parameters, **changes)

    def runs(self, sample_runs, lists, k, **changes):
        routers = (("Centroid(scoring='normalised')", 1.0), *((f"Learnt(k={value})", 1.5) for value in k))
        spelled = ({"type": "Centroid", "scoring": "normalised"}, *({"type": "Learnt", "k": value} for value in k))
        made = sample_runs(routing=True, modes=(), lists=lists, routers=routers, dataset=changes.pop("dataset", "x"))
        return [self.build(run, router, **changes) for run, router in zip(made, spelled, strict=True)]

    def test_what_varies_is_found(self, sample_runs):
        runs = [run for lists in (50, 100) for run in self.runs(sample_runs, lists, (1, 10))]
        found = gains(laboratory(runs, resamples=10))
        assert set(found["factor"]) == {"clustering.lists", "router.k"}
        by_lists = found[found["factor"] == "clustering.lists"]
        assert by_lists["family"].nunique() == 2  # trained for 1 and for 10
        assert sorted(set(by_lists["value"])) == [50, 100]
        assert not found["router"].str.startswith("centroid").any()

    def test_a_variant_of_a_dataset_is_the_same_dataset(self, sample_runs):
        runs = [
            run
            for dimension in (16, 64)
            for run in self.runs(sample_runs, 50, (1,), dataset=f"x[pca={dimension}]", dimension=dimension)
        ]
        found = gains(laboratory(runs, resamples=10))
        assert set(found["factor"]) == {"dimension"}
        assert found["family"].nunique() == 1

    def test_two_things_that_differ_at_once_answer_nothing(self, sample_runs):
        runs = self.runs(sample_runs, 50, (1,)) + self.runs(sample_runs, 100, (10,))
        found = gains(laboratory(runs, resamples=10))
        assert found.empty
        assert "factor" in found

    def test_facts(self):
        found = facts_of("x[pca=8,base=100,normalise] (synthetic)", 8, "ip", '{"router":{"k":3,"type":"Learnt"}}')
        variant = {"variant.base": 100, "variant.normalise": True}
        routed = {"router.k": 3, "router.type": "Learnt"}
        assert found == {"dataset": "x (synthetic)", "dimension": 8, "metric": "ip", **routed, **variant}


def test_nan_is_no_number_of_seeds(frame):
    assert not any(isinstance(value, float) and math.isnan(value) for value in frame["seeds"])
