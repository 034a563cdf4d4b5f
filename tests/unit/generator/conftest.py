import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from generator.csv_writer import write_dataset
from generator.plan import DatasetFiles, Plan
from tests.unit.generator.recount import Recount, recount

PLAN = Plan(events=20_000, days=9, seed=7, faults=0.02, duplicates=0.03, until=date(2024, 3, 4))
"""Nine days across the 29th of February."""


@dataclass(frozen=True)
class Dataset:
    plan: Plan
    files: DatasetFiles
    key: dict[str, Any]
    recount: Recount


def make_dataset(plan: Plan, folder: Path) -> Dataset:
    files = DatasetFiles.beside(folder / "shop.csv")
    write_dataset(plan, files, lambda _: None)
    return Dataset(plan, files, json.loads(files.key.read_text("utf-8")), recount(files.events))


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(PLAN, tmp_path_factory.mktemp("dataset"))


@pytest.fixture(scope="session")
def sparse_dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Days without any event, sessions of one event, windows longer than the gaps."""
    plan = Plan(events=80, days=50, seed=11, faults=0, duplicates=0.1)
    return make_dataset(plan, tmp_path_factory.mktemp("sparse"))
