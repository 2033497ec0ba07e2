"""`ivfbench compare` and `ivfbench history`: what the command line parses, and what it calls.

As in `__main__`, which adds these commands to its own, rooms are imported inside the commands that enter them.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Clock(StrEnum):
    """By which clock a speed-up is judged."""

    auto = "auto"
    processor = "processor"
    wall = "wall"
    none = "none"


# What is asked of both sides, and how their answers are judged: which options each way of comparing reads. The others
# are refused: who gives one believes that it counts.
_ASKED = {"experiment", "subject", "dataset", "algorithm", "threads", "clock", "budget", "rounds"}
_LIMITS = {"tolerance", "recall_tolerance", "work_tolerance", "exact"}
_JUDGED = {
    "base",
    "head",
    *_LIMITS,
    "accept",
    "inconclusive",
    "markdown",
    "junit",
    "json",
    "samples",
    "figure",
    "history",
}
_READ = {
    "selftest": {"selftest", *_ASKED, *_LIMITS, "trials", "slow_down", "json"},
    "baseline": {"base", "write_baseline"},
    "revisions": {"revisions", *_ASKED, *_JUDGED},
    "environments": {"environments", *_ASKED, *_JUDGED},
    "files": {"control", *_JUDGED},
    "JSON": {"base", "head", "tolerance", "inconclusive"},
}


def _refuse_unread(context: typer.Context, way: str, found: str) -> None:
    given = [name for name in context.params if _is_given(context, name)]
    useless = next((name for name in given if name not in _READ[way]), None)
    if useless is None and "subject" in given:
        found = "--subject, which says what is asked"
        useless = next((name for name in given if name in ("experiment", "dataset", "algorithm")), None)
    if useless is not None:
        option = useless.upper() if useless in ("base", "head") else f"--{useless.replace('_', '-')}"
        raise typer.BadParameter(f"{option}: found {found}, expected no such option")


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def compare(
    context: typer.Context,
    base: Annotated[
        str | None,
        typer.Argument(help="Folder of results, baseline file (.json), pytest-benchmark JSON, or what an option says."),
    ] = None,
    head: Annotated[str | None, typer.Argument(help="The same of what is to be judged.")] = None,
    revisions: Annotated[
        bool, typer.Option("--revisions", help="BASE and HEAD are git revisions; . is the working tree as it is.")
    ] = False,
    environments: Annotated[
        bool, typer.Option("--environments", help="BASE and HEAD are interpreters of two environments.")
    ] = False,
    selftest: Annotated[
        bool, typer.Option("--selftest", help="Compare this version with itself, slowed down by known amounts.")
    ] = False,
    experiment: Annotated[str, typer.Option(help="What to ask both: a shipped experiment or a YAML file.")] = "compare",
    subject: Annotated[
        Path | None, typer.Option(help="Ask a module in the style of ann-benchmarks instead, described by this YAML.")
    ] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="Dataset name or path; repeat for several.")] = None,
    algorithm: Annotated[
        list[str] | None, typer.Option(help="Only algorithms whose text matches this glob; repeat for several.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of builds and of batches.")] = 1,
    clock: Annotated[
        Clock, typer.Option(help="Judge by it; auto: processor time of one thread, wall time of more; none: no clock.")
    ] = Clock.auto,
    tolerance: Annotated[float, typer.Option(help="Share of speed at equal recall that may be lost.")] = 0.05,
    recall_tolerance: Annotated[float, typer.Option(help="Mean recall that may be lost at any setting.")] = 0.001,
    work_tolerance: Annotated[
        float, typer.Option(help="Share by which points scanned at equal recall, and the index, may grow.")
    ] = 0.01,
    exact: Annotated[bool, typer.Option("--exact", help="Answers, work and sizes may not change at all.")] = False,
    control: Annotated[
        Path | None, typer.Option(help="Folder of BASE measured again, which tells what is not deterministic.")
    ] = None,
    budget: Annotated[float, typer.Option(min=1.0, help="Seconds after which no further round begins.")] = 600.0,
    rounds: Annotated[int, typer.Option(min=3, help="Pairs of fresh processes before the first look.")] = 6,
    trials: Annotated[int, typer.Option(min=1, help="Of the selftest, for each slow-down.")] = 5,
    slow_down: Annotated[
        list[float] | None, typer.Option(help="Of the selftest: 0.1 is 10 %; repeat. Default: 0 3 5 10 20 %.")
    ] = None,
    inconclusive: Annotated[int, typer.Option(min=0, max=125, help="Exit code where it cannot be told.")] = 3,
    write_baseline: Annotated[
        Path | None, typer.Option(help="Write what the results in BASE answered and did into this file, and stop.")
    ] = None,
    accept: Annotated[
        Path | None, typer.Option(help="YAML of accepted changes: commit, reason, curve (a glob).")
    ] = None,
    history: Annotated[Path | None, typer.Option(help="Append a line for each curve to this Parquet file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the report here; appended to, as summaries are.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write everything as JSON here.")] = None,
    samples: Annotated[Path | None, typer.Option(help="Write every single time as Parquet here.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw both fronts here: png, svg or pdf.")] = None,
) -> None:
    """Say whether HEAD is slower or finds less than BASE: a verdict, and not a guess.

    Exit codes: 0 pass, 1 fail, 3 cannot be told, 4 unfit machine, 2 asked wrongly.
    """
    from ...results.compare.work import Limits
    from ..compare.command import Asked, Outputs, compare_command, selftest_command
    from ..compare.rounds import Effort

    limits = Limits(tolerance, recall_tolerance, work_tolerance, exact)
    asked = Asked(
        experiment, subject, tuple(dataset or ()), tuple(algorithm or ()), threads, clock.value, control, accept
    )
    effort = Effort(first=rounds, rounds=max(rounds, Effort.rounds), budget=budget)
    if sum((revisions, environments, selftest)) > 1:
        raise typer.BadParameter("found several of --revisions, --environments and --selftest, expected one at most")
    if selftest:
        _refuse_unread(context, "selftest", "--selftest")
        raise typer.Exit(selftest_command(asked, limits, effort, trials, tuple(slow_down or ()), json, typer.echo))
    if base is not None and write_baseline is not None:
        _refuse_unread(context, "baseline", "--write-baseline")
        from ...results.compare.baseline import write_baseline as write
        from ...results.store import load_runs

        typer.echo(f"baseline: {write(write_baseline, load_runs(base))}")
        return
    if base is None or head is None:
        raise typer.BadParameter("found no BASE and HEAD, expected both, or --selftest")
    way = "revisions" if revisions else "environments" if environments else "files"
    if way == "files" and (Path(base).suffix == ".json" or _holds_json(Path(base))):
        _refuse_unread(context, "JSON", f"{base}, a baseline or timings in JSON")
        raise typer.Exit(_json_files(Path(base), Path(head), tolerance, inconclusive))
    _refuse_unread(context, way, f"{base}, results" if way == "files" else f"--{way}")
    outputs = Outputs(markdown, junit, json, samples, figure, history)
    done = compare_command(base, head, way, asked, limits, effort, outputs, typer.echo)
    if figure is not None and done.rounds:
        typer.echo(f"figure: {context.obj.compared_fronts(done, figure)}")
    raise typer.Exit(done.exit_code(inconclusive))


def _holds_json(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.rglob("*.hdf5")) and any(folder.rglob("*.json"))


def _json_files(base: Path, head: Path, tolerance: float, inconclusive: int) -> int:
    from ...results.compare.baseline import check_baseline, is_baseline
    from ...results.compare.states import EXIT_CODES, FAIL, INCONCLUSIVE, worst
    from ...results.compare.timings import compare_timings
    from ...results.store import load_runs

    if is_baseline(base):
        checked = check_baseline(base, load_runs(head))
        for problem in checked.problems:
            typer.echo(f"changed: {problem}")
        how = "to the last id" if checked.exact else "within tolerances: it was written by another machine or library"
        typer.echo(f"{checked.settings} settings of {checked.curves} curves compared with {base}, {how}")
        return EXIT_CODES[FAIL] if checked.problems else 0
    frame = compare_timings(base, head, tolerance)
    typer.echo(frame.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    state = worst(frame["state"])
    return inconclusive if state == INCONCLUSIVE else EXIT_CODES[state]


def history(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="Parquet file that `compare --history` appends to.")],
    accept: Annotated[
        Path | None, typer.Option(help="YAML of accepted changes: commit, reason; a step there is no news.")
    ] = None,
    tolerance: Annotated[float, typer.Option(help="Steps up by a smaller share than this do not fail.")] = 0.05,
    figure: Annotated[Path | None, typer.Option(help="Draw it here: png, svg or pdf.")] = None,
) -> None:
    """Say where the cost of a search stepped, commit by commit; exit code 1 where the last level is a slower one."""
    from ...results.compare.accepted import load_accepted
    from ...results.compare.history import history_steps, load_history, news

    frame = load_history(path)
    accepted = {entry.commit: entry.reason for entry in load_accepted(accept)} if accept else {}
    found = history_steps(frame, accepted)
    for _, step in found.iterrows():
        reason = f", accepted: {step['accepted']}" if step["accepted"] else ""
        typer.echo(f"{step['commit'][:10]}: {100 * step['slower']:+.1f} % cost, {step['curve']}{reason}")
    typer.echo(f"{frame['commit'].nunique()} commits, {frame['curve'].nunique()} curves, {len(found)} steps")
    if figure is not None:
        typer.echo(f"figure: {context.obj.history(frame, figure, accepted)}")
    raise typer.Exit(int(not news(found, tolerance).empty))
