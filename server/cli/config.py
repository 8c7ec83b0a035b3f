"""`config`: show the settings in force, or print the example file."""

from typing import Annotated

import typer

from server.cli.loaded import ConfigOption, loaded
from server.cli.output import fail, say
from server.config_example import EXAMPLE, example
from server.settings_loading import shown

app = typer.Typer(help="Settings.", no_args_is_help=True)


@app.command()
def show(config: ConfigOption = None) -> None:
    """Print each setting, its value and where it came from. Secrets are masked."""
    for line in shown(loaded(config)):
        print(f"{line.name} = {line.value}  # {line.source}")


@app.command("example")
def print_example(
    *,
    check: Annotated[bool, typer.Option("--check", help="Fail when the file in config/ is another.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write config/meridian.example.toml.")] = False,
) -> None:
    """Print a settings file with every setting, its default and a sentence."""
    text = example()
    if write:
        EXAMPLE.write_text(text, encoding="utf-8")
        say("wrote config/meridian.example.toml")
    elif not check:
        print(text, end="")
    elif not EXAMPLE.exists() or EXAMPLE.read_text(encoding="utf-8") != text:
        fail("config/meridian.example.toml is stale", hint="python -m server config example --write")
