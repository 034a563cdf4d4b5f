"""`python -m dashboards`, in Superset's environment."""

import argparse
import sys
from pathlib import Path

from clickstream.errors import ClickstreamError
from clickstream.settings import get_settings
from dashboards import server
from dashboards.bundle import normalised
from dashboards.files import ASSETS, read_assets, write_assets


def format_files(folder: Path) -> None:
    """Put the asset files into the normal form; needs no Superset."""
    assets = read_assets(folder)
    changed = write_assets(normalised(assets, get_settings().clickhouse), folder)
    server.say(f"{len(changed)} files changed: {', '.join(changed) or 'none'}")


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description="Dashboards as code.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="set Superset up, then serve it; the stack runs this")
    importing = commands.add_parser("import", help="import the files into Superset, running or not")
    exporting = commands.add_parser("export", help="export Superset's assets to the files")
    exporting.add_argument(
        "--force", action="store_true", help="overwrite files that were edited since the last import"
    )
    formatting = commands.add_parser(
        "format", help="rewrite the files in the normal form; does not need Superset"
    )
    for command in (importing, exporting, formatting):
        command.add_argument("--assets", type=Path, default=ASSETS, help="the folder of the files")
    importing.add_argument("--as-service", action="store_true", help="write lines of the service's log")
    return parser.parse_args()


def main() -> None:
    """Do what the command line asks; what a person can act on is told without a traceback."""
    options = parse_arguments()
    server.tell(as_service=options.command == "serve" or getattr(options, "as_service", False))
    try:
        match options.command:
            case "serve":
                server.serve()
            case "import":
                server.prepare(get_settings(), options.assets)
            case "export":
                server.export(get_settings(), options.assets, force=options.force)
            case "format":
                format_files(options.assets)
    except ClickstreamError as error:
        sys.exit(f"Error: {error}" + (f"\n{error.hint}" if error.hint else ""))


if __name__ == "__main__":
    main()
