"""Two sides from two revisions of a git repository, or from two interpreters that have them installed.

A revision is checked out by `git worktree` into a folder that is removed again; its code is imported from there, with
nothing installed. That suits projects of pure Python. A project that must be built is installed into one environment
for each revision, and the interpreters of those are compared.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ...datasets.own_process import PACKAGE
from ..errors import RunError
from .arms import Side

AS_IT_IS = "."
"""Stands for the working tree with everything that is not committed."""
CHANGED = "-changed"
"""Behind the commit of a working tree that differs from it."""
CHECKOUT = "checkout"
"""Folder of a checkout whose own name does not matter."""


@contextmanager
def revisions(base: str, head: str, repository: Path, folder: Path) -> Iterator[tuple[Side, Side]]:
    """Yield both revisions, checked out below a folder; ``.`` is the working tree as it is.

    Raises
    ------
    RunError
        No git repository, or no such revision.
    """
    root = Path(_git(repository, "rev-parse", "--show-toplevel"))
    with ExitStack() as checkouts:
        yield (
            checkouts.enter_context(_revision(base, root, folder / "base")),
            checkouts.enter_context(_revision(head, root, folder / "head")),
        )


@contextmanager
def _revision(name: str, root: Path, folder: Path) -> Iterator[Side]:
    if name == AS_IT_IS:
        checkout = root
        if package_of(root) != root.name and package_of(root) != CHECKOUT:  # importable by its name alone
            folder.mkdir(parents=True)
            checkout = folder / package_of(root)
            checkout.symlink_to(root)
        commit = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
        yield _side("the working tree", checkout, f"{commit}{CHANGED}" if changed else commit)
        return
    commit = _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", missing=f"revision {name!r}")
    folder.mkdir(parents=True)
    checkout = folder / package_of(root)
    _git(root, "worktree", "add", "--detach", "--force", str(checkout), commit)
    try:
        yield _side(f"{name} ({commit[:10]})" if name != commit else commit[:10], checkout, commit)
    finally:
        _git(root, "worktree", "remove", "--force", str(checkout))


def _side(name: str, checkout: Path, commit: str) -> Side:
    return Side(name, sys.executable, str(import_path(checkout)), str(checkout), commit)


def package_of(root: Path) -> str:
    """Return the folder name that a checkout needs: where the root is the package itself, the package's name."""
    return PACKAGE if (root / "__init__.py").exists() and (root / "algorithms").is_dir() else CHECKOUT


def import_path(checkout: Path) -> Path:
    """Return what must stand on the import path to import a checkout's package."""
    if (checkout / "__init__.py").exists():
        return checkout.parent
    return checkout / "src" if (checkout / "src").is_dir() else checkout


def running() -> Side:
    """Return the version that is running as a side."""
    root = Path(__file__).parents[2]
    return Side("this version", sys.executable, str(root.parent) if root.name == PACKAGE else "", str(Path.cwd()))


def interpreters(base: str, head: str) -> tuple[Side, Side]:
    """Return two sides that are installed in environments of their own, named by their interpreters.

    Raises
    ------
    RunError
        One of them is no program.
    """
    for name in (base, head):
        if not os.access(name, os.X_OK) or Path(name).is_dir():
            raise RunError(f"{name}: found no interpreter, expected one such as .venv-base/bin/python")
    # Not resolved: a virtual environment is known by the name under which its interpreter is called.
    here = str(Path.cwd())
    return Side(f"base ({base})", str(Path(base).absolute()), root=here), Side(
        f"head ({head})", str(Path(head).absolute()), root=here
    )


def _git(folder: Path, *arguments: str, missing: str = "") -> str:
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        raise RunError("git: found no such program, expected it for --revisions") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no such thing"])[-1]
        raise RunError(f"{folder}: found no {missing}" if missing else f"{folder}: git: {said}")
    return done.stdout.strip()
