"""`clickstream key`: who may send events to the API."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from clickstream.cli.output import AsJson, err, out, print_json, print_table
from clickstream.settings import get_settings
from clickstream.write_keys import create_key, keys_file, read_keys, revoke_key

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke the write keys of the API.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for, such as the site's name.")],
    as_json: AsJson = False,
) -> None:
    """Create a write key and show it once; only its hash is kept.

    Example: clickstream key create shop
    """
    key, secret = create_key(keys_file(get_settings()), name, datetime.now(UTC))
    if as_json:
        print_json({"id": key.id, "name": key.name, "key": secret})
        return
    out.print(secret, markup=False, soft_wrap=True)
    err.print(
        f"This is key {key.id}; it is not shown again. Send it as `Authorization: Bearer KEY`, or as "
        "`data-key` of the tracker.",
        markup=False,
    )


@app.command(name="list")
def list_keys(as_json: AsJson = False) -> None:
    """List the write keys: id, name and dates, but not the key itself.

    Example: clickstream key list
    """
    keys = read_keys(keys_file(get_settings()))
    if as_json:
        print_json(
            [
                {
                    "id": key.id,
                    "name": key.name,
                    "created_at": key.created_at.isoformat(),
                    "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
                }
                for key in keys
            ]
        )
        return
    print_table(
        "Write keys",
        ("id", "name", "made", "revoked"),
        [(key.id, key.name, _shown(key.created_at), _shown(key.revoked_at)) for key in keys],
        empty="There is no write key. Make one: clickstream key create NAME",
    )


@app.command()
def revoke(
    key_id: Annotated[
        str, typer.Argument(metavar="ID", help="The id of the key, from `clickstream key list`.")
    ],
    as_json: AsJson = False,
) -> None:
    """Revoke a write key; a running API refuses it within a second.

    Example: clickstream key revoke ID
    """
    key = revoke_key(keys_file(get_settings()), key_id, datetime.now(UTC))
    if as_json:
        print_json({"id": key.id, "name": key.name, "revoked_at": str(key.revoked_at)})
    else:
        out.print(f"Key {key.id} ({key.name}) is revoked.", markup=False)


def _shown(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
