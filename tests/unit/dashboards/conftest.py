"""Assets of each make, and how to reach the warehouse."""

import pytest
from pydantic import SecretStr

from clickstream.settings import ClickHouseSettings
from dashboards.files import Assets


@pytest.fixture(scope="package")
def clickhouse() -> ClickHouseSettings:
    return ClickHouseSettings(
        writer_password=SecretStr("writer"),
        reader_password=SecretStr("reader"),
        dashboards_password=SecretStr("p@ss/word"),
    )


@pytest.fixture
def assets() -> Assets:
    """Something of everything, in the normal form."""
    return Assets(
        databases={"clickstream": {"name": "Clickstream"}},
        datasets={
            "page_views": {
                "table": "page_views",
                "main_time_column": "date",
                "metrics": {
                    "clicks": {"label": "Clicks", "expression": "sum(clicks)", "format": ",d"},
                    "views": {"expression": "sum(views)", "description": "Views of elements"},
                },
                "columns": {
                    "is_weekend": {"expression": "toDayOfWeek(date) > 5", "type": "UInt8"},
                    "url_path": {"label": "Page"},
                },
            },
            "pages_of_today": {
                "table": "pages_of_today",
                "sql": "select date, url_path\nfrom page_views\nwhere date = today()",
                "columns": {"date": {"type": "Date", "is_time": True}, "url_path": {"type": "String"}},
            },
        },
        charts={
            "views": {
                "title": "Views by day (UTC)",
                "description": "Views of elements.",
                "dataset": "page_views",
                "viz_type": "echarts_timeseries_line",
                "params": {
                    "adhoc_filters": [
                        {"subject": "date", "operator": "TEMPORAL_RANGE", "comparator": "No filter"},
                        {"clause": "WHERE", "sqlExpression": "views > 0"},
                        {"clause": "HAVING", "subject": "views", "operator": ">", "comparator": 3},
                    ],
                    "metrics": [
                        "views",
                        {"label": "Share", "sqlExpression": "sum(clicks) / sum(views)"},
                        {"aggregate": "SUM", "column": {"column_name": "clicks"}},
                    ],
                    "x_axis": "date",
                },
            },
            "pages": {"title": "Pages", "dataset": "pages_of_today", "viz_type": "table"},
        },
        dashboards={
            "overview": {
                "title": "Overview",
                "slug": "clickstream-overview",
                "color_scheme": "supersetColors",
                "label_colors": {"Views": "#112233"},
                "cross_filter_scope": {"except_charts": ["pages"]},
                "cross_filter_scopes": {"pages": {"tabs": ["All"]}},
                "filters": [
                    {"name": "Date range", "type": "time", "default": "Last month"},
                    {
                        "name": "Page",
                        "type": "select",
                        "description": "Path of the page",
                        "dataset": "page_views",
                        "column": "url_path",
                        "default": ["/", "/cart"],
                        "controls": {"multiSelect": False},
                        "tabs": ["All"],
                        "except_charts": ["pages"],
                    },
                    {"name": "More", "type": "divider"},
                    {
                        "name": "Element",
                        "type": "select",
                        "dataset": "page_views",
                        "column": "url_path",
                        "parents": ["Page"],
                    },
                ],
                "layout": [
                    {
                        "tabs": [
                            {
                                "tab": "All",
                                "content": [
                                    {"header": "Views", "size": "LARGE_HEADER"},
                                    {
                                        "row": [
                                            {"chart": "views", "width": 8, "height": 60},
                                            {
                                                "width": 4,
                                                "column": [
                                                    {
                                                        "markdown": "All in **UTC**",
                                                        "width": 4,
                                                        "height": 20,
                                                    },
                                                    {"divider": True},
                                                    {
                                                        "chart": "pages",
                                                        "title": "Today",
                                                        "width": 4,
                                                        "height": 30,
                                                    },
                                                ],
                                            },
                                        ]
                                    },
                                ],
                            },
                            {
                                "tab": "Once more",
                                "content": [
                                    {
                                        "background": "BACKGROUND_WHITE",
                                        "row": [{"chart": "views", "width": 12, "height": 50}],
                                    }
                                ],
                            },
                        ]
                    }
                ],
            },
            "plain": {
                "title": "Plain",
                "published": False,
                "layout": [{"row": [{"chart": "pages", "width": 4, "height": 50}]}],
            },
        },
    )
