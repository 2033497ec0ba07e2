"""What people read: it fits, it parses back, and it says what it left out."""

import dataclasses
import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from ivfbench.results.builds import builds
from ivfbench.results.caption import caption, remarks
from ivfbench.results.cells import number
from ivfbench.results.columns import COLUMNS
from ivfbench.results.comparison import comparison
from ivfbench.results.errors import ResultError
from ivfbench.results.labels import short_labels
from ivfbench.results.render import escape_latex, render
from ivfbench.results.table import table


@pytest.fixture(scope="module")
def frame(sample_runs):
    lost = dataclasses.replace(sample_runs()[0], seed=9, status="failed", message="out of\nmemory", points=())
    return table([*sample_runs(), *sample_runs(dataset="drift", synthetic=True), lost])


def test_csv_parses_back_exactly(frame):
    text = render(frame, "csv")
    back = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    for column in COLUMNS:
        if column.dtype != "str":  # by Python, whose reading of a number is exact in every version
            kind = int if column.dtype == "int64" else lambda cell: float(cell or "nan")
            back[column.name] = [kind(cell) for cell in back[column.name]]
    pd.testing.assert_frame_equal(back, frame, check_dtype=False, check_exact=True)
    assert text.splitlines()[0] == ",".join(frame.columns)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200, 1000])
def test_text_fits_and_nothing_goes_in_silence(frame, width):
    text = render(frame, "text", width)
    assert max(map(len, text.splitlines())) <= width
    said = set(re.split(r"[\s,·]+", text))
    silent = sum(str(name) not in said for name in frame.columns)
    note = f"left out for want of room: {silent} columns, all of them in --format csv"
    assert (note in " ".join(text.split())) == (silent > 0)
    assert (silent > 0) == (width < 1000)
    assert text.count("IVF") == len(frame)


def test_one_column_left_out_is_one_column(sample_runs):
    frame = table(sample_runs(modes=("single",)))[["algorithm", "recall", "qps", "qps_low"]]
    text = render(frame, "text", 42)
    assert "left out for want of room: 1 column, it is in --format csv" in " ".join(text.split())


def test_text_keeps_what_matters_on_a_narrow_terminal(frame):
    text = render(frame, "text", 40)
    header = next(line for line in text.splitlines() if line.startswith("algorithm"))
    assert header.split() == ["algorithm", "recall", "qps"]
    assert "left out for want of room" in text


def test_text_shows_everything_when_there_is_room(frame):
    assert "left out" not in render(frame, "text", 2000)


def test_text_never_mixes_what_must_not_be_compared(frame):
    blocks = [block.splitlines()[0] for block in render(frame, "text", 80).split("\n\n") if "recall" in block]
    assert [block for block in blocks if block.startswith("dataset ")] == [
        "dataset drift (synthetic) · k 10 · mode batch · threads 4",
        "dataset drift (synthetic) · k 10 · mode single · threads 1",
        "dataset sample-64-euclidean · k 10 · mode batch · threads 4",
        "dataset sample-64-euclidean · k 10 · mode none · threads 4",
        "dataset sample-64-euclidean · k 10 · mode single · threads 1",
    ]


def test_text_of_nothing_is_a_header(frame):
    assert render(frame.head(0), "text", 80).splitlines()[0].startswith("algorithm")


def test_markdown_parses_back(frame):
    lines = render(frame, "markdown").splitlines()
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    assert len(lines) == len(frame) + 2
    assert {len(row) for row in rows} == {len(frame.columns)}
    assert [cell.strip().replace("\\", "") for cell in rows[0]] == list(frame.columns)


def test_latex_has_the_rows_of_booktabs(frame):
    lines = render(frame, "latex").splitlines()
    assert lines[0].startswith(r"\begin{tabular}{l")
    assert (lines[1], lines[3], lines[-2], lines[-1]) == (
        *(r"\toprule", r"\midrule", r"\bottomrule", r"\end{tabular}"),
    )
    body = [lines[2], *lines[4:-2]]
    assert len(body) == len(frame) + 1
    assert all(len(re.findall(r"(?<!\\)&", line)) == len(frame.columns) - 1 for line in body)
    assert not re.search(r"(?<!\\)[_%#$]", "\n".join(body))


def test_latex_escapes_every_special():
    assert escape_latex(r"a_b & 5% #1 {x} ~^\ $") == (
        r"a\_b \& 5\% \#1 \{x\} \textasciitilde{}\textasciicircum{}\textbackslash{} \$"
    )


def test_line_breaks_in_messages_do_not_break_tables(sample_runs):
    lost = dataclasses.replace(sample_runs()[0], status="failed", message="a\n| b &\tc", points=())
    frame = builds([lost])
    assert len(render(frame, "markdown").splitlines()) == 3
    assert r"a \| b & c" in render(frame, "markdown")
    assert "a | b & c" in render(frame, "text", 1000)


def test_words_where_there_is_no_number(frame):
    compared = comparison(frame[frame["dataset"] != "drift (synthetic)"], [0.1, 0.9, 1.0], "*Centroid*")
    text = render(compared, "text", 1000)
    assert "below the sweep" in text
    assert "failed" in text
    assert "_state" not in text
    assert "qps_state" in render(compared, "csv")


COMPARED = """\
seeds 1

dataset small · k 10 · mode single · threads 1
recall  algorithm                           qps (ratio)  points_scanned (ratio)
------  -------------------------  --------------------  ----------------------
   0.5  Exact                           below the sweep         below the sweep
   0.5  IVF centroid (normalised)        20,000 (1.00x)             400 (1.00x)
   0.5  IVF learnt                       34,600 (1.73x)             232 (0.58x)
  0.95  Exact                           below the sweep         below the sweep
  0.95  IVF centroid (normalised)           not reached             not reached
  0.95  IVF learnt                 12,345 (no baseline)     4,321 (no baseline)
"""


@pytest.fixture
def compared():
    """A comparison as quickstart makes it, by hand."""
    none, away, below = (math.nan, math.nan), ("not reached",) * 2, ("below the sweep",) * 2
    group = ("small", 10, "single", 1)
    centroid = "IVF(KMeans(lists=224), Centroid(scoring='normalised'), Float32())"
    learnt = "IVF(KMeans(lists=224), Learnt(), Float32())"
    rows = [
        (*group, 0.5, "Exact()", 1, *none, *none, *below),
        (*group, 0.5, centroid, 1, 20_000.0, 1.0, 400.0, 1.0, "reached", "reached"),
        (*group, 0.5, learnt, 1, 34_600.0, 1.73, 232.0, 0.58, "reached", "reached"),
        (*group, 0.95, "Exact()", 1, *none, *none, *below),
        (*group, 0.95, centroid, 1, *none, *none, *away),
        (*group, 0.95, learnt, 1, 12_345.0, math.nan, 4_321.0, math.nan, "reached", "reached"),
    ]
    values = ("qps", "qps_ratio", "points_scanned", "points_scanned_ratio")
    names = ("dataset", "k", "mode", "threads", "recall", "algorithm", "seeds", *values)
    return pd.DataFrame(rows, columns=[*names, "qps_state", "points_scanned_state"])


def test_a_comparison_can_be_read_off_in_80_columns(compared):
    assert render(compared, "text", 80) == COMPARED


def test_a_comparison_without_a_baseline(compared):
    plain = compared.drop(columns=["qps_ratio", "points_scanned_ratio"])
    text = render(plain, "text", 80)
    assert re.search(r"recall +algorithm +qps +points_scanned\n", text)
    assert re.search(r"0\.95 +IVF learnt +12,345 +4,321\n", text)
    assert "ratio" not in text


def test_a_narrow_comparison_keeps_the_rate(compared):
    text = render(compared, "text", 50)
    assert max(map(len, text.splitlines())) <= 50
    assert re.search(r"0\.5 +IVF learnt +34,600 \(1\.73x\)\n", text)
    assert "left out for want of room: 1 column" in text


def test_the_other_formats_of_a_comparison(compared):
    names = ["dataset", "k", "mode", "threads", "recall", "algorithm", "seeds"]
    header, _, *rows = render(compared, "markdown").replace("\\", "").splitlines()
    assert header.strip("| ").split(" | ") == [*names, "qps (ratio)", "points_scanned (ratio)"]
    assert rows[2].endswith("| IVF learnt | 1 | 34,600 (1.73x) | 232 (0.58x) |")
    assert r"12,345 (no baseline) & 4,321 (no baseline) \\" in render(compared, "latex")
    assert render(compared, "csv").splitlines()[0] == ",".join(compared.columns)


def test_ratios_chosen_without_their_costs_stand_alone(compared):
    text = render(compared[["recall", "algorithm", "qps_ratio"]], "text", 80)
    assert re.search(r"IVF learnt +1\.73x\n", text)
    assert re.search(r"Exact +-\n", text)


def test_words_for_a_level_out_of_reach_and_a_missing_baseline(frame):
    measured = frame[(frame["status"] == "ok") & (frame["recall"] < 0.99)]
    assert "not reached" in render(comparison(measured, [0.999]), "text", 1000)
    learnt = measured["algorithm"].str.contains("Learnt") | (measured["mode"] == "single")
    assert "no baseline" in render(comparison(measured[learnt], [0.9], "*Centroid*"), "text", 1000)


def test_an_unknown_format(frame):
    with pytest.raises(ResultError, match="found 'html', expected one of text, csv, markdown, latex"):
        render(frame, "html")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("recall", 0.94731, "0.9473"),
        ("qps", 12345.6, "12,346"),
        ("qps_ratio", 1.0, "1.00x"),
        ("qps_ratio", 0.584, "0.58x"),
        ("qps_ratio", 0.01, "0.01x"),
        ("qps_ratio", 0.0042, "0.004x"),
        ("qps_ratio", 1234.0, "1,234.00x"),
        ("index_bytes", 1536, "1.5 KiB"),
        ("index_bytes", 3 * 2**40 * 1024, "3072 TiB"),
        ("seed", 123456, "123456"),
        ("points_scanned", 41.256, "41.3"),
        ("notes.large", 1234567, "1,234,567"),
        ("qps", math.inf, "inf"),
    ],
)
def test_numbers(name, value, expected):
    assert number(name, value) == expected


class TestLabels:
    centroid = "IVF(KMeans(lists=328), Centroid(scoring='normalised'), Float32())"

    def test_short(self):
        texts = [
            self.centroid,
            "IVF(KMeans(lists=328), LearntTopK(epochs=50), Int8())",
            "Exact()",
            "HNSW(m=16)",
        ]
        assert list(short_labels(texts).values()) == [
            *("Exact", "HNSW(m=16)", "IVF centroid (normalised)", "IVF learnt top k (epochs=50), int8"),
        ]

    def test_by_keyword(self):
        text = "IVF(clustering=KMeans(lists=8), router=Learnt(), codec=Float32(), probing=Mass(0.9), seed=7)"
        assert short_labels([text]) == {text: "IVF learnt, mass (0.9)"}

    def test_collisions_name_the_clustering_then_everything(self):
        other = self.centroid.replace("328", "64")
        assert list(short_labels([self.centroid, other]).values()) == [
            "IVF centroid (normalised), k-means (lists=328)",
            "IVF centroid (normalised), k-means (lists=64)",
        ]
        seeded = self.centroid[:-1] + ", seed=3)"
        assert short_labels([self.centroid, seeded]) == {self.centroid: self.centroid, seeded: seeded}

    @pytest.mark.parametrize("text", ["", "IVF(", "IVF()", "IVF(1, 2)", "x\x00y", "a b c", "IVF(KMeans(lists=3))"])
    def test_anything_else_is_left_alone(self, text):
        assert short_labels([text])[text] == text.removesuffix("()")

    def test_labels_never_merge_two_algorithms(self):
        texts = ["Exact()", "Exact", "IVF(A(), B(), C())", "IVF(A(), B(), c)", "IVF(A(), B(), Float32())"]
        assert len(set(short_labels(texts).values())) == len(texts)


class TestCaption:
    def test_it_follows_the_rows(self, frame):
        text = caption(frame)
        for part in (
            "relative 1e-6",
            "d_k + 1e-3",
            "93.75 %",
            "Mode single",
            "Mode batch",
            "drift (synthetic)",
        ):
            assert part in text
        assert "failed: 1." in text

    def test_under_a_comparison(self, compared):
        text = caption(compared)
        assert "Recall@k is the share" in text
        assert "Queries per second are the median" in text
        assert "recall_ann_benchmarks" not in text

    def test_it_says_nothing_of_what_is_not_there(self, frame):
        some = frame[(frame["mode"] == "single") & (frame["dataset"] != "drift (synthetic)")]
        text = caption(some[["dataset", "mode", "recall"]])
        assert "relative 1e-6" in text
        for part in ("1e-3", "93.75", "batch", "synthetic", "failed"):
            assert part not in text


class TestRemarks:
    def test_the_stand_in_for_training_queries_is_named(self, sample_runs):
        run = dataclasses.replace(sample_runs()[0], notes={"training_source": "train sample, self excluded"})
        assert any("train sample, self excluded" in text and run.dataset in text for text in remarks([run]))
        assert remarks([dataclasses.replace(run, notes={"training_source": "learn"}, points=())]) == []

    def test_a_prefix_of_the_test_queries_is_named(self, sample_runs):
        run = next(run for run in sample_runs() if run.points)
        asked = len(run.points[0].ids)
        thrice = np.repeat(run.truth_ids, 3, axis=0)
        longer = dataclasses.replace(run, notes={}, truth_ids=thrice, points=run.points[:1])
        assert any(f"the first {asked:,} of {3 * asked:,} test queries" in text for text in remarks([longer]))
