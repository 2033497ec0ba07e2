"""`ivfbench compare`, behind the command line: what is compared is found out, measured, judged and written."""

import json as json_text
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from ...results.compare.accepted import load_accepted, reasons
from ...results.compare.comparison import Comparison, with_reasons
from ...results.compare.document import as_document, samples
from ...results.compare.folders import compare_runs
from ...results.compare.history import append_history, history_rows, load_history
from ...results.compare.junit import as_junit
from ...results.compare.markdown import as_markdown
from ...results.compare.work import Limits
from ...results.store import load_runs
from ..display import make_display
from ..errors import RunError
from ..experiment import Experiment, load_experiment
from .arms import Side
from .paired import compare_sides, prepare
from .question import Question
from .questions import questions
from .revisions import interpreters, revisions, running
from .rounds import Effort
from .selftest import SLOW_DOWNS, Trial, recall_loss, recall_trials, slow_down_trials, summary
from .subject import load_subject, subject_question

Say = Callable[[str], None]
RECALL_TRIALS = 200
FIGURES = (".png", ".svg", ".pdf")
RATES = (
    *("injected", "expected", "trials", "failed", "passed", "inconclusive", "unfit", "speed-up", "rounds", "seconds"),
    "longest",
)


@dataclass(frozen=True)
class Asked:
    """What both sides are asked; see the options of `ivfbench compare`."""

    experiment: str
    subject: Path | None
    datasets: tuple[str, ...]
    pattern: tuple[str, ...]
    threads: int
    clock: str
    control: Path | None
    accept: Path | None


@dataclass(frozen=True)
class Outputs:
    """Where what is written goes; None: nowhere."""

    markdown: Path | None = None
    junit: Path | None = None
    json: Path | None = None
    samples: Path | None = None
    figure: Path | None = None
    history: Path | None = None


def compare_command(
    base: str, head: str, way: str, asked: Asked, limits: Limits, effort: Effort, outputs: Outputs, say: Say
) -> Comparison:
    """Compare, print the report and write what was asked for.

    Parameters
    ----------
    base, head
        Folders of results, revisions or interpreters.
    way
        ``files``, ``revisions`` or ``environments``.
    asked, limits, effort, outputs
        As the command line parsed them.
    say
        Prints a line.

    Raises
    ------
    RunError, ResultError, DatasetError
        What was asked wrongly, in one line, before anything is measured.
    """
    _check(outputs, way)
    accepted = load_accepted(asked.accept) if asked.accept else []
    done = _files(base, head, asked, limits) if way == "files" else _measured(base, head, way, asked, limits, effort)
    done = with_reasons(done, reasons(accepted, done))
    report = as_markdown(done, str(outputs.figure) if outputs.figure and done.rounds else "")
    say(report)
    _write(done, report, outputs)
    return done


def _check(outputs: Outputs, way: str) -> None:
    # What cannot be written is known before anything is measured.
    for name, path in vars(outputs).items():
        if path is None:
            continue
        nearest = next(parent for parent in path.absolute().parents if parent.exists())
        if path.is_dir() or not nearest.is_dir() or not os.access(nearest, os.W_OK):
            raise RunError(f"--{name}: found {path}, which cannot be written, expected a file")
    if outputs.figure is not None and outputs.figure.suffix not in FIGURES:
        raise RunError(f"--figure: found {outputs.figure}, expected a name that ends in {', '.join(FIGURES)}")
    if outputs.history is not None:
        if way != "revisions":
            raise RunError("--history: found no revisions, expected --revisions: a line is filed under its commit")
        if outputs.history.exists():
            load_history(outputs.history)


def _files(base: str, head: str, asked: Asked, limits: Limits) -> Comparison:
    control = load_runs(asked.control) if asked.control else ()
    return compare_runs(load_runs(base), load_runs(head), limits, control, (base, head))


def _measured(base: str, head: str, way: str, asked: Asked, limits: Limits, effort: Effort) -> Comparison:
    console = Console(stderr=True, highlight=False)
    with tempfile.TemporaryDirectory(prefix="ivfbench-compare-") as folder:
        place = Path(folder)

        def compared(sides: tuple[Side, Side]) -> Comparison:
            found = _questions(asked, place)
            return compare_sides(*sides, found, limits, effort, console.print, clock=asked.clock)

        if way == "environments":
            return compared(interpreters(base, head))
        with revisions(base, head, Path.cwd(), place) as sides:
            return compared(sides)


def _questions(asked: Asked, folder: Path) -> Sequence[Question]:
    with make_display(Console(stderr=True)) as display:
        if asked.subject is not None:
            return [subject_question(load_subject(asked.subject), folder)]
        experiment = load_experiment(asked.experiment)
        if asked.datasets:
            experiment = Experiment.model_validate({**experiment.model_dump(), "datasets": asked.datasets})
        if not experiment.datasets:
            raise RunError(f"experiment {asked.experiment}: names no datasets, expected some there or --dataset")
        return questions(experiment, folder, threads=asked.threads, pattern=asked.pattern, progress=display.stage)


def _write(done: Comparison, report: str, outputs: Outputs) -> None:
    for path in (outputs.markdown, outputs.junit, outputs.json, outputs.samples, outputs.history):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
    if outputs.markdown:
        with outputs.markdown.open("a", encoding="utf-8") as file:
            file.write(report)
    if outputs.junit:
        outputs.junit.write_text(as_junit(done), "utf-8")
    if outputs.json:
        outputs.json.write_text(json_text.dumps(as_document(done), indent=1) + "\n", "utf-8")
    if outputs.samples and done.rounds:
        samples(done).to_parquet(outputs.samples, index=False)
    if outputs.history and done.rounds:
        append_history(outputs.history, history_rows(done, time.time()))


def selftest_command(
    asked: Asked, limits: Limits, effort: Effort, count: int, extras: Sequence[float], json: Path | None, say: Say
) -> int:
    """Measure how often the check errs on this machine, print the rates, and return the exit code.

    Returns
    -------
    int
        1 where a slow-down that is tolerated failed in more than 5 % of the trials (and more than one), where one that
        is not tolerated passed as often, or where a loss of recall was missed; else 0.
    """
    wrong_share = next((extra for extra in extras if not 0.0 <= extra <= 1.0), None)
    if wrong_share is not None:
        raise RunError(f"--slow-down: found {wrong_share:g}, expected a share from 0 to 1")
    console = Console(stderr=True, highlight=False)
    trials: list[Trial] = []
    with tempfile.TemporaryDirectory(prefix="ivfbench-selftest-") as folder:
        side = running()
        found = _questions(asked, Path(folder))
        prepared = [
            prepare(question, side, side, limits, Path(folder) / f"index-{place}", asked.clock, console.print)
            for place, question in enumerate(found)
        ]
        caught = sum(recall_trials(one.base, limits, RECALL_TRIALS) for one in prepared)
        lost = 100 * recall_loss(limits)
        say(f"losses of {lost:g} points of recall: caught {caught} of {RECALL_TRIALS * len(prepared)}, without a clock")

        def tell(trial: Trial) -> None:
            say(
                f"{100 * trial.extra:g} % more work: {trial.state}, {trial.speed_up:.3f} ({trial.low:.3f} to "
                f"{trial.high:.3f}), {trial.rounds} rounds, {trial.seconds:.0f} s, load {trial.load:.1f}"
            )

        if asked.clock != "none":
            trials = slow_down_trials(prepared, limits, effort, count, lambda said: None, tell, extras or SLOW_DOWNS)
    rows = summary(trials, limits)
    say(rates(rows))
    if json:
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_text(json_text.dumps({"rates": rows, "trials": [asdict(one) for one in trials]}, indent=1) + "\n")
    wrong = [row for row in rows if _wrong(row)]
    return int(bool(wrong) or caught < RECALL_TRIALS * len(prepared))


def _wrong(row: dict[str, float | int | str]) -> bool:
    opposite = {"pass": "failed", "fail": "passed"}.get(str(row["expected"]))
    errors = int(row[opposite]) if opposite else 0
    return errors > max(1, 0.05 * int(row["trials"]))


def rates(rows: Sequence[dict[str, float | int | str]]) -> str:
    """Return the rates of a selftest as a Markdown table."""
    lines = [
        f"| {' | '.join(RATES)} |",
        f"|{'---|' * len(RATES)}",
    ]
    for row in rows:
        counts = [str(row[name]) for name in ("expected", "trials", "failed", "passed", "inconclusive", "unfit")]
        measured = [f"{row['median_speed_up']:.3f}", f"{row['median_rounds']:g}"]
        seconds = [f"{row[name]:.0f}" for name in ("median_seconds", "longest_seconds")]
        injected = f"{100 * float(row['injected']):g} %"
        lines.append(f"| {' | '.join([injected, *counts, *measured, *seconds])} |")
    return "\n".join(lines)
