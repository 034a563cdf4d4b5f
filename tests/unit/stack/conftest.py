"""Settings for tests that start nothing."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from clickstream.settings import (
    ClickHouseSettings,
    MageSettings,
    PanelSettings,
    Settings,
    StackSettings,
    SupersetSettings,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_construct(
        stack=StackSettings(data_dir=tmp_path / "data"),
        clickhouse=ClickHouseSettings(
            writer_password=SecretStr("writer-secret"), reader_password=SecretStr("reader-secret")
        ),
        mage=MageSettings(owner_password=SecretStr("owner-secret"), jwt_secret=SecretStr("signing-secret")),
        panel=PanelSettings(
            viewer_password=SecretStr("panel-viewer-secret"),
            operator_password=SecretStr("panel-operator-secret"),
            cookie_secret=SecretStr("cookie-secret"),
        ),
        superset=SupersetSettings(
            admin_password=SecretStr("admin-secret"),
            viewer_password=SecretStr("viewer-secret"),
            secret_key=SecretStr("superset-secret"),
        ),
    )
