"""`edged`: run the daemon, check its configuration, print its protocol, play the demo."""

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
CONFIG = Path("/etc/edged/edged.toml")
ConfigPath = Annotated[Path, typer.Option("--config", "-c", help="The configuration file")]


@app.command()
def run(
    config: ConfigPath = CONFIG,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error")] = "info",
) -> None:
    """Watch, judge, act and report until told to stop."""
    from edged.cli.lean import load_lean

    load_lean()
    from edged.app import run as live
    from edged.config import ConfigError
    from edged.control.server import AlreadyRunning
    from edged.logs import configure
    from edged.record.errors import RecordMisused

    configure(log_level)
    try:
        asyncio.run(live(config))
    except (ConfigError, AlreadyRunning, RecordMisused) as error:
        typer.echo(f"edged: {error}", err=True)
        # EX_CONFIG tells systemd that another try would not help.
        raise typer.Exit(os.EX_CONFIG if isinstance(error, ConfigError) else 2) from error


@app.command("check-config")
def check_config(
    config: ConfigPath = CONFIG,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also say what will run, and what will not be watched")
    ] = False,
) -> None:
    """Name every mistake by file, key and value; exit status 2 if there is one."""
    from edged.config import ConfigError, load
    from edged.explain import explanation

    try:
        loaded = load(config)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{config}: good (hash {loaded.hash})")
    if explain:
        typer.echo("\n".join(explanation(loaded)))


@app.command()
def protocol(
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Whose site, numbers and protocol")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="This protocol file instead")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the page to print: A4, one file")] = None,
) -> None:
    """The containment protocol in force, as the page to hang on the wall; exit status 2 names every mistake in it."""
    from edged.cli.protocol_html import put
    from edged.cli.protocol_page import page_of, text
    from edged.config_error import ConfigError

    try:
        installed = CONFIG if file is None and CONFIG.exists() else None
        page = page_of(config or installed, file, printed=time.strftime("%Y-%m-%d"))
        typer.echo(text(page) if html is None else put(page, html), nl=html is not None)
    except ConfigError as error:
        typer.echo(f"edged: {error}", err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        typer.echo(f"edged: {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(2) from error


@app.command()
def replay(
    recording: Annotated[Path, typer.Argument(help="A segment of the black box, or a directory of them")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
    show: Annotated[bool, typer.Option("--show", help="Every decision, not only tiers and incidents")] = False,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="What would have been decided with this configuration")
    ] = None,
) -> None:
    """Judge recorded observations again; exit status 0: identical, 1: different, 2: not all could be read."""
    from edged.cli.replay import main as play
    from edged.config import ConfigError, load

    try:
        plan = load(config).plan() if config else None
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(play(recording, as_json=as_json, show=show, plan=plan))


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Play the story and end; the exit status tells")] = False,
    picture: Annotated[Path | None, typer.Option("--picture", help="Write an SVG of one moment")] = None,
) -> None:
    """The whole site in a box with the real daemon on it, playing a story."""
    try:
        from lab.demo import main as play
    except ModuleNotFoundError as error:
        if error.name != "lab":
            raise
        typer.echo("edged: the demo needs a checkout (./dev demo); on a site box the lab is not installed", err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(play(once=once, picture=picture))


def main() -> None:
    app()
