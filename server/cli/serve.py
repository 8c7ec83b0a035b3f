"""`serve`: start the server, with or without the demonstration."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.loaded import ConfigOption, loaded
from server.cli.output import FAILED, MISUSED, fail, say
from server.settings_loading import Loaded, Values

if TYPE_CHECKING:
    from server.demo import Demo

ROLES = ("patient", "physician", "interpreter")


def serve(
    *,
    config: ConfigOption = None,
    demo: Annotated[bool, typer.Option("--demo", help="A made-up clinic, and links to try it.")] = False,
    demo_json: Annotated[
        Path | None, typer.Option("--demo-json", help="Write the links there as JSON once it serves.")
    ] = None,
    lan: Annotated[bool, typer.Option("--lan", help="Let phones of this network in, over https.")] = False,
) -> None:
    """Start the server. It ends on SIGTERM or Ctrl-C."""
    if demo_json is not None and not demo:
        fail("--demo-json: only with --demo", code=MISUSED)
    found = _settings(config, demo=demo, lan=lan)
    if demo_json is not None:
        # Whoever waits for the file must not find the links of the last start.
        try:
            demo_json.unlink(missing_ok=True)
        except OSError as error:
            fail(f"--demo-json: {demo_json} cannot be written ({error.strerror})", code=MISUSED)

    from server import logs
    from server.app import StartError, run

    logs.configure(found.settings.server)

    def serving(made: "Demo | None") -> None:
        if made is None:
            say(f"serving {found.settings.public_url}")
            return
        if demo_json is not None:
            try:
                made.write(demo_json)
            except OSError as error:
                message = f"--demo-json: {demo_json} cannot be written ({error.strerror})"
                raise StartError(message, hint="name a file in a folder of this account") from error
        _show(made, lan=lan)

    try:
        asyncio.run(run(found.settings, demo=demo, serving=serving))
    except StartError as error:
        fail(str(error), hint=error.hint)


def _settings(config: Path | None, *, demo: bool, lan: bool) -> Loaded:
    from server.demo_day import DEFAULTS
    from server.settings import data_dir_default

    defaults: Values = {**DEFAULTS, "server": {"data_dir": data_dir_default() / "demo"}} if demo else {}
    found = loaded(config, defaults=defaults)
    if lan:
        found = loaded(config, defaults=defaults, overrides=_lan(found))
    elif demo:
        _refuse_public(found)
    return found


def _lan(found: Loaded) -> Values:
    from server import data_dir
    from server.lan import NoLanError, certificate, lan_address

    server = found.settings.server
    try:
        address = lan_address()
        data_dir.prepare(server.data_dir)
        chain, key = certificate(server.data_dir, address)
    except NoLanError as error:
        fail(f"--lan: {error}", hint="join a network, or start without --lan", code=FAILED)
    except data_dir.DataDirError as error:
        fail(str(error), hint=error.hint)
    return {
        "server": {
            "host": str(address),
            "public_url": f"https://{address}:{server.port}",
            "tls_certificate": chain,
            "tls_key": key,
        }
    }


def _refuse_public(found: Loaded) -> None:
    """The demonstration lets everybody in who can reach it."""
    from urllib.parse import urlsplit

    from server.settings import is_loopback

    host = urlsplit(found.settings.public_url).hostname or ""
    if not (is_loopback(host) and is_loopback(found.settings.server.host)):
        fail(
            "--demo: server.host or server.public_url is not this machine, and whoever has a link gets in",
            hint="start it on 127.0.0.1, or with --lan for phones of a private network",
            code=MISUSED,
        )


def _show(made: "Demo", *, lan: bool) -> None:
    import segno

    print("\nOpen these three, each in a tab of its own; one browser is enough:\n")
    for role in ROLES:
        print(f"  {role.capitalize():<13}{made.links[role]}")
    print(f"\n  {'Coordinator':<13}{made.links['coordinator']}")
    print("\nOr let the physician call an interpreter, and answer at a desk:\n")
    print(f"  {'Desk':<13}{made.links['desk']}")
    print("\nOr sign in as one of the staff (passwords of this start):\n")
    for colleague, password in made.passwords:
        print(f"  {colleague.role:<13}{colleague.email:<26}{password}")
    if lan:
        print("\nThe patient's link for a phone; the browser will warn of the certificate made here:\n")
        segno.make(made.links["patient"], error="l").terminal(compact=True)
    print("\nEnd with Ctrl-C.\n", flush=True)
