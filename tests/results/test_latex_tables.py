"""Tables for papers, and the stars in them."""

import dataclasses
import math
import re

import numpy as np
import pytest
from ivfbench.results.at_recall import at_recall
from ivfbench.results.cells import number
from ivfbench.results.comparison import comparison
from ivfbench.results.latex_tables import latex_tables
from ivfbench.results.markdown_tables import markdown_tables
from ivfbench.results.paired import holm, paired_bootstrap
from ivfbench.results.query_costs import query_costs
from ivfbench.results.render import render
from ivfbench.results.series import series, without_lists
from ivfbench.results.significance import rate_p_values
from ivfbench.results.table import table

CENTROID = "*Centroid*"
ROWS = ("ids", "distances", "lists_probed", "points_scanned")


@pytest.fixture(scope="module")
def runs(sample_runs):
    return [run for seed in (1, 2) for run in sample_runs(seed=seed)]


def texts(latex):
    """The cells of each row of each tabular."""
    found = []
    for tabular in re.findall(r"\\begin\{tabular\}.*?\\end\{tabular\}", latex, re.DOTALL):
        lines = [line.removesuffix(r" \\") for line in tabular.splitlines() if line.endswith(r" \\")]
        found.append([line.split(" & ") for line in lines])
    return found


class TestQueryCosts:
    def test_points_that_asked_different_numbers_of_queries(self, sample_runs):
        (run, *_) = sample_runs(modes=("single",))
        half = [dataclasses.replace(point, **{name: getattr(point, name)[:20] for name in ROWS},
                                    seconds=point.seconds[:, :20]) for point in run.points[::2]]  # fmt: skip
        mixed = dataclasses.replace(run, points=tuple(half) + run.points[1::2])
        costs = query_costs([mixed], 0.8)
        assert costs["query"].tolist() == list(range(20))

    def test_builds_with_other_threads_are_other_curves(self, sample_runs):
        runs = [
            dataclasses.replace(run, threads=threads) for threads in (1, 2) for run in sample_runs(modes=("single",))
        ]
        costs = query_costs(runs, 0.9)
        assert costs.groupby(["algorithm", "build_threads"])["query"].nunique().tolist() == [40] * 4
        assert not costs.duplicated(["algorithm", "build_threads", "query"]).any()

    def test_their_mean_is_the_recall_and_about_the_rate_of_the_table(self, runs):
        costs = query_costs(runs, 0.9)
        read = at_recall(table(runs), (0.9,)).set_index(["mode", "algorithm", "seed"])["value"]
        single = costs[costs["mode"] == "single"]
        assert set(costs["mode"]) == {"single", "batch"}
        for (mode, algorithm, seed), rows in single.groupby(["mode", "algorithm", "seed"]):
            assert rows["recall"].mean() == pytest.approx(0.9)
            assert 1.0 / rows["seconds"].mean() == pytest.approx(read[mode, algorithm, seed], rel=0.1)
            assert rows["query"].tolist() == list(range(40))
        assert costs[costs["mode"] == "batch"]["seconds"].isna().all()

    def test_a_measured_level_needs_no_line(self, runs):
        (run,) = runs[:1]
        rows = table([run]).query("mode == 'single' and recall == 1")
        fastest = rows.loc[rows["qps"].idxmax(), "query_parameters"]
        (exact,) = (
            p for p in run.points if p.mode == "single" and f'{{"nprobe":{p.query_parameters["nprobe"]}}}' == fastest
        )
        costs = query_costs([run], 1.0)
        np.testing.assert_allclose(costs[costs["mode"] == "single"]["seconds"], np.median(exact.seconds, axis=0))
        assert (costs["recall"] == 1.0).all()

    def test_who_does_not_reach_it_is_absent(self, runs):
        short = [dataclasses.replace(run, points=run.points[:2]) for run in runs]
        assert query_costs(short, 0.99).empty
        assert list(query_costs(short, 0.99)) == list(query_costs(runs, 0.9))


class TestSignificance:
    def test_it_is_the_paired_bootstrap_corrected(self, runs):
        compared = comparison(table(runs), (0.8, 0.9), CENTROID)
        found = rate_p_values(runs, compared, resamples=500)
        told = compared[found.notna()]
        assert set(told["mode"]) == {"single"}
        assert len(told) == 2
        assert not told["algorithm"].str.contains("Centroid").any()
        expected = []
        for row in told.to_dict("records"):
            costs = query_costs(runs, row["recall"]).query("mode == 'single'")
            ours, theirs = (
                costs[costs["algorithm"].str.contains(name)].pivot_table(
                    index="seed", columns="query", values="seconds"
                )
                for name in ("Learnt", "Centroid")
            )
            expected.append(paired_bootstrap(ours.to_numpy(), theirs.to_numpy(), resamples=500).tail_p)
        np.testing.assert_allclose(found[told.index], holm(expected))

    def test_equal_methods_get_no_star(self, runs):
        twins = [
            dataclasses.replace(run, algorithm=run.algorithm.replace("Centroid", "Twin"))
            for run in runs
            if "Centroid" in run.algorithm
        ]
        both = [*twins, *(run for run in runs if "Centroid" in run.algorithm)]
        compared = comparison(table(both), (0.9,), CENTROID)
        assert rate_p_values(both, compared, resamples=200).isna().all()  # which of equals is the baseline?
        slower = [
            dataclasses.replace(
                run, points=tuple(dataclasses.replace(point, seconds=point.seconds * 1.5) for point in run.points)
            )
            for run in twins
        ]
        both = [*slower, *(run for run in runs if "Centroid" in run.algorithm)]
        p_values = rate_p_values(both, comparison(table(both), (0.9,), CENTROID), resamples=200)
        assert p_values.dropna().lt(0.05).all()
        assert p_values.notna().sum() == 1


class TestLatex:
    def test_a_comparison_is_a_float_for_each_group(self, runs):
        compared = comparison(table(runs), (0.8, 0.95), CENTROID)
        latex = latex_tables(compared, runs, CENTROID)
        assert latex.startswith("% needs \\usepackage{booktabs}\n\\begin{table}")
        assert latex.count(r"\begin{table}") == latex.count(r"\end{table}") == 2
        for name in ("toprule", "midrule", "bottomrule", "cmidrule(lr){2-3}", "cmidrule(lr){4-5}"):
            assert latex.count(f"\\{name}") == 2
        assert latex.count("Recall@k is the share") == 2
        assert r"Ratios in brackets are to *Centroid*." in latex
        batch, single = texts(latex)
        assert single[1] == ["algorithm", "0.8", "0.95", "0.8", "0.95"]
        centroid, learnt = single[2:]
        assert (centroid[0], learnt[0]) == ("IVF centroid (normalised)", "IVF learnt (epochs=50)")
        assert [cell.startswith(r"\textbf{") for cell in centroid[1:]] == [False] * 4
        assert all(re.fullmatch(r"\\textbf\{[\d,]+\}\$\^\{\*\}\$ \([\d.]+x\)", cell) for cell in learnt[1:3])
        assert not any("*" in cell for row in batch[2:] for cell in row)

    def test_what_is_not_reached_is_said(self, runs):
        short = [dataclasses.replace(run, points=run.points[:2]) for run in runs]
        ((_, names, *rows),) = texts(latex_tables(comparison(table(short), (0.2, 1.0)), short))
        assert names[0] == "algorithm"
        assert {row[2] for row in rows} == {r"\textit{not reached}"}
        nothing = [dataclasses.replace(run, points=(), status="failed") for run in runs]
        assert r"\textit{failed}" not in latex_tables(comparison(table(nothing), (0.9,)), nothing)

    def test_any_other_table_has_units_and_definitions_in_its_caption(self, runs):
        latex = latex_tables(table(runs), runs)
        assert latex.count(r"\caption{") == 1
        assert r"Units: n in vectors, qps in 1/s" in latex
        assert "Recall@k is the share" in latex


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IVF(KMeans(lists=328), Learnt(), Float32())", "IVF(KMeans(), Learnt(), Float32())"),
        ("IVF(KMeans(lists=8, iterations=10), Learnt())", "IVF(KMeans(iterations=10), Learnt())"),
        ("LoRANN(rank=64, lists=447)", "LoRANN(rank=64)"),
        ("A(a=1, lists=447, b=2)", "A(a=1, b=2)"),
        ("A(sublists=447)", "A(sublists=447)"),
    ],
)
def test_without_lists(text, expected):
    assert without_lists(text) == expected


def test_series_follow_a_method_but_keep_lists_that_are_compared(sample_runs):
    frame = table([*sample_runs(dataset="a", lists=50), *sample_runs(dataset="b", lists=100)])
    assert set(series(frame)) == {text.replace("lists=50", "") for text in frame["algorithm"] if "lists=50" in text}
    frame = table([*sample_runs(dataset="a", lists=50), *sample_runs(dataset="a", lists=100)])
    assert (series(frame) == frame["algorithm"]).all()
    assert math.isfinite(len(series(frame.iloc[:0])) + 1)


class TestMarkdown:
    def test_a_row_for_each_algorithm_and_a_column_for_each_recall(self, runs):
        compared = comparison(table(runs), (0.8, 0.9), CENTROID)
        text = markdown_tables(compared, runs, CENTROID)
        heads = re.findall(r"^\*\*.*$", text, re.MULTILINE)
        asked = ("batch, 4 threads", "single, 1 thread")
        costs = ("Queries per second", "Points scanned")
        assert heads == [
            f"**sample-64-euclidean**, k = 10, {mode}. {cost} at recall:" for mode in asked for cost in costs
        ]
        rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
        assert [row for row in rows if row[0] == "algorithm"] == [["algorithm", "0.8", "0.9"]] * 4
        cells = {(row["mode"], row["recall"], row["algorithm"]): row for row in compared.to_dict("records")}
        learnt = next(row for row in rows if "learnt" in row[0].lower())
        (told,) = [row for place, row in cells.items() if place[:2] == ("batch", 0.9) and "Learnt" in place[2]]
        assert learnt[2] == f"{number('qps', told['qps'])} ({told['qps_ratio']:.2f}x)"

    def test_the_fastest_first_and_what_is_not_told_left_out(self, runs):
        frame = table(runs)
        frame.loc[frame["algorithm"].str.contains("Learnt"), "points_scanned"] = math.nan
        text = markdown_tables(comparison(frame, (0.8,)), runs)
        rates, points = (part for part in text.split("**sample") if "single" in part)
        names = re.findall(r"^\| (\w+)", rates, re.MULTILINE)
        values = [float(value.replace(",", "")) for value in re.findall(r"\| ([\d,]+) \|$", rates, re.MULTILINE)]
        assert len(names) == 3
        assert values == sorted(values, reverse=True)
        assert "earnt" not in points.split("Each front")[0]

    def test_other_tables_are_as_they_are(self, runs):
        frame = table(runs)
        assert markdown_tables(frame, runs) == render(frame, "markdown")
