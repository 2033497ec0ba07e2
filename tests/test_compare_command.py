"""`ivfbench compare` and `ivfbench history` on files, as people meet them: real processes."""

import json
import shutil

import pytest


@pytest.fixture(scope="module")
def results(ivfbench, folder):
    """A folder of results of the small experiment."""
    done = ivfbench("run", "small.yml", "--dataset", "small.hdf5", "--threads", "1", "--repetitions", "1",
                    "--no-figures", "--out", "compared")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "compared"


class TestFolders:
    def test_a_folder_is_as_good_as_itself(self, ivfbench, results, folder):
        shutil.copytree(results, folder / "again")
        done = ivfbench("compare", results, "again", "--exact", "--junit", "junit.xml", "--json", "out.json")
        assert done.returncode == 0, done.stderr
        assert "told, not judged" in done.stdout
        document = json.loads((folder / "out.json").read_text())
        assert document["state"] == "pass"
        assert len(document["curves"]) == 4

    def test_what_is_missing_fails(self, ivfbench, results, folder):
        fewer = folder / "fewer"
        shutil.copytree(results, fewer)
        next(fewer.rglob("IVF*.hdf5")).unlink()
        done = ivfbench("compare", results, "fewer")
        assert done.returncode == 1
        assert done.stdout.count("missing in head") == 2


class TestBaseline:
    def test_is_written_held_and_broken(self, ivfbench, results, folder):
        written = ivfbench("compare", results, "--write-baseline", "baseline.json")
        assert (written.returncode, written.stdout) == (0, "baseline: baseline.json\n")
        held = ivfbench("compare", "baseline.json", results)
        assert held.returncode == 0
        assert "to the last id" in held.stdout
        document = json.loads((folder / "baseline.json").read_text())
        next(iter(document["curves"].values()))["index_bytes"] += 1000
        (folder / "baseline.json").write_text(json.dumps(document))
        broken = ivfbench("compare", "baseline.json", results)
        assert broken.returncode == 1
        assert broken.stdout.startswith("changed: ")


class TestOptionsThatNobodyReads:
    @pytest.mark.parametrize(
        ("arguments", "line"),
        [
            (["before", "after", "--algorithm", "*Learnt*"], "--algorithm: found before, results"),
            (["main", "HEAD", "--revisions", "--control", "again"], "--control: found --revisions"),
            (["before", "--write-baseline", "a.json", "--exact"], "--exact: found --write-baseline"),
            (["a.json", "after", "--markdown", "a.md"], "--markdown: found a.json, a baseline or timings in JSON"),
            (["before", "--selftest"], "BASE: found --selftest"),
            (
                ["main", "HEAD", "--revisions", "--subject", "a.yml", "--dataset", "drift"],
                "--dataset: found --subject, which says what is asked",
            ),
        ],
        ids=lambda value: value[-1] if isinstance(value, list) else "",
    )
    def test_are_refused(self, ivfbench, arguments, line):
        done = ivfbench("compare", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.endswith(f"{line}, expected no such option\n")


class TestHistory:
    def test_what_is_none_is_refused(self, ivfbench):
        done = ivfbench("history", "none.parquet")
        assert (done.returncode, done.stderr) == (
            2,
            "ivfbench: none.parquet: found no such file, expected a history in Parquet\n",
        )


class TestSelftest:
    def test_a_slow_down_is_a_share(self, ivfbench):
        done = ivfbench("compare", "--selftest", "--slow-down", "-0.5")
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
