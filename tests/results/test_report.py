"""Reports: what stands in them, and that Markdown, LaTeX and CSV say it as they should."""

import io

import pandas as pd
import pytest
from ivfbench.results.cells import Cells
from ivfbench.results.document import Document, Picture, Section, latex, markdown
from ivfbench.results.errors import ResultError
from ivfbench.results.laboratory import laboratory
from ivfbench.results.report import KINDS, headlines, report, write_report
from ivfbench.results.report_tables import accuracy_table

ROUTERS = (("Centroid(scoring='normalised')", 1.0), ("Learnt(epochs=50)", 3.0), ("Other(rank=2)", 0.3))


@pytest.fixture(scope="module")
def frame(sample_runs):
    runs = [run for seed in (1, 2) for run in sample_runs(routing=True, modes=(), seed=seed, routers=ROUTERS)]
    return laboratory(runs, resamples=500)


def test_accuracy_beside_its_difference(frame):
    rows = frame[frame["k"] == 10]
    table = accuracy_table(rows, [("points", 0.01)])
    assert table.headers == ("router", "1 % of the points")
    assert table.right == (False, True)
    assert [row[0] for row in table.rows] == ["learnt (epochs=50)", "centroid (normalised)", "other (rank=2)"]
    better, baseline, worse = (row[1] for row in table.rows)
    told = rows[(rows["budget"] == "points") & (rows["share"] == 0.01)].set_index("router")
    of_learnt, of_other = told.loc["learnt (epochs=50)"], told.loc["other (rank=2)"]
    assert max(of_learnt["p"], of_other["p"]) < 0.05
    assert better == f"{of_learnt['accuracy']:.4f} (+{of_learnt['difference']:.4f}*)"
    assert baseline == f"{told.loc['centroid (normalised)', 'accuracy']:.4f}"
    assert worse == f"{of_other['accuracy']:.4f} (-{-of_other['difference']:.4f}*)"


@pytest.mark.parametrize("kind", KINDS)
def test_files(tmp_path, frame, kind):
    paths = write_report(tmp_path / "report", kind, "name", frame, [Picture("stem", "Caption & more")])
    assert [path.name for path in paths] == ["name.md", "name.tex", "name.csv"]
    assert sorted(paths) == sorted((tmp_path / "report").iterdir())
    text, source, exact = (path.read_text("utf-8") for path in paths)
    assert text.startswith(f"# name: {kind.replace('-', ' ')}\n")
    assert "The baseline is centroid (normalised)" in text
    assert "![Caption & more](stem.png)" in text
    assert r"\caption{Caption \& more}" in source
    assert r"\includegraphics[width=\linewidth]{stem.pdf}" in source
    assert source.count(r"\begin{tabular}") == source.count(r"\end{tabular}") == text.count("\n| :---")
    assert source.isascii()
    if kind != "open-questions":
        told = pd.read_csv(io.StringIO(exact))
        assert told["accuracy"].tolist() == frame["accuracy"].tolist()


def test_each_kind_shows_what_it_is_about(frame):
    thesis, routers, nothing = (report(kind, "x", frame) for kind in KINDS)
    (top, _) = (section.table for section in thesis.sections)
    assert {row[2] for row in top.rows} == {"learnt (epochs=50)", "centroid (normalised)"}
    assert [section.title.rpartition(": ")[2] for section in routers.sections] == ["top-1", "top-10", "costs"]
    costs = routers.sections[-1].table
    assert {row[0] for row in costs.rows} == set(frame["router"])
    assert len(costs.headers) == len(costs.rows[0]) == len(costs.right)
    assert [section.title for section in nothing.sections] == ["Nothing varies"]


def test_headlines(frame):
    found = headlines(frame)
    assert set(zip(found["k"], found["budget"], found["share"], strict=True)) == {
        (1, "points", 0.01),
        (10, "points", 0.1),
    }


def test_an_unknown_kind(frame):
    with pytest.raises(ResultError, match="kind of report: found 'thesys', expected one of thesis, routers"):
        report("thesys", "x", frame)


def test_a_document_escapes_what_it_says():
    table = Cells(("a_b", "50 %"), (("x|y", "1"),), (False, True))
    document = Document("100 % & more", ("One_two.",), (Section("A #1", "Text.", table, (Picture("s", "c"),)),))
    text, source = markdown(document), latex(document)
    assert "| a\\_b | 50 % |" in text
    assert "x\\|y" in text
    assert r"\section{100 \% \& more}" in source
    assert r"One\_two." in source
    assert r"\subsection{A \#1}" in source
    assert r"a\_b & 50 \% \\" in source
    assert r"\toprule" in source
