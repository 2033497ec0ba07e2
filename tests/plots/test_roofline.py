import pytest
from ivfbench.plots.errors import PlotError
from ivfbench.plots.roofline import draw_roofline, roofline
from ivfbench.results.roofline import Limits, Measurement, limits_table, roofline_table

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


def test_nothing_to_draw_is_one_line(tables):
    with pytest.raises(PlotError, match="the table has no rows"):
        roofline(tables[0].iloc[:0], tables[1])
