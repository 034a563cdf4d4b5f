"""`clickstream erase`, `erasures` and `export-user`: what is known of a person, and that it no longer is."""

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from clickstream.cli.output import AsJson, err, out, print_json, print_table
from clickstream.cli.runs import reader
from clickstream.errors import BadInputError, ClickstreamError
from clickstream.files import whole_file
from clickstream.privacy.erase import erase_user
from clickstream.privacy.export import export_user
from clickstream.privacy.find import Holdings, find_person
from clickstream.privacy.naming import parse_user_id
from clickstream.privacy.people import read_erased_people
from clickstream.privacy.receipt import Receipt, decode_receipt, describe_receipt
from clickstream.privacy.returned import find_returned
from clickstream.settings import get_settings
from clickstream.storage.client import Role, connect
from clickstream.storage.erasures import read_erasures

UserId = Annotated[str, typer.Argument(metavar="USER_ID", help="The user id, as in the events.")]


def erase(
    user_id: Annotated[
        str, typer.Argument(metavar="USER_ID", help="The user id, as in the events.", show_default=False)
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking for confirmation.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would be removed.")] = False,
    returned: Annotated[
        bool,
        typer.Option("--returned", help="Erase again all erased people that a restored backup contains."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a person: remove every row that names them from disk, permanently.

    Examples: clickstream erase 42 --preview, clickstream erase 42
    """
    if returned == bool(user_id):
        raise BadInputError("Give one user id, or --returned.", hint="For example: clickstream erase 42")
    settings = get_settings()
    if returned:
        client = connect(settings.clickhouse, Role.WRITER)
        people = find_returned(client, read_erased_people(client, settings))
        receipts = [erase_user(settings, person) for person in people]
        _print_receipts(receipts, as_json=as_json)
        return
    person = parse_user_id(user_id)
    if preview or not yes:
        _show_preview(find_person(reader(settings), person), as_json=as_json)
    if preview:
        return
    if not yes:
        _confirm()
    receipt = erase_user(settings, person, lambda sentence: err.print(sentence, markup=False))
    _print_receipts([receipt], as_json=as_json)


def erasures(
    erasure_id: Annotated[
        str, typer.Argument(metavar="ERASURE_ID", help="The id of an erasure; without it, all are listed.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List all erasures, or print the receipt of one.

    Example: clickstream erasures --json
    """
    found = read_erasures(reader(get_settings()), run_id=erasure_id)
    if erasure_id:
        if not found or not found[0].receipt:
            state = "has not finished: run `clickstream erase` once more" if found else "is not known"
            raise BadInputError(
                f"The erasure {erasure_id!r} {state}.", hint="`clickstream erasures` lists all."
            )
        _print_receipts([decode_receipt(found[0].receipt)], as_json=as_json)
        return
    if as_json:
        print_json(
            [
                {"erasure_id": one.run_id, "started_at": one.started_at, "finished_at": one.finished_at}
                for one in found
            ]
        )
        return
    print_table(
        "Erasures",
        ("id", "started (UTC)", "finished (UTC)"),
        [
            (
                one.run_id,
                f"{one.started_at:%Y-%m-%d %H:%M}",
                f"{one.finished_at:%Y-%m-%d %H:%M}" if one.finished_at else "not finished: run it again",
            )
            for one in found
        ],
        empty="Nobody has been erased.",
    )


def export(
    user_id: UserId,
    file: Annotated[
        Path | None, typer.Option("--out", help="The file to write; without it, standard output.")
    ] = None,
) -> None:
    """Write everything that is known about a person as JSON; only you can read the file.

    Example: clickstream export-user 42 --out 42.json
    """
    known = export_user(reader(get_settings()), parse_user_id(user_id))
    text = msgspec.json.format(msgspec.json.encode(known, enc_hook=str), indent=2).decode()
    if file is None:
        sys.stdout.write(text + "\n")
        return
    try:
        with whole_file(file) as target:
            target.write(text + "\n")
    except OSError as error:
        raise BadInputError(f"{file} can't be written: {error.strerror}.") from error
    out.print(f"{len(known['received']):,} received events written to {file}.", markup=False)


def _show_preview(holdings: Holdings, *, as_json: bool) -> None:
    counts: dict[str, Any] = {
        "received": len(holdings.events),
        **holdings.by_fate(),
        "users": int(holdings.user is not None),
        "days": len(holdings.days),
    }
    if as_json:
        print_json(counts)
        return
    print_table("Would be removed", list(counts), [list(counts.values())])


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise BadInputError("Nothing was erased: nobody can be asked here.", hint="Add --yes to do it.")
    typer.confirm("Erase them from disk? This can't be undone.", abort=True, err=True)


def _print_receipts(receipts: list[Receipt], *, as_json: bool) -> None:
    if as_json:
        print_json(msgspec.to_builtins(receipts[0] if len(receipts) == 1 else receipts))
    else:
        text = "\n\n".join(map(describe_receipt, receipts)) or "Nobody on the list of erased people is back."
        out.print(text, markup=False, soft_wrap=True)
    unverified = [receipt.erasure_id for receipt in receipts if not receipt.is_verified]
    if unverified:
        raise ClickstreamError(
            f"The erasure {', '.join(unverified)} could not be verified; the receipt says what is left.",
            hint="Wait until long queries have ended, then erase the person once more.",
        )
