"""Files of figures: they exist, they repeat to the byte, and they leave the process as it was."""

import dataclasses
import itertools
import logging
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from ivfbench.plots.draw import draw as draw_kind
from ivfbench.plots.draw import named
from ivfbench.plots.errors import NothingToShowError, PlotError
from ivfbench.plots.figures import draw_panels
from ivfbench.plots.kind import USUAL_OPTIONS, Drawing, Options
from ivfbench.plots.recall_axis import backward, forward, from_logit, logit
from ivfbench.plots.registry import KINDS as REGISTERED
from ivfbench.plots.registry import USUAL as KINDS
from ivfbench.plots.style import COLOURS, HATCHES, MARKERS, line_styles, looks, style
from ivfbench.plots.trace import Trace
from ivfbench.results.table import save_table, table

SIGNATURES = {".pdf": b"%PDF", ".png": b"\x89PNG", ".svg": b"<?xml"}


def draw(frame, kind, folder, formats=("pdf", "svg", "png"), **asked):
    return draw_kind(frame, REGISTERED[kind], folder, formats, Options(**asked))


def traces(frame, kind):
    return REGISTERED[kind].traces(named(frame), USUAL_OPTIONS)


def axes_of(frame, kind, appearance=None):
    curves = traces(frame, kind)
    appearance = appearance or looks(curve.algorithm for curve in curves)
    return curves, draw_panels(Drawing(REGISTERED[kind], curves, appearance, "title", 10, USUAL_OPTIONS)).axes[0]


def words(path):
    """The text of an SVG figure, read from the comments matplotlib puts before each outlined text."""
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    parser.feed(path.read_bytes())
    return {" ".join(node.text.split()) for node in parser.close().iter() if node.tag is ElementTree.Comment}


@pytest.mark.parametrize("kind", KINDS)
def test_one_figure_per_dataset_k_and_mode(tmp_path, sample_runs, kind):
    frame = table([*sample_runs(), *sample_runs(dataset="drift", synthetic=True, modes=("batch",))])
    formats = ("pdf", "svg", "png") if kind == KINDS[0] else ("svg",)
    paths = draw(frame, kind, tmp_path, formats)
    stems = ["drift-synthetic-k10-batch", "sample-64-euclidean-k10-batch", "sample-64-euclidean-k10-single"]
    assert [path.name for path in paths] == [f"{stem}-{kind}.{format}" for stem in stems for format in formats]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    for path in paths:
        assert path.read_bytes().startswith(SIGNATURES[path.suffix])
    first, _, last = (words(path) for path in paths if path.suffix == ".svg")
    assert "drift (synthetic), k = 10, mode batch, 4 threads" in first
    assert "sample-64-euclidean, k = 10, mode single, 1 thread" in last
    assert {"IVF centroid (normalised)", "IVF learnt (epochs=50)", "recall@10"} <= last


def test_two_draws_give_equal_bytes(tmp_path, sample_runs):
    frame = table(sample_runs(modes=("single",)))
    first = draw(frame, "recall-qps", tmp_path / "a")
    second = draw(frame[::-1], "recall-qps", tmp_path / "b")
    assert len(first) == 3
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.suffix
    assert b"CreationDate" not in first[0].read_bytes()
    assert b"<dc:date>" not in first[1].read_bytes()
    assert b"/Type3" not in first[0].read_bytes()


def test_the_nines_axis(tmp_path, sample_runs):
    frame = table(sample_runs(modes=("single",)))
    (path,) = draw(frame, "recall-qps", tmp_path, ("svg",), axis="nines")
    assert {"0.9", "0.99", "0.999", "1"} <= words(path)
    recalls = np.array([0.0, 0.5, 0.9, 0.999, 1.0])
    np.testing.assert_allclose(backward(forward(recalls)), recalls, atol=1e-12)
    assert (np.diff(forward(recalls)) > 0).all()
    assert forward(np.array([1.0])) == pytest.approx([3.0])


def test_the_logit_axis(tmp_path, sample_runs):
    frame = table(sample_runs(modes=("single",)))
    (path,) = draw(frame, "recall-qps", tmp_path, ("svg",), axis="logit")
    assert {"0.5", "0.9", "0.99", "1"} <= words(path)
    recalls = np.array([0.0, 0.01, 0.5, 0.9, 1.0])
    np.testing.assert_allclose(from_logit(logit(recalls)), recalls, atol=1e-12)
    np.testing.assert_allclose(logit(recalls[[0, 2, 4]]), [-np.log10(1001), 0.0, np.log10(1001)], atol=1e-12)


@pytest.mark.parametrize("scale", ["linear", "logit", "nines"])
def test_recall_one_is_on_every_axis(sample_runs, scale):
    frame = named(table(sample_runs(modes=("single",))))
    kind = REGISTERED["recall-qps"]
    curves = kind.traces(frame, USUAL_OPTIONS)
    appearance = looks(curve.algorithm for curve in curves)
    axes = draw_panels(Drawing(kind, curves, appearance, "title", 10, Options(axis=scale))).axes[0]
    assert max(curve.x.max() for curve in curves) == 1.0
    inside = axes.transAxes.inverted().transform(axes.transData.transform((1.0, axes.get_ylim()[0])))
    assert 0.9 < inside[0] <= 1.0 + 1e-9


class TestEdges:
    @pytest.fixture
    def point(self, sample_runs):
        """A function that gives a run of some of its points."""
        run = sample_runs(modes=("single",))[0]
        return lambda *places: dataclasses.replace(run, points=tuple(run.points[place] for place in places))

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("places", [(0,), (7,), (5, 6, 7)], ids=["one", "exact", "all at recall 1"])
    def test_small_figures(self, tmp_path, point, kind, places):
        (path,) = draw(table([point(*places)]), kind, tmp_path, ("png",))
        assert path.stat().st_size > 5000

    def test_empty(self, tmp_path):
        with pytest.raises(PlotError, match="the table has no rows"):
            draw(table([]), "recall-qps", tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_all_failed(self, tmp_path, sample_runs):
        runs = [dataclasses.replace(run, status="failed", points=()) for run in sample_runs()]
        with pytest.raises(PlotError, match=r"all rows of the table failed \(2\)"):
            draw(table(runs), "recall-qps", tmp_path)

    def test_nothing_of_this_kind(self, tmp_path, point, caplog):
        exact = dataclasses.replace(point(7), algorithm="Exact()", parameters={})
        refused = pytest.raises(NothingToShowError, match="can be shown as recall-lists")
        with caplog.at_level(logging.WARNING), refused:
            draw(table([exact]), "recall-lists", tmp_path)
        assert len(caplog.messages) == 1

    def test_one_group_of_two_can_be_shown(self, tmp_path, point, sample_runs, caplog):
        exact = dataclasses.replace(point(7), dataset="other", algorithm="Exact()", parameters={})
        frame = table([exact, *sample_runs(modes=("single",))])
        with caplog.at_level(logging.WARNING):
            assert len(draw(frame, "recall-lists", tmp_path, ("png",))) == 1
        assert caplog.messages == ["no recall-lists figure for other, k = 10, mode single, 1 thread: nothing to show"]

    def test_two_datasets_of_one_file_name(self, tmp_path, sample_runs):
        frame = table([*sample_runs(dataset="a b"), *sample_runs(dataset="a-b")])
        with pytest.raises(PlotError, match="two datasets of this file name"):
            draw(frame, "recall-qps", tmp_path, ("png",))

    @pytest.mark.parametrize("formats", [("gif",), ()])
    def test_formats(self, tmp_path, sample_runs, formats):
        with pytest.raises(PlotError, match="expected one of pdf, svg, png, pgf, csv"):
            draw(table(sample_runs()), "recall-qps", tmp_path, formats)

    def test_scale_kind_and_columns(self, tmp_path, sample_runs):
        frame = table(sample_runs())
        with pytest.raises(PlotError, match="found 'log', expected one of linear, logit, nines"):
            draw(frame, "recall-qps", tmp_path, axis="log")
        with pytest.raises(PlotError, match="width of figure: found 'wide', expected one of single, double"):
            draw(frame, "recall-qps", tmp_path, width="wide")
        with pytest.raises(PlotError, match="no column 'mode'"):
            draw(frame.drop(columns="mode"), "recall-qps", tmp_path)
        with pytest.raises(PlotError, match="no column 'threads'"):
            draw(pd.DataFrame({"dataset": [], "k": [], "mode": [], "algorithm": []}), "recall-qps", tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestStyle:
    def test_looks_depend_on_the_set_of_names_alone(self):
        names = [f"Algorithm{place}()" for place in range(40)]
        assert looks(names) == looks([*names[::-1], *names])
        assert len(set(looks(names).values())) == 40
        assert len(set(COLOURS)) * len(set(MARKERS)) == 72

    def test_every_figure_of_a_table_uses_the_same_looks(self, sample_runs):
        frame = table(sample_runs())
        appearance = looks(named(frame)["series"])
        for mode in ("single", "batch"):
            curves, axes = axes_of(frame[frame["mode"] == mode], "recall-qps", appearance)
            drawn = {line.get_label(): line.get_color() for line in axes.get_lines()}
            assert drawn == {curve.label: appearance[curve.algorithm].colour for curve in curves}

    def test_bars_of_one_colour_have_different_hatches(self):
        found = looks(f"A{place:02}" for place in range(3 * len(COLOURS)))
        assert len({(look.colour, look.hatch) for look in found.values()}) == len(found)
        assert len({(look.colour, look.line) for look in found.values()}) == len(found)
        assert HATCHES[0] == ""

    def test_policies_of_one_algorithm_look_different(self, tmp_path, sample_runs):
        (run,) = sample_runs(modes=("single",), routers=(("Centroid()", 1.0),))
        patient = {"probing": {"type": "Patience", "overlap": 0.95, "patience": 8, "most": None}}
        other = dataclasses.replace(run.points[1], query_parameters=patient)
        frame = table([dataclasses.replace(run, points=(*run.points, other))])
        (path,) = draw(frame, "recall-points", tmp_path, ("svg",))
        assert ", Patience" in path.read_text()
        shown = traces(frame, "recall-points")
        assert len({looks(trace.algorithm for trace in shown)[trace.algorithm] for trace in shown}) == 2

    def test_figures_show_the_numbers_of_their_traces(self, sample_runs):
        frame = table(sample_runs(modes=("single",)))
        for kind in KINDS:
            curves, axes = axes_of(frame, kind)
            drawn = {line.get_label(): line.get_xydata() for line in axes.get_lines()}
            for curve in curves:
                np.testing.assert_array_equal(drawn[curve.label], np.stack([curve.x, curve.y], axis=1))
            assert axes.get_xlim()[0] <= min(curve.x.min() for curve in curves)
            assert axes.get_ylim()[1] >= max(curve.high.max() for curve in curves)
            assert (axes.get_yscale() == "log") == (kind == "recall-qps")

    def test_nothing_global_changes(self, tmp_path, sample_runs):
        before = mpl.rcParams.copy()  # reading them one by one would make matplotlib choose a backend
        draw(table(sample_runs(modes=("single",))), "recall-qps", tmp_path, ("png",))
        assert mpl.rcParams.copy() == before
        with style():
            assert mpl.rcParams["pdf.fonttype"] == 42
        assert mpl.rcParams.copy() == before

    def test_drawing_needs_no_pyplot(self, tmp_path, sample_runs):
        save_table(tmp_path, table(sample_runs(modes=("single",))))
        script = (
            "import sys\n"
            "from ivfbench.plots.draw import draw\n"
            "from ivfbench.plots.registry import KINDS\n"
            "from ivfbench.results.table import load_table\n"
            "drawn = draw(load_table('.'), KINDS['recall-qps'], '.', ('pdf', 'png'))\n"
            "print(len(drawn), 'matplotlib.pyplot' in sys.modules)\n"
        )
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
        assert done.stdout.split() == ["2", "False"]

    def test_line_styles(self):
        assert line_styles([8, 1, 8]) == {1: "solid", 8: "dashed"}


def drawn(kind, names, **asked):
    """A figure of one curve of two points for each name, the best first, laid out."""
    x = np.array([0.8, 0.9])
    curves = [Trace(name, name, x, np.array([4.0, 3.0]) / (1 + place)) for place, name in enumerate(names)]
    kind = REGISTERED[kind]
    with style(small=True):
        figure = kind.draw(Drawing(kind, curves, looks(names), "title", 10, Options(**asked)))
        figure.canvas.draw()
    return figure


def inside(box, frame):
    return frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1


class TestNames:
    LONG = "IVF learnt (epochs=50, queries=100000, rate=0.05), int8 (bits=8)"  # 64 letters

    @pytest.mark.parametrize("width", ["single", "double"])
    @pytest.mark.parametrize("letters", [20, 42, 52, 58, 63, 90, 200])
    def test_a_legend_stays_inside_and_takes_nothing_from_the_axes(self, width, letters):
        names = [f"{place} {(self.LONG + ', ') * 4}"[:letters].strip() for place in range(4)]
        figure, short = (drawn("recall-qps", some, width=width) for some in (names, list("abcd")))
        (legend,) = figure.legends
        assert inside(legend.get_window_extent(), figure.bbox)
        assert {" ".join(text.get_text().split()) for text in legend.get_texts()} == set(names)
        heights = [one.axes[0].get_window_extent().height for one in (figure, short)]
        assert heights[0] > 0.9 * heights[1]

    @pytest.mark.parametrize("width", ["single", "double"])
    def test_the_names_of_a_table_of_queries_leave_room_for_it(self, width):
        figure = drawn("hardest-queries", [f"{place} {self.LONG}" for place in range(3)], width=width)
        axes = figure.axes[0]
        boxes = sorted((label.get_window_extent() for label in axes.get_yticklabels()), key=lambda box: box.y0)
        assert all(inside(box, figure.bbox) for box in boxes)
        assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(boxes))
        assert axes.get_window_extent().width > 0.3 * figure.bbox.width

    def test_bars_that_are_not_drawn_are_in_no_legend(self):
        figure = drawn("speed-up", ["a", "b", "c", "d"], most=2)
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == ["a", "b"]
        assert len(figure.axes[0].patches) == 4
        assert figure.get_suptitle() == "title, 2 more in the CSV"
        lines = drawn("recall-qps", ["a", "b", "c", "d"], most=2)
        assert [text.get_text() for text in lines.legends[0].get_texts()] == ["a", "b", "2 others"]
        assert lines.get_suptitle() == "title"
