"""An algorithm of ann-benchmarks, as the value that everything here is measured by.

ann-benchmarks calls one build and its sweep a definition: a class, the arguments of its constructor, and the arguments
of the queries. `runner.definitions` reads them from ``config.yml``; here one is built.
"""

import copy
import json
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..index import Built
from ..progress import Progress, silent
from ..routers.router import TrainingQueries
from ..rows import positive, training_rows
from ..value import Value
from .definition_index import DefinitionIndex, kilobytes
from .foreign_module import constructor_of


@dataclass(frozen=True, slots=True, repr=False)
class Definition(Value):
    """A class of somebody's ``module.py`` with the arguments of its constructor.

    Parameters
    ----------
    name : str
        What ``config.yml`` calls the algorithm.
    arguments : tuple
        Of the constructor, JSON data.
    content : str
        `foreign_module.folder_digest` of the folder: an edited module is another algorithm.
    folder : str
        That of ``module.py``, beside those of the other algorithms; as given, so relative paths depend on the working
        folder.
    constructor : str
        The class.
    refused : str
        Why it is not for the data at hand, in one line; empty where it is.
    """

    name: str
    arguments: tuple[Any, ...] = ()
    content: str = ""
    folder: str = field(default="", repr=False)
    constructor: str = field(default="", repr=False)
    refused: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arguments", tuple(self.arguments))  # a list when it was read back from JSON

    @property
    def learns(self) -> bool:
        """No training queries needed."""
        return False

    def resolve(self, metric: str, count: int) -> "Definition":
        """Nothing to decide: variables are substituted when the definition is read."""
        return self

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """One point, without arguments: the grid stands beside the definition, in ``config.yml``."""
        return ({},)

    def unavailable(self, metric: str, dimension: int) -> str:
        """Return in one line why this cannot be measured here; empty where it can. Nothing is imported for it."""
        return self.refused

    def load_code(self) -> Any:
        """Import the module and return the class.

        Raises
        ------
        Unavailable
            A library is not installed.
        ValueError
            See `foreign_module.constructor_of`.
        """
        return constructor_of(Path(self.folder), self.constructor, self.content)

    def build(
        self,
        train: npt.ArrayLike,
        metric: str,
        training: TrainingQueries | None = None,
        *,
        threads: int = 1,
        progress: Progress = silent,
    ) -> DefinitionIndex:
        """Construct the class and have it fit a copy of the rows.

        Parameters
        ----------
        train : (n, d)
        metric : str
            Told to the class by its arguments.
        training : ignored
        threads : int
            Of the process by its environment, as far as the class' library heeds that; nothing else tells it.
        progress : callable

        Raises
        ------
        Unavailable
            A library is not installed.
        ValueError
            No rows, NaN or infinity in them, or threads below 1.
        Exception
            Whatever the class raises.
        """
        rows = training_rows(train)
        positive(threads, "threads")
        algorithm = self.load_code()(*copy.deepcopy(self.arguments))
        index = DefinitionIndex(algorithm, len(rows))
        weakref.finalize(index, algorithm.done)  # at the end of the process at the latest
        own = np.array(rows)
        before = kilobytes(algorithm)  # behind the copy, which is none of the index
        progress(self.name, 0, 1, "")
        started = time.perf_counter()
        algorithm.fit(own)
        seconds = time.perf_counter() - started
        progress(self.name, 1, 1, "")
        index.nbytes = max(0, int(1024 * (kilobytes(algorithm) - before)))
        notes = {"folder": self.folder}
        with suppress(Exception):  # many names tell query arguments that are not set yet
            notes["name"] = str(algorithm)
        index.built = Built(seconds, notes=notes)
        return index


def is_json(value: Any) -> bool:
    """Return whether a value reads back from JSON as it is."""
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except (TypeError, ValueError):
        return False
