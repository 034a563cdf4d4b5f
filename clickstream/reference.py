"""Writes what is derived from the contract: the suites of `expectations/` and the reference page.

Run `python -m clickstream.reference` after a change of the contract; a test holds the files equal.
"""

import json
from pathlib import Path
from typing import Final

from clickstream.contract import CSV_COLUMNS, FIELDS, IGNORED_COLUMNS, Field
from clickstream.reasons import DESCRIPTIONS, RECORD_CODES, ErrorCode
from clickstream.sources.cells import NULL_WORDS
from clickstream.sources.header import DELIMITERS, USER_COLUMNS
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
        f"(in any order; `{', '.join(IGNORED_COLUMNS)}` may be present and is ignored; `payload` is JSON",
        "text).",
        "",
        "| field | required | must be | when absent | example |",
        "| --- | --- | --- | --- | --- |",
        *(_field_row(field) for field in FIELDS),
        "",
        *_spelling_lines(),
        "A field is absent if it is missing, `null` or an empty text. Fields that are not in the table are",
        "kept in the raw event and otherwise ignored; put fields of your own into `payload`.",
        "",
        *_csv_lines(),
        "# Error codes",
        "",
        "The API's answers, the quarantine and the labels of metrics use the same codes.",
        "",
        "If the value of",
        f"{', '.join(f'`{field.name}`' for field in FIELDS if field.is_dispensable)} or a user's `country`",
        "cannot be used, the event or the user is stored without it. The code is then a warning and appears",
        "in the API's answer, in `events.warnings` and in the view `event_warnings`.",
        "",
        "| code | about | meaning | what to do |",
        "| --- | --- | --- | --- |",
        *(_code_row(code) for code in ErrorCode),
    ]
    return "\n".join(lines) + "\n"


def _spelling_lines() -> list[str]:
    """The accepted spellings: a row for each rule, with the fields that it applies to."""
    rules: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[str]] = {}
    for field in FIELDS:
        if field.spelling is not None:
            key = (field.spelling.description, field.spelling.refused, field.spelling.examples)
            rules.setdefault(key, []).append(f"`{field.name}`")
    return [
        "## One value, many spellings",
        "",
        "A value with exactly one meaning is accepted in these spellings; an ambiguous one is refused.",
        "",
        "| fields | accepted | refused | examples |",
        "| --- | --- | --- | --- |",
        *(
            f"| {', '.join(names)} | {read} | {refused} | "
            f"{'<br>'.join(f'`{sent}` is read as `{meant}`' for sent, meant in examples)} |"
            for (read, refused, examples), names in rules.items()
        ),
        "",
        "`url_path` is the path of `url` without query and fragment, or `/` if the path is empty.",
        "Percent-escapes that spell UTF-8 outside ASCII are decoded, and all others get upper-case digits.",
        "`url_host` is in lower case, without user and port.",
        "",
        "A sender may say when it sent a batch, as `POST /events?sent_at=2025-01-01T10:00:00Z`, or, through",
        "the broker, in a member `_sent_at` of each event. If that time differs from the receipt by more",
        "than 5 seconds, the sender's clock is wrong, and each `created_at` is corrected by the difference.",
        "A file may be loaded at any time, so in a CSV file `_sent_at` changes nothing.",
        "",
    ]


def _csv_lines() -> list[str]:
    """The dialects of CSV that are read."""
    *delimiters, last = DELIMITERS.values()
    *words, last_word = (f"`{word}`" for word in sorted(NULL_WORDS))
    return [
        "## CSV files",
        "",
        "A file is text in UTF-8, plain or packed with gzip or zstd. Byte order marks at its start are",
        "skipped, and lines end with LF or CRLF. `clickstream load` says what it has recognised:",
        "",
        f"- Cells are separated by {', '.join(delimiters)} or {last}. A line such as `sep=;` may precede",
        "  the header.",
        "- Names of columns are read in any case, with or without spaces around them.",
        "- A cell that holds the delimiter, a quote or a line break is in double quotes, and each quote",
        '  inside is doubled (`""`) or escaped (`\\"`).',
        "- Spaces around a cell are dropped, those inside of its quotes are kept.",
        f"- The words {', '.join(words)} and {last_word} mean that there is no value.",
        "- Empty cells at the end of a line, beyond the header's columns, are dropped; so are blank lines.",
        "",
        f"A file with the columns `{','.join(USER_COLUMNS)}` holds users.",
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
