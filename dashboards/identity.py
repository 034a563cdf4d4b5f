"""Names: an asset is known by its kind and slug, and everything else that identifies it is derived."""

import re
import unicodedata
import uuid
from collections.abc import Container
from typing import Final

# Never to be changed: every installation knows its assets by ids made from it.
NAMESPACE: Final = uuid.UUID("6e4c7f0a-4d54-5a0e-9f57-3f4f0a5f6c11")

KINDS: Final = ("databases", "datasets", "charts", "dashboards")


def asset_uuid(kind: str, slug: str) -> str:
    """The id by which Superset knows the asset, the same on every machine."""
    return str(uuid.uuid5(NAMESPACE, f"{kind}/{slug}"))


def slug_of(title: str) -> str:
    """A file name for a title: `Top 10 pages` is `top_10_pages`; empty without a letter or digit."""
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", ascii_title.lower()).strip("_")


def free_slug(title: str, taken: Container[str]) -> str:
    """The title's slug, with a number behind it where it is taken."""
    base = slug_of(title) or "untitled"
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}_{number}", number + 1
    return slug
