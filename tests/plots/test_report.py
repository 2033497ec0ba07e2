"""Figures of the reports: what is drawn where, and that names do not lie on each other."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from ivfbench.plots.differences import differences
from ivfbench.plots.gain_lines import family_names, gain_lines
from ivfbench.plots.panels import IN_PANEL, panels
from ivfbench.plots.place_labels import place_labels
from ivfbench.plots.report import draw_report
from ivfbench.plots.routing_curves import routing_curves
from ivfbench.plots.trade_off import trade_off
from ivfbench.results.curves import curves
from ivfbench.results.errors import ResultError
from ivfbench.results.gains import gains
from ivfbench.results.laboratory import laboratory
from ivfbench.results.report import HEADLINES, KINDS, headlines
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

CENTROID = "Centroid(scoring='normalised')"
FEW = ((CENTROID, 1.0), ("Learnt(epochs=50)", 2.0), ("Oracle()", 6.0))
MANY = (*FEW, *((f"Learnt(epochs={e})", 1 + e / 20) for e in range(1, 9)), ("Random()", 0.2), ("Support()", 1.1))


@pytest.fixture(scope="module")
def few(sample_runs):
    return [run for seed in (1, 2) for run in sample_runs(routing=True, modes=(), seed=seed, routers=FEW)]


@pytest.fixture(scope="module")
def many(sample_runs):
    return sample_runs(routing=True, modes=(), routers=MANY)


class TestPanels:
    def test_few_share_one(self, few):
        (panel,) = panels(curves(few))
        assert (panel.title, panel.routers) == ("", ("learnt (epochs=50)",))

    def test_many_are_parted_by_family(self, many):
        found = panels(curves(many))
        assert [panel.title for panel in found] == ["Learnt (1/2)", "Learnt (2/2)", "others"]
        assert [len(panel.routers) for panel in found] == [5, 4, 2]
        assert found[0].routers[:2] == ("learnt (epochs=1)", "learnt (epochs=2)")
        assert found[1].routers[-1] == "learnt (epochs=50)"
        assert all(len(panel.routers) <= IN_PANEL for panel in found)

    def test_references_stand_in_every_panel_in_grey(self, many):
        rows = curves(many)
        drawn = routing_curves(rows[rows["k"] == 10], "title", 10)
        shown = [axes for axes in drawn.axes if axes.get_visible()]
        assert len(shown) == 3
        for axes in shown:
            names = {line.get_label(): line.get_color() for line in axes.lines}
            assert names["centroid (normalised), baseline"] == "#555555"
            assert names["oracle"] == "#AAAAAA"

    def test_a_line_is_its_curve(self, few):
        rows = curves(few)
        rows = rows[rows["k"] == 1]
        for work in ("points", "lists"):
            (axes,) = routing_curves(rows, "title", 1, work).axes
            line = next(line for line in axes.lines if line.get_label() == "learnt (epochs=50)")
            curve = rows[rows["router"] == "learnt (epochs=50)"]
            np.testing.assert_array_equal(line.get_xdata(), curve[f"{work}_percent"])
            np.testing.assert_array_equal(line.get_ydata(), curve["recall"])


def test_differences_are_sorted_and_significance_is_filled(few):
    frame = laboratory(few, resamples=300)
    drawn = differences(frame, HEADLINES, "title")
    first, second = drawn.axes
    assert [label.get_text() for label in first.get_yticklabels()] == ["learnt (epochs=50)", "oracle"]
    assert first.get_title() == "top-1, 1 % of the points"
    dots = [line for line in second.lines if line.get_marker() == "o"]
    rows = headlines(frame).query("k == 10 and not baseline").set_index("router")
    for dot, router in zip(dots, ["learnt (epochs=50)", "oracle"], strict=True):
        assert dot.get_xdata()[0] == rows.loc[router, "difference"]
        assert (dot.get_markerfacecolor() != "white") == (rows.loc[router, "p"] < 0.05)


def test_trade_off_names_the_front_and_the_baseline(many):
    frame = laboratory(many, resamples=10)
    frame.loc[frame["router"].str.startswith("learnt"), "latency_us"] = 20.0  # the best of these alone is on the front
    drawn = trade_off(frame, 10, 0.95, "title")
    (axes,) = drawn.axes
    said = {text.get_text() for text in axes.texts}
    rows = frame[(frame["k"] == 10) & frame["points_at_0.95"].notna()].drop_duplicates("router")
    cost, work = rows["latency_us"], rows["points_at_0.95"]
    beaten = [((cost <= x) & (work <= y) & ((cost < x) | (work < y))).any() for x, y in zip(cost, work, strict=True)]
    best = {router for router, lost in zip(rows["router"], beaten, strict=True) if not lost}
    assert said == {name for name in best if "centroid" not in name} | {"centroid (normalised), baseline"}
    assert len(said) < len(rows)
    (legend,) = drawn.legends
    assert {text.get_text() for text in legend.texts} == {"Centroid", "Learnt", "Oracle", "Random", "Support"}
    unreachable = frame.assign(**{"points_at_0.95": float("nan")})
    assert trade_off(unreachable, 10, 0.95, "title") is None


@pytest.mark.parametrize("spread", [1.0, 0.25])
def test_labels_do_not_overlap(spread):
    rng = np.random.default_rng(3)
    x, y = rng.random(22) * spread, rng.random(22) * spread
    canvas = Figure(figsize=(7, 5))
    agg = FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    axes.set(xlim=(-0.2, 1.3), ylim=(-0.2, 1.2))
    boxes = place_labels(agg, axes, list(x), list(y), [f"router {place}" for place in range(22)])
    assert len(boxes) == 22
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    dots = axes.transData.transform(np.column_stack([x, y]))
    assert not any(box.contains(*dot) for box in boxes for dot in dots)
    frame = axes.get_window_extent()
    assert all(frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1) for box in boxes)


def with_lists(sample_runs):
    for lists in (50, 100, 200):
        for run in sample_runs(routing=True, modes=(), lists=lists, routers=FEW[:2]):
            router = {"type": "Learnt" if "Learnt" in run.algorithm else "Centroid"}
            parameters = {"clustering": {"type": "KMeans", "lists": lists}, "router": router}
            yield dataclasses.replace(run, parameters=parameters)


def test_gain_lines(sample_runs):
    found = gains(laboratory(list(with_lists(sample_runs)), resamples=50))
    drawn = gain_lines(headlines(found), "clustering.lists", HEADLINES)
    first, second = drawn.axes
    assert [label.get_text() for label in first.get_xticklabels()] == ["50", "100", "200"]
    (bars,) = second.containers
    rows = headlines(found).query("k == 10").sort_values("value")
    np.testing.assert_allclose(bars[0].get_ydata(orig=False), rows["difference"].to_numpy())
    words = gain_lines(headlines(found.assign(value=found["value"].map(lambda value: f"n{value}"))), "x", HEADLINES)
    assert [label.get_text() for label in words.axes[0].get_xticklabels()] == ["n100", "n200", "n50"]


def test_families_are_named_by_what_differs():
    families = ['{"dataset":"x","metric":"ip","router.k":1,"router.type":"Learnt"}',
                '{"dataset":"x","metric":"ip","router.k":10,"router.type":"Learnt"}']  # fmt: skip
    assert list(family_names(families).values()) == ["Learnt, router.k 1", "Learnt, router.k 10"]
    assert list(family_names(families[:1]).values()) == ["Learnt"]


class TestFiles:
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_picture_is_drawn_and_again_the_same(self, tmp_path, sample_runs, kind):
        runs = list(with_lists(sample_runs))
        frame, lines = laboratory(runs, resamples=50), curves(runs)
        pictures = draw_report(kind, "name", frame, lines, tmp_path, ("png",))
        assert pictures
        assert {f"{picture.stem}.png" for picture in pictures} == {path.name for path in tmp_path.iterdir()}
        assert all(picture.stem.startswith("name-") and "." not in picture.stem for picture in pictures)
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        draw_report(kind, "name", frame, lines, tmp_path, ("png",))
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before

    def test_two_datasets_of_one_slug_get_two_files(self, tmp_path, sample_runs):
        runs = [run for name in ("a b", "a-b") for run in sample_runs(routing=True, modes=(), dataset=name)]
        pictures = draw_report("routers", "x", laboratory(runs, resamples=10), curves(runs), tmp_path, ("png",))
        stems = [picture.stem for picture in pictures]
        assert len(stems) == len(set(stems)) == 2 * 4

    def test_an_unknown_kind(self, tmp_path):
        with pytest.raises(ResultError, match="kind of report: found 'pie'"):
            draw_report("pie", "x", pd.DataFrame(), pd.DataFrame(), tmp_path)
