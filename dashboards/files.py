"""The asset files: one YAML file an asset, named by its slug, in one normal form."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from clickstream.errors import ClickstreamError
from clickstream.settings import PROJECT_ROOT
from dashboards.identity import KINDS, slug_of

ASSETS: Final = PROJECT_ROOT / "superset" / "assets"
LINE_WIDTH: Final = 110
SHORT_LIST_WIDTH: Final = 70

Document = dict[str, Any]
"""One asset, as its file or as Superset has it."""


class AssetError(ClickstreamError):
    """An asset file can't be used; names the file and what is wrong."""


@dataclass(frozen=True)
class Assets:
    """All assets, each kind by slug."""

    databases: Mapping[str, Document] = field(default_factory=dict)
    datasets: Mapping[str, Document] = field(default_factory=dict)
    charts: Mapping[str, Document] = field(default_factory=dict)
    dashboards: Mapping[str, Document] = field(default_factory=dict)

    def of(self, kind: str) -> Mapping[str, Document]:
        """The assets of a kind, by slug."""
        found: Mapping[str, Document] = getattr(self, kind)
        return found

    def slugs(self) -> dict[str, list[str]]:
        """The slugs of each kind."""
        return {kind: sorted(self.of(kind)) for kind in KINDS}


def read_assets(folder: Path = ASSETS) -> Assets:
    """Read all asset files.

    Raises:
        AssetError: A file is not YAML or not a mapping, or its name is not a slug.
    """
    return Assets(
        **{
            kind: {path.stem: _read(path) for path in sorted((folder / kind).glob("*.yaml"))}
            for kind in KINDS
        }
    )


def write_assets(assets: Assets, folder: Path = ASSETS) -> list[str]:
    """Make the files hold these assets and no other; gives the names of files that changed."""
    wanted = dict(_texts(assets))
    present = {
        str(path.relative_to(folder)): path for kind in KINDS for path in (folder / kind).glob("*.yaml")
    }
    changed = [name for name in present if name not in wanted]
    for name in changed:
        present[name].unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(name)
    return sorted(changed)


def digest_of(assets: Assets) -> str:
    """What the assets are, in a few characters."""
    digest = hashlib.sha256()
    for name, text in _texts(assets):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()


def to_yaml(document: Document) -> str:
    """The text of a file: keys in the order given, short lists on one line, long texts in blocks."""
    text: str = yaml.dump(
        document,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=LINE_WIDTH,
        default_flow_style=False,
    )
    return text


def _texts(assets: Assets) -> Iterator[tuple[str, str]]:
    for kind in KINDS:
        for slug, document in sorted(assets.of(kind).items()):
            yield f"{kind}/{slug}.yaml", to_yaml(document)


def _read(path: Path) -> Document:
    if path.stem != slug_of(path.stem):
        raise AssetError(
            f"{path}: a file's name has small letters, digits and underscores: {slug_of(path.stem)}.yaml."
        )
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise AssetError(f"{path} is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise AssetError(f"{path} must hold a mapping, it holds {type(document).__name__}.")
    return document


class _Dumper(yaml.SafeDumper):
    """Writes YAML that people like to read."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Repeat what occurs twice."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _represent_list(dumper: yaml.SafeDumper, items: list[object]) -> yaml.SequenceNode:
    is_short = (
        all(not isinstance(item, list | dict) for item in items) and len(str(items)) <= SHORT_LIST_WIDTH
    )
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=is_short)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(list, _represent_list)
