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
        *_spelling_lines(),
        "Absent means: not there, `null`, or an empty text. Fields that are not in this table are kept in",
        "the raw event and otherwise ignored; fields of your own belong into `payload`.",
        "",
        "# What is refused, and why",
        "",
        "The same code is the API's answer, the quarantine's reason and the metric's label.",
        "",
        "An unusable value of",
        f"{', '.join(f'`{field.name}`' for field in FIELDS if field.is_dispensable)} or a user's `country`",
        "costs neither the event nor the user: it is stored without the value, and the code is a warning in",
        "the API's answer, in `events.warnings` and in the view `event_warnings`.",
        "",
        "| code | about | meaning | what to do |",
        "| --- | --- | --- | --- |",
        *(_code_row(code) for code in ErrorCode),
    ]
    return "\n".join(lines) + "\n"


def _spelling_lines() -> list[str]:
    """What is read in which spelling: a row for each rule, with the fields that it holds for."""
    rules: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[str]] = {}
    for field in FIELDS:
        if field.spelling is not None:
            key = (field.spelling.description, field.spelling.refused, field.spelling.examples)
            rules.setdefault(key, []).append(f"`{field.name}`")
    return [
        "## One value, many spellings",
        "",
        "What has exactly one meaning is read before it is judged; what has two is refused.",
        "",
        "| fields | read | refused | examples |",
        "| --- | --- | --- | --- |",
        *(
            f"| {', '.join(names)} | {read} | {refused} | "
            f"{'<br>'.join(f'`{sent}` is `{meant}`' for sent, meant in examples)} |"
            for (read, refused, examples), names in rules.items()
        ),
        "",
        "In a CSV file, spaces around a cell are dropped, and `\\N`, `NULL`, `null`, `None`, `NaN` and `nan`",
        "mean that there is no value. Byte order marks at the start of a text are skipped.",
        "`url_path` is the path of `url` without query and fragment, `/` if empty; percent-escapes that",
        "spell UTF-8 outside ASCII are decoded, and all others have upper-case digits. `url_host` is in",
        "lower case, without user and port.",
        "",
        "A batch may say when it was sent, as `POST /events?sent_at=2025-01-01T10:00:00Z`, or each event of",
        "the broker in a member `_sent_at`. If that differs from the receipt by more than 5 seconds, the",
        "clock of the sender is wrong, and each `created_at` is moved by the difference.",
        "",
    ]


def _field_row(field: Field) -> str:
    required = "yes" if field.required else "for a click" if field.required_for_click else ""
    unusable = "; an unusable value earns a warning" if field.is_dispensable else ""
    types = " or ".join(field.json_types)
    cells = (
        f"`{field.name}`<br>{field.description}",
        required,
        f"{field.rule} ({types}){unusable}",
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
