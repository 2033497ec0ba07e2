"""What can be changed about a dataset, as a small value with a canonical text.

The questions that a fixed file leaves open (does dimension matter? another distance? fewer vectors? more labels
per training query?) are asked of variants: the same data with one thing changed and the ground truth searched
anew. The text of a variant, such as ``pca=64,metric=ip``, names the file it becomes and its rows in the results.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from .errors import DatasetError
from .layout import Description
from .metric import canonical_metric

MOST_LEARN_NEIGHBORS = 100


@dataclass(frozen=True, slots=True)
class Variant:
    """Changes to a dataset, in the order they are made; the default changes nothing.

    Attributes
    ----------
    base
        Keep so many database rows, drawn at random; smaller draws are parts of larger ones.
    pca
        Keep so many principal components; see `projection`.
    normalise
        Bring every vector to unit length, after the projection: what the file holds is of unit length.
    metric
        Measure with this metric; any name `canonical_metric` understands.
    learn
        Keep so many training queries, drawn at random; smaller draws are parts of larger ones.
    learn_k
        True neighbours to store per training query, 1 .. 100.

    Raises
    ------
    DatasetError
        If a value has the wrong type or is out of range.
    """

    base: int | None = None
    pca: int | None = None
    normalise: bool = False
    metric: str | None = None
    learn: int | None = None
    learn_k: int | None = None

    def __post_init__(self) -> None:
        for name in ("base", "pca", "learn", "learn_k"):
            count = getattr(self, name)
            if count is not None and (type(count) is not int or count < 1):
                raise DatasetError(f"{name}: found {count!r}, expected a positive integer")
        if self.learn_k is not None and self.learn_k > MOST_LEARN_NEIGHBORS:
            raise DatasetError(f"learn_k: found {self.learn_k}, expected at most {MOST_LEARN_NEIGHBORS}")
        if type(self.normalise) is not bool:
            raise DatasetError(f"normalise: found {self.normalise!r}, expected true or false")
        if self.metric is not None:
            if not isinstance(self.metric, str):
                raise DatasetError(f"metric: found {self.metric!r}, expected a name")
            object.__setattr__(self, "metric", canonical_metric(self.metric))

    def __str__(self) -> str:
        spelled = {field.name: getattr(self, field.name) for field in fields(self)}
        told = (name if value is True else f"{name}={value}" for name, value in spelled.items() if value)
        return ",".join(told)

    @property
    def changes_nothing(self) -> bool:
        """Whether this is the dataset itself."""
        return self == Variant()

    def check(self, told: Description) -> None:
        """Refuse a dataset that has too little for this variant, before anything is loaded.

        Raises
        ------
        DatasetError
            One line that names the dataset, what it has and what was asked.
        """
        for asked, has, what in (
            (self.base, told.n, "vectors"),
            (self.pca, told.dimension, "dimensions"),
            (self.learn, told.learn_count, "training queries"),
        ):
            if asked is not None and asked > has:
                raise DatasetError(f"{told.name}: has {has} {what}, expected at least {asked} for [{self}]")
        if self.learn_k is not None and not told.learn_count:
            raise DatasetError(f"{told.name}: has no training queries, expected some for [{self}]")


def variant_of(spelled: Mapping[str, Any]) -> Variant:
    """Make a variant from a mapping, as an experiment file spells it; None leaves a thing as it is.

    Raises
    ------
    DatasetError
        An unknown key, with the nearest known one, or a value that `Variant` refuses.
    """
    known = [field.name for field in fields(Variant)]
    for key in spelled:
        if key not in known:
            near = get_close_matches(str(key), known, n=1, cutoff=0.0)
            raise DatasetError(f"{key}: no such key, the nearest is {near[0] if near else known[0]}")
    return Variant(**{key: value for key, value in spelled.items() if value is not None})
