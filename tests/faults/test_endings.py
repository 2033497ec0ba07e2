"""However a build or a sweep point ends, it becomes a row that says so, and every other point goes on."""

import subprocess
import sys

import pytest
from ivfbench.results.failures import failures
from ivfbench.results.store import load_runs

SWEEP = [("single", 0), ("single", 1), ("single", 2), ("batch", 0), ("batch", 1), ("batch", 2)]
# What each of them becomes: its status and what its message must say.
ENDINGS = {
    "segfault": ("killed", "the process was killed by SIGSEGV (Segmentation fault): Fatal Python error: "),
    "abort": ("killed", "the process was killed by SIGABRT (Aborted): Fatal Python error: Aborted"),
    "illegal": ("killed", "the process was killed by SIGILL (Illegal instruction): Fatal Python error: "),
    "exit": ("failed", "the process ended with code 3, before its work did: I go"),
    "memory": ("memory", "MemoryError: Unable to allocate"),
    "error": ("failed", "RuntimeError: no such luck"),
    "shape": ("failed", "ids: found the shape (40, 9), expected (40, 10)"),
    "leak": ("memory", " GB, expected at most 0.6 (--memory)"),
}
RESTARTED = {"segfault", "abort", "illegal", "exit", "leak"}  # whose process dies in both modes


@pytest.fixture(scope="module")
def ended(shared_lab):
    """One run of all these ends in a point of the sweep, and of some in the build."""
    points = [f"name: {fault}, fault: {fault}, place: 1, points: 3" for fault in ENDINGS]
    builds = [f"name: build-{fault}, fault: {fault}, place: -1, points: 3" for fault in ("segfault", "memory", "leak")]
    lab = shared_lab("endings", *builds, *points, "name: good, points: 3")
    return lab, lab.run_once("--memory", 0.6), lab.runs()


class TestPoints:
    @pytest.mark.parametrize("fault", ENDINGS)
    def test_the_point_says_how_it_ended_and_the_others_go_on(self, ended, fault):
        _, _, runs = ended
        status, said = ENDINGS[fault]
        found = {(point.mode, point.query_parameters["place"]): point for point in runs[fault].points}
        assert sorted(found) == sorted(SWEEP)
        assert {place for (_, place), point in found.items() if point.status != "ok"} == {1}
        lost = found["batch", 1]
        assert lost.status == found["single", 1].status == status
        assert said in lost.message
        assert "\n" not in lost.message
        assert runs[fault].status == "ok"

    @pytest.mark.parametrize("fault", ENDINGS)
    def test_no_point_is_measured_twice(self, ended, fault):
        lab, _, runs = ended
        points = [line.split()[1:] for line in lab.diary if line.startswith("point")]
        asked = [(mode, int(place)) for name, mode, place in points if name == fault]
        assert sorted(asked) == sorted(SWEEP)
        builds = lab.diary.count(f"build {fault}")
        assert builds == (3 if fault in RESTARTED else 1)  # again after each point that ended the process
        assert runs[fault].notes.get("builds", 1) == builds

    def test_the_limits_and_the_high_water_mark_are_told(self, ended):
        _, _, runs = ended
        assert runs["leak"].notes["memory_limit_gigabytes"] == 0.6
        assert runs["leak"].notes["watched_peak_bytes"] > 0.6e9
        assert 1e7 < runs["good"].notes["watched_peak_bytes"] < 0.6e9


class TestBuilds:
    @pytest.mark.parametrize("fault", ["segfault", "memory", "leak"])
    def test_a_build_that_ends_is_a_row(self, ended, fault):
        _, _, runs = ended
        run = runs[f"build-{fault}"]
        assert (run.status, run.points) == (ENDINGS[fault][0], ())
        assert ENDINGS[fault][1] in run.message

    def test_what_it_took_is_told(self, ended):
        assert ended[2]["build-leak"].peak_memory_bytes > 0.6e9


class TestTheRun:
    def test_goes_on_to_its_end(self, ended):
        _, done, runs = ended
        assert len(runs) == len(ENDINGS) + 4
        assert {point.status for point in runs["good"].points} == {"ok"}
        assert "Traceback" not in done.stderr

    def test_says_how_many_failed_and_how_to_see_why(self, ended):
        lab, done, _ = ended
        assert done.returncode == 1
        said = f"{len(ENDINGS) + 3} failed: `ivfbench table --failed --out {lab.out}` says why, logs in {lab.out}/logs"
        assert done.stderr.splitlines()[-1] == said

    def test_that_command_tells_every_failure(self, ended):
        lab, _, _ = ended
        frame = failures(load_runs(lab.out))
        assert len(frame) == 2 * len(ENDINGS) + 3
        command = [sys.executable, "-m", "ivfbench", "table", "--failed", "--out", lab.out]
        text, csv = (
            subprocess.run([*command, *more], env=lab.command()["env"], capture_output=True, text=True)
            for more in ((), ("--format", "csv"))
        )
        assert (text.returncode, csv.returncode) == (0, 0), text.stderr + csv.stderr
        assert csv.stdout == frame.to_csv(index=False, lineterminator="\n")
        asked = "Faulty(name='exit', fault='exit', place=1, points=3) on tiny, k=10, seed 0: batch {\"place\":1}"
        assert f"{asked}\n    failed: the process ended with code 3, before its work did: I go\n" in text.stdout
        assert len(text.stdout.splitlines()) == 2 * len(frame)

    def test_the_logs_hold_what_was_printed(self, ended):
        lab, _, runs = ended
        logs = {path.name: path.read_text() for path in (lab.out / "logs").iterdir()}
        assert all(logs.values())
        silent = {"good", "leak", "build-leak"}
        assert len(logs) == len(runs.keys() - silent)
        (told,) = [text for name, text in logs.items() if "name-segfault" in name]
        assert told.count("Fatal Python error: Segmentation fault") == 2
        assert "in search" in told

    def test_no_process_is_left(self, ended, all_gone):
        assert all_gone(ended[0].processes)


class TestHangs:
    def test_a_hang_ends_with_all_that_it_started(self, lab, all_gone):
        """The interpreter is busy in C, one child leads a session of its own: nothing of it may stay."""
        lab = lab("name: busy, fault: children, place: 1, points: 2")
        done = lab.run("--timeout", 8, "--mode", "batch")
        assert done.returncode == 1
        first, lost = lab.runs()["busy"].points
        assert (first.status, lost.status) == ("ok", "timeout")
        assert lost.message == "batch place 1 took more than 8 s, the limit (--timeout)"
        assert len(lab.processes) == 3
        assert all_gone(lab.processes)

    def test_a_build_has_the_same_time(self, lab, all_gone):
        lab = lab("name: busy, fault: hang, place: -1", "name: good")
        lab.experiment.write_text(lab.experiment.read_text() + "timeout: 8\n")
        done = lab.run("--mode", "batch")
        assert done.returncode == 1
        busy = lab.runs()["busy"]
        assert (busy.status, busy.message) == ("timeout", "the build took more than 8 s, the limit (--timeout)")
        assert {point.status for point in lab.runs()["good"].points} == {"ok"}
        assert all_gone(lab.processes)
