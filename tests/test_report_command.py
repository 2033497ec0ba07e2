"""`ivfbench report`, and experiments that end with one, as people meet them: real processes."""

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def reported(ivfbench, folder):
    """An experiment that ends with a report: what it printed, and its folder of results."""
    arguments = ("run", "reported.yml", "--dataset", "small.hdf5", "--threads", "1", "--out", "reported")
    return ivfbench(*arguments), folder / "reported"


class TestReport:
    def test_an_experiment_ends_with_its_report(self, reported):
        done, out = reported
        assert done.returncode == 0, done.stderr
        for ending in ("md", "tex", "csv"):
            assert f"report: reported/report/reported.{ending}" in done.stdout
        assert "8 to build and sweep" in done.stderr
        assert len(pd.read_parquet(out / "results.parquet")) == 0  # nothing was searched
        told = pd.read_csv(out / "report" / "reported.csv")
        assert set(told["router"]) == {"centroid (normalised)", "centroid (euclidean)"}
        assert (told["seeds"] == 2).all()
        text = (out / "report" / "reported.md").read_text("utf-8")
        pictures = [line.partition("](")[2].rstrip(")") for line in text.splitlines() if line.startswith("![")]
        assert len(pictures) == 2 * 4
        for name in pictures:
            assert (out / "report" / name).read_bytes().startswith(b"\x89PNG")

    def test_another_mode_leaves_the_report_out(self, reported, ivfbench):
        arguments = ("run", "reported.yml", "--dataset", "small.hdf5", "--threads", "1", "--mode", "batch")
        done = ivfbench(*arguments, "--out", "unreported", "--no-figures")
        assert done.returncode == 0, done.stderr
        assert "report:" not in done.stdout

    def test_it_can_be_written_again_in_another_kind(self, reported, ivfbench):
        done = ivfbench("report", "--out", "reported", "--kind", "open-questions", "--baseline", "*normalised*")
        assert done.returncode == 0, done.stderr
        told = pd.read_csv(reported[1] / "report" / "open-questions.csv")
        assert set(told["factor"]) == {"clustering.lists"}
        assert set(told["value"]) == {6, 12}
