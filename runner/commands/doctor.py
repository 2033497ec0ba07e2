"""`ivfbench doctor`, behind the command line."""

import json
from dataclasses import asdict
from typing import Annotated

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Everything that results hold, for programs.")] = False,
) -> None:
    """Say what is known about this machine and this software, and what of it spoils timings.

    Others are watched for a second. Exit code 1 where there is a warning.
    """
    from ..doctor import describe, diagnose

    diagnosis = diagnose()
    typer.echo(json.dumps(asdict(diagnosis), indent=2) if as_json else describe(diagnosis))
    if diagnosis.warnings:
        raise typer.Exit(1)
