"""Numbers whose limits can be worked out in the head."""

import io

import pandas as pd
import pytest
from ivfbench.results.errors import ResultError
from ivfbench.results.roofline import (
    SHOWN,
    Limits,
    Measurement,
    bound,
    limits_table,
    nearest_size,
    reading,
    render_roofline,
    roofline_table,
    write_roofline,
)

KIB, MIB = 1 << 10, 1 << 20
LIMITS = Limits(
    bandwidths={16 * KIB: 200e9, 256 * KIB: 100e9, 512 * MIB: 20e9},
    peaks={"float32 multiply-adds": 50e9, "byte look-ups": 200e9},
)


def measurement(bytes=1000, products=100, look_ups=0, working_set=512 * MIB, seconds=1e-7, data="cold"):
    operations = {"float32 multiply-adds": products}
    if look_ups:
        operations["byte look-ups"] = look_ups
    return Measurement("scan", data, bytes, operations, working_set, seconds)


@pytest.mark.parametrize(
    ("changes", "seconds", "by"),
    [
        ({}, 50e-9, "reading 512 MiB"),  # 1000 B at 20 GB/s; 100 products need 2 ns
        ({"working_set": 200 * KIB}, 10e-9, "reading 256 KiB"),
        ({"working_set": 1}, 5e-9, "reading 16 KiB"),
        ({"products": 5000}, 100e-9, "float32 multiply-adds"),
        ({"look_ups": 30_000}, 150e-9, "byte look-ups"),
        ({"look_ups": 30_000, "products": 10_000}, 200e-9, "float32 multiply-adds"),
    ],
)
def test_the_tighter_limit_counts(changes, seconds, by):
    found = bound(measurement(**changes), LIMITS)
    assert found.seconds == pytest.approx(seconds, rel=1e-12)
    assert found.by == by


@pytest.mark.parametrize(
    ("working_set", "size"),
    [(0, 16 * KIB), (63 * KIB, 16 * KIB), (65 * KIB, 256 * KIB), (11 * MIB, 256 * KIB), (12 * MIB, 512 * MIB)],
)
def test_the_nearest_size_is_so_as_a_ratio(working_set, size):
    assert nearest_size(LIMITS, working_set) == size


def test_an_operation_without_a_peak_is_one_line():
    unknown = Measurement("scan", "warm", 1, {"guesses": 3}, 1, 1.0)
    with pytest.raises(
        ResultError, match=r"^operations of scan: found 'guesses', expected some of float32 .*look-ups$"
    ):
        bound(unknown, LIMITS)


def test_sizes_are_named_as_people_name_them():
    names = [reading(size) for size in (100, 1536, 512 * MIB, 3 << 30)]
    assert names == ["reading 100 B", "reading 1.5 KiB", "reading 512 MiB", "reading 3 GiB"]


def test_a_row_is_the_fraction_and_what_it_is_made_of():
    rows = roofline_table([measurement(), measurement(look_ups=30_000, data="warm")], LIMITS)
    first, second = rows.to_dict("records")
    assert first["fraction"] == pytest.approx(0.5)
    assert (first["operation"], first["operations"]) == ("float32 multiply-adds", 100)
    assert first["gigabytes_per_second"] == pytest.approx(10.0)
    assert first["gigaoperations_per_second"] == pytest.approx(1.0)
    assert first["operations_per_byte"] == pytest.approx(0.1)
    # the operations shown are those that take longest
    assert (second["operation"], second["operations"]) == ("byte look-ups", 30_000)
    assert second["fraction"] == pytest.approx(1.5)  # impossible, and not hidden
    assert list(rows["data"]) == ["cold", "warm"]


def test_both_tables_fit_a_terminal_and_leave_nothing_out():
    longest = Measurement("batch scan, differences", "cold", 10**6, {"float32 multiply-adds": 10**9}, 512 * MIB, 1e-5)
    text = render_roofline(roofline_table([longest], LIMITS), limits_table(LIMITS), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "left out" not in text
    assert "…" not in text
    assert all(heading in text for heading in SHOWN.values())
    assert "reading 256 KiB" in text


def test_files_hold_the_numbers(tmp_path):
    table, limits = roofline_table([measurement()], LIMITS), limits_table(LIMITS)
    paths = write_roofline(table, limits, tmp_path / "new", "On a sample.")
    assert [path.name for path in paths] == ["roofline.csv", "roofline-limits.csv", "roofline.md"]
    pd.testing.assert_frame_equal(pd.read_csv(paths[0]), table, check_dtype=False)
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(paths[1].read_text())), limits, check_dtype=False)
    page = paths[2].read_text()
    assert page.startswith("# Roofline of one thread\n\nOn a sample.\n\n| limit |")
    assert "| scan | cold | 10 | 1 | reading 512 MiB | 0.5 |" in page
