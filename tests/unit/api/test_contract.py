"""What the API says of itself is what the contract and the loader say."""

import dataclasses
import re
from typing import Any

import pytest

from api import broker, metrics
from api.app import create_app
from api.middleware import SECURITY_HEADERS
from api.refusals import DESCRIPTIONS, STATUSES, RefusalCode
from api.routes.operators import EventTrace
from api.routes.pages import STATIC
from api.senders import EventSource
from clickstream.contract import FIELDS
from clickstream.reasons import DESCRIPTIONS as ERROR_DESCRIPTIONS
from clickstream.reasons import ErrorCode
from clickstream.settings import ClickHouseSettings, MageSettings, PanelSettings, Settings, SupersetSettings
from clickstream.sources.broker import HEADER_SOURCES, MAX_VALUE_BYTES, SOURCE_HEADER
from clickstream.trace import Receipt


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    settings = Settings(
        _env_file=None,
        clickhouse=ClickHouseSettings(writer_password="unused", reader_password="unused"),
        mage=MageSettings(owner_password="unused", jwt_secret="unused"),
        panel=PanelSettings(viewer_password="unused", operator_password="unused", cookie_secret="unused"),
        superset=SupersetSettings(admin_password="unused", viewer_password="unused", secret_key="unused"),
    )
    return create_app(settings).openapi()


def _schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    schema: dict[str, Any] = document["components"]["schemas"][name]
    return schema


def test_the_schema_has_the_fields_of_the_contract(document: dict[str, Any]) -> None:
    event, payload = _schema(document, "Event"), _schema(document, "Payload")
    named = [*event["properties"], *(f"payload.{name}" for name in payload["properties"])]
    assert named == [field.name for field in FIELDS]
    required = {*event["required"], *(f"payload.{name}" for name in payload["required"])}
    assert required == {field.name for field in FIELDS if field.required} | {"payload"}
    for field in FIELDS:
        described = (payload if field.is_in_payload else event)["properties"][field.key]
        assert field.description in described["description"]
        assert field.rule in described["description"]


def test_the_schema_has_the_error_codes(document: dict[str, Any]) -> None:
    assert _schema(document, "ErrorCode")["enum"] == list(ErrorCode)
    assert _schema(document, "Refusal")["properties"]["code"]["enum"] == list(RefusalCode)
    for code in (*ErrorCode, *RefusalCode):
        assert f"`{code}`" in document["info"]["description"]


def test_every_operation_is_in_a_group_with_a_name(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]

    assert operations
    assert {tuple(operation.get("tags", ())) for operation in operations} == {
        ("Events",),
        ("Operators",),
        ("Service",),
    }


def test_no_remedy_leans_on_the_page_that_shows_it() -> None:
    """Remedies are shown on several pages: the API's, the panel's and the reference."""
    remedies = [text for texts in (*ERROR_DESCRIPTIONS.values(), *DESCRIPTIONS.values()) for text in texts]

    assert [text for text in remedies if re.search(r"\b(above|below)\b", text)] == []


def test_every_refusal_has_a_status_and_a_meaning() -> None:
    assert set(STATUSES) == set(DESCRIPTIONS) == set(RefusalCode)


def test_every_status_of_a_refusal_is_documented(document: dict[str, Any]) -> None:
    documented = set(document["paths"]["/events"]["post"]["responses"])
    assert {str(STATUSES[code]) for code in RefusalCode} - documented == {"404", "405"}
    assert {"202", "422"} <= documented


def test_following_an_event_is_described_for_operators_alone(document: dict[str, Any]) -> None:
    described = document["paths"]["/events/{id}"]["get"]
    assert described["security"] == [{"operator": []}]
    assert set(described["responses"]) == {"200", "400", "401", "404", "429", "500", "503"}
    example = described["responses"]["200"]["content"]["application/json"]["example"]
    assert EventTrace.model_validate(example).model_dump(mode="json").keys() == example.keys()
    receipt = _schema(document, "EventReceipt")["properties"]
    assert set(receipt) == {field.name for field in dataclasses.fields(Receipt)}
    assert (
        receipt["offset"]["type"] == _schema(document, "EventTrace")["properties"]["id"]["type"] == "string"
    )


def test_records_are_what_the_loader_takes() -> None:
    assert broker.SOURCE_HEADER == SOURCE_HEADER
    assert broker.MAX_RECORD_BYTES == MAX_VALUE_BYTES
    assert {source.encode() for source in EventSource} == set(HEADER_SOURCES)


def test_metrics_are_named_by_the_rules() -> None:
    names = [
        metric.name
        for metric in metrics.REGISTRY.collect()
        if not metric.name.startswith(("process_", "python_"))
    ]
    assert names
    assert all(re.fullmatch(r"clickstream_api_[a-z_]+", name) for name in names)


@pytest.mark.parametrize("page", ["demo/index.html", "docs/index.html"])
def test_pages_load_nothing_from_elsewhere_and_have_no_scripts_inside(page: str) -> None:
    text = (STATIC / page).read_text()
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert b"content-security-policy" in dict(SECURITY_HEADERS)
