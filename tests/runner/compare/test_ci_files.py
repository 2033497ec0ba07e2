"""The ready-made files of docs/ci: they parse, and ask only for what the commands have."""

import re
from pathlib import Path

import ivfbench
import pytest
import typer
import yaml
from ivfbench.__main__ import app
from ivfbench.runner.compare.subject import load_subject

FOLDER = Path(ivfbench.__file__).parent / "docs" / "ci"
COMMANDS = typer.main.get_command(app).commands
OPTIONS = {option for name in ("compare", "history") for part in COMMANDS[name].params for option in part.opts}
FOREIGN = {"--constraint", "--editable", "--quiet", "--detach", "--depth", "--ivfbench-accept"}


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.yml")), ids=lambda path: path.name)
def test_is_yaml(path):
    assert isinstance(yaml.safe_load(path.read_text("utf-8")), dict)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.*")), ids=lambda path: path.name)
def test_asks_for_options_that_exist(path):
    asked = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", path.read_text("utf-8")))
    assert asked - OPTIONS - FOREIGN == set()


def test_the_subject_is_one():
    assert load_subject(FOLDER / "subject.yml").constructor == "MyIndex"
