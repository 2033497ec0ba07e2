"""Two folders of results: what both measured, curve by curve, and what one of them lacks.

Their times were taken at different moments, perhaps on different machines. Nobody can say what such a difference is
made of, and so it is told and never judged; answers and work are judged as always.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..canonical import canonical_json
from ..errors import ResultError
from ..metrics import queries_per_second
from ..probing import probing_name
from ..recall import recall
from ..run import Point, Run
from ..table import dataset_name
from .comparison import Comparison, Judged
from .fronts import log_speed_up
from .sides import Answers, Curve, digest
from .work import Limits, compare_work


@dataclass(frozen=True, eq=False)
class _Held:
    # A curve as a folder holds it: its points by setting.
    run: Run
    points: Mapping[str, Point]


def compare_runs(
    base: Iterable[Run],
    head: Iterable[Run],
    limits: Limits,
    control: Iterable[Run] = (),
    names: tuple[str, str] = ("base", "head"),
) -> Comparison:
    """Compare what two folders hold.

    Parameters
    ----------
    base, head
        As `load_runs` gives them.
    limits
        What is tolerated.
    control
        Base, measured once more: where it answers otherwise, the method is not deterministic.
    names
        Of both sides.

    Returns
    -------
    Comparison
        A curve or setting of base that head lacks is a failure; what only head has is ignored.

    Raises
    ------
    ResultError
        Base holds nothing that could be compared, or a dataset is not the same on both sides.
    """
    ours, theirs, again = _curves(base), _curves(head), _curves(control)
    if not ours:
        raise ResultError(f"{names[0]}: found no search that succeeded, expected at least one")
    judged, missing = [], []
    for curve, held in sorted(ours.items(), key=lambda item: item[0]):
        other = theirs.get(curve)
        if other is None:
            missing.append(str(curve))
            continue
        if held.run.dataset_sha256 != other.run.dataset_sha256:
            raise ResultError(f"{curve.dataset}: found other data in {names[1]} than in {names[0]}, expected the same")
        missing += [f"{curve}: {setting}" for setting in held.points if setting not in other.points]
        settings = [setting for setting in held.points if setting in other.points]
        if settings:
            judged.append(_judged(curve, held, other, settings, limits, again.get(curve)))
    timed = "Times of folders were taken at different moments: told, not judged."
    return Comparison(names[0], names[1], limits, tuple(judged), tuple(missing), (timed,))


def _judged(
    curve: Curve, held: _Held, other: _Held, settings: list[str], limits: Limits, again: _Held | None
) -> Judged:
    queries = min(len(one.points[setting].ids) for one in (held, other) for setting in settings)
    base, head = (_answers(one, settings, queries) for one in (held, other))
    known = again is not None and all(
        setting in again.points and len(again.points[setting].ids) >= queries for setting in settings
    )
    control = _answers(again, settings, queries) if known and again is not None else None
    work = compare_work(base, head, limits, control)
    rates = (np.log([queries_per_second(one.points[setting]).median for setting in settings]) for one in (held, other))
    slow, quick = rates
    told = math.exp(log_speed_up(base.mean_recall, slow, head.mean_recall, quick))
    return Judged(curve, base, head, work, told=told)


def curves_of_runs(runs: Iterable[Run]) -> dict[Curve, Answers]:
    """Return the answers of every curve that some runs hold."""
    found = {}
    for curve, held in _curves(runs).items():
        queries = min(len(point.ids) for point in held.points.values())
        found[curve] = _answers(held, list(held.points), queries)
    return found


def _curves(runs: Iterable[Run]) -> dict[Curve, _Held]:
    found: dict[Curve, _Held] = {}
    for run in runs:
        for point in run.points:
            if run.status != "ok" or point.status != "ok":
                continue
            probing = probing_name(point.query_parameters)
            curve = Curve(dataset_name(run), run.algorithm, run.k, point.mode, point.threads, run.seed, probing)
            held = found.setdefault(curve, _Held(run, {}))
            setting = canonical_json(dict(point.query_parameters))
            found[curve] = _Held(run, {**held.points, setting: point})
    return {curve: _Held(held.run, dict(sorted(held.points.items(), key=_by_work))) for curve, held in found.items()}


def _by_work(item: tuple[str, Point]) -> tuple[float, str]:
    plain = json.loads(item[0])
    return float(plain.get("nprobe", 0)), item[0]


def _answers(held: _Held, settings: list[str], queries: int) -> Answers:
    run, points = held.run, [held.points[setting] for setting in settings]
    found = [
        recall(point.ids[:queries], point.distances[:queries], run.truth_ids, run.truth_distances, run.k, run.metric)
        for point in points
    ]
    return Answers(
        settings=tuple(settings),
        digests=tuple(digest(point.ids[:queries]) for point in points),
        recall=np.stack(found),
        lists=np.stack([point.lists_probed[:queries] for point in points]),
        points=np.stack([point.points_scanned[:queries] for point in points]),
        index_bytes=run.index_bytes,
        build_seconds=run.build_seconds,
        peak_bytes=run.peak_memory_bytes,
    )
