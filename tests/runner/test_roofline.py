"""The roofline end to end, on arrays that are much too small to mean anything."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from ivfbench.algorithms.kernels.limits import OPERATIONS
from ivfbench.results.roofline import bound
from ivfbench.runner.roofline.clock import LEAST, fastest
from ivfbench.runner.roofline.kernels import KERNELS
from ivfbench.runner.roofline.lists import PROBES, make_lists, probes_of
from ivfbench.runner.roofline.machine import Machine, higher
from ivfbench.runner.roofline.measure import measure_roofline
from ivfbench.runner.roofline.sizes import Sizes

TINY = Sizes(dimension=4, list_size=20, cold=1 << 16, warm=1 << 12, part=1 << 13, seconds=0.0)


def test_limits_are_all_there_and_positive():
    limits = Machine(TINY).limits(0.0)
    assert sorted(limits.bandwidths) == [1 << 12, 1 << 16]
    assert tuple(limits.peaks) == OPERATIONS
    assert min(*limits.bandwidths.values(), *limits.peaks.values()) > 0


def test_the_higher_of_two_limits_counts():
    one, other = Machine(TINY).limits(0.0), Machine(TINY).limits(0.0)
    both = higher(one, other)
    for kind in OPERATIONS:
        assert both.peaks[kind] == max(one.peaks[kind], other.peaks[kind])
    for size in one.bandwidths:
        assert both.bandwidths[size] == max(one.bandwidths[size], other.bandwidths[size])


def test_every_kernel_is_measured_and_has_a_bound():
    stages = []
    limits, found = measure_roofline(TINY, progress=lambda *state: stages.append(state))
    names = [(each.kernel, each.data) for each in found]
    assert len(names) == len(set(names)) == len(KERNELS)
    assert {"cold", "warm"} == {each.data for each in found}
    for each in found:
        assert min(each.bytes, each.working_set, *each.operations.values()) > 0
        assert np.isfinite(each.seconds)
        assert bound(each, limits).seconds > 0
    assert stages[0] == ("limits", 0, 1, "")
    assert stages[-1][:3] == ("kernels", len(KERNELS), len(KERNELS))


@pytest.mark.parametrize("make", KERNELS)
def test_what_a_kernel_says_it_does_grows_with_the_dimension(make):
    wider = Sizes(dimension=8, list_size=20, cold=1 << 17, warm=1 << 13, part=1 << 14, seconds=0.0)
    narrow, wide = make(TINY), make(wider)
    (one,), (two,) = narrow.operations.values(), wide.operations.values()
    assert one % TINY.dimension == two % wider.dimension == 0
    # the same number of operations for each byte, but for a constant for each vector, which weighs most beside bytes
    assert one / narrow.bytes <= two / wide.bytes <= 1.5 * one / narrow.bytes


def test_cold_parts_probe_every_list_once():
    lists = make_lists(40, 5, 3)
    parts = probes_of(lists, 2)
    assert [part.shape for part in parts] == [(2, PROBES)] * 2  # five queries: the last of them makes no part
    probed = np.concatenate(parts).reshape(-1)
    assert len(set(probed)) == len(probed) == 32
    (warm,) = probes_of(make_lists(PROBES, 5, 3), 3)
    assert sorted(warm[0]) == list(range(PROBES))
    assert (warm == warm[0]).all()


def test_the_clock_gives_every_call_the_next_number():
    seen = []
    assert fastest(seen.append, 0.0) > 0
    assert seen == list(range(LEAST + 1))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder, and the command done in it."""
    folder = tmp_path_factory.mktemp("roofline")
    arguments = ["roofline", "--out", "out", "--dimension", "4", "--memory", "1", "--seconds", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "ivfbench", *arguments],
        cwd=folder, env={**os.environ, "COLUMNS": "80"}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return folder, done


class TestCommand:
    def test_prints_both_tables(self, done):
        _, done = done
        assert done.returncode == 0, done.stderr
        assert max(map(len, done.stdout.splitlines())) <= 80
        assert "left out" not in done.stdout
        assert "float32 multiply-adds" in done.stdout

    def test_writes_what_it_names(self, done):
        folder, done = done
        named = [line.split(": ")[1] for line in done.stdout.splitlines() if line.startswith(("table: ", "figure: "))]
        assert sorted(named) == sorted(str(path.relative_to(folder)) for path in (folder / "out").iterdir())
        assert sorted(path.rpartition(".")[2] for path in named) == ["csv", "csv", "md", "png", "svg"]
        assert len(pd.read_csv(folder / "out" / "roofline.csv")) == len(KERNELS)

    def test_a_file_in_the_way_is_one_line(self, tmp_path):
        (tmp_path / "out").write_text("text")
        done = subprocess.run(
            [sys.executable, "-m", "ivfbench", "roofline", "--out", "out"],
            cwd=tmp_path, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr == "ivfbench: out: is a file, expected a folder for results\n"
