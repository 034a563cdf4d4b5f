"""`python -m dashboards`, in Superset's environment."""

import argparse
import sys
from collections.abc import Callable

from clickstream.errors import ClickstreamError
from clickstream.settings import get_settings
from dashboards import server
from dashboards.bundle import normalised
from dashboards.files import read_assets, write_assets


def format_files() -> None:
    """Put the asset files into the normal form; needs no Superset."""
    assets = read_assets()
    changed = write_assets(normalised(assets, get_settings().clickhouse))
    server.say(f"{len(changed)} files changed: {', '.join(changed) or 'none'}")


def main() -> None:
    """Do what the command line asks; what a person can act on is told without a traceback."""
    commands: dict[str, Callable[[], None]] = {
        "serve": server.serve,
        "prepare": lambda: server.prepare(get_settings()),
        "import": lambda: server.prepare(get_settings()),
        "export": lambda: server.export(get_settings(), force=options.force),
        "format": format_files,
    }
    parser = argparse.ArgumentParser(prog="python -m dashboards", description="Dashboards as code.")
    parser.add_argument("command", choices=sorted(commands))
    parser.add_argument("--force", action="store_true", help="export over edited files")
    options = parser.parse_args()
    try:
        commands[options.command]()
    except ClickstreamError as error:
        sys.exit(f"Error: {error}" + (f"\n{error.hint}" if error.hint else ""))


if __name__ == "__main__":
    main()
