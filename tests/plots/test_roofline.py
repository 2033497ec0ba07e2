import pandas as pd
import pytest
from ivfbench.plots.errors import PlotError
from ivfbench.plots.kind import USUAL_OPTIONS, Drawing
from ivfbench.plots.kinds.roofline import ROOFLINE, draw_roofline, roofline_traces
from ivfbench.plots.style import looks, style
from ivfbench.results.roofline import Limits, Measurement, limits_table, read_roofline, roofline_table, write_roofline

LIMITS = Limits(
    bandwidths={16 << 10: 200e9, 256 << 10: 100e9, 4 << 20: 95e9, 512 << 20: 20e9},
    peaks={"float32 multiply-adds": 50e9, "int8 multiply-adds": 210e9, "byte look-ups": 200e9},
)
KERNELS = [
    Measurement("scan", "cold", 4000, {"float32 multiply-adds": 1000}, 512 << 20, 4e-7),
    Measurement("scan", "warm", 4000, {"float32 multiply-adds": 1000}, 256 << 10, 5e-8),
    Measurement("batch scan", "warm", 4000, {"int8 multiply-adds": 64_000}, 256 << 10, 5e-7),
]


@pytest.fixture(scope="module")
def tables():
    return roofline_table(KERNELS, LIMITS), limits_table(LIMITS)


def roofline(table, limits):
    traces = roofline_traces(pd.concat([table, limits]), USUAL_OPTIONS)
    appearance = looks(trace.algorithm for trace in traces)
    with style(small=True):
        return ROOFLINE.draw(Drawing(ROOFLINE, traces, appearance, "", None, USUAL_OPTIONS))


def test_every_kernel_and_every_roof_is_named(tables):
    drawn = roofline(*tables)
    (axes,) = drawn.axes
    written = " ".join(text.get_text() for text in axes.texts)
    for name in ("scan, 50%", "scan, 80%", "batch scan, 61%", "float32 multiply-adds 50", "512 MiB 20 GB/s"):
        assert name in written
    # roofs that nearly coincide are named together
    assert "int8 multiply-adds 210\nbyte look-ups 200" in written
    assert "reading 256 KiB 100, 4 MiB 95 GB/s" in written
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_a_dot_is_where_its_numbers_are_and_under_its_roof(tables):
    (axes,) = roofline(*tables).axes
    dots = {
        (round(float(x), 9), round(float(y), 9))
        for line in axes.lines
        if line.get_marker() not in ("None", None, "")
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }
    assert dots == {(0.25, 2.5), (0.25, 20.0), (16.0, 128.0)}
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    assert all(left < x < right and low < y < high for x, y in dots)


def test_equal_tables_are_equal_files(tables, tmp_path):
    first, second = (draw_roofline(*tables, tmp_path / name) for name in ("one", "two"))
    assert [path.name for path in first] == ["roofline.png", "roofline.svg"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_nothing_to_draw_is_one_line(tables, tmp_path):
    with pytest.raises(PlotError, match="the table has no rows"):
        draw_roofline(tables[0].iloc[:0], tables[1], tmp_path)


def test_what_was_written_is_read_and_drawn_the_same(tables, tmp_path):
    write_roofline(*tables, tmp_path, "On a sample.")
    (again,) = draw_roofline(*read_roofline(tmp_path), tmp_path / "again", ("svg",))
    (first,) = draw_roofline(*tables, tmp_path / "first", ("svg",))
    assert again.read_bytes() == first.read_bytes()
