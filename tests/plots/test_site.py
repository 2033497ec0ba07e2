"""The report as files: what is in it, that results are only ever text, and that poor results give a page too."""

import dataclasses
import html.parser
import json
import re
import sys

import numpy as np
import pandas as pd
import pytest
from ivfbench.__main__ import main
from ivfbench.plots.errors import PlotError
from ivfbench.plots.site import write
from ivfbench.plots.site.explorer import curves, members, plain, settings
from ivfbench.plots.site.pages import fastest, unique_slugs
from ivfbench.plots.site.provenance import environments, failures
from ivfbench.plots.site.write import write_site
from ivfbench.results.at_recall import at_recall
from ivfbench.results.run import failed_point
from ivfbench.results.store import save_run
from ivfbench.results.table import load_table, table
from ivfbench.runner.conditions import between, look
from ivfbench.runner.environment import command, environment, libraries
from ivfbench.runner.floor import measure_floor

HOSTILE = "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>&amp;\"'</script>"


class Reader(html.parser.HTMLParser):
    """Every tag, its attributes, and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.scripts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        (self.scripts if self.tags and self.tags[-1][0] == "script" else self.words).append(data)

    @property
    def data(self):
        return json.loads("".join(self.scripts))


def read(path):
    return Reader(path.read_text("utf-8"))


def failed(run, message="ran out of memory"):
    return dataclasses.replace(run, status="failed", message=message, points=(), routing=None)


def test_a_whole_report(tmp_path, sample_runs):
    runs = [*sample_runs(), *sample_runs(dataset="drift", synthetic=True, modes=("batch",), routing=True)]
    runs = [*runs, failed(sample_runs(dataset="lost")[0])]
    paths = write_site(runs, tmp_path)
    assert paths[0] == tmp_path / "index.html"
    assert all(path.is_file() for path in paths)
    pages = {path.name: read(path) for path in paths if path.suffix == ".html"}
    of_datasets = {"dataset-drift-synthetic.html", "dataset-lost.html", "dataset-sample-64-euclidean.html"}
    assert set(pages) == {
        "index.html", "algorithms.html", "routing.html", "failures.html", "environment.html", *of_datasets
    }  # fmt: skip
    written = {path.relative_to(tmp_path).as_posix() for path in paths}
    for name, page in pages.items():
        linked = [attributes.get("href") or attributes.get("src") for _, attributes in page.tags]
        assert not [link for link in linked if link and "//" in link], name  # nothing from a network
        targets = {link.partition("#")[0] for link in linked if link and not link.startswith(("#", "data:"))}
        assert targets <= written, name
        assert not [attribute for _, attributes in page.tags for attribute in attributes if attribute.startswith("on")]
    assert "ran out of memory" in pages["failures.html"].words
    assert "ran out of memory" in pages["dataset-lost.html"].words
    pd.testing.assert_frame_equal(load_table(tmp_path / "data" / "results.parquet"), table(runs))
    assert len(pd.read_csv(tmp_path / "data" / "builds.csv")) == len(runs)


def test_a_report_without_routing_has_no_such_page(tmp_path, sample_runs):
    names = [path.name for path in write_site(sample_runs(), tmp_path)]
    assert "routing.html" not in names
    assert "Routing" not in read(tmp_path / "index.html").words


def test_two_reports_give_equal_bytes(tmp_path, sample_runs):
    first = write_site(sample_runs(), tmp_path / "a")
    second = write_site(sample_runs(), tmp_path / "b")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_what_results_say_is_text(tmp_path, sample_runs):
    run = sample_runs()[0]
    point = dataclasses.replace(run.points[0], query_parameters={"nprobe": 1, HOSTILE: HOSTILE})
    point = dataclasses.replace(point, status="ok")
    lost = failed_point("single", 1, {"nprobe": 2}, run.k, HOSTILE)
    hostile = {"dataset": HOSTILE, "algorithm": HOSTILE, "parameters": {HOSTILE: HOSTILE}, "notes": {HOSTILE: HOSTILE}}
    run = dataclasses.replace(run, **hostile, environment={"cpu": HOSTILE}, points=(point, lost))
    plain_page = [tag for tag, _ in read(write_site(sample_runs(), tmp_path / "plain")[0]).tags].count("script")
    for path in write_site([run, failed(run, HOSTILE)], tmp_path / "hostile"):
        if path.suffix == ".html":
            page = read(path)
            scripts = [attributes for tag, attributes in page.tags if tag == "script"]
            assert len(scripts) <= plain_page + 1, path.name
            assert all("src" in script or script["type"] == "application/json" for script in scripts)
            assert "img" not in {tag for tag, _ in page.tags}
            assert HOSTILE in " ".join(page.words) or HOSTILE in json.dumps(page.data, ensure_ascii=False)


def test_the_data_of_a_page_are_the_numbers_of_the_table(tmp_path, sample_runs):
    runs = sample_runs()
    frame = table(runs)
    known = members(frame)
    assert [member["label"] for member in known] == ["IVF centroid (normalised)", "IVF learnt (epochs=50)"]
    assert len({(member["colour"], member["symbol"]) for member in known}) == 2
    assert settings(frame) == [
        {"k": 10, "mode": "batch", "threads": 4}, {"k": 10, "mode": "single", "threads": 1}
    ]  # fmt: skip
    found = curves(frame, known)
    assert len(found) == 4
    for curve in found:
        rows = frame[frame["algorithm"] == known[curve["member"]]["algorithm"]]
        rows = rows[rows["mode"] == curve["mode"]].sort_values("recall", kind="stable")
        assert curve["build"]["learn_seconds"] == rows["learn_seconds"].iloc[0]
        for name in ("recall", "qps", "qps_low", "points_scanned"):
            np.testing.assert_allclose(curve["points"][name], rows[name], rtol=1e-5)
        assert curve["points"]["query"] == [json.loads(text) for text in rows["query_parameters"]]
        assert ("latency_p50_ms" in curve["points"]) == (curve["mode"] == "single")


def test_numbers_that_json_does_not_know():
    assert [plain(value) for value in (float("nan"), float("inf"), 3.0, 0.123456789)] == [None, None, 3, 0.123457]


def test_the_fastest_at_a_recall(sample_runs):
    frame = table(sample_runs(modes=("single",)))
    ((asked, best),) = fastest(frame)
    assert asked == {"k": 10, "mode": "single", "threads": 1}
    told = at_recall(frame, (0.8, 0.9, 0.95, 0.99))
    for shown, (_, rows) in zip(best, told.groupby("level"), strict=True):
        assert shown["label"] == "IVF learnt (epochs=50)"
        assert shown["qps"] == f"{rows['value'].max():,.0f}"


def test_a_sweep_that_starts_above_a_recall_counts_with_its_first_point(sample_runs):
    frame = table(sample_runs(modes=("single",)))
    high = frame[frame["algorithm"].str.contains("Learnt") & (frame["recall"] > 0.8)]
    ((_, best),) = fastest(high)
    first = high.sort_values("recall").iloc[0]
    assert best[0] == {"qps": f"≥ {first['qps']:,.0f}", "label": "IVF learnt (epochs=50)"}
    assert "≥" not in best[3]["qps"]


def test_environments_that_differ_in_the_process_alone_are_one(sample_runs):
    runs = sample_runs(modes=("single",))
    loads = [dataclasses.replace(run, environment={"cpu": "one", "load_average": [place, 0, 0]})
             for place, run in enumerate(runs)]  # fmt: skip
    ((names, facts),) = environments(loads)
    assert names == ["sample-64-euclidean"]
    assert facts == {"cpu": "one", "load before the builds": "0.00 to 1.00", "runs": "2"}
    assert len(environments([*loads, dataclasses.replace(runs[0], environment={"cpu": "other"})])) == 2


def as_recorded(**changes):
    """What a worker leaves with its run, read here and now."""
    noted = {"command": command(), "floor": dataclasses.asdict(measure_floor())}
    return {**environment(), "libraries": libraries(), **noted, "conditions_of_the_build": between(look(), look()),
            **changes}  # fmt: skip


def test_one_machine_is_one_card_that_keeps_command_lines_to_itself(sample_runs):
    typed = ["python", "-m", "ivfbench", "run", "/home/somebody/secret.yml"]
    recorded = [
        as_recorded(libraries={"numpy": "2.1", "faiss-cpu": "1.8"}, command=typed, memory_available_bytes=10**9),
        as_recorded(libraries={"numpy": "2.2"}, command=None, swap_used_bytes=7, variables={"OMP_NUM_THREADS": "4"}),
        environment(),  # what is recorded of a build that failed
    ]
    recorded = [{**one, "uncommitted_changes": None} for one in recorded]
    runs = [dataclasses.replace(run, environment=one) for one in recorded for run in sample_runs(modes=("single",))]
    ((_, facts),) = environments(runs)
    assert (facts["libraries.numpy"], facts["libraries.faiss-cpu"]) == ("2.1; 2.2", "1.8")
    assert "4" in facts["variables.OMP_NUM_THREADS"].split("; ")
    assert facts["memory_bytes"] == str(recorded[0]["memory_bytes"])
    assert facts["runs"] == "6"
    assert "secret" not in json.dumps(facts)
    assert not any(name.startswith(("conditions", "floor", "command", "swap", "memory_available")) for name in facts)


def test_failures_say_what_and_why(sample_runs):
    run = sample_runs(modes=("single",))[0]
    run = dataclasses.replace(run, points=(*run.points, failed_point("single", 1, {"nprobe": 3}, 10, "too slow")))
    point, build = failures([run, failed(run)])
    assert (point["asked"], point["reason"]) == ('single, 1 thread, {"nprobe":3}', "too slow")
    assert (build["asked"], build["status"], build["reason"]) == ("the build", "failed", "ran out of memory")


def test_names_that_would_share_a_file_do_not():
    assert unique_slugs(["a/b", "a b", "A-B"]) == {"a/b": "a-b", "a b": "a-b-2", "A-B": "A-B-3"}


def poor(name, runs):
    """Results that have little to show."""
    run = runs[0]
    perfect = run.points[-1]
    return {
        "one point": [dataclasses.replace(run, points=run.points[:1])],
        "all recalls 1": [dataclasses.replace(run, points=(perfect, dataclasses.replace(perfect, threads=2)))],
        "only failures": [failed(run)],
        "a failed sweep": [dataclasses.replace(run, points=(failed_point("single", 1, {}, run.k, "no"),))],
        "nothing known": [dataclasses.replace(failed(run), parameters={}, notes={}, environment={}, n=0)],
    }[name]


POOR = ("one point", "all recalls 1", "only failures", "a failed sweep", "nothing known")


@pytest.mark.parametrize("name", POOR)
def test_poor_results_give_pages(tmp_path, sample_runs, name):
    paths = write_site(poor(name, sample_runs()), tmp_path)
    page = read(tmp_path / "dataset-sample-64-euclidean.html")
    explored = any(attributes.get("id") == "chart" for _, attributes in page.tags)
    assert explored == (name in ("one point", "all recalls 1"))
    assert len(paths) > 10


def test_a_missing_column_is_one_line(sample_runs):
    with pytest.raises(PlotError, match=r"^table: found no column 'qps', expected the columns of a results table$"):
        members(table(sample_runs()).drop(columns="qps"))


def test_without_the_extra(tmp_path, sample_runs, monkeypatch):
    monkeypatch.setattr(write, "NEEDED", {"no_such_library": "charts"})
    with pytest.raises(PlotError, match=r"no_such_library \(charts\), .* pip install 'ivfbench\[report\]'$"):
        write_site(sample_runs(), tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_the_command(tmp_path, sample_runs, monkeypatch, capsys):
    def report():
        monkeypatch.setattr(sys, "argv", ["ivfbench", "report", "--out", str(tmp_path)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    assert report() == (
        2,
        "",
        f"ivfbench: {tmp_path}: found no results, expected some (ivfbench run --out {tmp_path})\n",
    )
    assert list(tmp_path.iterdir()) == []
    save_run(tmp_path, sample_runs()[0])
    code, out, err = report()
    assert (code, out, err) == (0, f"report: {tmp_path / 'report' / 'index.html'}\n", "")
    size = sum(path.stat().st_size for path in (tmp_path / "report").rglob("*"))
    assert size < 6e6
    assert re.search("sample-64-euclidean", (tmp_path / "report" / "index.html").read_text())
