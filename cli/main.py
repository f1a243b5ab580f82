"""`olive`: everything that an operator and a programme manager do from a terminal."""

import gc
import sys

import typer

from cli import bulk, forecast, holiday, keeping, launch, looking, rehearse, restoring, template, up
from cli.processes import ProcessError
from cli.rehearsal.house import RehearsalError
from cli.remote import RemoteError
from runtime.embedded import EmbeddedTemporalError
from runtime.settings import SettingsError
from runtime.templates import TemplateError
from runtime.temporal import TemporalUnreachableError

app = typer.Typer(
    name="olive",
    help="Improvement programmes for NHS trusts: doctors and managers rebuild trust, step by step, over a year.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its frames print local values, and those may be personal
    add_completion=False,
)
app.command()(up.up)
app.command()(rehearse.rehearse)
app.command()(launch.launch)
app.command()(looking.status)
app.command()(looking.agenda)
app.command()(looking.history)
app.command("forecast")(forecast.forecast_)
app.command()(keeping.migrate)
app.command()(keeping.token)
app.command()(keeping.rebuild)
app.command()(keeping.verify)
app.command()(restoring.restore)
app.add_typer(template.app, name="template", no_args_is_help=True)
app.add_typer(bulk.app, name="bulk", no_args_is_help=True)
app.add_typer(holiday.app, name="holiday", no_args_is_help=True)
app.command()(holiday.holidays)

KNOWN = (
    SettingsError,
    EmbeddedTemporalError,
    TemporalUnreachableError,
    ProcessError,
    RehearsalError,
    TemplateError,
    RemoteError,
    keeping.KeepingError,
)


def run() -> None:
    """The console script: errors that a person can act on are sentences on standard error, exit code 1."""
    try:
        app()
    except KNOWN as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    finally:
        gc.collect()  # a client's native half must go before the interpreter does (sdk-python #300)


if __name__ == "__main__":
    run()
