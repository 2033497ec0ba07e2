"""Results that every kind of figure can be drawn from."""

import dataclasses
from functools import cache

import pytest
from ivfbench.plots.kind import USUAL_OPTIONS, Source
from ivfbench.results.roofline import Limits, Measurement, limits_table, roofline_table, write_roofline

LIMITS = Limits(bandwidths={16 << 10: 200e9, 512 << 20: 20e9}, peaks={"float32 multiply-adds": 50e9})
KERNEL = Measurement("scan", "cold", 4000, {"float32 multiply-adds": 1000}, 512 << 20, 4e-7)
NOTES = {
    "list_size_percentiles": [float(size) for size in range(101)],
    "validation_losses": [3.0, 2.5, 2.4],
    "validation_accuracies": [0.2, 0.4, 0.5],
}


@pytest.fixture(scope="session")
def source(tmp_path_factory, sample_runs):
    """Two routers on one dataset in two sizes: searched, observed, with what builds note and what a machine can do."""
    folder = tmp_path_factory.mktemp("source")
    runs = [
        dataclasses.replace(run, notes={**run.notes, **NOTES}, dimension=64)
        for n in (1000, 4000)
        for run in sample_runs(dataset=f"small[base={n}]", n=n, routing=True, modes=("single",), seed=n)
    ]
    write_roofline(roofline_table([KERNEL], LIMITS), limits_table(LIMITS), folder, "On a sample.")
    return Source(runs, folder)


@pytest.fixture(scope="session")
def rows(source):
    """A function: the table that a kind is drawn from, made once."""
    return cache(lambda kind, options=USUAL_OPTIONS: kind.rows(source, options))
