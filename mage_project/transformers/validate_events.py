"""Judge each row, and then the batch as a whole."""

from clickstream.etl import process

if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer


@transformer
def validate_events(manifest: dict[str, object]) -> dict[str, object]:
    """Split the rows into valid and invalid with Great Expectations.

    The suites are in `expectations/`; what each expectation found is stored in
    `expectation_results`.
    """
    return process.validate_events(manifest)
