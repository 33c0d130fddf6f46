"""The command line: arguments → one library call → one renderer."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

from summarizer import __version__
from summarizer.errors import SummarizerError

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: Mapping[str, str] = {
    "digest": "summarizer.cli.digest:digest",
    "check": "summarizer.cli.check:check",
    "eval": "summarizer.cli.eval:evaluate_sets",
    "convert": "summarizer.cli.convert:convert",
    "prompts": "summarizer.cli.prompts:prompts",
    "recordings": "summarizer.cli.recordings:recordings",
    "store": "summarizer.cli.store:store",
    "schema": "summarizer.cli.schema:schema",
}

INTERRUPTED = 130


class _Lazy(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="summarizer")
def cli() -> None:
    """Turn a day's arXiv papers into a Korean digest that a reader can trust.

    Try it without a key and without a network: summarizer digest --sample
    """


def main() -> NoReturn:
    """Run the command line and leave with the exit code that the outcome has.

    0 well · 1 a check failed, or an entry failed by its findings · 2 wrong use, bad input or
    configuration · 3 model, network or disk failed after retries · 130 interrupted.
    """
    from summarizer.cli.terminal import notice, unheard

    # What a command makes it mostly keeps: to look for garbage after every 700 objects finds none.
    gc.set_threshold(10_000)
    for stream in (sys.stdout, sys.stderr):
        # What an old code page cannot show is shown as an escape, and is no reason to fail.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    _buffer_stdout()
    stdout = sys.stdout
    try:
        code = cli.main(prog_name="summarizer", standalone_mode=False)
    except click.exceptions.Exit as left:
        code = left.exit_code
    except click.ClickException as wrong:
        with unheard():
            wrong.show()
        code = wrong.exit_code
    except SummarizerError as error:
        notice(f"{'Nothing to do' if error.exit_code == 0 else 'Error'}: {error}")
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        # One more, while Python leaves, would be another exit code.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        notice("Interrupted; the same command takes up where this one stopped")
        code = INTERRUPTED
    except SystemExit:
        # Where the reader of our output has seen enough, click puts another stdout in place and
        # leaves with 1, which says that a check failed.
        if sys.stdout is stdout:
            raise
        code = 0
    except OSError as error:
        place = error.filename or "what is printed could not be written"
        notice(f"Error: {place}: {error.strerror or error}")
        os._exit(3)  # Python would try to write it again at exit
    sys.exit(code)


def _buffer_stdout() -> None:
    """Give stdout the buffer that `python -u` takes from it, still flushed at each line.

    Without one, Python takes a write that the system took only a part of for done.
    """
    unbuffered = sys.stdout
    if isinstance(unbuffered, io.TextIOWrapper) and isinstance(unbuffered.buffer, io.RawIOBase):
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(unbuffered.buffer),
            encoding=unbuffered.encoding,
            errors=unbuffered.errors,
            line_buffering=True,
        )
