"""The settings for a command, or its end with the reason."""

from pathlib import Path
from typing import Annotated

import typer

from server.cli.output import MISUSED, fail
from server.settings_loading import Loaded, SettingsError, Values, load

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings file (TOML).", show_default=False)
]


def loaded(config: Path | None, *, overrides: Values | None = None, defaults: Values | None = None) -> Loaded:
    try:
        return load(config, overrides=overrides, defaults=defaults)
    except SettingsError as error:
        fail(str(error), hint=error.hint, code=MISUSED)
