"""What an account's statements may say. Whatever is not listed is refused.

The engine's roles refuse most of this as well; but chDB runs as a local tool would, trusts its user with its
files, and asks no grant for some of what lies here.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from stack.gateway.accounts import Account
from stack.gateway.canonical import Statement, Token
from stack.gateway.errors import Code, StatementError

_READING: Final = frozenset(("SELECT", "SHOW", "DESCRIBE", "EXISTS", "EXPLAIN", "SET", "USE"))
_WRITING: Final = _READING | {
    "INSERT", "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "EXCHANGE", "OPTIMIZE", "DELETE", "UPDATE",
    "KILL", "CHECK", "SYSTEM", "ATTACH", "DETACH", "UNDROP", "REPLACE",
}  # fmt: skip
WITHOUT_RESULT: Final = (_WRITING - _READING - {"KILL", "CHECK"}) | {"SET", "USE"}
"""Kinds of statements that give no rows."""

# Not dictionaries: their source may be a query in a text, which runs when they are loaded.
_CREATED: Final = frozenset(("TABLE", "VIEW", "DATABASE"))
_ADVERBS: Final = frozenset(("OR", "REPLACE", "TEMPORARY", "MATERIALIZED"))
_SYSTEM_COMMANDS: Final = frozenset(("CLEAR", "DROP", "FLUSH", "START", "STOP", "SYNC", "WAIT"))
_SYSTEM_REFUSED: Final = frozenset(("LISTEN", "CONFIG", "USERS"))
# Engines of tables and databases that keep their data in the data directory, or have none.
_LOCAL_ENGINES: Final = re.compile(
    r"\w*mergetree|memory|null|log|tinylog|stripelog|merge|set|join|buffer|view|materializedview"
    r"|generaterandom|fuzzjson|alias|timeseries|atomic|ordinary|lazy|replicated|shared",
    re.IGNORECASE,
)

# Functions that reach files, processes, memory, addresses or certificates. Those that read the structure of a
# table from a string evaluate its default expressions.
REACHING_FUNCTIONS: Final = frozenset(
    {
        "file", "hascolumnintable", "catboostevaluate", "modelevaluate", "showcertificate", "fuzzquery",
        "logtrace", "reversednsquery", "structuretocapnprotoschema", "structuretoprotobufschema",
        "addresstoline", "addresstolinewithinlines", "addresstosymbol", "getclienthttpheader",
        "filesystemavailable", "filesystemcapacity", "filesystemunreserved", "filesystemfree",
        "aiclassify", "aiembed", "aiextract", "aifilter", "aigenerate", "airedact", "aisimilarity",
        "aitranslate", "aigeneratecontent", "flamegraph",
    }
)  # fmt: skip
# Functions that tell of the machine or of other people's statements; the owner of the data may ask.
_TELLING_FUNCTIONS: Final = frozenset(
    {
        "getmacro", "getserversetting", "getserverport", "tcpport", "getoskernelversion", "hostname", "fqdn",
        "fullhostname", "displayname", "serveruuid", "demangle", "tid", "currentrequesturl",
        "zookeepersessionuptime", "buildid", "hasthreadfuzzer", "runningconcurrency",
    }
)  # fmt: skip

_TABLE_FUNCTIONS: Final = frozenset(
    (
        "numbers",
        "numbers_mt",
        "zeros",
        "zeros_mt",
        "generateseries",
        "generate_series",
        "primes",
        "view",
        "values",
    )
)
# All of these read tables that the role may read. None takes the structure of a table as a string, since that
# may hold any expression.
_WRITERS_TABLE_FUNCTIONS: Final = _TABLE_FUNCTIONS | {"merge", "mergetreeindex", "mergetreeprojection"}
# Names of functions and of table functions at once.
_ALSO_FUNCTIONS: Final = frozenset(("format",))

# Tables of the database `system` that tell nothing of other people's statements or of the machine.
_SYSTEM_TABLES: Final = frozenset(
    {
        "one", "numbers", "numbers_mt", "zeros", "zeros_mt", "databases", "tables", "columns", "settings",
        "functions", "table_functions", "aggregate_function_combinators", "data_type_families", "formats",
        "table_engines", "database_engines", "parts", "parts_columns", "projections", "projection_parts",
        "data_skipping_indices", "mutations", "merges", "dictionaries", "metrics", "events",
        "asynchronous_metrics", "time_zones", "collations", "contributors", "licenses", "keywords",
        "build_options", "merge_tree_settings", "current_roles", "enabled_roles", "constraints",
    }
)  # fmt: skip
_FOREIGN_DATABASES: Final = frozenset(("system",))

# What readers may set: how much a statement takes, and how its result looks.
_READERS_SETTINGS: Final = frozenset(
    {
        "max_threads", "max_block_size", "preferred_block_size_bytes", "max_execution_time",
        "max_memory_usage", "max_rows_to_read", "max_bytes_to_read", "max_result_rows", "max_result_bytes",
        "result_overflow_mode", "read_overflow_mode", "timeout_overflow_mode", "max_rows_to_group_by",
        "group_by_overflow_mode", "limit", "offset", "extremes", "final", "join_use_nulls",
        "session_timezone", "use_client_time_zone", "totals_mode", "joined_subquery_requires_alias",
        "max_query_size", "count_distinct_implementation",
        "optimize_read_in_order", "optimize_aggregation_in_order", "optimize_use_projections",
        "max_bytes_before_external_group_by", "max_bytes_before_external_sort",
        "max_bytes_ratio_before_external_group_by", "max_bytes_ratio_before_external_sort", "join_algorithm",
        "do_not_merge_across_partitions_select_final", "cast_string_to_dynamic_use_inference",
        "date_time_input_format", "date_time_output_format", "bool_true_representation",
        "bool_false_representation", "format_csv_delimiter", "format_tsv_null_representation",
        "format_csv_null_representation", "use_uncompressed_cache", "send_progress_in_http_headers",
        "allow_experimental_variant_type", "allow_experimental_json_type",
        "allow_experimental_dynamic_type", "enable_json_type", "group_by_use_nulls",
        "allow_suspicious_types_in_group_by", "allow_suspicious_types_in_order_by",
        "output_format_native_use_flattened_dynamic_and_json_serialization",
        "output_format_native_encode_types_in_binary_format", "output_format_native_write_json_as_string",
        "output_format_json_quote_64bit_integers", "output_format_json_quote_denormals",
        "output_format_json_quote_decimals", "output_format_json_quote_64bit_floats",
        "output_format_json_escape_forward_slashes", "output_format_json_named_tuples_as_objects",
        "output_format_write_statistics", "output_format_decimal_trailing_zeros",
        "output_format_pretty_max_rows", "output_format_pretty_color", "output_format_pretty_row_numbers",
        "output_format_tsv_crlf_end_of_line", "output_format_csv_crlf_end_of_line",
        "output_format_enable_streaming", "output_format_parallel_formatting",
        "output_format_arrow_string_as_string", "output_format_arrow_low_cardinality_as_dictionary",
        "output_format_arrow_use_64_bit_indexes_for_dictionary",
        "output_format_arrow_use_signed_indexes_for_dictionary",
        "output_format_arrow_fixed_string_as_fixed_byte_array", "output_format_arrow_compression_method",
        "output_format_parquet_string_as_string", "output_format_parquet_compression_method",
        "output_format_parquet_row_group_size",
    }
)  # fmt: skip
# What nobody may set: other languages, expressions that are not in the statement, files, identity.
_REFUSED_SETTINGS: Final = re.compile(
    r"(allow_experimental_\w+_)?dialect|allow_experimental_\w*(prql|kusto|polyglot|promql)\w*|polyglot_\w+"
    r"|promql_\w+|additional_\w+_filters?|parallel_replicas_custom_key\w*|profile|role"
    r"|\w*format_schema\w*|output_format_schema|\w*_path|\w*template\w*_(row|resultset)\w*|regexp_dict\w*"
    r"|allow_introspection_functions|implicit_\w+|ast_fuzzer\w*|allow_fuzz\w*|log_comment|user_files\w*"
    r"|allow_experimental_eval\w*|ai_\w+|\w*_ai_\w+|default_view_definer|default_table_engine"
    r"|default_temporary_table_engine|schema_inference_\w+|column_names_for_schema_inference|param_\w+|disk|storage_policy"
)


class Rules:
    """Refuses what an account may not say.

    Args:
        table_functions: The names of all table functions of the engine.
    """

    def __init__(self, table_functions: frozenset[str]) -> None:
        self._table_functions = frozenset(name.lower() for name in table_functions)

    def refuse_statement(self, account: Account, statement: Statement) -> None:
        """Check a statement.

        Raises:
            StatementError: It is of a kind, or names something, that the account may not use.
        """
        _refuse_kinds(account, statement)
        _refuse_settings(account, statement.settings)
        self._refuse_functions(account, statement)
        if account.only_reads:
            _refuse_system_tables(statement)

    def refuse_call(
        self,
        account: Account,
        statement: Statement,
        settings: Mapping[str, str],
        parameters: Mapping[str, str],
        database: str,
    ) -> None:
        """Check what a request says beside its statement.

        Raises:
            StatementError: A setting, the value of a parameter or the database is not for the account.
        """
        _refuse_settings(account, settings.keys())
        for name in (name for name, kind in statement.parameters if "identifier" in kind.lower()):
            parts = {part.strip('`" ').lower() for part in parameters.get(name, "").split(".")}
            refused = _refused_names(account) | (_FOREIGN_DATABASES if account.only_reads else frozenset())
            if parts & refused:
                raise StatementError(
                    Code.ACCESS_DENIED,
                    f"The value of the parameter {name} names something that is not allowed",
                )
        if account.only_reads and database.lower() in _FOREIGN_DATABASES:
            raise StatementError(
                Code.ACCESS_DENIED,
                f"The database {database} can't be the current one: name its tables in full",
            )

    def _refuse_functions(self, account: Account, statement: Statement) -> None:
        allowed = _TABLE_FUNCTIONS if account.only_reads else _WRITERS_TABLE_FUNCTIONS
        called = (statement.calls & self._table_functions) - allowed - _ALSO_FUNCTIONS - _target(statement)
        refused = sorted((statement.names & _refused_names(account)) | called)
        if "input" in refused:
            raise StatementError(
                Code.NOT_IMPLEMENTED,
                "The table function input() is not supported: insert the rows into a table of their own, "
                "and select from that",
            )
        if refused:
            raise StatementError(Code.ACCESS_DENIED, f"The function {refused[0]} is not allowed")
        if _is_called_with(statement.tokens, "values", lambda first: first.kind in ("text", "parameter")):
            raise StatementError(
                Code.ACCESS_DENIED,
                "values() may not have a structure here: give tuples, and name their columns",
            )
        # For readers, the engine itself refuses the table function `format`, whose structure is a string.
        if not account.only_reads and _is_called_with(
            statement.tokens, "format", lambda first: first.kind != "text" or "{" not in first.text
        ):
            raise StatementError(
                Code.ACCESS_DENIED,
                "The table function format() is not allowed; the function format() needs a literal pattern "
                "with placeholders, as in format('{}', x)",
            )


def _refused_names(account: Account) -> frozenset[str]:
    return REACHING_FUNCTIONS | _TELLING_FUNCTIONS if account.only_reads else REACHING_FUNCTIONS


def _target(statement: Statement) -> frozenset[str]:
    """The table of an insert or a definition, behind whose name a bracket stands without being a call."""
    for at, token in enumerate(statement.tokens[:8]):
        if not token.is_keyword("INTO", "TABLE", "VIEW", "DICTIONARY", "EXISTS"):
            continue
        after = statement.tokens[at + 1 : at + 4]
        if after and after[0].is_keyword("TABLE", "FUNCTION", "IF", "NOT"):
            continue
        name = after[2:3] if len(after) > 1 and after[1].text == "." else after[:1]
        if statement.kind in ("INSERT", "CREATE", "ATTACH") and not statement.has("FUNCTION"):
            return frozenset(token.text.lower() for token in name)
    return frozenset()


def _refuse_kinds(account: Account, statement: Statement) -> None:
    if statement.has("INTO", "OUTFILE"):
        raise StatementError(Code.INTO_OUTFILE_NOT_ALLOWED, "INTO OUTFILE is not allowed")
    if statement.has("FROM", "INFILE"):
        raise StatementError(
            Code.UNKNOWN_TYPE_OF_QUERY, "FROM INFILE is not allowed: send the rows in the body"
        )
    if statement.begins_with("EXECUTE") or statement.begins_with("SET", "ROLE"):
        raise StatementError(Code.ACCESS_DENIED, "Roles are fixed: each user has its own")
    if statement.has("PARALLEL", "WITH"):
        raise StatementError(Code.SYNTAX_ERROR, "Multi-statements are not allowed")
    if not account.only_reads:
        _refuse_writers_kinds(statement)
    elif statement.kind not in _READING:
        raise StatementError(Code.READONLY, "Cannot execute query in readonly mode: this user only reads")
    if not _is_allowed_variant(account, statement):
        said = " ".join(token.text for token in statement.tokens[:3])
        raise StatementError(Code.ACCESS_DENIED, f"{said} … is not allowed")


def _is_allowed_variant(account: Account, statement: Statement) -> bool:
    second = statement.tokens[1] if len(statement.tokens) > 1 else Token("end", "")
    match statement.kind:
        case "SET":
            return not second.is_keyword("DEFAULT", "TRANSACTION", "ROLE")
        case "SHOW":
            return not (account.only_reads and statement.has("PROCESSLIST"))
        case "USE":
            return not (account.only_reads and statement.tokens[-1].text.lower() in _FOREIGN_DATABASES)
        case "EXPLAIN":
            return not statement.has("TABLE", "OVERRIDE")
    return True


def _refuse_writers_kinds(statement: Statement) -> None:
    words = [token.text for token in statement.tokens if token.kind == "word"]
    allowed = statement.kind in _WRITING
    if statement.kind in ("CREATE", "ATTACH", "REPLACE"):
        made = next((word for word in words[1:] if word not in _ADVERBS), "")
        allowed = made in _CREATED and not _is_attached_path(statement)
        _refuse_foreign_data(statement.tokens)
    if statement.kind == "SYSTEM":
        allowed = words[1:2] != [] and words[1] in _SYSTEM_COMMANDS and not _SYSTEM_REFUSED & {*words}
    if statement.kind == "ALTER":
        allowed = words[1:2] == ["TABLE"]
    if statement.kind in ("DROP", "DETACH", "TRUNCATE", "UNDROP"):
        allowed = next((word for word in words[1:] if word != "TEMPORARY"), "") in _CREATED | {
            "ALL",
            "TABLES",
        }
    if not allowed:
        raise StatementError(Code.ACCESS_DENIED, f"{' '.join(words[:3])} … is not allowed")


def _is_attached_path(statement: Statement) -> bool:
    return any(
        token.is_keyword("FROM") and after.kind == "text" for token, after in pairwise(statement.tokens)
    )


def _refuse_foreign_data(tokens: Sequence[Token]) -> None:
    """Refuse tables and databases whose data lies elsewhere: not all of them need a grant."""
    for at, token in enumerate(tokens[:-2]):
        if token.is_keyword("ENGINE") and tokens[at + 1].text == "=":
            name = tokens[at + 2].text
            if not _LOCAL_ENGINES.fullmatch(name):
                raise StatementError(Code.ACCESS_DENIED, f"The engine {name} is not allowed")


def _refuse_settings(account: Account, settings: Iterable[str]) -> None:
    for name in settings:
        if account.only_reads and name not in _READERS_SETTINGS:
            raise StatementError(Code.READONLY, f"Cannot modify '{name}' setting in readonly mode")
        if _REFUSED_SETTINGS.fullmatch(name):
            raise StatementError(Code.SETTING_CONSTRAINT_VIOLATION, f"Setting {name} should not be changed")


def _refuse_system_tables(statement: Statement) -> None:
    for database, dot, table in zip(
        statement.tokens, statement.tokens[1:], statement.tokens[2:], strict=False
    ):
        if not (database.is_name and dot.text == "." and database.text.lower() in _FOREIGN_DATABASES):
            continue
        if not (table.is_name and table.text in _SYSTEM_TABLES):
            raise StatementError(
                Code.ACCESS_DENIED,
                f"Not enough privileges: system.{table.text} is not for users who only read",
            )


def _is_called_with(tokens: Sequence[Token], name: str, matches: Callable[[Token], bool]) -> bool:
    """Whether a function is called anywhere with a first argument whose first token matches."""
    return any(
        called.is_name and called.text.lower() == name and bracket == ("sign", "(") and matches(first)
        for called, bracket, first in zip(tokens, tokens[1:], tokens[2:], strict=False)
    )
