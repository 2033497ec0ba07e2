"""From two sides to a verdict: first what needs no clock, then rounds of the clock until all is decided.

Each side builds with its own code. Where all answers and counts agree, and base's index is in a file that both can
open, all arms search that same file: equal pages of the page cache are one source of noise less. Where they do not,
each side searches what it built.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...results.compare.comparison import LEVELS, Comparison, Judged
from ...results.compare.intervals import speed_up, speed_up_at
from ...results.compare.sides import Answers, Times
from ...results.compare.states import FAIL
from ...results.compare.verdict import TimeVerdict, decided, judge_times
from ...results.compare.work import Limits, Work, compare_work
from ..environment import environment
from ..errors import RunError
from .arms import Side, SideError, opened
from .question import Question, answers
from .reference import Reference
from .rounds import Effort, joined, measure_round

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A question of which everything is known but the times.

    Attributes
    ----------
    question : Question
    arms : mapping of arm to (Side, task)
        The tasks name the files of built indices.
    base, head : Answers
    work : Work
    clock : str
        By which it will be judged.
    rebuild_seconds : float
        Of base's second build.
    """

    question: Question
    arms: Mapping[str, tuple[Side, Mapping[str, Any]]]
    base: Answers
    head: Answers
    work: Work
    clock: str
    rebuild_seconds: float


def compare_sides(
    base: Side,
    head: Side,
    questions: Sequence[Question],
    limits: Limits,
    effort: Effort,
    say: Say,
    *,
    clock: str = "auto",
    seed: int = 0,
) -> Comparison:
    """Compare two sides on this machine.

    Parameters
    ----------
    base, head
        Where their code is.
    questions
        What they are asked.
    limits, effort
        What is tolerated, and how much is measured.
    say
        Called with one line about what is going on.
    clock
        ``processor`` or ``wall``; ``auto``: the processor's where one thread searches, else the wall's; ``none``:
        answers and work only.
    seed
        Of orders.

    Raises
    ------
    RunError
        Base cannot be built or asked. Where head cannot, it fails.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ivfbench-compare-") as folder:
        prepared, missing = [], []
        for place, question in enumerate(questions):
            try:
                prepared.append(prepare(question, base, head, limits, Path(folder) / str(place), clock, say))
            except SideError as error:
                if error.side == base:  # then nothing can be compared
                    raise
                missing.append(f"{question.curve}: {error}")
        failed = bool(missing) or any(one.work.state == FAIL for one in prepared)
        if clock == "none" or failed:
            judged = tuple(map(_judged, prepared))
            rounds = looks = 0
        else:
            judged, rounds, looks = measure(prepared, limits, effort, say, started=started, seed=seed)
    remarks = ("Answers or work fail without a clock: nothing was timed.",) if failed and clock != "none" else ()
    return Comparison(
        base=base.name,
        head=head.name,
        limits=limits,
        judged=judged,
        missing=tuple(missing),
        remarks=remarks,
        rounds=rounds,
        looks=looks,
        seconds=time.monotonic() - started,
        machine={**environment(), "base_commit": base.commit, "head_commit": head.commit},
    )


def prepare(question: Question, base: Side, head: Side, limits: Limits, folder: Path, clock: str, say: Say) -> Prepared:
    """Build each side's index, ask it everything once, and compare answers and work.

    Base builds twice, which tells whether it is deterministic. The parameters are those of `compare_sides`.
    """
    folder.mkdir(parents=True)
    sides = {"base": base, "head": head, "control": base}
    tasks = {name: _task(question, side, folder / f"{name}.ivf") for name, side in sides.items()}
    found: dict[str, Answers] = {}
    for name in sides:  # one after the other: they build
        say(f"building {name}: {question.curve}")
        with opened([(sides[name], tasks[name])], question.curve.threads) as ((arm, told),):
            found[name] = answers(arm, told, question, folder)
    work = compare_work(found["base"], found["head"], limits, found["control"])
    same = not work.changed and work.deterministic and Path(tasks["base"]["index"]).exists()
    if same and _opens(head, tasks["base"], question):
        tasks = dict.fromkeys(sides, tasks["base"])
    if clock == "auto":
        clock = "processor" if question.curve.threads == 1 else "wall"
    arms = {name: (sides[name], tasks[name]) for name in sides}
    return Prepared(question, arms, found["base"], found["head"], work, clock, found["control"].build_seconds)


def _task(question: Question, side: Side, index: Path) -> dict[str, Any]:
    task = {**question.task, "index": str(index)}
    if "module" in task:  # each side has its own
        task["module"] = str(Path(side.root) / task["module"])
    return task


def _opens(side: Side, task: Mapping[str, Any], question: Question) -> bool:
    # Whether a side can open the other's file.
    try:
        with opened([(side, task)], question.curve.threads):
            return True
    except RunError:
        return False


def measure(
    prepared: Sequence[Prepared],
    limits: Limits,
    effort: Effort,
    say: Say,
    *,
    started: float,
    seed: int = 0,
    extra: float = 0.0,
) -> tuple[tuple[Judged, ...], int, int]:
    """Measure rounds until everything is decided or the budget is spent.

    Parameters
    ----------
    prepared, limits, effort, say, seed
        As in `compare_sides`.
    started
        When the budget began, on the monotonic clock.
    extra
        Share of queries that head answers twice while a clock runs: a slow-down that is known, for the selftest.

    Returns
    -------
    tuple of Judged, int, int
        The curves, the rounds and the looks at them.
    """
    reference = Reference()
    parts: list[list[Times]] = [[] for _ in prepared]
    looks, seen, wanted, longest = 0, 0, effort.first, 0.0
    verdicts: list[TimeVerdict] = []
    while True:
        while (done := len(parts[0])) < wanted:
            began = time.monotonic()
            if done and (done >= effort.rounds or began + longest - started > effort.budget):
                break
            for one, times in zip(prepared, parts, strict=True):
                say(f"round {done + 1}: {one.question.curve}")
                arms = {**one.arms, "head": (one.arms["head"][0], {**one.arms["head"][1], "extra": extra})}
                times.append(measure_round(one.question, arms, effort.passes, seed * 1000 + done, reference))
            longest = max(longest, time.monotonic() - began)
        if done > seen:  # looking again at what was seen would spend a part of the level on nothing
            looks, seen = looks + 1, done
            verdicts = _look(prepared, parts, limits, looks)
        if decided(verdicts) or done < wanted or wanted >= effort.rounds:
            break
        say(f"after {wanted} rounds: {', '.join(sorted({one.state for one in verdicts}))}; going on")
        wanted = min(effort.rounds, max(wanted + 1, round(wanted * effort.growth)))
    judged = tuple(
        _timed(one, joined(times), verdict) for one, times, verdict in zip(prepared, parts, verdicts, strict=True)
    )
    return judged, seen, looks


def _look(prepared: Sequence[Prepared], parts: Sequence[list[Times]], limits: Limits, look: int) -> list[TimeVerdict]:
    estimates = []
    for one, times in zip(prepared, map(joined, parts), strict=True):
        head = speed_up(one.base, one.head, times, one.clock)
        estimates.append((head, speed_up(one.base, one.base, times, one.clock, "control")))
    return judge_times(estimates, limits.time, look)


def _judged(one: Prepared) -> Judged:
    return Judged(one.question.curve, one.base, one.head, one.work, rebuild_seconds=one.rebuild_seconds)


def _timed(one: Prepared, times: Times, verdict: TimeVerdict) -> Judged:
    reached = min(one.base.mean_recall.max(), one.head.mean_recall.max())
    at = {level: speed_up_at(level, one.base, one.head, times, one.clock) for level in LEVELS if level <= reached}
    return replace(_judged(one), clock=one.clock, times=times, time=verdict, at=at)
