"""Reads the settings: environment over file over defaults, and says which of them gave each value.

* `SettingsError`: a setting is wrong or cannot work; names it, says why and what to do
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource, PydanticBaseSettingsSource
from pydantic_settings import SettingsError as SourceError

from server.settings import ENV_PREFIX, Settings

FILE_BYTES_MAX = 1_000_000
EVERY_SETTING = "every setting is in config/meridian.example.toml"
Values = dict[str, dict[str, Any]]


class SettingsError(Exception):
    """A setting is wrong. `hint` is the next step."""

    def __init__(self, message: str, *, hint: str = EVERY_SETTING) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One line of `config show`; secrets are masked."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings and, by setting, where its value came from."""

    settings: Settings
    sources: Mapping[str, str]


def load(
    file: Path | None = None, *, overrides: Values | None = None, defaults: Values | None = None
) -> Loaded:
    """Read the settings.

    Args:
        file: the settings file, if there is one.
        overrides: values given on the command line; they win over everything.
        defaults: values that replace the built-in defaults, such as the demo's.
    """
    layers: list[tuple[str, Values]] = [
        ("command line", overrides or {}),
        ("environment", _from_environment()),
        (str(file), _from_file(file) if file else {}),
        ("demo", defaults or {}),
    ]
    for source, values in layers:
        _refuse_unknown(values, source)
    merged: Values = {}
    sources: dict[str, str] = {}
    for source, values in reversed(layers):
        for section, settings in values.items():
            for name, value in settings.items():
                merged.setdefault(section, {})[name] = value
                sources[f"{section}.{name}"] = source
    return Loaded(settings=_validated(merged), sources=sources)


def shown(loaded: Loaded) -> Iterator[Shown]:
    """Each value and where it came from, in the order of the classes."""
    for section in Settings.model_fields:
        settings: BaseModel = getattr(loaded.settings, section)
        for name in type(settings).model_fields:
            full = f"{section}.{name}"
            yield Shown(
                name=full,
                value=value_text(getattr(settings, name)),
                source=loaded.sources.get(full, "default"),
            )


def value_text(value: object) -> str:
    """A value as TOML would have it; a secret is masked."""
    match value:
        case None:
            return "(not set)"
        case SecretStr():
            return '"********"'
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case tuple():
            return "[" + ", ".join(value_text(item) for item in value) + "]"
        case _:
            return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Merged(Settings):
    """The same settings from given values alone."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[Any],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _validated(values: Values) -> Settings:
    try:
        return _Merged.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"][:2])
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name}: {reason[:1].lower()}{reason[1:]}" if name else reason) from None


def _from_environment() -> Values:
    for variable in os.environ:
        name = variable.upper()
        section = name.removeprefix(ENV_PREFIX).split("_")[0].lower()
        if name.startswith(ENV_PREFIX) and "__" not in name and section in Settings.model_fields:
            meant = f"{ENV_PREFIX}{section.upper()}__{name.removeprefix(f'{ENV_PREFIX}{section.upper()}_')}"
            raise SettingsError(
                f"{variable}: no such setting", hint=f"two underscores after the section: {meant}"
            )
    try:
        values: Values = EnvSettingsSource(Settings)()
    except SourceError as error:
        raise SettingsError(f"the environment: {error}") from None
    for variable in os.environ:
        section, separator, _ = variable.upper().removeprefix(ENV_PREFIX).partition("__")
        if (
            variable.upper().startswith(ENV_PREFIX)
            and separator
            and section.lower() not in Settings.model_fields
        ):
            raise SettingsError(f"{variable}: no such setting")
    return values


def _from_file(file: Path) -> Values:
    try:
        with file.open("rb") as stream:
            values = tomllib.loads(stream.read(FILE_BYTES_MAX).decode())
    except OSError as error:
        raise SettingsError(
            f"{file}: {error.strerror or error}", hint="--config names the settings file"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from None
    for section, settings in values.items():
        if not isinstance(settings, dict):
            raise SettingsError(f"{section}: no such section in {file}")
    return values


def _refuse_unknown(values: Values, source: str) -> None:
    for section, settings in values.items():
        field = Settings.model_fields.get(section)
        if field is None:
            raise SettingsError(f"{section}: no such section ({source})")
        known = field.annotation
        for name in settings:
            if not (isinstance(known, type) and issubclass(known, BaseModel) and name in known.model_fields):
                raise SettingsError(f"{section}.{name}: no such setting ({source})")
