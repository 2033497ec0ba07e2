"""Every kind of figure alike: it is drawn, exported, repeated to the byte, and never ends in a traceback."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from ivfbench.plots.command import draw_kinds
from ivfbench.plots.draw import draw
from ivfbench.plots.errors import NothingToShowError, PlotError
from ivfbench.plots.kind import USUAL_OPTIONS, Options, Source
from ivfbench.plots.registry import KINDS
from ivfbench.plots.style import SMALL
from ivfbench.results.errors import ResultError


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Few dots: what is drawn counts, and drawing it finely takes most of the time."""
    monkeypatch.setitem(SMALL, "savefig.dpi", 50)


each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
SOUND = {"x", "y", "low", "high", "curve", "algorithm", "panel", "x_is", "y_is", "threads", "name"}


@each_kind
def test_it_is_drawn_and_exported_and_repeats_to_the_byte(rows, tmp_path, kind):
    frame = rows(kind)
    shuffled = frame.sample(frac=1.0, random_state=3) if kind.name != "roofline" else frame  # roofs keep their order
    one, other = (
        draw(table, kind, tmp_path / name, ("svg", "csv"), Options(width="single"))
        for name, table in (("a", frame), ("b", shuffled))
    )
    assert [path.name for path in one] == [path.name for path in other]
    for first, second in zip(one, other, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name
    numbers = pd.read_csv(one[1])
    assert set(numbers.columns) == SOUND
    assert len(numbers)
    assert np.isfinite(numbers[["x", "y"]]).all(axis=None)


BAD = {
    "no rows": lambda frame: frame.iloc[:0],
    "one row": lambda frame: frame.iloc[:1],
    "recall 1": lambda frame: frame.assign(recall=1.0),
    "recall 0": lambda frame: frame.assign(recall=0.0),
    "no numbers": lambda frame: frame.assign(**dict.fromkeys(frame.select_dtypes("float64"), np.nan)),
    "zeros": lambda frame: frame.assign(**{name: 0.0 * frame[name] for name in frame.select_dtypes("float64")}),
    "failed": lambda frame: frame.assign(status="failed"),
}


@each_kind
@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD)
def test_bad_tables_are_figures_or_one_line(rows, tmp_path, kind, spoil):
    frame = spoil(rows(kind))
    refused, paths = None, []
    try:
        paths = draw(frame, kind, tmp_path / "a", ("png",))
    except (PlotError, ResultError) as error:
        refused = str(error)
    assert paths or refused
    assert refused is None or ("\n" not in refused and not (tmp_path / "a").exists())
    assert all(path.stat().st_size > 2000 for path in paths)


@each_kind
def test_a_missing_column_is_named(rows, tmp_path, kind):
    frame = rows(kind)
    for name in dict.fromkeys((*kind.figure_by, *kind.columns)):
        with pytest.raises(
            PlotError, match=f"found no column '{name}', expected the columns that {kind.name} is drawn"
        ):
            draw(frame.drop(columns=name), kind, tmp_path / "a")


def test_more_algorithms_than_ranks_can_tell_apart(rows, tmp_path):
    kind = KINDS["critical-difference"]
    some = rows(kind).query("dataset == 'small[base=4000]' and algorithm.str.contains('Learnt')")
    names = [f"A{place:02}()" for place in range(21)]
    many = pd.concat(
        some.assign(algorithm=name, series=name, seconds=some["seconds"] * (1.0 + place))
        for place, name in enumerate(names)
    )
    with pytest.raises(NothingToShowError, match=r"found 21 algorithms, expected 20 at most \(choose by --algor"):
        draw(many, kind, tmp_path, ("csv",))
    (path,) = draw(many, kind, tmp_path, ("csv",), Options(algorithms=("A0*", "A1*")))
    assert set(pd.read_csv(path)["algorithm"].dropna()) == set(names[:20])


class TestCommand:
    @pytest.mark.parametrize("everything", [False, True])
    def test_no_finished_run(self, source, tmp_path, everything):
        failed = [dataclasses.replace(run, status="failed", points=(), routing=None, notes={}) for run in source.runs]
        for runs in ([], failed):
            with pytest.raises(
                PlotError, match=r"nothing to draw: (the table has no rows|all rows of the table failed)"
            ):
                list(draw_kinds(Source(runs, tmp_path / "none"), [], tmp_path / "a", ("png",), all_kinds=everything))
        assert not (tmp_path / "a").exists()

    def test_all_draws_every_kind_that_can_be(self, source, tmp_path, caplog):
        paths = list(draw_kinds(source, [], tmp_path / "a", ("csv",), all_kinds=True))
        assert {next(name for name in KINDS if path.stem.endswith(name)) for path in paths} == set(KINDS)
        fewer = Source(source.runs, tmp_path / "none")
        paths = list(draw_kinds(fewer, [], tmp_path / "b", ("csv",), all_kinds=True))
        assert not any("roofline" in path.name for path in paths)
        assert "roofline.csv: found no such file" in caplog.text
        with pytest.raises(NothingToShowError, match=r"roofline.csv: found no such file, expected what `ivfbench roof"):
            list(draw_kinds(fewer, ["roofline"], tmp_path / "c", ("csv",)))

    def test_algorithms_and_datasets_by_glob(self, source, tmp_path):
        options = Options(algorithms=("*Learnt*",), datasets=("*4000*",))
        (path,) = draw_kinds(source, ["latency"], tmp_path / "a", ("csv",), options)
        numbers = pd.read_csv(path)
        assert path.name == "small-base-4000-k10-single-latency.csv"
        assert set(numbers["curve"]) == {"IVF learnt (epochs=50)"}
        with pytest.raises(PlotError, match="algorithm: found no match for Oracle, expected a glob for one of: IVF"):
            list(draw_kinds(source, ["latency"], tmp_path / "b", ("csv",), Options(algorithms=("Oracle",))))

    def test_a_kind_that_lacks_what_the_results_have_costs_the_others_nothing(self, source, tmp_path, caplog):
        unrouted = [dataclasses.replace(run, routing=None) if "Learnt" in run.algorithm else run for run in source.runs]
        fewer, options = Source(unrouted, source.folder), Options(algorithms=("*Learnt*",))
        paths = list(draw_kinds(fewer, [], tmp_path / "a", ("csv",), options, all_kinds=True))
        drawn = {next(name for name in KINDS if path.stem.endswith(name)) for path in paths}
        assert set(KINDS) - drawn == {"accuracy", "critical-difference"}
        assert "no figure accuracy: algorithm: found no match for *Learnt*, expected a glob for one of" in caplog.text

    def test_what_was_only_routed_is_drawn_although_nothing_was_searched(self, source, tmp_path):
        routed = [dataclasses.replace(run, points=()) for run in source.runs]
        failed = [dataclasses.replace(run, k=1, status="failed", points=(), routing=None) for run in source.runs]
        paths = list(draw_kinds(Source([*routed, *failed], tmp_path), [], tmp_path / "a", ("csv",), all_kinds=True))
        assert any("accuracy" in path.name for path in paths)
        assert not any("recall" in path.name for path in paths)

    def test_a_facet_is_one_figure_of_all_datasets(self, source, tmp_path):
        (path,) = draw_kinds(source, ["latency"], tmp_path / "a", ("csv",), Options(facet=True))
        assert path.name == "k10-single-latency.csv"
        assert set(pd.read_csv(path)["panel"]) == {"small[base=1000]", "small[base=4000]"}

    def test_who_is_left_out_does_not_change_colours(self, source, tmp_path):
        drawn = [
            next(draw_kinds(source, ["recall-qps"], tmp_path / name, ("svg",), options)).read_text("utf-8")
            for name, options in (("a", USUAL_OPTIONS), ("b", Options(algorithms=("*Learnt*",))))
        ]
        assert all("#d55e00" in text for text in drawn)  # the second by name
        assert ["#0072b2" in text for text in drawn] == [True, False]
