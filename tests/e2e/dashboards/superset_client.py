"""A person with a browser, as far as Superset's REST API shows: signs in by the form, holds a session."""

import re
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import httpx

TIMEOUT_SECONDS = 60


class SupersetClient:
    """A session at Superset; without a name it stays anonymous."""

    def __init__(self, url: str, name: str | None = None, password: str = "") -> None:
        self.http = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False)
        if name is not None:
            self._sign_in(name, password)

    @property
    def url(self) -> str:
        """Where Superset is."""
        return str(self.http.base_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()

    def get(self, path: str) -> httpx.Response:
        """Send a request and return the answer, whatever its status."""
        return self.http.get(path)

    def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send JSON as the page would, with its CSRF token."""
        headers = {"Referer": self.url}
        token = self.http.get("/api/v1/security/csrf_token/")
        if token.status_code == httpx.codes.OK:
            headers["X-CSRFToken"] = token.json()["result"]
        return self.http.request(method, path, json=body, headers=headers)

    def result(self, path: str) -> Any:
        """The `result` of an answer that must be 200."""
        answer = self.get(path)
        answer.raise_for_status()
        return answer.json()["result"]

    def charts(self) -> list[dict[str, Any]]:
        """All charts: id, slice_name, viz_type and so on."""
        return list(self.result("/api/v1/chart/?q=(page_size:1000)"))

    def chart(self, title: str) -> dict[str, Any]:
        """The chart of this title: `form_data` holds its settings."""
        (found,) = [chart for chart in self.charts() if chart["slice_name"] == title]
        return found

    def dashboards(self) -> list[dict[str, Any]]:
        """All dashboards: id, slug, dashboard_title and so on."""
        return list(self.result("/api/v1/dashboard/?q=(page_size:1000)"))

    def dataset_id(self, table: str) -> int:
        """The id of the dataset on a view."""
        datasets = self.result("/api/v1/dataset/?q=(page_size:1000)")
        (found,) = [dataset["id"] for dataset in datasets if dataset["table_name"] == table]
        return int(found)

    def post_chart_data(self, body: object) -> httpx.Response:
        """What a dashboard sends for each of its charts."""
        return self.send("POST", "/api/v1/chart/data", body)

    def chart_data(self, body: object) -> list[list[dict[str, Any]]]:
        """The rows of each query; the answer must be 200."""
        answer = self.post_chart_data(body)
        assert answer.status_code == httpx.codes.OK, answer.text
        return [query["data"] for query in answer.json()["result"]]

    def query(
        self, table: str, metrics: Sequence[object], columns: Sequence[object] = (), **further: object
    ) -> list[dict[str, Any]]:
        """Rows of a dataset's metrics by columns, as a chart would ask for them.

        Args:
            table: The view that the dataset is on.
            metrics: Names of metrics, or ad-hoc ones.
            columns: What to group by.
            further: More of the query: `filters=[{"col": "url_path", "op": "IN", "val": ["/"]}]`,
                `time_range="2025-01-01 : 2025-02-01"`, `granularity="date"` …
        """
        query = {"metrics": list(metrics), "columns": list(columns), "row_limit": 10_000, **further}
        body = {
            "datasource": {"id": self.dataset_id(table), "type": "table"},
            "queries": [query],
            "result_format": "json",
            "result_type": "full",
            "force": True,
        }
        return self.chart_data(body)[0]

    def _sign_in(self, name: str, password: str) -> None:
        page = self.http.get("/login/")
        page.raise_for_status()
        token = re.search(r'csrf_token[^>]*?value="([^"]+)"|csrf_token&#34;: &#34;([^&]+)&#34;', page.text)
        form = {"username": name, "password": password}
        if token:
            form["csrf_token"] = token[1] or token[2]
        answer = self.http.post("/login/", data=form, headers={"Referer": str(self.http.base_url)})
        assert answer.status_code == httpx.codes.FOUND, answer.text[:500]
        assert self.http.get("/api/v1/me/").status_code == httpx.codes.OK, f"{name} could not sign in"
