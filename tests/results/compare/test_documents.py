"""What a comparison leaves behind: Markdown, JUnit, JSON, samples, history, figures; and accept files."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ivfbench.plots.compared_fronts import draw_compared_fronts
from ivfbench.plots.errors import NothingToShowError
from ivfbench.plots.history import draw_history
from ivfbench.results.compare import intervals
from ivfbench.results.compare.accepted import load_accepted, reasons
from ivfbench.results.compare.comparison import Comparison, Judged, with_reasons
from ivfbench.results.compare.document import as_document, samples
from ivfbench.results.compare.history import append_history, history_rows, history_steps, load_history, news
from ivfbench.results.compare.intervals import speed_up
from ivfbench.results.compare.junit import as_junit
from ivfbench.results.compare.markdown import as_markdown
from ivfbench.results.compare.sides import Curve
from ivfbench.results.compare.states import FAIL, INCONCLUSIVE, PASS
from ivfbench.results.compare.timings import compare_timings
from ivfbench.results.compare.verdict import judge_times
from ivfbench.results.compare.work import Limits, compare_work
from ivfbench.results.errors import ResultError


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(intervals, "DRAWS", 200)


@pytest.fixture
def make_comparison(make_answers, make_times):
    """A function: a comparison of one curve for each slow-down."""

    def make(*slower, commit="4f1c2ab99"):
        answers, limits = make_answers(), Limits()
        judged = []
        for place, effect in enumerate(slower):
            times = make_times(answers, slower=effect, seed=place)
            pair = speed_up(answers, answers, times, "wall"), speed_up(answers, answers, times, "wall", "control")
            (verdict,) = judge_times([pair], limits.time, 1)
            work = compare_work(answers, answers, limits)
            curve = Curve("small", f"IVF({place})", 10, "single")
            judged.append(Judged(curve, answers, answers, work, "wall", times, verdict, {0.9: pair[0]}))
        machine = {"processor": "a processor", "head_commit": commit}
        return Comparison("old", "new", limits, tuple(judged), rounds=8, looks=1, machine=machine)

    return make


class TestReports:
    def test_markdown_says_all_worst_first(self, make_comparison):
        text = as_markdown(make_comparison(0.0, 0.2), "fronts.png")
        assert text.startswith("## ❌ new against old: fail")
        rows = [line for line in text.splitlines() if line.startswith(("| ✅", "| ❌"))]
        assert [row.split(",")[1].strip() for row in rows] == ["IVF(1)", "IVF(0)"]
        assert "slower:" in text
        assert "8 pairs of fresh processes" in text
        assert "![fronts](fronts.png)" in text

    def test_builds_are_told_and_not_judged(self, make_comparison):
        done = make_comparison(0.0)
        (one,) = done.judged
        base = replace(one.base, build_seconds=1.0, peak_bytes=200_000_000)
        head = replace(one.head, build_seconds=9.0, peak_bytes=4_000_000_000)
        done = replace(done, judged=(replace(one, base=base, head=head, rebuild_seconds=1.25),))
        text = as_markdown(done)
        assert "| 1.00, again 1.25 → 9.00 s | 200 → 4,000 MB |" in text
        assert text.startswith("## ✅")
        work = as_document(done)["curves"][0]["work"]
        assert (work["build_seconds"], work["build_seconds_again"]) == ([1.0, 9.0], 1.25)
        assert work["peak_bytes"] == [200_000_000, 4_000_000_000]

    def test_a_table_has_as_many_cells_in_each_row(self, make_comparison):
        rows = [line for line in as_markdown(make_comparison(0.0)).splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows[:3]}) == 1

    def test_junit_counts(self, make_comparison):
        done = replace(make_comparison(0.0, 0.2), missing=("a curve",))
        suite = ET.fromstring(as_junit(done)).find("testsuite")
        assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
            "tests": "5",
            "failures": "2",
            "skipped": "0",
        }
        assert len(suite.findall(".//failure")) == 2

    def test_json_is_json(self, make_comparison):
        document = json.loads(json.dumps(as_document(make_comparison(0.0, 0.2)), allow_nan=False))
        assert [curve["state"] for curve in document["curves"]] == [PASS, FAIL]
        told = document["curves"][1]["time"]["speed_up"]
        assert told["low"] < 1 / 1.2 < told["high"]

    def test_every_single_time_is_kept(self, make_comparison):
        frame = samples(make_comparison(0.0, 0.2))
        assert len(frame) == 2 * 3 * 8 * 5 * 5
        assert (frame[["wall", "processor", "reference"]] > 0).all(axis=None)

    def test_exit_codes(self, make_comparison):
        assert make_comparison(0.0).exit_code() == 0
        assert make_comparison(0.0, 0.2).exit_code() == 1
        unsure = make_comparison(0.052)
        assert (unsure.state, unsure.exit_code(), unsure.exit_code(0)) == (INCONCLUSIVE, 3, 0)

    def test_figure(self, make_comparison, tmp_path):
        path = draw_compared_fronts(make_comparison(0.0, 0.2), tmp_path / "fronts.png")
        assert path.read_bytes().startswith(b"\x89PNG")
        with pytest.raises(NothingToShowError):
            draw_compared_fronts(make_comparison(), tmp_path / "none.png")


class TestAccepted:
    def test_a_reason_turns_a_failure(self, make_comparison, tmp_path):
        path = tmp_path / "accept.yml"
        path.write_text("- {commit: '4f1c2ab', reason: exact now, curve: '*IVF(1)*'}\n")
        done = make_comparison(0.0, 0.2)
        found = with_reasons(done, reasons(load_accepted(path), done))
        assert (done.state, found.state) == (FAIL, PASS)
        assert "accepted: exact now" in as_markdown(found)
        assert ET.fromstring(as_junit(found)).find("testsuite").get("failures") == "0"
        elsewhere = make_comparison(0.0, 0.2, commit="1234567")
        assert with_reasons(elsewhere, reasons(load_accepted(path), elsewhere)).state == FAIL

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("commit: a", "expected a list"),
            ("- {commit: 'abcdefg'}", "found no reason"),
            ("- {commit: 'abc', reason: x}", "at least 7"),
            ("- {commit: 'abcdefg', reason: x, why: y}", "expected commit, reason"),
            ("- [", "no readable YAML"),
        ],
    )
    def test_others_are_refused_in_one_line(self, tmp_path, text, said):
        (tmp_path / "accept.yml").write_text(text)
        with pytest.raises(ResultError, match=said) as caught:
            load_accepted(tmp_path / "accept.yml")
        assert "\n" not in str(caught.value)


@pytest.fixture
def grown(make_comparison, tmp_path):
    """A history of 16 commits whose cost rises by a fifth at the tenth."""
    path = tmp_path / "history.parquet"
    noise = 1.0 + 0.01 * np.random.default_rng(0).standard_normal(16)
    done = make_comparison(0.0)
    for place in range(16):
        factor = noise[place] * (1.2 if place >= 10 else 1.0)
        slower = replace(scaled(done, factor), machine={**done.machine, "head_commit": f"commit-{place:02}"})
        append_history(path, history_rows(slower, float(place)))
    return path


def scaled(done, factor):
    judged = done.judged[0]
    seconds = {which: factor * values for which, values in judged.times.seconds.items()}
    return replace(done, judged=(replace(judged, times=replace(judged.times, seconds=seconds)),))


class TestHistory:
    def test_a_line_for_each_commit_and_the_step(self, grown, tmp_path):
        frame = load_history(grown)
        assert len(frame) == 16
        found = history_steps(frame, {})
        assert found["commit"].tolist() == ["commit-10"]
        assert found["slower"][0] == pytest.approx(0.2, abs=0.05)
        assert len(news(found, 0.05)) == 1
        assert len(news(found, 0.5)) == 0
        assert len(news(history_steps(frame, {"commit-10": "meant"}), 0.05)) == 0
        path = draw_history(frame, tmp_path / "history.png", {})
        assert path.read_bytes().startswith(b"\x89PNG")

    def test_measuring_a_commit_again_replaces_its_line(self, grown, make_comparison):
        append_history(grown, history_rows(make_comparison(0.0, commit="commit-03"), 99.0))
        frame = load_history(grown)
        assert len(frame) == 16
        assert frame.loc[frame["commit"] == "commit-03", "time"].tolist() == [99.0]

    def test_machines_are_not_mixed(self, grown, make_comparison):
        other = make_comparison(0.0, commit="commit-03")
        other = replace(other, machine={**other.machine, "processor": "another"})
        append_history(grown, history_rows(other, 99.0))
        frame = load_history(grown)
        assert frame["fingerprint"].nunique() == 2
        assert history_steps(frame, {})["commit"].tolist() == ["commit-10"]

    def test_other_files_are_refused(self, tmp_path):
        pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
        for name in ("other.parquet", "none.parquet"):
            with pytest.raises(ResultError, match="expected a history"):
                load_history(tmp_path / name)


class TestTimings:
    @pytest.fixture
    def write(self, tmp_path):
        def write(side, factors):
            for place, factor in enumerate(factors):
                held = [{"fullname": f"test_{name}", "stats": {"median": factor * base}} for name, base in CASES]
                document = {"datetime": f"2026-01-01T00:00:{place:02}", "benchmarks": held}
                path = tmp_path / side / f"{place}.json"
                path.parent.mkdir(exist_ok=True)
                path.write_text(json.dumps(document))
            return tmp_path / side

        return write

    def test_pairs_are_judged_against_base_itself(self, write):
        base = write("base", [1.0, 1.01, 0.99, 1.0, 1.005, 1.0, 1.0, 1.01, 0.99, 1.0, 1.0, 1.005])
        head = write("head", [1.2, 1.21, 1.19, 1.2, 1.2, 1.2])
        frame = compare_timings(base, head, 0.05)
        assert frame["state"].tolist() == [FAIL, FAIL]
        assert frame["speed_up"].tolist() == pytest.approx([1 / 1.2] * 2, abs=0.01)
        assert compare_timings(base, write("same", [1.0, 1.01, 0.99, 1.0, 1.0, 1.0]), 0.05)["state"][0] == PASS

    def test_single_processes_are_told_and_not_judged(self, write):
        frame = compare_timings(write("base", [1.0]) / "0.json", write("head", [2.0]) / "0.json", 0.05)
        assert frame["state"].tolist() == ["not judged"] * 2
        assert frame["speed_up"].tolist() == pytest.approx([0.5] * 2)

    def test_another_file_is_refused(self, tmp_path):
        (tmp_path / "bad.json").write_text('{"benchmarks": [{}]}')
        with pytest.raises(ResultError, match="expected what pytest-benchmark writes"):
            compare_timings(tmp_path / "bad.json", tmp_path / "bad.json", 0.05)


CASES = (("one", 0.5), ("two", 0.001))
