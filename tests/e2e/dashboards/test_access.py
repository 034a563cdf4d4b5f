"""Who may do what: viewers see dashboards and nothing else, and people who are not signed in see nothing."""

import json
import socket
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from clickstream.sign_in import FAILURES_ALLOWED
from dashboards.files import read_assets
from tests.e2e.dashboards.superset_client import TIMEOUT_SECONDS, SupersetClient
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
    dataset = ASSETS.datasets[slug]
    metrics = list(dataset.get("metrics", {}))[:1]
    columns = [] if metrics else list(dataset["columns"])[:1]

    assert viewer.query(dataset["table"], metrics, columns)


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
        ("POST", "/api/v1/query/"),
        ("POST", "/superset/explore_json/"),
        ("GET", "/superset/explore_json/data/x"),
        ("PUT", "/api/v1/chart/warm_up_cache"),
        ("PUT", "/api/v1/dataset/warm_up_cache"),
        ("POST", "/api/v1/explore/form_data"),
        ("GET", "/api/v1/explore/?slice_id=1"),
        ("POST", "/api/v1/explore/permalink"),
        ("POST", "/datasource/samples?datasource_type=table&datasource_id=1"),
        ("GET", "/datasource/external_metadata/table/1/"),
        ("POST", "/datasource/save/"),
        ("GET", "/api/v1/datasource/table/1/column/url_path/values/"),
        ("POST", "/api/v1/datasource/table/1/validate_expression/"),
        ("GET", "/api/v1/dataset/1/drill_info/"),
        ("PUT", "/api/v1/dataset/1/refresh"),
        ("POST", "/api/v1/dataset/duplicate"),
        ("POST", "/api/v1/dataset/get_or_create/"),
        ("GET", "/api/v1/database/1/tables/?q=(schema_name:clickstream)"),
        ("GET", "/api/v1/database/1/table_metadata/?name=users"),
        ("GET", "/api/v1/database/1/select_star/users/"),
        ("POST", "/api/v1/database/1/validate_sql/"),
        ("POST", "/api/v1/database/test_connection/"),
        ("POST", "/api/v1/sqllab/estimate/"),
        ("POST", "/api/v1/sqllab/format_sql/"),
        ("GET", "/api/v1/sqllab/results/?q=(key:x)"),
        ("GET", "/api/v1/sqllab/export/x/"),
        ("GET", "/api/v1/advanced_data_type/types"),
        ("POST", "/api/v1/annotation_layer/"),
        ("POST", "/api/v1/css_template/"),
        ("POST", "/api/v1/security/guest_token/"),
        ("GET", "/api/v1/async_event/"),
    ],
)
def test_a_viewer_is_kept_from_everything_else(viewer: SupersetClient, method: str, path: str) -> None:
    assert viewer.send(method, path, {}).status_code in {
        httpx.codes.FORBIDDEN,
        httpx.codes.NOT_FOUND,
    }, f"{method} {path}"


@pytest.mark.parametrize("path", ["/login/", "/api/v1/security/login", "/health", "/static/x", "/nowhere"])
def test_superset_answers_only_under_names_that_it_knows(superset: Superset, path: str) -> None:
    """The request of a page whose own host name points to this machine (DNS rebinding)."""
    answer = httpx.get(f"{superset.url}{path}", headers={"Host": "evil.example:8088"}, trust_env=False)

    assert answer.status_code == httpx.codes.MISDIRECTED_REQUEST
    assert "CLICKSTREAM_SUPERSET__ALLOWED_HOSTS" in answer.json()["message"]


def test_a_viewer_gets_no_page_to_write_sql_or_edit_charts(viewer: SupersetClient) -> None:
    for path in ("/sqllab/", "/explore/?slice_id=1", "/users/", "/roles/", "/databaseview/list/"):
        answer = viewer.get(path)
        assert answer.status_code in {httpx.codes.FORBIDDEN, httpx.codes.FOUND, httpx.codes.NOT_FOUND}, path


SQL_METRIC = {"label": "n", "expressionType": "SQL", "sqlExpression": "count()"}
SQL_COLUMN = {"label": "x", "expressionType": "SQL", "sqlExpression": "concat(url_path, '')"}
SIMPLE_METRIC = {
    "label": "n",
    "expressionType": "SIMPLE",
    "aggregate": "MAX",
    "column": {"column_name": "views"},
}
OWN_EXPRESSIONS = [
    pytest.param({"metrics": [SQL_METRIC]}, id="metric"),
    pytest.param({"metrics": [SIMPLE_METRIC]}, id="metric without SQL"),
    pytest.param({"columns": [SQL_COLUMN]}, id="column"),
    pytest.param({"groupby": [SQL_COLUMN]}, id="groupby"),
    pytest.param({"columns": [{**SQL_COLUMN, "columnType": "BASE_AXIS", "timeGrain": "P1D"}]}, id="axis"),
    pytest.param({"orderby": [[SQL_METRIC, True]]}, id="order"),
    pytest.param({"filters": [{"col": SQL_COLUMN, "op": "==", "val": "/"}]}, id="filter"),
    pytest.param({"extras": {"where": "1 = 1"}}, id="where"),
    pytest.param({"extras": {"where": "{{ 6 * 7 }} = 42"}}, id="where with Jinja"),
    pytest.param({"extras": {"having": "count() > 0"}}, id="having"),
    pytest.param({"where": "1 = 1"}, id="where by its old name"),
    pytest.param(
        {
            "series_columns": ["url_path"],
            "columns": ["url_path"],
            "series_limit": 5,
            "series_limit_metric": SQL_METRIC,
        },
        id="limit of series",
    ),
    pytest.param({"result_type": "samples", "columns": []}, id="samples"),
    pytest.param({"result_type": "drill_detail", "columns": []}, id="rows"),
    pytest.param({"result_type": "query"}, id="statement"),
]


def own_question(client: SupersetClient, part: dict[str, Any], **context: object) -> dict[str, Any]:
    """A question like a chart's, with one part that is the sender's own."""
    query = {"metrics": ["views_total"], "columns": ["url_path"], "row_limit": 5, **part}
    datasource = {"id": client.dataset_id("segment_activity"), "type": "table"}
    return {"datasource": datasource, "queries": [query], "result_format": "json", **context}


@pytest.mark.parametrize("part", OWN_EXPRESSIONS)
def test_a_viewer_gets_what_datasets_define_and_nothing_else(
    admin: SupersetClient, viewer: SupersetClient, part: dict[str, Any]
) -> None:
    allowed = admin.post_chart_data(own_question(admin, part))
    assert allowed.status_code == httpx.codes.OK, allowed.text
    refused = viewer.post_chart_data(own_question(viewer, part))

    assert refused.status_code == httpx.codes.FORBIDDEN
    assert "edit charts" in refused.text


WRONG_RANGES = [
    pytest.param("2026-01-02 : 2026-01-01", "larger than", id="ends before it begins"),
    pytest.param("2026-99-99 : 2026-01-01", "2026-99-99", id="no such day"),
    pytest.param("DATETRUNC(now) : ", "Expected", id="half an expression"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG_RANGES)
def test_a_viewer_is_told_what_is_wrong_with_a_time_range(
    viewer: SupersetClient, wrong: str, said: str
) -> None:
    part = {"granularity": "date", "time_range": wrong}

    refused = viewer.post_chart_data(own_question(viewer, part))

    assert refused.status_code == httpx.codes.BAD_REQUEST
    assert said in refused.text


@pytest.mark.parametrize("asked", ["'2026-01-02 : 2026-01-01'", "!((shift:x))", "!(1)", "(a:b)", "!!!"])
def test_a_viewer_is_told_that_an_address_holds_no_time_range(viewer: SupersetClient, asked: str) -> None:
    assert viewer.get(f"/api/v1/time_range/?q={quote(asked)}").status_code == httpx.codes.BAD_REQUEST


def test_a_viewer_gets_no_column_that_is_there_for_a_metric_alone(viewer: SupersetClient) -> None:
    query = {"columns": ["users_state"], "metrics": ["users"], "row_limit": 1}
    asked = {"datasource": {"id": viewer.dataset_id("segment_users"), "type": "table"}, "queries": [query]}

    assert viewer.post_chart_data(asked).status_code == httpx.codes.FORBIDDEN


def test_an_error_of_the_database_tells_no_address(superset: Superset, viewer: SupersetClient) -> None:
    part = {"filters": [{"col": "date", "op": "IN", "val": ["no day"]}]}

    refused = viewer.post_chart_data(own_question(viewer, part))

    assert refused.status_code == httpx.codes.BAD_REQUEST
    assert "no day" in refused.text
    assert str(superset.settings.clickhouse.port) not in refused.text


def test_a_viewer_writes_no_expression_where_a_name_is_due(viewer: SupersetClient) -> None:
    for part in (
        {"columns": ["upper(url_path)"]},
        {"metrics": ["count()"]},
        {"orderby": [["count()", True]]},
    ):
        assert viewer.post_chart_data(own_question(viewer, part)).status_code == httpx.codes.FORBIDDEN


@pytest.mark.parametrize("kind", ["samples", "drill_detail", "query"])
def test_a_viewer_gets_no_rows_or_statements_by_the_kind_of_answer(viewer: SupersetClient, kind: str) -> None:
    asked = own_question(viewer, {}, result_type=kind)

    assert viewer.post_chart_data(asked).status_code == httpx.codes.FORBIDDEN
    chart = viewer.chart(ASSETS.charts["top_pages"]["title"])["id"]
    assert viewer.get(f"/api/v1/chart/{chart}/data/?type={kind}").status_code == httpx.codes.FORBIDDEN


def test_a_chart_that_is_named_lends_a_viewer_nothing_it_was_not_saved_with(viewer: SupersetClient) -> None:
    chart = viewer.chart(ASSETS.charts["top_pages"]["title"])["id"]
    for form_data in ({"slice_id": chart}, {"slice_id": chart, "tooltip_contents": ["upper(url_path)"]}):
        part = {} if "tooltip_contents" in form_data else {"metrics": [SQL_METRIC]}
        asked = own_question(viewer, part, form_data=form_data)
        assert viewer.post_chart_data(asked).status_code == httpx.codes.FORBIDDEN


def test_a_viewer_sends_the_same_as_a_form_in_vain(viewer: SupersetClient) -> None:
    headers = {
        "Referer": viewer.url,
        "X-CSRFToken": viewer.result("/api/v1/security/csrf_token/"),
    }
    form = {"form_data": json.dumps(own_question(viewer, {"metrics": [SQL_METRIC]}))}

    assert (
        viewer.http.post("/api/v1/chart/data", data=form, headers=headers).status_code
        == httpx.codes.FORBIDDEN
    )
    form = {"query_context": form["form_data"]}
    assert viewer.http.post("/api/v1/query/", data=form, headers=headers).status_code == httpx.codes.FORBIDDEN


def test_what_an_editor_saved_with_a_chart_is_shown_to_viewers(
    admin: SupersetClient, viewer: SupersetClient
) -> None:
    asked = own_question(admin, {"metrics": [SQL_METRIC]})
    body = {
        "slice_name": "Own expression",
        "viz_type": "table",
        "datasource_id": asked["datasource"]["id"],
        "datasource_type": "table",
        "params": json.dumps({"metrics": [SQL_METRIC]}),
        "query_context": json.dumps(asked),
    }
    made = admin.send("POST", "/api/v1/chart/", body)
    assert made.status_code == httpx.codes.CREATED, made.text
    number = made.json()["id"]

    try:
        asked["form_data"] = {"slice_id": number}
        assert viewer.chart_data(asked)[0][0]["n"] > 0
        assert viewer.get(f"/api/v1/chart/{number}/data/").status_code == httpx.codes.OK
        asked["queries"][0]["metrics"] = [{**SQL_METRIC, "sqlExpression": "max(views)"}]
        assert viewer.post_chart_data(asked).status_code == httpx.codes.FORBIDDEN
    finally:
        admin.send("DELETE", f"/api/v1/chart/{number}").raise_for_status()


@pytest.mark.parametrize("place", ["filter_state", "permalink"])
def test_a_viewer_leaves_no_sql_for_the_browsers_of_others(viewer: SupersetClient, place: str) -> None:
    path = f"/api/v1/dashboard/{viewer.dashboards()[0]['id']}/{place}"

    def state(condition: dict[str, Any]) -> dict[str, Any]:
        mask = {"F": {"id": "F", "extraFormData": condition, "filterState": {}}}
        return {"value": json.dumps(mask)} if place == "filter_state" else {"dataMask": mask}

    own = state({"adhoc_filters": [{"expressionType": "SQL", "sqlExpression": "1 = 1"}]})
    assert viewer.send("POST", path, own).status_code == httpx.codes.FORBIDDEN
    chosen = state({"filters": [{"col": "url_path", "op": "IN", "val": ["/cart"]}]})
    assert viewer.send("POST", path, chosen).status_code == httpx.codes.CREATED


def test_a_viewer_sees_no_other_database(
    superset: Superset, admin: SupersetClient, viewer: SupersetClient
) -> None:
    clickhouse = superset.settings.clickhouse
    uri = (
        f"clickhousedb://{clickhouse.reader_user}:{clickhouse.reader_password.get_secret_value()}"
        f"@{clickhouse.host}:{clickhouse.port}/{clickhouse.database}"
    )
    database = admin.send("POST", "/api/v1/database/", {"database_name": "Other", "sqlalchemy_uri": uri})
    assert database.status_code == httpx.codes.CREATED, database.text
    body = {"database": database.json()["id"], "schema": clickhouse.database, "table_name": "users"}
    dataset = admin.send("POST", "/api/v1/dataset/", body)
    assert dataset.status_code == httpx.codes.CREATED, dataset.text
    query = {
        "datasource": {"id": dataset.json()["id"], "type": "table"},
        "queries": [{"columns": ["fio"], "metrics": []}],
    }

    assert admin.post_chart_data(query).status_code == httpx.codes.OK
    assert viewer.post_chart_data(query).status_code == httpx.codes.FORBIDDEN
    assert "users" not in [item["table_name"] for item in viewer.result("/api/v1/dataset/")]

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


@pytest.mark.parametrize("door", ["form", "api"])
def test_passwords_cannot_be_guessed_at_speed(superset: Superset, door: str) -> None:
    # An address of its own for each, so that nobody else has to wait for the limit to pass.
    address = {"form": "127.0.0.71", "api": "127.0.0.72"}[door]
    name = superset.settings.superset.admin_name
    wrong = {"username": name, "password": "wrong", "provider": "db"}
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(base_url=superset.url, transport=transport, timeout=60) as guesser:

        def guess() -> httpx.Response:
            if door == "api":
                return guesser.post("/api/v1/security/login", json=wrong)
            return guesser.post("/login/", data=wrong, headers={"Referer": superset.url})

        codes = [guess().status_code for _ in range(FAILURES_ALLOWED)]
        refused = guess()

    assert httpx.codes.TOO_MANY_REQUESTS not in codes
    assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert 0 < int(refused.headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/login/", {"Origin": "http://127.0.0.1:1"}),
        ("POST", "/api/v1/security/login", {"Origin": "null"}),
        ("POST", "/superset/log/", {"Origin": "http://["}),
        ("GET", "/logout/", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}),
        ("GET", "/api/v1/me/", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}),
    ],
)
def test_pages_of_other_sites_are_refused(
    viewer: SupersetClient, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = viewer.http.request(method, path, headers=headers)

    assert answer.status_code == httpx.codes.FORBIDDEN
    assert viewer.get("/api/v1/me/").status_code == httpx.codes.OK


def test_a_link_on_another_site_leads_to_a_dashboard(viewer: SupersetClient) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    answer = viewer.http.get("/superset/dashboard/clickstream-overview/", headers=link)

    assert answer.status_code == httpx.codes.OK


def test_pages_of_other_sites_use_up_nobodys_sign_ins(superset: Superset) -> None:
    transport = httpx.HTTPTransport(local_address="127.0.0.73")
    wrong = {"username": superset.settings.superset.admin_name, "password": "wrong", "provider": "db"}
    with httpx.Client(base_url=superset.url, transport=transport, timeout=60) as browser:
        for _ in range(FAILURES_ALLOWED + 1):
            browser.post("/api/v1/security/login", json=wrong, headers={"Origin": "http://evil.example"})
        answer = browser.post("/api/v1/security/login", json=wrong)

    assert answer.status_code == httpx.codes.UNAUTHORIZED


def test_signing_in_often_is_no_failure(superset: Superset) -> None:
    for _ in range(FAILURES_ALLOWED + 1):
        superset.viewer().http.close()


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


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", id="half a head"),
        pytest.param(
            b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nuser", id="half a body"
        ),
    ],
)
def test_slow_clients_keep_nobody_out(superset: Superset, begun: bytes) -> None:
    settings = superset.settings.superset
    with ExitStack() as connections, superset.anonymous() as somebody:
        for _ in range(2 * settings.threads):
            address = ("127.0.0.1", settings.port)
            connection = connections.enter_context(socket.create_connection(address, TIMEOUT_SECONDS))
            connection.sendall(begun)

        assert somebody.get("/health/metadata").status_code == httpx.codes.OK


def test_pages_load_nothing_from_elsewhere(viewer: SupersetClient) -> None:
    answer = viewer.get("/superset/dashboard/clickstream-overview/")
    policy = answer.headers["content-security-policy"]

    assert "http" not in policy
    assert "default-src 'self'" in policy
    assert "'unsafe-eval'" not in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_the_session_is_out_of_reach_of_scripts_and_other_sites(superset: Superset) -> None:
    with superset.anonymous() as nobody:
        cookie = nobody.get("/login/").headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
