"""`vault`: run the process that opens recordings, and care for its keys."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.cli.loaded import ConfigOption, loaded
from server.cli.output import FAILED, MISUSED, fail, say

if TYPE_CHECKING:
    from server.settings import Settings
    from server.vault.keys import ListedKey
    from server.vault.rotating import Rewrapped

app = typer.Typer(help="Run the vault, which opens recordings; and its keys.", invoke_without_command=True)
keys = typer.Typer(help="The keys recordings are sealed for.", no_args_is_help=True)
app.add_typer(keys, name="keys")

SHOWN_MAX: Final = 20
KEY_ID_CHARS: Final = 32


@app.callback()
def vault(context: typer.Context, config: ConfigOption = None) -> None:
    """Run the vault where recording.vault is "separate". It ends on SIGTERM or Ctrl-C.

    Run it under an account of its own: it must read server.data_dir/recordings and
    server.data_dir/recording-secrets, and owns server.data_dir/vault. The server reaches its socket through
    the group of server.data_dir/vault (chgrp, chmod 710).
    """
    if context.invoked_subcommand is not None:
        return
    settings = loaded(config).settings

    from server import logs
    from server.vault.run import VaultError, run

    logs.configure(settings.server)
    shared, url = settings.recording.vault == "separate", settings.recording.storage_url
    if not shared:
        say('recording.vault is "child": a server that runs here starts a vault itself')
    try:
        asyncio.run(run(settings.server.data_dir, storage_url=url, shared=shared))
    except VaultError as error:
        fail(str(error), hint=error.hint)


@keys.command()
def init(
    escrow: Annotated[
        Path | None,
        typer.Option(help="New file for the private escrow key; keep it offline.", show_default=False),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make the clinic's key and one for escrow, which opens recordings should the clinic's be lost."""
    from server.vault.keys import KeysError
    from server.vault.keys import init as make
    from server.vault.places import Places

    data_dir = _data_dir(config)
    file = escrow or Places(data_dir).escrow
    try:
        made = make(data_dir, file, datetime.now(UTC))
    except KeysError as error:
        fail(str(error), hint=error.hint)
    except OSError as error:
        fail(f"the keys cannot be written ({error.strerror})", hint="--escrow, server.data_dir")
    for one in made:
        print(f"{one.key_id.hex()}  {one.role}")
    if escrow is None:
        say(f"warning: the escrow key is {file}; move it to a place that is not this machine")


@keys.command("list")
def list_keys(config: ConfigOption = None) -> None:
    """List the keys: id, role, since when, whether it is in use, whether this vault has the private one."""
    from server.vault.keys import KeysError, private_keys

    data_dir = _data_dir(config)
    try:
        private = private_keys(data_dir)
    except KeysError as error:
        say(error.args[0])
        private = {}
    for one in _listed(data_dir):
        use = "in use" if one.retired is None else f"retired {one.retired[:10]}"
        here = "private key here" if one.key_id in private else "no private key here"
        print(f"{one.key_id.hex()}  {one.role:<6}  {one.since[:10]}  {use:<18}  {here}")


@keys.command()
def rotate(config: ConfigOption = None) -> None:
    """Make a new clinic key, and wrap the keys of all parts to it; parts are not rewritten.

    The keys before are retired: nothing new is sealed for them. `keys retire` erases one.
    """
    from server.vault.keys import KeysError, add_clinic_key

    settings = loaded(config).settings
    try:
        made = add_clinic_key(settings.server.data_dir, datetime.now(UTC))
    except KeysError as error:
        fail(str(error), hint=error.hint)
    print(f"{made.key_id.hex()}  {made.role}")
    _rewrap(settings, made)


@keys.command()
def rewrap(config: ConfigOption = None) -> None:
    """Wrap the keys of all parts to the clinic key in use: after a rotation that was broken off."""
    settings = loaded(config).settings
    used = [one for one in _listed(settings.server.data_dir) if one.role == "clinic" and one.retired is None]
    if not used:
        fail("there is no clinic key in use", hint="python -m server vault keys init")
    _rewrap(settings, used[-1])


@keys.command()
def retire(key_id: str, config: ConfigOption = None) -> None:
    """Erase the private key of a retired clinic key, once no part needs it."""
    from server.recordings.secrets import FOLDER, Secrets
    from server.vault.keys import KeysError, erase, private_keys
    from server.vault.places import Places
    from server.vault.rotating import sealed_for_one_alone
    from server.vault.source import source_for
    from server.vault.wraps import FolderWraps

    settings = loaded(config).settings
    data_dir = settings.server.data_dir
    if len(key_id) != KEY_ID_CHARS or any(one not in "0123456789abcdef" for one in key_id):
        fail("a key id has 32 hexadecimal digits", hint="python -m server vault keys list", code=MISUSED)
    try:
        needed = sealed_for_one_alone(
            source_for(data_dir, settings.recording.storage_url),
            FolderWraps(Places(data_dir).wraps),
            Secrets(data_dir / FOLDER),
            private_keys(data_dir),
            bytes.fromhex(key_id),
        )
        if needed:
            fail(f"{len(needed)} parts need this key", hint="python -m server vault keys rewrap")
        erase(data_dir, bytes.fromhex(key_id))
    except KeysError as error:
        fail(str(error), hint=error.hint)
    say("the private key is erased; erase it in backups too")


def _rewrap(settings: "Settings", to: "ListedKey") -> None:
    from server.recordings.secrets import FOLDER, Secrets
    from server.vault.keys import KeysError, private_keys
    from server.vault.places import Places
    from server.vault.rotating import rewrap as run
    from server.vault.source import source_for
    from server.vault.wraps import FolderWraps

    data_dir = settings.server.data_dir

    def progress(done: int, of: int) -> None:
        if of and (done == of or done % 100 == 0):
            say(f"{done} of {of} recordings")

    try:
        found = run(
            source_for(data_dir, settings.recording.storage_url),
            FolderWraps(Places(data_dir).wraps),
            Secrets(data_dir / FOLDER),
            private_keys(data_dir),
            to,
            progress,
        )
    except (KeysError, OSError) as error:
        fail(f"broken off: {error}", hint="python -m server vault keys rewrap goes on")
    _show(found)


def _show(found: "Rewrapped") -> None:
    say(f"{found.wrapped} parts wrapped to the key, {found.already} were already")
    for recording, part, why in found.failed[:SHOWN_MAX]:
        say(f"not opened: {recording.hex()} part {part} ({why})")
    if found.failed:
        say(f"{len(found.failed)} parts could not be opened; do not erase the old key")
        raise SystemExit(FAILED)


def _data_dir(config: Path | None) -> Path:
    return loaded(config).settings.server.data_dir


def _listed(data_dir: Path) -> "list[ListedKey]":
    from server.vault.keys import KeysError, listed

    try:
        return listed(data_dir)
    except KeysError as error:
        fail(str(error), hint=error.hint)
