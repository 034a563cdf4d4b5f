"""All assets at once: from files to what Superset imports, and from what it exports to files. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from clickstream.settings import ClickHouseSettings
from dashboards.charts import compile_chart, decompile_chart
from dashboards.dashboard import compile_dashboard, decompile_dashboard
from dashboards.databases import compile_database, dashboards_uri, decompile_database
from dashboards.datasets import DATABASE, compile_dataset, decompile_dataset
from dashboards.files import AssetError, Assets, Document
from dashboards.identity import KINDS, asset_uuid

Bundle = dict[str, Document]
"""Superset's form of assets, by file name."""

METADATA_FILE: Final = "metadata.yaml"
_METADATA: Final = {"version": "1.0.0", "type": "assets", "timestamp": "2026-01-01T00:00:00+00:00"}


@dataclass(frozen=True)
class Exported:
    """What Superset has: each kind by id (`uuid`), and the slug of each."""

    documents: Mapping[str, Mapping[str, Document]]
    slugs: Mapping[str, Mapping[str, str]]


def compile_bundle(assets: Assets, clickhouse: ClickHouseSettings) -> Bundle:
    """What Superset's import takes.

    Raises:
        AssetError: A file names what is not there; says which file and what.
    """
    titles = {slug: str(chart.get("title")) for slug, chart in assets.charts.items()}
    dataset_slugs = {asset_uuid("datasets", slug): slug for slug in assets.datasets}
    _refuse_dangling(assets)
    uri = dashboards_uri(clickhouse)
    return {
        METADATA_FILE: dict(_METADATA),
        **{f"databases/{s}.yaml": compile_database(s, d, uri) for s, d in assets.databases.items()},
        **{
            f"datasets/{s}.yaml": compile_dataset(s, d, clickhouse.database)
            for s, d in assets.datasets.items()
        },
        **{f"charts/{s}.yaml": compile_chart(s, d) for s, d in assets.charts.items()},
        **{
            f"dashboards/{s}.yaml": compile_dashboard(s, d, titles, dataset_slugs)
            for s, d in assets.dashboards.items()
        },
    }


def decompile_bundle(exported: Exported, before: Assets) -> Assets:
    """The files of what Superset has; a chart whose dataset has no file gets none either.

    Args:
        exported: What Superset has.
        before: The files so far.
    """
    slugs = exported.slugs

    def named(kind: str) -> list[tuple[str, Document]]:
        return [
            (slugs[kind][id_], doc) for id_, doc in exported.documents[kind].items() if id_ in slugs[kind]
        ]

    datasets = {
        slug: decompile_dataset(document, slugs["databases"][document["database_uuid"]])
        for slug, document in named("datasets")
        if document["database_uuid"] in slugs["databases"]
    }
    charts = {
        slug: decompile_chart(document, slugs["datasets"][document["dataset_uuid"]], before.charts.get(slug))
        for slug, document in named("charts")
        if slugs["datasets"].get(str(document.get("dataset_uuid"))) in datasets
    }
    chart_slugs = {id_: slug for id_, slug in slugs["charts"].items() if slug in charts}
    return Assets(
        databases={slug: decompile_database(document) for slug, document in named("databases")},
        datasets=datasets,
        charts=charts,
        dashboards={
            slug: decompile_dashboard(document, chart_slugs, slugs["datasets"])
            for slug, document in named("dashboards")
        },
    )


def normalised(assets: Assets, clickhouse: ClickHouseSettings) -> Assets:
    """The same assets in the normal form, as an import and an export would give them."""
    bundle = compile_bundle(assets, clickhouse)
    documents: dict[str, dict[str, Document]] = {kind: {} for kind in KINDS}
    slugs: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for kind in KINDS:
        for slug in assets.of(kind):
            document: dict[str, Any] = bundle[f"{kind}/{slug}.yaml"]
            documents[kind][document["uuid"]] = document
            slugs[kind][document["uuid"]] = slug
    return decompile_bundle(Exported(documents, slugs), assets)


def _refuse_dangling(assets: Assets) -> None:
    for slug, chart in assets.charts.items():
        if chart.get("dataset") not in assets.datasets:
            raise AssetError(f"charts/{slug}.yaml: there is no dataset {chart.get('dataset')}.")
    for slug, dataset in assets.datasets.items():
        if dataset.get("database", DATABASE) not in assets.databases:
            raise AssetError(
                f"datasets/{slug}.yaml: there is no database {dataset.get('database', DATABASE)}."
            )
