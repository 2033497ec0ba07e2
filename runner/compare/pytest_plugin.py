"""The fixture `ivfbench_compare`: any project asserts a front of recall and work in its own tests.

::

    def test_front(ivfbench_compare, index, queries, truth):
        def search(nprobe):
            ids, points = index.search(queries, nprobe=nprobe)  # (q, k), and (q,) or one number if they are counted
            return ids, points

        ivfbench_compare("my-index", {f"nprobe {n}": search(n) for n in (1, 2, 4, 8)}, truth)

The first time, and whenever a change is meant, run pytest with ``--ivfbench-accept``: it writes
``fronts/my-index.json`` beside the test, to be committed. From then on the test fails where recall is lost at a setting
or more points are scanned at equal recall. Nothing is timed. A project asks for it with ``-p
ivfbench.runner.compare.pytest_plugin`` among pytest's options: whoever has ivfbench installed for other reasons should
not import it whenever he runs pytest.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

OPTION = "--ivfbench-accept"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that accepts what is found."""
    group = parser.getgroup("ivfbench")
    group.addoption(OPTION, action="store_true", help="Store the fronts that tests find instead of comparing them.")


@pytest.fixture
def ivfbench_compare(request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function of a name, the answers by setting, and the truth: fails where the stored front was better."""

    def compare(name: str, found: Mapping[str, Any], truth: Any, *, recall: float = 0.001, work: float = 0.01) -> None:
        from ...results.compare.states import FAIL
        from ...results.compare.stored_front import front_of, load_front, save_front
        from ...results.compare.work import Limits, compare_work

        path = Path(request.path).parent / "fronts" / f"{name}.json"
        front = front_of(found, truth)
        if request.config.getoption(OPTION):
            save_front(path, front)
            return
        if not path.exists():
            pytest.fail(f"{path}: found no stored front, expected one; pytest {OPTION} writes it", pytrace=False)
        judged = compare_work(load_front(path), front, Limits(recall=recall, work=work))
        if judged.state == FAIL:
            pytest.fail(f"front {name!r}: {'; '.join(judged.reasons)}", pytrace=False)

    return compare
