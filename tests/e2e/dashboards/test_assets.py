"""Assets from files to Superset and back, through Superset itself, as people edit them."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboards.files import ASSETS, read_assets, to_yaml
from tests.e2e.dashboards.superset_client import SupersetClient
from tests.e2e.dashboards.superset_stack import Superset

CHART = "views_by_day"


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.yaml"))}


def differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def run(superset: Superset, command: str, folder: Path, *options: str) -> str:
    finished = superset.run(command, folder, *options)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def folder(superset: Superset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Files of our own and two small dashboards; afterwards Superset has what it had before.

    Superset takes seconds for each command, so the tests share the folder, and leave it as Superset is.
    """
    copy = Path(shutil.copytree(ASSETS, tmp_path_factory.mktemp("files") / "assets"))
    for slug, title in ((CHART, "Views by day"), ("doomed", "Doomed")):
        chart = {
            "title": title,
            "description": "Views of elements.",
            "dataset": "page_views",
            "viz_type": "echarts_timeseries_line",
            "params": {"metrics": ["views"], "time_grain_sqla": "P1D", "x_axis": "date"},
        }
        dashboard = {
            "title": f"{title}, alone",
            "slug": f"{slug}-alone",
            "layout": [{"row": [{"chart": slug, "width": 12, "height": 50}]}],
        }
        (copy / "charts" / f"{slug}.yaml").write_text(to_yaml(chart))
        (copy / "dashboards" / f"{slug}.yaml").write_text(to_yaml(dashboard))
    run(superset, "import", copy)
    yield copy
    run(superset, "import", ASSETS)


def counts(client: SupersetClient) -> dict[str, int]:
    return {
        kind: client.get(f"/api/v1/{kind}/").json()["count"] for kind in ("chart", "dashboard", "dataset")
    }


def put(client: SupersetClient, path: str, body: object) -> dict[str, Any]:
    answer = client.send("PUT", path, body)
    assert answer.status_code == httpx.codes.OK, answer.text
    return dict(answer.json())


def test_edits_of_the_browser_come_back_as_small_diffs(
    superset: Superset, admin: SupersetClient, folder: Path
) -> None:
    imported = texts(folder)
    run(superset, "export", folder)
    assert differing(imported, texts(folder)) == []

    # A chart is edited and saved, as the browser does it.
    chart = admin.chart("Views by day")
    params = {
        **json.loads(chart["params"]),
        "row_limit": 500,
        "slice_id": chart["id"],
        "dashboards": [1],
        "extra_form_data": {},
    }
    query_context = json.dumps({"datasource": {"id": 1, "type": "table"}, "queries": [{"row_limit": 500}]})
    put(admin, f"/api/v1/chart/{chart['id']}", {"params": json.dumps(params), "query_context": query_context})
    # A chart is made, and put on a dashboard, whose components get random ids.
    body = {
        "slice_name": "Clicks: top 5",
        "viz_type": "table",
        "datasource_id": admin.dataset_id("page_views"),
        "datasource_type": "table",
        "params": json.dumps({"groupby": ["url_path"], "metrics": ["clicks"], "row_limit": 5}),
    }
    made = admin.send("POST", "/api/v1/chart/", body)
    assert made.status_code == httpx.codes.CREATED, made.text
    (small,) = [item for item in admin.dashboards() if item["slug"] == f"{CHART}-alone"]
    position = json.loads(admin.result(f"/api/v1/dashboard/{small['id']}")["position_json"])
    position["GRID_ID"]["children"].append("ROW-xYz1")
    position["ROW-xYz1"] = {
        "id": "ROW-xYz1",
        "type": "ROW",
        "children": ["CHART-aBc2"],
        "parents": ["ROOT_ID", "GRID_ID"],
        "meta": {"background": "BACKGROUND_TRANSPARENT"},
    }
    position["CHART-aBc2"] = {
        "id": "CHART-aBc2",
        "type": "CHART",
        "children": [],
        "parents": ["ROOT_ID", "GRID_ID", "ROW-xYz1"],
        "meta": {"chartId": made.json()["id"], "width": 6, "height": 40, "sliceName": "Clicks: top 5"},
    }
    metadata = {"positions": position, "color_scheme": "bnbColors", "refresh_frequency": 0}
    put(
        admin,
        f"/api/v1/dashboard/{small['id']}",
        {"position_json": json.dumps(position), "json_metadata": json.dumps(metadata)},
    )

    run(superset, "export", folder)
    exported = texts(folder)

    assert differing(imported, exported) == [
        "charts/clicks_top_5.yaml",
        f"charts/{CHART}.yaml",
        f"dashboards/{CHART}.yaml",
    ]
    assert exported[f"charts/{CHART}.yaml"] == imported[f"charts/{CHART}.yaml"].replace(
        "params:\n  metrics: [views]\n", "params:\n  metrics: [views]\n  row_limit: 500\n"
    )
    assert exported[f"dashboards/{CHART}.yaml"] == (
        "title: Views by day, alone\n"
        f"slug: {CHART}-alone\n"
        "color_scheme: bnbColors\n"
        "layout:\n"
        "  - row:\n"
        f"      - chart: {CHART}\n"
        "        width: 12\n"
        "        height: 50\n"
        "  - row:\n"
        "      - chart: clicks_top_5\n"
        "        width: 6\n"
        "        height: 40\n"
    )
    assert not re.search(r"xYz1|aBc2|[0-9a-f]{8}-[0-9a-f]{4}", exported[f"dashboards/{CHART}.yaml"])

    # What was made in the browser is not made a second time, and keeps its place.
    before = counts(admin)
    (folder / "charts" / "clicks_top_5.yaml").write_text(
        exported["charts/clicks_top_5.yaml"].replace("top 5", "top five")
    )
    run(superset, "import", folder)
    assert counts(admin) == before
    assert admin.chart("Clicks: top five")["id"] == made.json()["id"]
    run(superset, "export", folder)
    assert differing(exported, texts(folder)) == ["charts/clicks_top_5.yaml"]


def test_what_is_deleted_on_one_side_goes_on_the_other(
    superset: Superset, admin: SupersetClient, folder: Path
) -> None:
    before = counts(admin)

    admin.send("DELETE", f"/api/v1/chart/{admin.chart('Doomed')['id']}").raise_for_status()
    run(superset, "export", folder)
    assert not (folder / "charts" / "doomed.yaml").exists()
    assert "chart" not in (folder / "dashboards" / "doomed.yaml").read_text()

    (folder / "dashboards" / "doomed.yaml").unlink()
    run(superset, "import", folder)
    assert "doomed-alone" not in [item["slug"] for item in admin.dashboards()]
    assert counts(admin) == {
        **before,
        "chart": before["chart"] - 1,
        "dashboard": before["dashboard"] - 1,
    }


def test_a_file_that_cannot_be_used_changes_nothing(
    superset: Superset, admin: SupersetClient, folder: Path
) -> None:
    chart = folder / "charts" / f"{CHART}.yaml"
    good = chart.read_text()
    chart.write_text(good.replace("Views by day", "Lost").replace("page_views", "page_view"))

    finished = superset.run("import", folder)

    chart.write_text(good)
    assert finished.returncode == 1
    assert f"charts/{CHART}.yaml: there is no dataset page_view." in finished.stderr
    assert "Traceback" not in finished.stderr
    assert admin.chart("Views by day")


def test_an_export_does_not_undo_edits_of_files(superset: Superset, folder: Path) -> None:
    chart = folder / "charts" / f"{CHART}.yaml"
    edited = chart.read_text().replace("Views by day", "Views a day")
    chart.write_text(edited)

    refused = superset.run("export", folder)

    assert refused.returncode == 1
    assert "edited and not imported" in refused.stderr
    assert chart.read_text() == edited
    run(superset, "export", folder, "--force")
    assert chart.read_text() == edited.replace("Views a day", "Views by day")


def test_settings_that_were_lost_and_made_anew_lock_nobody_out(
    superset: Superset, admin: SupersetClient
) -> None:
    password = "made-anew-as-well"
    try:
        changed = superset.run("import", secret_key="made-anew-since-lost", viewer_password=password)
        assert changed.returncode == 0, changed.stderr
        SupersetClient(superset.url, superset.settings.superset.viewer_name, password)
    finally:
        run(superset, "import", ASSETS)

    rows = {"label": "rows", "expressionType": "SQL", "sqlExpression": "count()"}
    assert admin.query("page_views", [rows])[0]["rows"] > 0


def test_columns_of_every_dataset_are_there_and_described(admin: SupersetClient) -> None:
    for slug, dataset in read_assets().datasets.items():
        found = admin.result(f"/api/v1/dataset/{admin.dataset_id(dataset['table'])}")
        assert [c["column_name"] for c in found["columns"] if not c["description"]] == [], slug
