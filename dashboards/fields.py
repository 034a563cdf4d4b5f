"""Plain fields: how a file names what Superset calls otherwise, and what may be left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.files import AssetError, Document


@dataclass(frozen=True)
class Field:
    """One field of an asset.

    Attributes:
        name: Its name in files.
        superset_name: Its name in Superset.
        default: What it is where a file leaves it out; None there counts as the default too.
    """

    name: str
    superset_name: str
    default: Any = None


def to_superset(fields: Iterable[Field], document: Document) -> Document:
    """Every field by Superset's name: an import changes only what it names."""
    return {field.superset_name: document.get(field.name, field.default) for field in fields}


def to_file(fields: Iterable[Field], exported: Mapping[str, Any]) -> Document:
    """The fields that are not as by default, in the order of the fields."""
    return {
        field.name: exported[field.superset_name]
        for field in fields
        if exported.get(field.superset_name) not in (None, "", field.default)
    }


def refuse_unknown(where: str, document: Mapping[str, Any], known: Sequence[str]) -> None:
    """Find keys that were misspelt.

    Raises:
        AssetError: There is one; the message lists those that exist.
    """
    if unknown := [key for key in document if key not in known]:
        raise AssetError(
            f"{where}: {', '.join(map(str, unknown))} is not known; there are {', '.join(known)}."
        )


def required(where: str, document: Mapping[str, Any], name: str) -> Any:
    """The value of a key that must be there.

    Raises:
        AssetError: It is not.
    """
    if document.get(name) in (None, ""):
        raise AssetError(f"{where}: {name} is missing.")
    return document[name]
