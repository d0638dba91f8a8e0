"""`antiphon config`, `token` and `doctor`."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from antiphon.cli.ending import FAILED, say
from antiphon.cli.options import AsJson, ConfigFile, Data
from antiphon.cli.output import print_json


def config(data: Data = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show every setting as it takes effect, and where it was set.

    [bold]Examples[/bold]
    antiphon config
    antiphon config --config deploy/antiphon.toml --json
    """
    from antiphon.server.settings import load, rows

    loaded = load(config, {"data": data}, os.environ)
    for warning in loaded.warnings:
        say(warning)
    found = [{"key": row.key, "value": row.value, "origin": str(row.origin)} for row in rows(loaded)]
    if as_json:
        print_json(found)
        return
    widths = [max(len(row[column]) for row in found) for column in ("key", "value")]
    for row in found:
        typer.echo(f"{row['key']:<{widths[0]}}  {row['value']:<{min(widths[1], 40)}}  {row['origin']}".rstrip())


def token(
    name: Annotated[str, typer.Argument(help="The user's name.")],
    grant: Annotated[
        list[str] | None,
        typer.Option(help="May do: 'read log:*', 'publish news:*', 'control process:*' or '*' (default)."),
    ] = None,
) -> None:
    """Make a token for a user.

    Prints the token, for ANTIPHON_TOKEN or the login page, and the lines for
    antiphon.toml that let its holder in. They hold only its hash: the token is
    shown this once.

    [bold]Examples[/bold]
    antiphon token ann
    antiphon token viewer --grant 'read log:*' --grant 'read processes'
    """
    from antiphon.errors import InputError
    from antiphon.server.auth import new_token
    from antiphon.server.settings import Settings

    made = new_token(name, grant or ["*"])
    _check_user(made.toml, name, Settings, InputError)
    typer.echo(made.token)
    typer.echo(f"\n{made.toml}", nl=False)


def _check_user(toml: str, name: str, settings: type, problem: type[Exception]) -> None:
    """Refuse here what the settings would refuse later."""
    import tomllib

    from pydantic import ValidationError

    try:
        settings.model_validate(tomllib.loads(toml))  # type: ignore[attr-defined]
    except tomllib.TOMLDecodeError:
        raise problem(f"{name!r} cannot be a user's name") from None
    except ValidationError as exc:
        raise problem("; ".join(_in_words(error) for error in exc.errors())) from None


def _in_words(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"] if part != "[key]")
    return f"{where} {error['msg'].removeprefix('Value error, ')}"


def doctor(data: Data = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Look at this machine, the settings and the server: what is wrong?

    Exit status 1 if something keeps a server from working here.

    [bold]Example[/bold]
    antiphon doctor
    """
    from antiphon.cli.diagnosis import diagnose

    findings = diagnose(data, config)
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        marks = {True: "ok", False: "WRONG", None: "-"}
        width = max(len(finding.topic) for finding in findings)
        for finding in findings:
            typer.echo(f"{marks[finding.ok]:<5}  {finding.topic:<{width}}  {finding.text}")
    wrong = [finding for finding in findings if finding.ok is False]
    if wrong:
        say(f"{len(wrong)} thing{'s' if len(wrong) > 1 else ''} to put right")
        raise typer.Exit(FAILED)
