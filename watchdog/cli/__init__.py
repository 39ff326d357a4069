"""The command `slo-watchdog`. Exit status: see `cli/shared.py`."""

from __future__ import annotations

import typer

from watchdog.cli import check, demo, look, orders, process

app = typer.Typer(
    name="slo-watchdog",
    help="Reads metrics, judges them by rule files, rolls back by itself, and proves that it did.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Exit status: 0 as it should be, 1 not so, 2 wrong usage, 3 no daemon, "
    "4 refused, 5 not confirmed.",
)

for command in (
    process.run,
    process.init,
    check.check,
    demo.demo,
    look.status,
    look.decisions,
    look.why,
    orders.apply,
    orders.hold,
    orders.silence,
    orders.release,
    orders.rollback,
    orders.undo,
    orders.ack,
    orders.act,
    orders.close,
    orders.mark,
):
    app.command()(command)


def main() -> None:
    """The console script."""
    app()
