"""Writes what is derived from the contract: the suites of `expectations/` and the reference page.

Run `python -m clickstream.reference` after a change of the contract; a test holds the files equal.
"""

import json
from pathlib import Path
from typing import Final

from clickstream.contract import CSV_COLUMNS, FIELDS, IGNORED_COLUMNS, Field
from clickstream.reasons import DESCRIPTIONS, RECORD_CODES, ErrorCode
from clickstream.validation import SUITES_DIR, expectation_specs

REFERENCE_PAGE: Final = SUITES_DIR / "REFERENCE.md"


def generated_files() -> dict[Path, str]:
    """The text of each generated file by its path."""
    files = {
        SUITES_DIR / f"{name}.json": json.dumps(
            {
                "expectation_suite_name": name,
                "expectations": [spec.as_json() for spec in specs],
                "meta": {"generated_by": "python -m clickstream.reference"},
            },
            indent=2,
            ensure_ascii=False,
        )
        + "\n"
        for name, specs in expectation_specs().items()
    }
    files[REFERENCE_PAGE] = reference_page()
    return files


def reference_page() -> str:
    """The reference of fields and error codes as Markdown."""
    lines = [
        "# The event",
        "",
        "Generated from `clickstream/contract.py` by `python -m clickstream.reference`; edit it there.",
        "",
        "An event is a JSON object, or a line of a CSV file with the header",
        f"`{','.join(CSV_COLUMNS)}`",
        f"(any order; `{', '.join(IGNORED_COLUMNS)}` may be there and is not read; `payload` is JSON text).",
        "",
        "| field | required | must be | when absent | example |",
        "| --- | --- | --- | --- | --- |",
        *(_field_row(field) for field in FIELDS),
        "",
        "Absent means: not there, `null`, or an empty text. Fields that are not in this table are kept in",
        "the raw event and otherwise ignored; fields of your own belong into `payload`.",
        "",
        "# What is refused, and why",
        "",
        "The same code is the API's answer, the quarantine's reason and the metric's label.",
        "",
        "| code | about | meaning | what to do |",
        "| --- | --- | --- | --- |",
        *(_code_row(code) for code in ErrorCode),
    ]
    return "\n".join(lines) + "\n"


def _field_row(field: Field) -> str:
    required = "yes" if field.required else "for a click" if field.required_for_click else ""
    types = " or ".join(field.json_types)
    cells = (
        f"`{field.name}`<br>{field.description}",
        required,
        f"{field.rule} ({types})",
        field.when_absent,
        f"`{field.example}`",
    )
    return f"| {' | '.join(cells)} |"


def _code_row(code: ErrorCode) -> str:
    about = "the record" if code in RECORD_CODES else "a field"
    meaning, remedy = DESCRIPTIONS[code]
    return f"| `{code}` | {about} | {meaning} | {remedy} |"


def main() -> None:
    """Writes the generated files."""
    for path, text in generated_files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
