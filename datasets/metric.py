"""The five distances this project measures, and the names people give them.

One canonical string per metric travels through files, jobs and tables. Other suites call the same distances
by other names, and two of them are traps: "angular" is 1 - cos, neither an angle nor a chord, and
"normalized" is 1 - dot of the vectors as stored, which nobody normalises again.
"""

import re
from difflib import get_close_matches

from .errors import DatasetError

METRICS = {
    "euclidean": "true L2 distance, not squared",
    "angular": "1 - cosine; a zero vector is at distance 1 from everything",
    "normalized": "1 - dot product of the vectors as stored",
    "ip": "negative dot product",
    "manhattan": "sum of absolute differences",
}

_ALIASES = {
    "l2": "euclidean",
    "cosine": "angular",
    "normalised": "normalized",
    "dot": "ip",
    "inner product": "ip",
    "inner_product": "ip",
    "inner-product": "ip",
    "l1": "manhattan",
    "cityblock": "manhattan",
    "taxicab": "manhattan",
}

_UNSUPPORTED = ("hamming", "jaccard")


def canonical_metric(text: str) -> str:
    """Translate the name of a metric into the one this project uses.

    Parameters
    ----------
    text
        A metric's name or alias; letter case and surrounding blanks do not matter.

    Returns
    -------
    str
        One of the keys of `METRICS`.

    Raises
    ------
    DatasetError
        If the name is unknown or names a distance of sets or bits.
    """
    key = str(text).strip().lower()
    if key in METRICS:
        return key
    if key in _ALIASES:
        return _ALIASES[key]
    if key in _UNSUPPORTED:
        raise DatasetError(f"metric {key!r} is not supported: ivfbench measures {', '.join(METRICS)}")
    near = get_close_matches(key, [*METRICS, *_ALIASES], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise DatasetError(f"unknown metric {text!r}: expected one of {', '.join(METRICS)}{hint}")


def metric_from_name(name: str) -> str | None:
    """Read the metric out of a dataset's name, as in ``glove-200-cosine``.

    The first all-digit word is the dimension and the word after it the metric. Names without such a pair
    (``dbpedia-openai-100k-angular``) are searched for a metric as their last word.

    Parameters
    ----------
    name
        A dataset's name, without folder and suffix.

    Returns
    -------
    str or None
        The canonical metric, or None where the name carries none.

    Raises
    ------
    DatasetError
        If the name carries a metric that is not supported (hamming, jaccard).
    """
    words = re.split(r"[-_ ]+", name.lower())
    numbers = [place for place, word in enumerate(words) if word.isdigit()]
    candidates = [words[numbers[0] + 1]] if numbers and numbers[0] + 1 < len(words) else []
    for word in [*candidates, words[-1]]:
        if word in METRICS or word in _ALIASES or word in _UNSUPPORTED:
            return canonical_metric(word)
    return None
