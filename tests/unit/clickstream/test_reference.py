"""What is derived from the contract is what lies in the repository."""

from clickstream.contract import CSV_COLUMNS
from clickstream.reasons import DESCRIPTIONS, ErrorCode
from clickstream.reference import generated_files
from clickstream.settings import PROJECT_ROOT


def test_generated_files_are_up_to_date() -> None:
    for path, text in generated_files().items():
        assert path.read_text() == text, f"{path.name} is stale: run python -m clickstream.reference"


def test_every_code_is_described() -> None:
    assert set(DESCRIPTIONS) == set(ErrorCode)


def test_the_sample_file_has_the_header_of_the_contract() -> None:
    with (PROJECT_ROOT / "data" / "sample_events.csv").open() as sample:
        assert tuple(sample.readline().rstrip("\n").split(",")) == CSV_COLUMNS
