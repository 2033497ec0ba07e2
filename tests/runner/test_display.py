"""What people see while work goes on."""

import io

import pytest
from ivfbench.runner.display import Bars, Lines, make_display
from rich.console import Console

ODD = "found [/odd] and [bold], expected neither"


def watch(kind, job, terminal=True):
    stream = io.StringIO()
    with kind(Console(file=stream, force_terminal=terminal, width=60)) as display:
        display.stage("getting odd[/name].hdf5", 1, 2, "")
        display.plan([job], 3)
        display.begin(job, None)
        display.stage("single queries", 0, 2, "nprobe 1")
        display.stage("single queries", 2, 2, ODD)
        display.stage("batch queries", 0, 2, ODD)
    return stream.getvalue()


@pytest.mark.parametrize("kind", [Bars, Lines])
def test_text_is_shown_as_it_is(kind, with_learn, make_jobs):
    (job,) = make_jobs(with_learn, "out", ("exact",))
    said = " ".join(watch(kind, job).split())
    assert ODD in said
    assert "3 finished before and kept (--force does them again)" in said
    assert "Exact() on with-learn, k=10, seed 0" in said


def test_a_log_keeps_the_order(with_learn, make_jobs):
    (job,) = make_jobs(with_learn, "out", ("exact",))
    said = watch(Lines, job, terminal=False)
    places = [said.index(part) for part in ("getting odd[/name].hdf5", "to build", "[1/1]", "single queries 2/2")]
    assert places == sorted(places)


def test_bars_on_a_terminal_and_lines_elsewhere():
    assert isinstance(make_display(Console(file=io.StringIO(), force_terminal=True)), Bars)
    assert isinstance(make_display(Console(file=io.StringIO(), force_terminal=False)), Lines)


def test_a_log_has_no_control_characters(with_learn, make_jobs):
    (job,) = make_jobs(with_learn, "out", ("exact",))
    lines = watch(Lines, job, terminal=False).splitlines()
    assert all(line.isprintable() for line in lines)
    assert len(lines) == len(set(lines))
