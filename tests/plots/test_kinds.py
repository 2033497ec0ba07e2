"""What the traces of each kind claim, against the tables they come from."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ivfbench.plots.command import draw_kinds
from ivfbench.plots.draw import named
from ivfbench.plots.errors import NothingToShowError
from ivfbench.plots.kind import USUAL_OPTIONS, Options, Source
from ivfbench.plots.kinds.growth import family
from ivfbench.plots.registry import KINDS
from ivfbench.plots.trace import Trace, by_performance
from ivfbench.results.at_recall import at_recall, front
from ivfbench.results.comparison import comparison
from ivfbench.results.errors import ResultError
from ivfbench.results.query_costs import query_costs

LARGE = "small[base=4000]"


@pytest.fixture
def traces(rows):
    """A function: the traces of a kind on the larger dataset, or on all if it compares them."""

    def call(name, options=USUAL_OPTIONS):
        frame = rows(KINDS[name], options)
        frame = frame[frame["dataset"] == LARGE] if "dataset" in KINDS[name].figure_by else frame
        return KINDS[name].traces(named(frame), options)

    return call


@pytest.fixture
def table(source):
    return source.table[source.table["dataset"] == LARGE]


def test_latency_is_that_of_the_front(traces, table):
    best = front(table).query("algorithm.str.contains('Learnt')")
    shown = {trace.quantity: trace for trace in traces("latency") if "learnt" in trace.label}
    for quantity, column in (("median latency (ms)", "latency_p50_ms"), ("99th percentile (ms)", "latency_p99_ms")):
        np.testing.assert_array_equal(shown[quantity].x, best["recall"])
        np.testing.assert_array_equal(shown[quantity].y, best[column])
    assert len(shown) == 3


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_cost_is_rate_at_a_recall_and_what_was_paid(traces, table, level):
    learnt = table[table["algorithm"].str.contains("Learnt")]
    rate = at_recall(learnt, (level,))["value"].iloc[0]
    row = learnt.iloc[0]
    shown = traces("cost", Options(levels=(level,)))
    found = {trace.quantity: (trace.x[0], trace.y[0]) for trace in shown if "learnt" in trace.label}
    assert found == {
        "build, learn and label (s)": (rate, row["build_seconds"] + row["learn_seconds"] + row["label_seconds"]),
        "index (MiB)": (rate, row["index_bytes"] / 2**20),
        "peak memory (MiB)": (rate, row["peak_memory_bytes"] / 2**20),
    }


def test_speed_up_is_the_ratio_of_the_comparison(traces, table):
    compared = comparison(table, (0.8, 0.9), "*Centroid*").query("algorithm.str.contains('Learnt')")
    learnt, baseline = sorted(traces("speed-up", Options(levels=(0.8, 0.9))), key=lambda trace: not trace.algorithm)
    assert learnt.x.tolist() == [0.8, 0.9]
    np.testing.assert_array_equal(learnt.y, compared["qps_ratio"])
    assert (baseline.algorithm, baseline.label) == ("", "baseline: IVF centroid (normalised)")


class TestSpeedUpBaselines:
    def numbers(self, source, folder, **asked):
        """What the figures' CSV say, by the name of the dataset."""
        paths = list(draw_kinds(source, ["speed-up"], folder, ("csv",), Options(**asked)))
        return {path.name.partition("-k10")[0]: pd.read_csv(path, keep_default_na=False) for path in paths}

    def ratios(self, numbers, algorithm):
        return numbers[numbers["algorithm"].str.contains(algorithm, regex=False)]["y"].tolist()

    def test_none_at_all(self, source):
        learnt = Source([run for run in source.runs if "Learnt" in run.algorithm], source.folder)
        for options in (USUAL_OPTIONS, Options(baseline="best-peer"), Options(baseline="Oracle*")):
            with pytest.raises(NothingToShowError, match=r"^speed-up: found .* as baseline, expected --relative-to"):
                KINDS["speed-up"].rows(learnt, options)
        failed = Source([replace(run, status="failed", points=()) for run in source.runs], source.folder)
        with pytest.raises(NothingToShowError, match=r"^speed-up: found nothing that was measured"):
            KINDS["speed-up"].rows(failed, USUAL_OPTIONS)

    @pytest.mark.parametrize("baseline", [None, "*Centroid*"])
    def test_one_dataset_of_two_has_one(self, source, sample_runs, tmp_path, caplog, baseline):
        _, learnt = sample_runs(dataset="zoo", modes=("single",))
        both = Source([*source.runs, learnt], source.folder)
        assert set(self.numbers(both, tmp_path, baseline=baseline)) == {"small-base-1000", "small-base-4000"}
        (message,) = caplog.messages
        assert message.startswith("no speed-up figure for zoo, k = 10, mode single: found n")

    def test_a_glob_need_be_unambiguous_only_where_it_is_asked_for(self, source, sample_runs, tmp_path):
        several = sample_runs(dataset="zoo", modes=("single",), routers=(("Centroid()", 1.0), ("MultiCentroid()", 2.0)))
        both = Source([*source.runs, *several], source.folder)
        asked = {"baseline": "*Centroid*", "datasets": ("small*",)}
        assert len(self.numbers(both, tmp_path, **asked)) == 2
        with pytest.raises(ResultError, match=r"MultiCentroid.* on zoo, expected one"):
            self.numbers(both, tmp_path, baseline="*Centroid*")

    def test_it_does_not_depend_on_who_is_shown(self, source, tmp_path):
        everybody = self.numbers(source, tmp_path / "a")["small-base-4000"]
        alone = self.numbers(source, tmp_path / "b", algorithms=("*Learnt*",))["small-base-4000"]
        assert self.ratios(alone, "Learnt") == self.ratios(everybody, "Learnt") != []
        assert set(alone["curve"]) == {"IVF learnt (epochs=50)", "baseline: IVF centroid (normalised)"}

    def test_the_best_peer_is_the_best_of_all(self, sample_runs, tmp_path):
        runs = sample_runs(modes=("single",), routers=(("Learnt()", 1.5), ("Slow", 1.0), ("Fast", 2.0)))
        peers = [
            replace(run, algorithm=name, parameters={})
            for run, name in zip(runs[1:], ("Slow()", "Fast()"), strict=True)
        ]
        source = Source([runs[0], *peers], tmp_path)
        (everybody,) = self.numbers(source, tmp_path / "a").values()
        (fewer,) = self.numbers(source, tmp_path / "b", algorithms=("IVF*", "Slow*")).values()
        assert set(fewer["algorithm"]) < set(everybody["algorithm"])
        assert self.ratios(fewer, "Learnt") == self.ratios(everybody, "Learnt") != []
        assert self.ratios(fewer, "Learnt")[0] < 1.0


def test_growth_follows_a_method_over_sizes(traces, source):
    shown = traces("growth")
    rates = at_recall(source.table, (0.95,)).query("algorithm.str.contains('Learnt')")["value"]
    learnt = next(trace for trace in shown if "learnt" in trace.label)
    assert learnt.x.tolist() == [1000.0, 4000.0]
    np.testing.assert_array_equal(learnt.y, rates)
    (guide,) = (trace for trace in shown if not trace.algorithm)
    assert guide.y[0] / guide.y[1] == pytest.approx(2.0)  # four times the vectors, half the rate
    assert {trace.panel for trace in shown} == {"small, 64 dimensions"}
    assert len({trace.quantity for trace in shown}) == 4
    large = named(source.table[source.table["n"] == 4000])
    assert KINDS["growth"].traces(large, USUAL_OPTIONS) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("drift:n=10000,dimension=96 (synthetic)", "drift (synthetic)"),
        ("drift:n=10000,dimension=96,topics=268,learn=0,k=10 (synthetic)", "drift:learn=0,k=10 (synthetic)"),
        ("drift:learn=0,n=5 (synthetic)", "drift:learn=0 (synthetic)"),
        ("drift:n=10[base=5] (synthetic)", "drift (synthetic)"),
        ("drift:n=10[base=5,pca=2] (synthetic)", "drift[pca=2] (synthetic)"),
        ("sift-128[base=1000,pca=4]", "sift-128[pca=4]"),
        ("sift-128[base=1000,normalise,metric=ip]", "sift-128[normalise,metric=ip]"),
        ("sift-128[pca=4,base=1000]", "sift-128[pca=4]"),
        ("sift-128[base=1000]", "sift-128"),
        ("sift-128[learn=7]", "sift-128[learn=7]"),
        ("sift-128", "sift-128"),
        ("a, n=3: b", "a, n=3: b"),
    ],
)
def test_family(name, expected):
    assert family(name) == expected
    assert family(expected) == expected


def test_growth_keeps_variants_apart(source):
    others = [replace(run, dataset=run.dataset.replace("]", ",metric=ip]")) for run in source.runs]
    both = Source([*source.runs, *others], source.folder)
    shown = KINDS["growth"].traces(named(KINDS["growth"].rows(both, USUAL_OPTIONS)), USUAL_OPTIONS)
    assert {trace.panel for trace in shown} == {"small, 64 dimensions", "small[metric=ip], 64 dimensions"}
    assert len({(trace.panel, trace.quantity, trace.label) for trace in shown}) == len(shown)


def test_query_recall_counts_queries(traces, source):
    costs = query_costs(source.runs, 0.95).query(f"dataset == '{LARGE}' and algorithm.str.contains('Learnt')")["recall"]
    learnt = next(trace for trace in traces("query-recall") if "learnt" in trace.label)
    for x, y in zip(learnt.x, learnt.y, strict=True):
        assert y == pytest.approx((costs >= x).mean())
    assert (learnt.x[0], learnt.y[0]) == (0.0, 1.0)


def test_the_hardest_queries_come_first(traces, source):
    costs = query_costs(source.runs, 0.95).query(f"dataset == '{LARGE}'")
    means = costs.groupby("query")["recall"].mean()
    shown = traces("hardest-queries", Options(width="single"))
    assert len(shown) == 2
    assert means[shown[0].x.astype(int)].is_monotonic_increasing
    assert means[shown[0].x.astype(int)].max() <= means.drop(shown[0].x.astype(int)).min()
    assert shown[0].names[0] == f"query {shown[0].x[0]:.0f}"
    np.testing.assert_allclose((shown[0].y + shown[1].y) / 2, means[shown[0].x.astype(int)])


def test_ranks_are_of_latency(traces, source):
    seconds = (
        query_costs(source.runs, 0.95)
        .query(f"dataset == '{LARGE}'")
        .pivot_table(index="query", columns="algorithm", values="seconds")
    )
    learnt = next(trace for trace in traces("critical-difference") if "learnt" in trace.label)
    assert learnt.x[0] == pytest.approx(seconds.rank(axis=1).mean().filter(like="Learnt").iloc[0])


def test_many_datasets_are_ranked_too(source):
    kind = KINDS["critical-difference"]
    assert set(kind.rows(source, USUAL_OPTIONS)["over"]) == {"queries, by latency"}
    large = [run for run in source.runs if run.n == 4000]
    many = Source([replace(run, dataset=f"d{place}") for place in range(6) for run in large], source.folder)
    over = kind.rows(many, USUAL_OPTIONS).query("over.str.startswith('datasets')")
    assert set(over["dataset"]) == {"6 datasets"}
    drawn = kind.traces(named(over), USUAL_OPTIONS)
    assert [trace.x[0] for trace in drawn if trace.algorithm] == [1.0, 2.0]


def test_accuracy_is_dashed_for_the_baseline(traces):
    shown = traces("accuracy")
    assert {(trace.dashed, trace.algorithm) for trace in shown} == {(True, "k-means"), (False, "k-means")}
    assert {trace.panel for trace in shown} == {"small[base=1000]", LARGE}
    assert all(trace.x.max() <= 10.0 for trace in shown)


def test_what_builds_note(traces):
    (sizes,) = traces("list-sizes")
    assert (sizes.x[0], sizes.x[-1], sizes.y[50]) == (0.0, 100.0, 0.5)
    loss, _, accuracy, _ = traces("learning")
    assert (loss.x.tolist(), loss.y.tolist()) == ([0.0, 1.0, 2.0], [3.0, 2.5, 2.4])
    assert accuracy.y.tolist() == [0.2, 0.4, 0.5]


def of_lists(sample_runs, lists, **more):
    """Two routers over so many lists, observed, with the sizes of the lists noted: twice the mean at most."""
    sizes = np.linspace(0.0, 2 * 4000 / lists, 101).tolist()
    runs = sample_runs(lists=lists, routing=True, modes=(), **more)
    return [replace(run, notes={**run.notes, "list_size_percentiles": sizes}) for run in runs]


def test_several_numbers_of_lists_on_one_dataset_are_several_curves(sample_runs, tmp_path):
    source = Source([run for lists in (50, 100) for run in of_lists(sample_runs, lists)], tmp_path)
    rows = KINDS["accuracy"].rows(source, USUAL_OPTIONS).query("k == 10")
    shown = KINDS["accuracy"].traces(rows, USUAL_OPTIONS)
    names = {f"k-means (lists={lists}), {router}" for lists in (50, 100) for router in
             ("centroid (normalised)", "learnt (epochs=50)")}  # fmt: skip
    assert {trace.label for trace in shown} == names
    assert all((np.diff(trace.x) > 0).all() for trace in shown)
    sizes = KINDS["list-sizes"].traces(KINDS["list-sizes"].rows(source, USUAL_OPTIONS), USUAL_OPTIONS)
    assert {trace.label: trace.x[-1] for trace in sizes} == {"k-means (lists=50)": 160, "k-means (lists=100)": 80}


def test_a_number_of_lists_that_follows_the_dataset_is_one_method(sample_runs, tmp_path):
    runs = of_lists(sample_runs, 50) + of_lists(sample_runs, 100, dataset="other")
    for name in ("accuracy", "list-sizes"):
        rows = KINDS[name].rows(Source(runs, tmp_path), USUAL_OPTIONS)
        assert {trace.algorithm for trace in KINDS[name].traces(rows, USUAL_OPTIONS)} == {"k-means"}


def curve(label, x, y, **more):
    return Trace(label, label, np.array(x, float), np.array(y, float), **more)


class TestPerformance:
    def test_curves_are_compared_where_the_shorter_ends(self):
        fast_but_short = curve("a", [0.5, 0.9], [9.0, 5.0])
        slow_and_long = curve("b", [0.5, 0.9, 1.0], [3.0, 2.0, 1.0])
        late = curve("c", [0.8, 0.9, 0.99], [8.0, 6.0, 2.0])
        assert by_performance([slow_and_long, fast_but_short, late]) == ["c", "a", "b"]
        assert by_performance([slow_and_long, fast_but_short, late], better=-1) == ["b", "a", "c"]

    def test_who_shares_nothing_is_better_further_right(self):
        assert by_performance([curve("a", [0.1, 0.2], [9, 8]), curve("b", [0.8, 0.9], [2, 1])]) == ["b", "a"]

    def test_guides_and_further_quantities_do_not_count(self):
        first = [curve("a", [1.0], [1.0], quantity="x"), curve("b", [1.0], [2.0], quantity="x")]
        second = [curve("a", [1.0], [9.0], quantity="y"), curve("b", [1.0], [2.0], quantity="y")]
        guide = Trace("g", "", np.ones(1), np.ones(1))
        assert by_performance([guide, *first, *second]) == ["b", "a"]
        assert by_performance([*second, *first, guide]) == ["a", "b"]
