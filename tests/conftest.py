"""Shared fixtures. Nothing here may import a jitted module before the environment is set."""

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(os.environ.get("IVFBENCH_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real datasets; tests that need it skip, and say so, where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real datasets at {SHARED_DATA} (set IVFBENCH_SHARED_DATA)")
    return SHARED_DATA
