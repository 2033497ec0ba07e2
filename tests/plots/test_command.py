"""`ivfbench plot` as people call it: figures, or one clear line and exit code 2."""

import dataclasses
import sys

import pytest
from ivfbench.__main__ import main
from ivfbench.plots.registry import KINDS
from ivfbench.results.store import save_run


@pytest.fixture
def plot(tmp_path, monkeypatch, capsys):
    """A function that calls `ivfbench plot` on a folder: (exit code, lines said, lines of errors)."""

    def call(*words, out=tmp_path):
        monkeypatch.setattr(sys, "argv", ["ivfbench", "plot", "--out", str(out), *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code, said.out.splitlines(), said.err.splitlines()

    return call


def test_no_results(plot, tmp_path):
    nowhere = tmp_path / "nowhere"
    code, said, errors = plot(out=nowhere)
    assert (code, said) == (2, [])
    assert errors == [f"ivfbench: {nowhere}: found no such folder, expected a folder of results"]
    expected = f"ivfbench: {tmp_path}: found no results, expected some (ivfbench run --out {tmp_path})"
    assert plot() == (2, [], [expected])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            ("--kind", "pie"),
            "kind of figure: found 'pie', expected one of " + ", ".join(KINDS),
        ),
        (("--format", "png,gif"), "format of figure: found 'gif', expected one of pdf, svg, png, pgf, csv"),
        (("--format", ","), "format of figure: found none, expected one of pdf, svg, png, pgf, csv"),
    ],
)
def test_what_was_asked_wrongly(plot, tmp_path, sample_runs, words, problem):
    save_run(tmp_path, sample_runs(modes=("single",))[0])
    assert plot(*words) == (2, [], [f"ivfbench: {problem}"])
    assert not (tmp_path / "figures").exists()


def test_points_scanned_are_a_percentage_of_n(plot, tmp_path, sample_runs):
    for run in sample_runs(modes=("single",), synthetic=True):
        save_run(tmp_path, run)
    code, said, errors = plot("--kind", "recall-points", "--format", "svg")
    (path,) = (tmp_path / "figures").iterdir()
    assert (code, said, errors) == (0, [f"figure: {path}"], [])
    assert "points scanned (% of n)" in path.read_text("utf-8")


def test_kinds_nobody_asked_for_may_be_absent(plot, tmp_path, sample_runs):
    run = sample_runs(modes=("single",))[0]
    save_run(tmp_path, dataclasses.replace(run, algorithm="Exact()", parameters={}))
    code, said, _ = plot("--format", "png")
    assert (code, len(said)) == (0, 2)
    assert plot("--format", "png", "--kind", "recall-lists")[0] == 2
