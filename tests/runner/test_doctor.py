"""What the doctor says of a machine, of this one and of others that were made up."""

import json

import pytest
from ivfbench.runner.doctor import describe, diagnose, warnings
from ivfbench.runner.processor import granted_cores, separate_cores, usable_cores

GOOD = {
    "affinity": [0, 1, 2, 3],
    "cores_granted": None,
    "governors": ["performance"],
    "simultaneous_multithreading": False,
    "floor": {"clock": 30.0, "empty_index": 200.0},
    "clock_source": "tsc",
    "logical_cores": 4,
    "swap_used_bytes": 0,
}
CALM = {"wall_seconds": 2.0, "other_cpu_seconds": 0.1, "stolen_seconds": 0.0, "load_average": 0.2, "swapped_pages": 0}


def said(variables=None, conditions=None, **facts):
    return list(warnings({**GOOD, **facts}, {**CALM, **(conditions or {})}, variables or {}))


def test_a_good_machine_has_no_warning():
    assert said() == []
    assert said(governors=None, simultaneous_multithreading=None) == []  # not told
    assert said({"OMP_NUM_THREADS": "4", "MKL_NUM_THREADS": "4", "OMP_WAIT_POLICY": "PASSIVE"}) == []


@pytest.mark.parametrize(
    ("spoilt", "begins"),
    [
        ({"governors": ["performance", "powersave"]}, "governor powersave: "),
        ({"simultaneous_multithreading": True}, "simultaneous multithreading is on: "),
        ({"affinity": [2]}, "1 usable core: "),
        ({"cores_granted": 1.5}, "a quota of 1.5 cores on 4: "),
        ({"floor": {"clock": 2500.0}, "clock_source": "hpet"}, "2,500 ns to read the clock (hpet): "),
        ({"swap_used_bytes": 5_000_000}, "5 MB lie in swap: "),
        ({"conditions": {"swapped_pages": 7}}, "7 pages were swapped meanwhile: "),
        ({"conditions": {"other_cpu_seconds": 3.0}}, "other processes use 1.5 cores (load average 0.2): "),
        ({"conditions": {"stolen_seconds": 0.8}}, "10% of the time is stolen by other virtual machines: "),
        ({"variables": {"OMP_NUM_THREADS": "4", "NUMBA_NUM_THREADS": "8"}}, "NUMBA_NUM_THREADS=8, OMP_NUM_THREADS=4: "),
        ({"variables": {"OMP_WAIT_POLICY": "ACTIVE"}}, "OMP_WAIT_POLICY=ACTIVE: "),
        ({"variables": {"NUMBA_DISABLE_JIT": "1"}}, "NUMBA_DISABLE_JIT=1: "),
        ({"variables": {"OMP_THREAD_LIMIT": "2"}}, "OMP_THREAD_LIMIT=2: "),
    ],
    ids=str,
)
def test_each_thing_that_spoils_timings_is_one_warning(spoilt, begins):
    (warning,) = said(**spoilt)
    assert warning.startswith(begins)
    assert "\n" not in warning


def test_this_machine_is_described_as_it_is():
    diagnosis = diagnose(seconds=0.05)
    text = describe(diagnosis)
    assert diagnosis.environment["processor"] in text
    assert f"{len(usable_cores())} usable" in text
    assert text.count("warning: ") == len(diagnosis.warnings)
    assert json.loads(json.dumps(diagnosis.environment)) == diagnosis.environment


def test_the_command_says_the_same_and_its_exit_code_tells_whether_there_is_a_warning(ivfbench):
    done = ivfbench("doctor")
    assert done.stderr == ""
    assert done.returncode == (1 if "warning: " in done.stdout else 0)
    told = ivfbench("doctor", "--json")
    diagnosis = json.loads(told.stdout)
    assert told.returncode == (1 if diagnosis["warnings"] else 0)
    assert diagnosis["environment"]["floor"]["clock"] > 0
    assert diagnosis["conditions"]["wall_seconds"] >= 1.0


def test_a_core_for_each_thread_or_one_line_before_anything_is_built(ivfbench, folder):
    done = ivfbench("run", "small.yml", "--dataset", "small.hdf5", "--pin", "--threads", 999, "--out", "pinned")
    found = f"found 999 threads and {len(usable_cores())} usable cores, expected a core for each thread"
    assert (done.returncode, done.stderr) == (2, f"ivfbench: --pin: {found}\n")
    assert not (folder / "pinned").exists()


def test_cores():
    assert sorted(separate_cores()) == usable_cores()
    granted = granted_cores()
    assert granted is None or granted > 0
