"""Who may do what: viewers see dashboards and nothing else, and who is not signed in sees nothing."""

import httpx
import pytest

from dashboards.files import read_assets
from tests.e2e.dashboards.superset_client import SupersetClient
from tests.e2e.dashboards.superset_stack import Superset

ASSETS = read_assets()


@pytest.mark.parametrize("slug", sorted(ASSETS.dashboards))
def test_a_viewer_opens_each_dashboard(viewer: SupersetClient, slug: str) -> None:
    url = ASSETS.dashboards[slug]["slug"]

    assert viewer.get(f"/superset/dashboard/{url}/").status_code == httpx.codes.OK
    for part in ("", "/charts", "/datasets"):
        assert viewer.result(f"/api/v1/dashboard/{url}{part}")


@pytest.mark.parametrize("slug", sorted(ASSETS.datasets))
def test_a_viewer_reads_the_data_of_each_dataset(viewer: SupersetClient, slug: str) -> None:
    rows = {"label": "rows", "expressionType": "SQL", "sqlExpression": "count()"}

    assert len(viewer.query(ASSETS.datasets[slug]["table"], [rows])) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/sqllab/execute/"),
        ("GET", "/api/v1/sqllab/"),
        ("GET", "/api/v1/query/"),
        ("GET", "/api/v1/saved_query/"),
        ("GET", "/api/v1/database/"),
        ("GET", "/api/v1/database/1"),
        ("GET", "/api/v1/database/1/schemas/"),
        ("POST", "/api/v1/database/"),
        ("POST", "/api/v1/database/1/upload/"),
        ("POST", "/api/v1/dataset/"),
        ("PUT", "/api/v1/dataset/1"),
        ("DELETE", "/api/v1/dataset/1"),
        ("GET", "/api/v1/dataset/export/?q=!(1)"),
        ("POST", "/api/v1/chart/"),
        ("PUT", "/api/v1/chart/1"),
        ("DELETE", "/api/v1/chart/1"),
        ("GET", "/api/v1/chart/export/?q=!(1)"),
        ("POST", "/api/v1/dashboard/"),
        ("PUT", "/api/v1/dashboard/1"),
        ("DELETE", "/api/v1/dashboard/1"),
        ("GET", "/api/v1/dashboard/export/?q=!(1)"),
        ("GET", "/api/v1/assets/export/"),
        ("POST", "/api/v1/assets/import/"),
        ("GET", "/api/v1/security/users/"),
        ("GET", "/api/v1/security/roles/"),
        ("GET", "/api/v1/log/"),
        ("GET", "/api/v1/report/"),
        ("GET", "/api/v1/rowlevelsecurity/"),
        ("GET", "/api/v1/theme/export/?q=!(1)"),
        ("POST", "/api/v1/theme/"),
    ],
)
def test_a_viewer_is_kept_from_everything_else(viewer: SupersetClient, method: str, path: str) -> None:
    assert viewer.send(method, path, {}).status_code in {
        httpx.codes.FORBIDDEN,
        httpx.codes.NOT_FOUND,
    }, f"{method} {path}"


def test_a_viewer_gets_no_page_to_write_sql_or_edit_charts(viewer: SupersetClient) -> None:
    for path in ("/sqllab/", "/explore/?slice_id=1", "/users/", "/roles/", "/databaseview/list/"):
        answer = viewer.get(path)
        assert answer.status_code in {httpx.codes.FORBIDDEN, httpx.codes.FOUND, httpx.codes.NOT_FOUND}, path


def test_a_viewer_sees_no_other_database(
    superset: Superset, admin: SupersetClient, viewer: SupersetClient
) -> None:
    clickhouse = superset.settings.clickhouse
    uri = (
        f"clickhousedb://{clickhouse.reader_user}:{clickhouse.reader_password.get_secret_value()}"
        f"@{clickhouse.host}:{clickhouse.port}/system"
    )
    database = admin.send("POST", "/api/v1/database/", {"database_name": "Other", "sqlalchemy_uri": uri})
    assert database.status_code == httpx.codes.CREATED, database.text
    body = {"database": database.json()["id"], "schema": "system", "table_name": "one"}
    dataset = admin.send("POST", "/api/v1/dataset/", body)
    assert dataset.status_code == httpx.codes.CREATED, dataset.text
    query = {
        "datasource": {"id": dataset.json()["id"], "type": "table"},
        "queries": [{"columns": ["dummy"], "metrics": []}],
    }

    assert admin.post_chart_data(query).status_code == httpx.codes.OK
    assert viewer.post_chart_data(query).status_code == httpx.codes.FORBIDDEN
    assert "one" not in [item["table_name"] for item in viewer.result("/api/v1/dataset/")]

    admin.send("DELETE", f"/api/v1/dataset/{dataset.json()['id']}").raise_for_status()
    admin.send("DELETE", f"/api/v1/database/{database.json()['id']}").raise_for_status()


@pytest.mark.parametrize("path", ["/health", "/login/"])
def test_who_is_not_signed_in_gets_the_sign_in(superset: Superset, path: str) -> None:
    with superset.anonymous() as nobody:
        assert nobody.get(path).status_code == httpx.codes.OK


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/dashboard/",
        "/api/v1/dashboard/clickstream-overview",
        "/api/v1/dashboard/clickstream-overview/charts",
        "/api/v1/chart/",
        "/api/v1/chart/1/data/",
        "/api/v1/dataset/",
        "/api/v1/me/",
        "/api/v1/database/",
        "/superset/dashboard/clickstream-overview/",
        "/dashboard/list/",
        "/explore/?slice_id=1",
        "/sqllab/",
        "/swagger/v1",
    ],
)
def test_who_is_not_signed_in_sees_nothing(superset: Superset, path: str) -> None:
    with superset.anonymous() as nobody:
        answer = nobody.get(path)

    if answer.status_code == httpx.codes.FOUND:
        assert "/login" in answer.headers["location"]
    elif answer.status_code == httpx.codes.OK:
        # A list of what one may see, which is nothing.
        assert answer.json()["count"] == 0
    else:
        assert answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}


def test_who_is_not_signed_in_gets_no_data(superset: Superset) -> None:
    query = {"datasource": {"id": 1, "type": "table"}, "queries": [{"columns": ["date"], "metrics": []}]}
    with superset.anonymous() as nobody:
        assert nobody.post_chart_data(query).status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}


def test_a_wrong_password_is_refused(superset: Superset) -> None:
    with pytest.raises(AssertionError, match="could not sign in"):
        SupersetClient(superset.url, superset.settings.superset.admin_name, "admin")


def test_what_changes_something_needs_the_token_of_the_page(admin: SupersetClient) -> None:
    answer = admin.http.put("/api/v1/chart/1", json={"slice_name": "x"})

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "CSRF" in answer.text


def test_the_admin_writes_sql_nowhere_either(admin: SupersetClient) -> None:
    body = {"database_id": 1, "sql": "insert into events (id) values (1)", "schema": "clickstream"}

    assert admin.send("POST", "/api/v1/sqllab/execute/", body).status_code != httpx.codes.OK


def test_nobody_keeps_account_of_who_looked_at_what(admin: SupersetClient, viewer: SupersetClient) -> None:
    before = admin.get("/api/v1/log/").json()["count"]

    viewer.get("/superset/dashboard/clickstream-overview/")

    assert admin.get("/api/v1/log/").json()["count"] == before


def test_pages_load_nothing_from_elsewhere(viewer: SupersetClient) -> None:
    answer = viewer.get("/superset/dashboard/clickstream-overview/")
    policy = answer.headers["content-security-policy"]

    assert "http" not in policy
    assert "default-src 'self'" in policy
    assert "'unsafe-eval'" not in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_session_is_out_of_reach_of_scripts_and_other_sites(superset: Superset) -> None:
    with superset.anonymous() as nobody:
        cookie = nobody.get("/login/").headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
