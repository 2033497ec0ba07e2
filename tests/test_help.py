"""What the command line says of itself, and what it can name: no data needed."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import typer
from ivfbench.__main__ import app


@pytest.fixture(scope="module")
def ivfbench(tmp_path_factory):
    """A function: one command, done in an empty folder."""
    folder = tmp_path_factory.mktemp("empty")

    def run(*arguments, columns="100"):
        return subprocess.run(
            [sys.executable, "-m", "ivfbench", *arguments],
            cwd=folder,
            env={**os.environ, "COLUMNS": columns, "IVFBENCH_DATA": str(folder)},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def wider_than(columns, text):
    """Lines that do not fit; the paragraph under a table is left to the terminal to fold."""
    return [line for line in text.splitlines() if len(line) > columns and not line.startswith("Recall@k")]


COMMANDS = {"": typer.main.get_command(app)}
COMMANDS.update(COMMANDS[""].commands)
for group in ("datasets", "export"):
    COMMANDS.update({f"{group} {name}": part for name, part in COMMANDS[group].commands.items()})


@pytest.fixture(scope="module")
def helped(ivfbench):
    with ThreadPoolExecutor(4) as pool:
        done = pool.map(lambda name: ivfbench(*name.split(), "--help", columns="60"), COMMANDS)
        return dict(zip(COMMANDS, done, strict=True))


class TestHelp:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_describes_every_option_and_fits(self, helped, name):
        done = helped[name]
        assert (done.returncode, done.stderr) == (0, "")
        assert wider_than(60, done.stdout) == []
        for parameter in COMMANDS[name].params:
            assert parameter.help, parameter.name
            assert parameter.help.split()[0] in done.stdout
            if parameter.param_type_name == "option":
                assert all(option in done.stdout for option in parameter.opts)

    def test_names_every_command(self, helped):
        assert {"run", "table", "plot", "report", "datasets", "export"} <= set(helped[""].stdout.split())
        assert {"list", "info", "get", "verify", "make", "derive", "embed"} <= set(helped["datasets"].stdout.split())

    @pytest.mark.parametrize("line", ["", "datasets", "export"])
    def test_no_command_is_answered_with_help(self, ivfbench, line):
        done = ivfbench(*line.split())
        assert done.returncode == 2
        assert (done.stdout + done.stderr).startswith("Usage: ")

    def test_version(self, ivfbench):
        import ivfbench as package

        assert ivfbench("--version").stdout == f"ivfbench {package.__version__}\n"


class TestCatalogue:
    def test_list(self, ivfbench):
        everything = ivfbench("datasets", "list")
        assert everything.returncode == 0
        names = [line.split()[0] for line in everything.stdout.splitlines()]
        assert names[:2] == ["name", "drift"]
        assert "glove-100-angular" in names
        vibe = ivfbench("datasets", "list", "--collection", "vibe").stdout.splitlines()
        assert 1 < len(vibe) < len(names)
        assert all(line.rstrip().endswith("vibe") for line in vibe[1:])
