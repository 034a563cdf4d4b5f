"""Great Expectations decides, row by row, which records are events, and looks at the batch as a whole.

The suites are data in `expectations/`, derived from the contract (`expectation_specs`). They see a frame of
texts and JSON types as sent (`sightings.py`), so that each rule is a standard expectation.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from clickstream.contract import FIELDS, EventType, Field, Kind, Severity
from clickstream.decode import PayloadForm
from clickstream.metric_ids import remember_metric_ids
from clickstream.reasons import RECORD_CODES, ErrorCode
from clickstream.settings import PROJECT_ROOT
from clickstream.sightings import LEAD_MS, LENGTH, MOMENT_MS, READABLE, TYPE, Sightings

SUITES_DIR: Final = PROJECT_ROOT / "expectations"
DEFECT: Final = "defect"
VERDICT: Final = "verdict"

_ALL_UNEXPECTED: Final = {
    "result_format": "COMPLETE",
    "include_unexpected_rows": False,
    "return_unexpected_index_query": False,
}
_COUNTS: Final = {"result_format": "BASIC"}

_SHARED: Final = ("user_agent", "ip")
"""Optional fields that most events should have."""

SuiteName = Literal["records", "events", "batch"]


@dataclass(frozen=True, slots=True)
class ExpectationSpec:
    """One expectation of a suite.

    Attributes:
        expectation: Great Expectations' name of it.
        arguments: Its arguments, the column among them.
        field: The field of the contract that it is about, or what a batch check is about.
        code: What a row earns that does not meet it; empty for a check of the whole batch.
        severity: Whether such a row is refused, or stored without the value.
    """

    expectation: str
    arguments: Mapping[str, Any]
    field: str
    code: str
    severity: Severity = Severity.ERROR

    def as_json(self) -> dict[str, Any]:
        """The form of Great Expectations' suite files."""
        meta = {"field": self.field, "code": self.code, "severity": self.severity.value}
        return {"expectation_type": self.expectation, "kwargs": dict(self.arguments), "meta": meta}


@dataclass(frozen=True, slots=True)
class ExpectationOutcome:
    """What one expectation found in one batch.

    Attributes:
        scope: `row` where it decides on rows, `batch` where it looks at the batch as a whole.
        severity: What a row costs that does not meet it; for a batch, nothing is refused.
        evaluated: Rows looked at.
        unexpected: Rows that do not meet it.
        observed: What was seen instead, for checks of the whole batch.
    """

    scope: Literal["row", "batch"]
    expectation: str
    field: str
    code: str
    severity: Severity
    success: bool
    evaluated: int
    unexpected: int
    observed: str


class RowVerdicts(NamedTuple):
    """What a suite says of the rows of a batch, by place in the batch.

    Attributes:
        errors: The codes of each row that is refused, in the order of the vocabulary.
        warnings: The codes of each row that is stored without some value, likewise.
        outcomes: What each expectation found, counted in rows.
    """

    errors: dict[int, list[ErrorCode]]
    warnings: dict[int, list[ErrorCode]]
    outcomes: list[ExpectationOutcome]


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
        spec = ExpectationSpec(name, {"column": column, **arguments}, field.name, code, field.severity)
        specs.append(spec)

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
    specs = [
        ExpectationSpec("expect_table_row_count_to_be_between", {"min_value": 1}, "volume", ""),
        ExpectationSpec(
            "expect_column_values_to_be_in_set",
            {"column": VERDICT, "value_set": ["valid"], "mostly": 0.95},
            "share of valid events",
            "",
        ),
        *(
            ExpectationSpec(not_null, {"column": name + TYPE, "mostly": 0.5}, f"share of {name}", "")
            for name in _SHARED
        ),
        ExpectationSpec(
            "expect_column_max_to_be_between",
            {"column": LEAD_MS, "min_value": -86_400_000},
            "freshness: the newest event is at most a day older than its receipt",
            "",
        ),
    ]
    return [replace(spec, severity=Severity.WARNING) for spec in specs]


@lru_cache(maxsize=4)
def _load_suites(name: SuiteName) -> dict[str, Any]:
    """Loads a suite from its file, cut into one suite a field, by its name.

    Great Expectations' cost grows with the square of a suite's length, and each of its metrics copies the
    frame: cut up, a suite over 100,000 rows takes less than half the time. It also takes seconds to import,
    which a run without rows should not pay.
    """
    from great_expectations.core import ExpectationSuite  # noqa: PLC0415

    remember_metric_ids()
    by_field: defaultdict[str, list[Any]] = defaultdict(list)
    for expectation in json.loads((SUITES_DIR / f"{name}.json").read_text())["expectations"]:
        by_field[expectation["meta"]["field"]].append(expectation)
    return {
        field: ExpectationSuite(expectation_suite_name=f"{name}.{field}", expectations=expectations)
        for field, expectations in by_field.items()
    }


def prepare_suites() -> None:
    """Loads Great Expectations and the suites, which takes seconds, once a process."""
    for name in get_args(SuiteName):
        _load_suites(name)


def _validate(
    frame: pd.DataFrame, suite: Any, parameters: Mapping[str, Any], result_format: Mapping[str, Any]
) -> list[Any]:
    """Runs a suite over a frame; gives Great Expectations' result of each expectation.

    Raises:
        GreatExpectationsError: An expectation could not be computed.
    """
    from great_expectations.core.batch import Batch  # noqa: PLC0415
    from great_expectations.execution_engine.pandas_execution_engine import (  # noqa: PLC0415
        PandasExecutionEngine,
    )
    from great_expectations.validator.validator import Validator  # noqa: PLC0415

    validator = Validator(
        execution_engine=PandasExecutionEngine(),
        batches=[Batch(data=frame)],
        expectation_suite=suite,
    )
    validator.metrics_calculator.show_progress_bars = False
    report = validator.validate(
        evaluation_parameters=dict(parameters), result_format=dict(result_format), catch_exceptions=False
    )
    return list(report.results)


def judge_rows(
    sightings: Mapping[str, Sightings], name: Literal["records", "events"], *, future_allowed_ms: int
) -> RowVerdicts:
    """Asks a suite which rows do not meet it.

    Args:
        sightings: What is seen of the rows, by field: for `events` as `sight_fields` has it; for `records`,
            whose expectations are about no field, a column `defect` under the empty name.
        name: The suite.
        future_allowed_ms: How far `created_at` may lie after the receipt.
    """
    codes: dict[Severity, defaultdict[int, set[str]]] = {severity: defaultdict(set) for severity in Severity}
    outcomes = []
    parameters = {"future_allowed_ms": future_allowed_ms}
    for field, suite in _load_suites(name).items():
        sighted = sightings[field]
        rows_of = np.bincount(sighted.which, minlength=len(sighted.seen))
        earned: defaultdict[int, set[tuple[Severity, str]]] = defaultdict(set)
        for result in _validate(sighted.seen, suite, parameters, _ALL_UNEXPECTED):
            unexpected = result.result.get("unexpected_index_list") or []
            outcome = _outcome("row", result)
            for place in unexpected:
                earned[place].add((outcome.severity, outcome.code))
            evaluated = int(rows_of[_looked_at(sighted.seen, result)].sum())
            outcomes.append(replace(outcome, evaluated=evaluated, unexpected=int(rows_of[unexpected].sum())))
        for row in np.flatnonzero(np.isin(sighted.which, list(earned))).tolist():
            for severity, code in earned[int(sighted.which[row])]:
                codes[severity][row].add(code)
    return RowVerdicts(_in_order(codes[Severity.ERROR]), _in_order(codes[Severity.WARNING]), outcomes)


def _in_order(codes: Mapping[int, set[str]]) -> dict[int, list[ErrorCode]]:
    """The codes of each row in the order of the vocabulary."""
    order = list(ErrorCode)
    return {row: sorted(map(ErrorCode, earned), key=order.index) for row, earned in codes.items()}


def _looked_at(seen: pd.DataFrame, result: Any) -> "pd.Index[Any]":
    """The places that an expectation is about: those that meet its condition, if it has one."""
    condition = result.expectation_config.kwargs.get("row_condition")
    return seen.index if condition is None else seen.query(condition).index


def judge_batch(sightings: Mapping[str, Sightings], is_valid: Sequence[bool]) -> list[ExpectationOutcome]:
    """Looks at a batch as a whole.

    Args:
        sightings: What is seen of its events.
        is_valid: Which of them are.
    """
    frame = pd.DataFrame(
        {
            VERDICT: pd.Categorical(["valid" if valid else "quarantined" for valid in is_valid]),
            LEAD_MS: sightings["created_at"].seen[LEAD_MS],
            **{name + TYPE: sightings[name].column(name + TYPE) for name in _SHARED},
        }
    )
    suites = _load_suites("batch").values()
    return [_outcome("batch", result) for suite in suites for result in _validate(frame, suite, {}, _COUNTS)]


def _outcome(scope: Literal["row", "batch"], result: Any) -> ExpectationOutcome:
    config, found = result.expectation_config, result.result
    evaluated = found.get("element_count", found.get("observed_value"))
    return ExpectationOutcome(
        scope=scope,
        expectation=config.expectation_type,
        field=config.meta["field"],
        code=config.meta["code"],
        severity=Severity(config.meta["severity"]),
        success=bool(result.success),
        evaluated=evaluated if isinstance(evaluated, int) else 0,
        unexpected=found.get("unexpected_count", 0),
        observed=str(found.get("observed_value", "")),
    )
