"""Great Expectations decides, row by row, which records are events, and looks at the batch as a whole.

The suites are data in `expectations/`, derived from the contract (`expectation_specs`). They see a frame of
texts and JSON types as sent (`build_frame`), so that each rule is a standard expectation.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, get_args

import pandas as pd

from clickstream.contract import FIELDS, TIMESTAMP_PATTERN, EventType, Field, Kind
from clickstream.decode import TYPE_NAMES, PayloadForm, Values, parse_timestamp, text_of
from clickstream.metric_ids import remember_metric_ids
from clickstream.reasons import RECORD_CODES, ErrorCode
from clickstream.settings import PROJECT_ROOT

SUITES_DIR: Final = PROJECT_ROOT / "expectations"
TYPE: Final = ":type"
LENGTH: Final = ":length"
LEAD_MS: Final = "created_at:lead_ms"
MOMENT_MS: Final = "created_at:ms"
READABLE: Final = "payload:readable"
DEFECT: Final = "defect"
VERDICT: Final = "verdict"

_RESULT_FORMAT: Final = {
    "result_format": "COMPLETE",
    "include_unexpected_rows": False,
    "return_unexpected_index_query": False,
}

SuiteName = Literal["records", "events", "batch"]


@dataclass(frozen=True, slots=True)
class ExpectationSpec:
    """One expectation of a suite.

    Attributes:
        expectation: Great Expectations' name of it.
        arguments: Its arguments, the column among them.
        field: The field of the contract that it is about, or what a batch check is about.
        code: What a row earns that does not meet it; empty for a check of the whole batch.
    """

    expectation: str
    arguments: Mapping[str, Any]
    field: str
    code: str

    def as_json(self) -> dict[str, Any]:
        """The form of Great Expectations' suite files."""
        meta = {"field": self.field, "code": self.code}
        return {"expectation_type": self.expectation, "kwargs": dict(self.arguments), "meta": meta}


@dataclass(frozen=True, slots=True)
class ExpectationOutcome:
    """What one expectation found in one batch.

    Attributes:
        scope: `row` where it decides on rows, `batch` where it looks at the batch as a whole.
        evaluated: Rows looked at.
        unexpected: Rows that do not meet it.
        observed: What was seen instead, for checks of the whole batch.
    """

    scope: Literal["row", "batch"]
    expectation: str
    field: str
    code: str
    success: bool
    evaluated: int
    unexpected: int
    observed: str


def expectation_specs() -> dict[SuiteName, list[ExpectationSpec]]:
    """The three suites as the contract wants them.

    `records` asks whether a record could be read, `events` checks the fields of those that could, and
    `batch` looks at volume, share of nulls and freshness; what it finds is shown and stops nothing.
    """
    records = [
        ExpectationSpec(
            "expect_column_values_to_not_be_in_set", {"column": DEFECT, "value_set": [code.value]}, "", code
        )
        for code in ErrorCode
        if code in RECORD_CODES
    ]
    events = [spec for field in FIELDS for spec in _field_specs(field)]
    return {"records": records, "events": events, "batch": _batch_specs()}


def _field_specs(field: Field) -> list[ExpectationSpec]:
    specs: list[ExpectationSpec] = []

    def expect(code: ErrorCode, name: str, column: str, **arguments: Any) -> None:
        specs.append(ExpectationSpec(name, {"column": column, **arguments}, field.name, code))

    if field.kind is Kind.PAYLOAD:
        expect(
            ErrorCode.INVALID_PAYLOAD,
            "expect_column_values_to_be_in_set",
            field.name + TYPE,
            value_set=[PayloadForm.OBJECT],
        )
        return specs
    condition = _required_condition(field)
    if condition is not None:
        expect(ErrorCode.MISSING_FIELD, "expect_column_values_to_not_be_null", field.name + TYPE, **condition)
    expect(
        ErrorCode.WRONG_TYPE,
        "expect_column_values_to_be_in_set",
        field.name + TYPE,
        value_set=list(field.json_types),
    )
    if field.max_length is not None:
        expect(
            ErrorCode.TOO_LONG,
            "expect_column_values_to_be_between",
            field.name + LENGTH,
            max_value=field.max_length,
        )
    if field.choice_code is not None:
        expect(
            field.choice_code,
            "expect_column_values_to_be_in_set",
            field.name,
            value_set=[str(choice) for choice in field.choices],
        )
    if field.pattern is not None:
        expect(field.pattern_code, "expect_column_values_to_match_regex", field.name, regex=field.pattern)
    if field.kind is Kind.TIMESTAMP:
        expect(ErrorCode.INVALID_TIMESTAMP, "expect_column_values_to_be_between", MOMENT_MS, min_value=0)
        expect(
            ErrorCode.CREATED_AT_IN_FUTURE,
            "expect_column_values_to_be_between",
            LEAD_MS,
            max_value={"$PARAMETER": "future_allowed_ms"},
        )
    return specs


def _required_condition(field: Field) -> dict[str, str] | None:
    """For which rows a field is required: None for none; no condition for all."""
    if field.required_for_click:
        condition = f'type == "{EventType.CLICK.value}" and `{READABLE}`'
    elif field.required and field.is_in_payload:
        condition = f"`{READABLE}`"
    else:
        return {} if field.required else None
    return {"row_condition": condition, "condition_parser": "pandas"}


def _batch_specs() -> list[ExpectationSpec]:
    not_null = "expect_column_values_to_not_be_null"
    return [
        ExpectationSpec("expect_table_row_count_to_be_between", {"min_value": 1}, "volume", ""),
        ExpectationSpec(
            "expect_column_values_to_be_in_set",
            {"column": VERDICT, "value_set": ["valid"], "mostly": 0.95},
            "share of valid events",
            "",
        ),
        *(
            ExpectationSpec(not_null, {"column": column, "mostly": 0.5}, f"share of {column}", "")
            for column in ("user_agent", "ip")
        ),
        ExpectationSpec(
            "expect_column_max_to_be_between",
            {"column": LEAD_MS, "min_value": -86_400_000},
            "freshness: the newest event is at most a day older than its receipt",
            "",
        ),
    ]


def build_frame(values: Sequence[Values], received_at_ms: Sequence[int]) -> pd.DataFrame:
    """The frame that the suite `events` sees, one row an event.

    For each field `f` a column `f:type`, its JSON type, null where absent; and what its rule is about, null
    where the type isn't taken: `f:length` in characters for a text, else `f` as text. Besides,
    `created_at:ms` (since 1970, null where it is no time), `created_at:lead_ms` (`created_at` minus the
    receipt) and `payload:readable`.
    """
    columns: dict[str, Any] = {}
    sent = list(zip(*values, strict=True)) if values else [()] * len(Values._fields)
    for field, column in zip(FIELDS, sent, strict=False):
        if field.kind is Kind.PAYLOAD:
            forms = sent[-1]
            columns[field.name + TYPE] = pd.Categorical(forms)
            columns[READABLE] = [form in (None, PayloadForm.OBJECT) for form in forms]
            continue
        types = [TYPE_NAMES.get(kind) for kind in map(type, column)]
        columns[field.name + TYPE] = pd.Categorical(types)
        is_taken = {*field.json_types, None}.issuperset(set(types))
        taken = column if is_taken else _only_taken(column, types, field.json_types)
        if field.kind is Kind.TEXT:
            lengths = [None if text is None else len(text) for text in taken]
            columns[field.name + LENGTH] = pd.Series(lengths, dtype="float64")
        else:
            texts = taken if "number" not in types else _as_texts(taken)
            columns[field.name] = pd.Series(texts, dtype=object)
    moments = pd.Series([_moment(text) for text in columns["created_at"]], dtype="float64")
    columns[MOMENT_MS] = moments
    columns[LEAD_MS] = moments - pd.Series(received_at_ms, dtype="float64")
    return pd.DataFrame(columns)


def _only_taken(column: Sequence[Any], types: Sequence[str | None], json_types: Sequence[str]) -> list[Any]:
    return [value if kind in json_types else None for value, kind in zip(column, types, strict=True)]


def _as_texts(column: Sequence[Any]) -> list[str | None]:
    return [value if value is None or type(value) is str else text_of(value) for value in column]


_is_timestamp: Final = re.compile(TIMESTAMP_PATTERN).search


def _moment(text: str | None) -> int | None:
    return parse_timestamp(text) if text is not None and _is_timestamp(text) else None


@lru_cache(maxsize=4)
def _load_suites(name: SuiteName) -> list[Any]:
    """Loads a suite from its file, cut into one suite a field.

    Great Expectations' cost grows with the square of a suite's length, and each of its metrics copies the
    frame: cut up, a suite over 100,000 rows takes less than half the time. It also takes seconds to import,
    which a run without rows should not pay.
    """
    from great_expectations.core import ExpectationSuite  # noqa: PLC0415

    remember_metric_ids()
    by_field: defaultdict[str, list[Any]] = defaultdict(list)
    for expectation in json.loads((SUITES_DIR / f"{name}.json").read_text())["expectations"]:
        by_field[expectation["meta"]["field"]].append(expectation)
    return [
        ExpectationSuite(expectation_suite_name=f"{name}.{field}", expectations=expectations)
        for field, expectations in by_field.items()
    ]


def prepare_suites() -> None:
    """Loads Great Expectations and the suites, which takes seconds, once a process."""
    for name in get_args(SuiteName):
        _load_suites(name)


def _validate(frame: pd.DataFrame, name: SuiteName, parameters: Mapping[str, Any]) -> Iterator[Any]:
    """Runs a suite over a frame; yields Great Expectations' result of each expectation.

    Raises:
        RuntimeError: An expectation could not be computed.
    """
    from great_expectations.core.batch import Batch  # noqa: PLC0415
    from great_expectations.execution_engine.pandas_execution_engine import (  # noqa: PLC0415
        PandasExecutionEngine,
    )
    from great_expectations.validator.validator import Validator  # noqa: PLC0415

    for suite in _load_suites(name):
        validator = Validator(
            execution_engine=PandasExecutionEngine(),
            batches=[Batch(data=frame[_columns_of(suite, frame)])],
            expectation_suite=suite,
        )
        validator.metrics_calculator.show_progress_bars = False
        report = validator.validate(evaluation_parameters=dict(parameters), result_format=_RESULT_FORMAT)
        for result in report.results:
            if result.exception_info.get("raised_exception"):
                message = result.exception_info.get("exception_message")
                what = result.expectation_config.expectation_type
                raise RuntimeError(f"{what} of {suite.expectation_suite_name} can't be computed: {message}")
            yield result


def _columns_of(suite: Any, frame: pd.DataFrame) -> list[str]:
    """The columns that a suite looks at, those of its conditions among them."""
    looked_at = {expectation.kwargs.get("column", VERDICT) for expectation in suite.expectations}
    if any("row_condition" in expectation.kwargs for expectation in suite.expectations):
        looked_at |= {"type", READABLE}
    return [column for column in frame.columns if column in looked_at]


def judge_rows(
    frame: pd.DataFrame, name: Literal["records", "events"], *, future_allowed_ms: int
) -> tuple[dict[int, list[ErrorCode]], list[ExpectationOutcome]]:
    """Asks a suite which rows are not as they must be.

    Args:
        frame: For `events` as `build_frame` makes it; for `records` one column `defect`.
        name: The suite.
        future_allowed_ms: How far `created_at` may lie after the receipt.

    Returns:
        The codes of each row that earned any, in the order of the vocabulary, by place in the frame; and what
        each expectation found.
    """
    codes: defaultdict[int, set[str]] = defaultdict(set)
    outcomes = []
    for result in _validate(frame, name, {"future_allowed_ms": future_allowed_ms}):
        meta = result.expectation_config.meta
        for row in result.result.get("unexpected_index_list") or ():
            codes[row].add(meta["code"])
        outcomes.append(_outcome("row", result))
    order = list(ErrorCode)
    return {row: sorted(map(ErrorCode, earned), key=order.index) for row, earned in codes.items()}, outcomes


def judge_batch(frame: pd.DataFrame) -> list[ExpectationOutcome]:
    """Looks at a batch as a whole: a frame of `build_frame` with a column `verdict` besides."""
    return [_outcome("batch", result) for result in _validate(frame, "batch", {})]


def _outcome(scope: Literal["row", "batch"], result: Any) -> ExpectationOutcome:
    config, found = result.expectation_config, result.result
    evaluated = found.get("element_count", found.get("observed_value"))
    return ExpectationOutcome(
        scope=scope,
        expectation=config.expectation_type,
        field=config.meta["field"],
        code=config.meta["code"],
        success=bool(result.success),
        evaluated=evaluated if isinstance(evaluated, int) else 0,
        unexpected=found.get("unexpected_count", 0),
        observed=str(found.get("observed_value", "")),
    )
