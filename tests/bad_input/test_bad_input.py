"""Bad input, one row per case: one line that names the file and says what is wrong, exit code 2, nothing written.

A row says what to put into a folder, the command, and what its one line says.
"""

import subprocess

import pytest
from damaged_datasets import DATASETS, sound
from damaged_results import FOLDERS
from wrong_experiments import EXACT, EXPERIMENTS


def dataset(make, *said):
    def prepare(folder, make_runs):
        (folder / "some.yml").write_text(EXACT)
        make(folder / "bad.hdf5")

    return prepare, "run some.yml --dataset bad.hdf5 --out out", ("bad", *said)


def experiment(content, *said):
    def prepare(folder, make_runs):
        sound(folder / "sound.hdf5")
        if content is not None:
            (folder / "bad.yml").write_bytes(content.encode() if isinstance(content, str) else content)

    return prepare, "run bad.yml --dataset sound.hdf5 --out out", said


def results(make, command, *said):
    def prepare(folder, make_runs):
        sound(folder / "sound.hdf5")
        (folder / "sound.yml").write_text(EXACT)
        make(folder / "out", make_runs()[0])

    return prepare, command, said


CASES = {
    **{f"dataset: {name}": dataset(*row) for name, row in DATASETS.items()},
    **{f"experiment: {name}": experiment(*row) for name, row in EXPERIMENTS.items()},
    **{f"results: {name}": results(*row) for name, row in FOLDERS.items()},
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_says_what_is_wrong_and_nothing_is_written(tmp_path, refused, sample_runs, case):
    prepare, command, said = CASES[case]
    prepare(tmp_path, sample_runs)
    refused(command, *said)


@pytest.mark.parametrize(
    ("case", "command"),
    [
        ("cut at 0.5", "run some.yml --dataset bad.hdf5"),
        ("NaN", "datasets verify bad.hdf5"),
        ("texts", "datasets info bad.hdf5"),
    ],
)
def test_so_it_is_in_a_process(tmp_path, invocation, snapshot, case, command):
    (tmp_path / "some.yml").write_text(EXACT)
    DATASETS[case][0](tmp_path / "bad.hdf5")
    before = snapshot()
    done = subprocess.run(
        **{**invocation(*command.split()), "cwd": tmp_path}, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert DATASETS[case][1] in done.stderr
    assert snapshot() == before
