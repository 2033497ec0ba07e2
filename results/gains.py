"""What decides how much is gained? Each parameter that varies while all others stay, against the gain.

The open questions of the thesis (arXiv 2412.05921, chapter 6) are of this form: does the gain over centroids depend
on the dimension, on the number of lists, on the k that was trained for, on how many training queries there are, on
the metric? Whatever a folder of results varies is found here, nothing needs to be declared.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from .canonical import canonical_json

_VARIANT = re.compile(r"^(?P<name>.*?)\[(?P<what>.*)\](?P<rest>.*)$")
_SAID_OTHERWISE = ("pca", "metric")  # a variant's words that the dimension and the metric of the run say already
_AXES = ("clustering", "router", "codec", "probing")  # another member is another method, not another value
_NOT_ASKED = ("dataset", "type", *_AXES, *(f"{axis}.type" for axis in _AXES))
KEPT = (
    "dataset",
    "clustering",
    "router",
    "algorithm",
    "k",
    "budget",
    "share",
    "accuracy",
    "difference",
    "low",
    "high",
    "p",
)


def gains(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of routers of which several differ in one parameter only.

    Parameters
    ----------
    frame
        The laboratory's table.

    Returns
    -------
    DataFrame
        ``factor`` (the parameter, such as ``dimension``, ``clustering.lists`` or ``router.queries``), ``value``
        (a number or text), ``family`` (a text for all that stays; rows that share it form a line), then the columns
        `KEPT` as in `laboratory`. Baselines are left out: their gain is none. Empty if nothing varies.
    """
    rivals = frame[~frame["baseline"] & frame["difference"].notna()]
    facts = {key: facts_of(*key) for key in {_key(row) for row in rivals.to_dict("records")}}
    parts = []
    for factor in sorted({name for known in facts.values() for name in known} - set(_NOT_ASKED)):
        values = [facts[_key(row)].get(factor) for row in rivals.to_dict("records")]
        families = [_family(facts[_key(row)], factor) for row in rivals.to_dict("records")]
        told = rivals.assign(factor=factor, value=pd.Series(values, rivals.index, dtype=object), family=families)
        told = told[told["value"].map(lambda value: value is not None)]
        spread = told.groupby("family")["value"].transform(lambda column: column.map(canonical_json).nunique())
        parts.append(told[spread > 1])
    names = ["factor", "value", "family", *KEPT]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def _key(row: Mapping[Any, Any]) -> tuple[str, int, str, str]:
    return row["dataset"], row["dimension"], row["metric"], row["parameters"]


def facts_of(dataset: str, dimension: int, metric: str, parameters: str) -> dict[str, Any]:
    """Return every fact about a build by its dotted name: ``dimension``, ``metric``, ``router.k``, ``variant.base``.

    Parameters
    ----------
    dataset
        Name in the tables; a variant says how it was derived: ``sift[pca=64,base=10000]``.
    dimension, metric
        Of the data.
    parameters
        Of the build, JSON.
    """
    facts: dict[str, Any] = {"dimension": dimension, "metric": metric, **_flat(json.loads(parameters), "")}
    derived = _VARIANT.match(dataset)
    facts["dataset"] = f"{derived['name']}{derived['rest']}" if derived else dataset
    for word in filter(None, derived["what"].split(",")) if derived else ():
        name, _, value = word.strip().partition("=")
        if name not in _SAID_OTHERWISE:
            facts[f"variant.{name}"] = _number(value)
    return facts


def _flat(content: Mapping[str, Any], path: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        flat.update(_flat(value, f"{path}{name}.") if isinstance(value, Mapping) else {f"{path}{name}": value})
    return flat


def _number(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text or True


def _family(facts: Mapping[str, Any], factor: str) -> str:
    return canonical_json({name: value for name, value in facts.items() if name != factor}, strict=False)
