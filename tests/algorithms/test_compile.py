"""One set of flags, and a cache of compiled kernels that is neither stale nor useless."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from ivfbench.algorithms.kernels import compile as compiling
from numba.core import config

ALGORITHMS = Path(compiling.__file__).parents[1]

INNER = """
from .compile import kernel

@kernel
def inner(x):
    return x + {constant}
"""
OUTER = """
from .compile import kernel, parallel_kernel
from .inner import inner
import numba
import numpy as np

@kernel
def outer(x):
    return 10 * inner(x)

@parallel_kernel
def shell(found):
    for i in numba.prange(found.shape[0]):
        found[i] = outer(i)
"""
ASK = """
import numpy, ivfbench.algorithms.kernels.outer as outer
found = numpy.zeros(3, dtype=numpy.int64)
outer.shell(found)
print(outer.__file__, outer.outer(1), *found)
"""


@pytest.fixture
def small_package(tmp_path):
    """A copy of the package that holds two kernels, and a function that asks them in a fresh process."""
    kernels = tmp_path / "ivfbench" / "algorithms" / "kernels"
    kernels.mkdir(parents=True)
    (tmp_path / "ivfbench" / "__init__.py").touch()
    shutil.copy(ALGORITHMS / "kernels" / "compile.py", kernels)
    (kernels / "inner.py").write_text(INNER.format(constant=1))
    (kernels / "outer.py").write_text(OUTER)
    settings = {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_DISABLE_JIT": "0"}

    def ask():
        done = subprocess.run(
            [sys.executable, "-c", ASK], env={**os.environ, **settings}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        path, *numbers = done.stdout.split()
        assert Path(path) == kernels / "outer.py"
        return [int(number) for number in numbers]

    def cached():
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.nb?")}

    return kernels, ask, cached


def test_a_change_in_another_file_is_seen_and_unchanged_sources_hit(small_package):
    kernels, ask, cached = small_package
    assert ask() == [20, 10, 20, 30]
    first = cached()
    assert len({path.name.split(".")[0] for path in first}) >= 2
    assert ask() == [20, 10, 20, 30]
    assert cached() == first
    (kernels / "inner.py").write_text(INNER.format(constant=2))
    assert ask() == [30, 20, 30, 40]
    assert first.items() < cached().items()
    (kernels / "inner.py").write_text(INNER.format(constant=1))
    before = cached()
    assert ask() == [20, 10, 20, 30]
    assert cached() == before


def run(code, **settings):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_kernels_leaves_the_hosts_settings_alone(tmp_path):
    code = (
        "from numba.core import config; before = {k: getattr(config, k) for k in dir(config) if k.isupper()}\n"
        "import ivfbench.algorithms.kernels.search, ivfbench.algorithms.kernels.means\n"
        "print([k for k in before if getattr(config, k) != before[k]], config.CACHE_DIR)"
    )
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path)) == f"[] {tmp_path}"


def test_importing_kernels_compiles_nothing(tmp_path):
    run("import ivfbench.algorithms.registry", NUMBA_CACHE_DIR=str(tmp_path))
    assert not list(tmp_path.rglob("*.nb?"))


def test_the_folder_is_below_what_the_user_named(tmp_path):
    code = "from ivfbench.algorithms.kernels.compile import cache_folder; print(cache_folder())"
    named = Path(run(code, NUMBA_CACHE_DIR=str(tmp_path)))
    assert named.parent == tmp_path
    assert named.name.startswith(compiling.source_digest(ALGORITHMS))
    other = run(code, NUMBA_CACHE_DIR="", XDG_CACHE_HOME=str(tmp_path))
    assert Path(other).parent == tmp_path / "ivfbench" / "kernels"
    bounds = Path(run(code, NUMBA_CACHE_DIR=str(tmp_path), NUMBA_BOUNDSCHECK="1"))
    plain = Path(run(code, NUMBA_CACHE_DIR=str(tmp_path), NUMBA_BOUNDSCHECK="0"))
    assert bounds != plain


def test_the_digest_sees_names_and_contents(tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "a.py").write_text("1")
    found = [compiling.source_digest(tmp_path)]
    (tmp_path / "notes.txt").write_text("not a source")
    assert compiling.source_digest(tmp_path) == found[0]
    (tmp_path / "a.py").write_text("2")
    found.append(compiling.source_digest(tmp_path))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    found.append(compiling.source_digest(tmp_path))
    (tmp_path / "inside" / "c.py").touch()
    found.append(compiling.source_digest(tmp_path))
    assert len(set(found)) == 4


def test_flags_and_decorators_live_in_one_file():
    # fastmath=("nnan", ...) are the flags of one LLVM instruction, written down beside it
    private = re.compile(r"\bn?jit\b|\bfastmath\b(?!=\(\")|\bvectorize\b|\bnumba\.set_num_threads\b")
    mentions = [path.name for path in sorted(ALGORITHMS.rglob("*.py")) if private.search(path.read_text())]
    assert mentions == ["compile.py"]
    assert {"reassoc", "contract", "nsz"} == compiling.FAST  # neither nnan nor ninf: they keep their meaning


def test_strict_kernels_stay_strict_when_a_fast_one_compiles_them():
    # Fused, the product of these two would not be rounded, and the difference not be 0.
    factor = np.float32(1 + 2**-12)
    rounded = np.float32(factor * factor)

    @compiling.strict_kernel
    def difference(total, one, other):
        return total - one * other

    @numba.njit(fastmath=set(compiling.FAST))
    def caller(total, one, other):
        return difference(total, one, other)

    assert caller(rounded, factor, factor) == 0
    assert difference(rounded, factor, factor) == 0


def test_kernels_that_ask_for_threads_would_lose_their_cache():
    asking = re.compile(r"get_num_threads|set_parallel_chunksize")
    sources = sorted((ALGORITHMS / "kernels").glob("*.py"))
    assert [path.name for path in sources if asking.search(path.read_text())] == ["compile.py"]


@pytest.mark.interpreted
def test_threads_are_limited_and_put_back():
    before = numba.get_num_threads()
    with compiling.numba_threads(1):
        assert numba.get_num_threads() == 1
    with compiling.numba_threads(10_000):
        assert numba.get_num_threads() == config.NUMBA_NUM_THREADS
    with pytest.raises(RuntimeError, match="inside"), compiling.numba_threads(1):
        raise RuntimeError("inside")
    assert numba.get_num_threads() == before
    assert compiling.available_threads() == config.NUMBA_NUM_THREADS
