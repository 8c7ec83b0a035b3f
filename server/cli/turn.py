"""`turn`: what a TURN server of this clinic must be told."""

from ipaddress import ip_address
from urllib.parse import urlsplit

import typer

from server.cli.loaded import ConfigOption, loaded
from server.cli.output import MISUSED, fail
from server.turn import turnserver_conf

app = typer.Typer(help="Relays for networks that block the direct way.", no_args_is_help=True)


@app.command()
def config(
    config: ConfigOption = None,
    certificate: str = typer.Option("/etc/coturn/turn.crt", help="Of the TLS leg: the chain (PEM)."),
    key: str = typer.Option("/etc/coturn/turn.key", help="Its private key (PEM)."),
) -> None:
    """Print a turnserver.conf for the settings in force. It holds the secret."""
    settings = loaded(config).settings
    turn, media = settings.turn, settings.media
    if turn.secret is None:
        fail("turn.urls and turn.secret are not set", hint="set both, then print it again", code=MISUSED)
    peers = [str(one) for one in media.public_addresses or media.bind]
    if not any(not ip_address(peer).is_unspecified for peer in peers):
        fail(
            "the addresses of the media ports are not known",
            hint="set media.public_addresses to those a relay reaches",
            code=MISUSED,
        )
    print(
        turnserver_conf(
            urls=turn.urls,
            secret=turn.secret.get_secret_value(),
            realm=urlsplit(settings.public_url).hostname or "meridian",
            peers=peers,
            certificate=certificate,
            key=key,
        ),
        end="",
    )
