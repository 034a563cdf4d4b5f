"""Files, Superset's form, and back: nothing is lost, and nothing is added."""

import dataclasses
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clickstream.settings import ClickHouseSettings
from dashboards.bundle import compile_bundle, normalised
from dashboards.charts import decompile_chart
from dashboards.files import (
    AssetError,
    Assets,
    Document,
    digest_of,
    read_assets,
    to_yaml,
    write_assets,
)
from dashboards.identity import KINDS, asset_uuid, free_slug, slug_of
from dashboards.warehouse import tables


def text_of(assets: Assets) -> dict[str, str]:
    return {
        f"{kind}/{slug}": to_yaml(document) for kind in KINDS for slug, document in assets.of(kind).items()
    }


def test_what_is_in_the_normal_form_comes_back_byte_by_byte(
    assets: Assets, clickhouse: ClickHouseSettings
) -> None:
    assert text_of(normalised(assets, clickhouse)) == text_of(assets)


def test_our_own_files_are_in_the_normal_form(clickhouse: ClickHouseSettings) -> None:
    files = read_assets()

    assert text_of(normalised(files, clickhouse)) == text_of(files)


def test_files_are_written_as_they_are_read(assets: Assets, tmp_path: Path) -> None:
    written = write_assets(assets, tmp_path)

    assert digest_of(read_assets(tmp_path)) == digest_of(assets)
    assert len(written) == 7
    assert write_assets(assets, tmp_path) == []


def test_a_file_of_what_is_gone_is_deleted(assets: Assets, tmp_path: Path) -> None:
    write_assets(assets, tmp_path)

    changed = write_assets(dataclasses.replace(assets, dashboards={}), tmp_path)

    assert changed == ["dashboards/overview.yaml", "dashboards/plain.yaml"]
    assert not list((tmp_path / "dashboards").iterdir())


def test_the_order_of_keys_changes_nothing(assets: Assets, clickhouse: ClickHouseSettings) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, list):
            return [shuffled(item) for item in value]
        if isinstance(value, dict):
            keys = list(value)
            random.Random(1).shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        return value

    mixed = Assets(**{kind: shuffled(assets.of(kind)) for kind in KINDS})
    # A chart's kind of component decides, not the place of its key; colours keep the order that they have.
    assert text_of(normalised(mixed, clickhouse)) == text_of(assets)


def test_no_id_is_random_and_no_place_has_two(assets: Assets, clickhouse: ClickHouseSettings) -> None:
    first, second = (compile_bundle(assets, clickhouse) for _ in range(2))
    position = first["dashboards/overview.yaml"]["position"]
    children = [
        child for item in position.values() if isinstance(item, dict) for child in item.get("children", [])
    ]

    assert first == second
    assert len(children) == len(set(children))
    assert set(children) <= set(position)


def test_parents_lead_to_the_root(assets: Assets, clickhouse: ClickHouseSettings) -> None:
    position = compile_bundle(assets, clickhouse)["dashboards/overview.yaml"]["position"]

    for id_, component in position.items():
        if isinstance(component, dict) and component.get("parents"):
            above = position[component["parents"][-1]]
            assert id_ in above["children"] or (id_, component["type"]) == ("GRID_ID", "GRID")
            assert above.get("parents", []) == component["parents"][:-1]


def test_a_password_is_in_the_address_and_in_no_file(assets: Assets, clickhouse: ClickHouseSettings) -> None:
    bundle = compile_bundle(assets, clickhouse)

    assert "p%40ss%2Fword@" in bundle["databases/clickstream.yaml"]["sqlalchemy_uri"]
    assert "word" not in str(text_of(normalised(assets, clickhouse)))


@pytest.mark.parametrize("switch", ["allow_dml", "allow_csv_upload", "allow_ctas", "allow_cvas"])
def test_a_database_takes_nothing_in(assets: Assets, clickhouse: ClickHouseSettings, switch: str) -> None:
    assert compile_bundle(assets, clickhouse)["databases/clickstream.yaml"][switch] is False


def test_columns_are_described_as_in_the_warehouse(assets: Assets, clickhouse: ClickHouseSettings) -> None:
    dataset = compile_bundle(assets, clickhouse)["datasets/page_views.yaml"]
    columns = {column["column_name"]: column for column in dataset["columns"]}

    assert {*tables()["page_views"].columns, "is_weekend"} == set(columns)
    assert columns["url_path"]["description"] == "Path of the page"
    assert columns["url_path"]["verbose_name"] == "Page"
    assert columns["date"]["is_dttm"] is True
    assert columns["views"]["type"] == "UInt64"
    assert dataset["description"] == "Which pages are used. One row per day and page."


def test_every_view_has_types_and_descriptions_for_all_columns() -> None:
    bare = [
        f"{table.name}.{column.name}"
        for table in tables().values()
        for column in table.columns.values()
        if not (column.type and column.description)
    ]

    assert bare == []
    assert all(table.columns for table in tables().values())


def edited(assets: Assets, kind: str, slug: str, change: Callable[[Document], object]) -> Assets:
    """The assets with one changed."""
    document: Document = json.loads(json.dumps(assets.of(kind)[slug]))
    change(document)
    return dataclasses.replace(assets, **{kind: {**assets.of(kind), slug: document}})


Mistake = tuple[str, str, Callable[[Document], object], str]

MISTAKES: dict[str, Mistake] = {
    "view": ("datasets", "page_views", lambda d: d.update(table="pages"), "no view or mart 'pages'"),
    "column": (
        "datasets",
        "page_views",
        lambda d: d["columns"].update(urlpath={"label": "Page"}),
        "page_views has no column urlpath",
    ),
    "metric": (
        "datasets",
        "page_views",
        lambda d: d["metrics"]["views"].pop("expression"),
        "expression is missing",
    ),
    "key": ("datasets", "page_views", lambda d: d.update(metric={}), "metric is not known"),
    "chart's dataset": ("charts", "views", lambda d: d.update(dataset="views"), "no dataset views"),
    "chart's title": ("charts", "views", lambda d: d.pop("title"), "title is missing"),
    "generated": ("charts", "views", lambda d: d["params"].update(slice_id=3), "slice_id can't be set"),
    "chart": ("dashboards", "plain", lambda d: d["layout"][0]["row"][0].update(chart="x"), "the chart x"),
    "component": ("dashboards", "plain", lambda d: d["layout"].append({"graph": "x"}), "a node is one of"),
    "component's key": (
        "dashboards",
        "plain",
        lambda d: d["layout"][0]["row"][0].update(heigth=3),
        "heigth is not known",
    ),
    "filter's dataset": (
        "dashboards",
        "overview",
        lambda d: d["filters"][1].update(dataset="x"),
        "no dataset x",
    ),
    "filter's tab": ("dashboards", "overview", lambda d: d["filters"][1].update(tabs=["x"]), "no tab x"),
    "filter's chart": (
        "dashboards",
        "overview",
        lambda d: d["filters"][1].update(except_charts=["x"]),
        "no chart x",
    ),
    "filter's parent": (
        "dashboards",
        "overview",
        lambda d: d["filters"][3].update(parents=["x"]),
        "no filter x",
    ),
    "filter's type": ("dashboards", "overview", lambda d: d["filters"][1].update(type="x"), "type is x"),
    "filters of one name": (
        "dashboards",
        "overview",
        lambda d: d["filters"][1].update(name="Element"),
        "two filters are called Element",
    ),
    "tabs of one name": (
        "dashboards",
        "overview",
        lambda d: d["layout"][0]["tabs"][1].update(tab="All"),
        "two tabs are called All",
    ),
}


@pytest.mark.parametrize(("kind", "slug", "change", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_said_with_its_file(
    assets: Assets,
    clickhouse: ClickHouseSettings,
    kind: str,
    slug: str,
    change: Callable[[Document], object],
    message: str,
) -> None:
    with pytest.raises(AssetError, match=f"{kind}/{slug}.yaml.*{message}"):
        compile_bundle(edited(assets, kind, slug, change), clickhouse)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("Top 10.yaml", "title: x", "top_10.yaml"),
        ("x.yaml", "a: [", "not YAML"),
        ("x.yaml", "- a", "a mapping"),
    ],
    ids=["name", "syntax", "list"],
)
def test_a_file_that_is_no_asset_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / name).write_text(text)

    with pytest.raises(AssetError, match=message):
        read_assets(tmp_path)


@pytest.mark.parametrize(
    ("title", "slug"),
    [("Top 10 pages", "top_10_pages"), ("Конверсия", ""), ("Größe — Übersicht", "groe_ubersicht")],
)
def test_a_slug_has_letters_digits_and_underscores(title: str, slug: str) -> None:
    assert slug_of(title) == slug


def test_a_slug_that_is_taken_gets_a_number() -> None:
    assert free_slug("Pages", {"pages", "pages_2"}) == "pages_3"
    assert free_slug("Конверсия", set()) == "untitled"


def test_what_a_browser_adds_to_a_chart_is_left_out() -> None:
    saved = {
        "slice_name": "Views",
        "viz_type": "table",
        "description": None,
        "query_context": '{"datasource": {"id": 1}}',
        "params": {
            "datasource": "1__table",
            "viz_type": "table",
            "slice_id": 7,
            "dashboards": [1],
            "annotation_layers": [],
            "extra_form_data": {},
            "url_params": {"native_filters_key": "x"},
            "server_page_length": 20,
            "show_totals": False,
            "matrixify_enable": False,
            "temporal_columns_lookup": {"date": True},
            "metrics": [
                {
                    "aggregate": "SUM",
                    "column": {"column_name": "views", "id": 3, "uuid": "x", "type": "UInt64"},
                    "datasourceWarning": False,
                    "expressionType": "SIMPLE",
                    "hasCustomLabel": False,
                    "label": "SUM(views)",
                    "optionName": "metric_k3j_2l",
                    "sqlExpression": None,
                }
            ],
            "adhoc_filters": [
                {
                    "clause": "WHERE",
                    "comparator": ["/"],
                    "datasourceWarning": False,
                    "expressionType": "SIMPLE",
                    "filterOptionName": "filter_x_y",
                    "isExtra": False,
                    "isNew": False,
                    "operator": "IN",
                    "operatorId": "IN",
                    "sqlExpression": None,
                    "subject": "url_path",
                }
            ],
        },
    }

    assert decompile_chart(saved, "page_views") == {
        "title": "Views",
        "dataset": "page_views",
        "viz_type": "table",
        "params": {
            "adhoc_filters": [{"subject": "url_path", "operator": "IN", "comparator": ["/"]}],
            "metrics": [{"aggregate": "SUM", "column": {"column_name": "views"}}],
            "server_page_length": 20,
        },
    }


def test_ids_stay_what_they_are() -> None:
    # Another id would be another asset: every installation would have each twice.
    assert asset_uuid("charts", "views") == "245fc1d3-4568-5474-8b5e-ebb1fe6092c0"


def test_a_default_that_a_file_has_stays_there() -> None:
    saved = {"slice_name": "Views", "viz_type": "table", "params": {"show_totals": False, "color_pn": True}}

    exported = decompile_chart(saved, "page_views", {"params": {"show_totals": True}})

    assert exported["params"] == {"show_totals": False}
