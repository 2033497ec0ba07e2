"""How long work tells where it is: a plain function that anybody may supply."""

from collections.abc import Callable

# (stage, steps done, steps in all, remark)
Progress = Callable[[str, int, int, str], None]


def silent(stage: str, done: int, total: int, remark: str = "") -> None:
    """Say nothing."""
