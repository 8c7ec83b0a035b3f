"""The program's commands."""

import typer

from server.cli import audit, config, consent, database, doctor, recording, serve, turn, vault

app = typer.Typer(
    name="meridian",
    help="Video consults with a live interpreter.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(audit.app, name="audit")
app.add_typer(config.app, name="config")
app.add_typer(database.db, name="db")
app.add_typer(database.user, name="user")
app.add_typer(turn.app, name="turn")
app.add_typer(database.consult, name="consult")
app.add_typer(consent.app, name="consent")
app.add_typer(recording.app, name="recording")
app.add_typer(vault.app, name="vault")
app.command()(serve.serve)
app.command()(doctor.doctor)


def main() -> None:
    """Run the command line."""
    app()
