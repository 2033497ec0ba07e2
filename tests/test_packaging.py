"""The root is the package: the rules that keep this working, each held by a test."""

import ast
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import ivfbench
import pytest

ROOT = Path(ivfbench.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = PROJECT["tool"]["setuptools"]
ROOMS = ("algorithms", "datasets", "runner", "results", "plots")
KNOWS = {
    "datasets": set(),
    "algorithms": set(),
    "results": set(),
    "runner": {"datasets", "algorithms", "results"},
    "plots": {"results"},
}
PLUGIN = ROOT / "algorithms" / "plugin" / "module.py"  # a guest in the packages of ann-benchmarks
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def relative(path):
    return path.relative_to(ROOT).as_posix()


def dotted(folder):
    return ".".join(("ivfbench", *folder.relative_to(ROOT).parts))


def test_rooms_have_no_init():
    assert SOURCES
    assert [relative(path) for path in SOURCES if path.name == "__init__.py"] == []


def test_two_python_files_at_the_root():
    assert sorted(path.name for path in ROOT.glob("*.py")) == ["__init__.py", "__main__.py"]


def test_every_folder_stands_in_packages():
    used = {path.parent for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in (".py", ".yml")}
    assert sorted(SETUPTOOLS["packages"]) == sorted(["ivfbench", *(dotted(folder) for folder in used)])


def test_every_data_file_stands_in_package_data():
    held = {path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file()}
    data = {path for path in held if path.suffix not in (".py", ".pyc")} | {ROOT / "py.typed"}
    named = {
        path
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for path in ROOT.joinpath(*package.split(".")[1:]).glob(pattern)
    }
    assert sorted(map(relative, data)) == sorted(map(relative, named))
    assert any(path.suffix == ".yml" for path in named)


def imports_of(path):
    """Every import of a file as (level, module), wherever in the file it stands; `from . import x` counts as x."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module:
                yield node.level, node.module
            else:
                yield from ((node.level, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_arrows_between_rooms(path):
    room, *_ = path.relative_to(ROOT).parts
    for level, module in imports_of(path):
        if level == 0 and path == PLUGIN and module.startswith("ivfbench."):
            continue  # it knows the package as any user does
        if level == 0:
            assert module.split(".")[0] not in ("ivfbench", "tests"), f"{module}: expected a relative import"
            continue
        inside = path.relative_to(ROOT).parts[:-level]
        reached = [*inside, *module.split(".")]
        assert len(path.relative_to(ROOT).parts) >= level, f"{module}: beyond the package"
        if reached[0] == "__version__":
            continue
        target = reached[0]
        assert target == room or target in KNOWS[room], f"{room} imports {'.'.join(reached)}"
        assert ROOT.joinpath(*reached).with_suffix(".py").is_file() or ROOT.joinpath(*reached).is_dir()


def test_the_check_of_arrows_sees_arrows():
    assert (2, "algorithms.index") in set(imports_of(ROOT / "runner" / "job.py"))
    assert any(level == 1 for level, _ in imports_of(ROOT / "results" / "table.py"))


def test_the_plugin_finds_all_that_it_imports_where_it_is_copied_to():
    assert {module for level, module in imports_of(PLUGIN) if level} == {"base.module"}
    assert {level for level, _ in imports_of(PLUGIN)} == {0, 2}


TESTS = sorted((ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", TESTS, ids=relative)
def test_tests_import_absolutely(path):
    assert [module for level, module in imports_of(path) if level] == []


# ---- what an import costs ---------------------------------------------------------------------------------------

# Not pydantic: typer itself imports it where it is installed.
HEAVY = {"numpy", "numba", "torch", "pandas", "matplotlib", "h5py", "pyarrow", "yaml", "pooch"}


def imported_by(*arguments, folder):
    """Names of the top-level modules that a fresh interpreter imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-W", "error", *arguments],
        cwd=folder, env={**os.environ, "COLUMNS": "100"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    modules = {line.split("|")[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    return done.stdout, {module.split(".")[0] for module in modules}


def test_importing_the_package_costs_nothing(tmp_path):
    _, modules = imported_by("-c", "import ivfbench", folder=tmp_path)
    assert "ivfbench" in modules
    assert modules & (HEAVY | {"typer", "rich"}) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["datasets", "--help"]])
def test_help_answers_without_heavy_imports(tmp_path, arguments):
    out, modules = imported_by("-m", "ivfbench", *arguments, folder=tmp_path)
    assert "ivfbench" in out
    assert "typer" in modules
    assert modules & HEAVY == set()


def test_the_check_of_imports_sees_numpy(tmp_path):
    _, modules = imported_by("-c", "import ivfbench.results.recall", folder=tmp_path)
    assert "numpy" in modules


def test_training_alone_imports_torch(tmp_path):
    _, modules = imported_by("-c", "import ivfbench.algorithms.registry", folder=tmp_path)
    assert "numba" in modules
    assert modules & {"torch", "pandas", "matplotlib"} == set()


def test_the_command_is_installed():
    assert PROJECT["project"]["scripts"] == {"ivfbench": "ivfbench.__main__:main"}


# ---- the wheel --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The names in a wheel built from a copy of the sources."""
    for needed in ("setuptools", "build"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed here, so no wheel can be built")
    version = importlib.metadata.version("setuptools")
    if int(version.split(".")[0]) < 77:
        pytest.skip(f"setuptools {version} cannot read this pyproject.toml, 77 or later can")
    copy = tmp_path_factory.mktemp("sources") / "checkout"
    names = [*ROOMS, "tests", "__init__.py", "__main__.py", "py.typed", "pyproject.toml", "README.md", "LICENSE"]
    for name in names:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            copy.mkdir(exist_ok=True)
            shutil.copy(source, copy / name)
    out = copy.parent / "out"
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (path,) = out.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_source_and_data_file(wheel):
    every = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file()]
    data = [path for path in every if path.suffix not in (".py", ".pyc")]
    expected = {relative(path) for path in [*SOURCES, *data]} | {"__init__.py", "__main__.py", "py.typed"}
    inside = {name.removeprefix("ivfbench/") for name in wheel if name.startswith("ivfbench/")}
    assert inside == expected


def test_the_wheel_holds_no_tests(wheel):
    assert {name.split("/")[0] for name in wheel} == {"ivfbench", f"ivfbench-{ivfbench.__version__}.dist-info"}
    assert [name for name in wheel if re.search(r"(^|/)(tests?/|test_|conftest)", name) or name.endswith(".hdf5")] == []
    assert any(name.endswith("/licenses/LICENSE") for name in wheel)
