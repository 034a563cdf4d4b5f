"""Find out what a CSV file is before anything of it is loaded."""

from clickstream.etl import csv_load

if "data_loader" not in globals():
    from mage_ai.data_preparation.decorators import data_loader


@data_loader
def inspect_csv_file(**variables: object) -> dict[str, object]:
    """Give the file's kind, columns, delimiter, encoding and checksum.

    Also whether it was loaded before. The variable `path` names the file.
    """
    return csv_load.inspect_file(str(variables["path"]))
