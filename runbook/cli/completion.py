"""``runbook completion``: what a shell must read to complete commands, books, runs and nodes."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, cli, home_option

_HELP = """Print the completion script of SHELL: it completes commands, options, books, scenarios, runs and nodes.

\b
bash   runbook completion bash > ~/.local/share/bash-completion/completions/runbook
zsh    runbook completion zsh > "${fpath[1]}/_runbook"
fish   runbook completion fish > ~/.config/fish/completions/runbook.fish
"""


@click.command(help=_HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@home_option
@click.pass_obj
def command(settings: Settings, shell: str) -> Exit:
    from click.shell_completion import ShellComplete, get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    # Not `source()` of the shell's own class: for bash that starts a bash to ask for its version.
    output.data(ShellComplete.source(made(cli, {}, "runbook", "_RUNBOOK_COMPLETE")))
    return Exit.DONE
