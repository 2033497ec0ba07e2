"""Short names for long algorithm texts, for legends and terminals.

``IVF(KMeans(lists=328), Centroid(scoring='normalised'), Float32())`` becomes "IVF centroid (normalised)", and
``Definition(name='annoy', arguments=('angular', 100), content='0123456789ab')`` becomes "annoy ('angular', 100)".
Where two texts would share a short name both say more, and in the end everything: a legend must never merge
two methods.
"""

import ast
import re
from collections.abc import Iterable

_AXES = ("clustering", "router", "codec", "probing")
_PLAIN = {"float32", "fixed"}  # members so usual that their absence says it


def short_labels(algorithms: Iterable[str]) -> dict[str, str]:
    """Return a distinct label for each algorithm text.

    Parameters
    ----------
    algorithms
        Canonical texts; repetitions are ignored.

    Returns
    -------
    dict
        Text to label. Labels are the short form, or that with the clustering named, or the text itself: the
        shortest of the three that no other algorithm given here shares.
    """
    labels: dict[str, str] = {}
    waiting = sorted(set(algorithms))
    for shorten in (_short, _with_clustering, str):
        proposed = {text: shorten(text) for text in waiting}
        taken = [*labels.values(), *proposed.values()]
        labels.update({text: label for text, label in proposed.items() if taken.count(label) == 1})
        waiting = [text for text in waiting if text not in labels]
    return {text: labels.get(text, text) for text in sorted({*labels, *waiting})}


def natural(label: str) -> tuple[tuple[bool, float, str], ...]:
    """Return a key that sorts labels as people do: "epochs=4" before "epochs=12"."""
    parts = re.split(r"(\d+(?:\.\d+)?)", label)
    return tuple((place % 2 == 0, float(part) if place % 2 else 0.0, part) for place, part in enumerate(parts))


def router_and_rest(text: str) -> tuple[str, str, str, str] | None:
    """Return the router of an inverted file and all the rest of it: what is compared, and what is held equal.

    Returns
    -------
    tuple of str, or None if the text is no inverted file with a router
        The router's canonical text and short label; the text of the other members, and their label: the
        clustering, and what else is not so usual that its absence says it.
    """
    axes = _axes(text)
    if axes is None or "router" not in axes:
        return None
    others = {axis: call for axis, call in axes.items() if axis != "router"}
    shown = [_member(call) for axis, call in others.items() if axis == "clustering" or _member(call) not in _PLAIN]
    rest = ", ".join(ast.unparse(call) for call in others.values())
    return ast.unparse(axes["router"]), _member(axes["router"]), rest, ", ".join(shown)


def _short(text: str) -> str:
    axes = _axes(text)
    if axes is None or "router" not in axes:
        return _definition(text) or text.removesuffix("()")
    extras = [_member(axes[axis]) for axis in ("codec", "probing") if axis in axes]
    return ", ".join([f"IVF {_member(axes['router'])}", *(extra for extra in extras if extra not in _PLAIN)])


def _with_clustering(text: str) -> str:
    axes = _axes(text)
    if axes is None or "clustering" not in axes:
        return text
    return f"{_short(text)}, {_member(axes['clustering'])}"


def _axes(text: str) -> dict[str, ast.Call] | None:
    """The members of an IVF text by axis, or None if the text is anything else."""
    call = _call(text, "IVF")
    if call is None:
        return None
    given = [*zip(_AXES, call.args, strict=False), *((word.arg, word.value) for word in call.keywords)]
    return {axis: value for axis, value in given if axis in _AXES and isinstance(value, ast.Call)}


def _definition(text: str) -> str | None:
    """The name and the arguments of an algorithm of ann-benchmarks, or None if the text is anything else."""
    call = _call(text, "Definition")
    given = {} if call is None else {word.arg: word.value for word in call.keywords}
    if "name" not in given:
        return None
    return " ".join(_value(None, given[name]) for name in ("name", "arguments") if name in given)


def _call(text: str, name: str) -> ast.Call | None:
    try:
        call = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None
    named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == name
    return call if named and isinstance(call, ast.Call) else None


def _member(call: ast.Call) -> str:
    """``KMeans(lists=328)`` as "k-means (lists=328)"; a word needs no name: "centroid (normalised)"."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", ast.unparse(call.func)).lower()
    name = name.replace("kmeans", "k-means")
    values = [_value(None, argument) for argument in call.args]
    values += [_value(word.arg, word.value) for word in call.keywords]
    return f"{name} ({', '.join(values)})" if values else name


def _value(name: str | None, value: ast.expr) -> str:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value  # words speak for themselves, numbers need their name
    return f"{name}={ast.unparse(value)}" if name else ast.unparse(value)
