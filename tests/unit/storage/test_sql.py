import pytest

from clickstream.storage.sql import load_sql, split_statements


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        pytest.param("select 1; select 2", ["select 1", "select 2"], id="two"),
        pytest.param("select 1;\n", ["select 1"], id="one with an end"),
        pytest.param("", [], id="nothing"),
        pytest.param(";;\n;", [], id="nothing but semicolons"),
        pytest.param("-- only; a comment\n", [], id="nothing but a comment"),
        pytest.param("select 1;\n-- the end\n", ["select 1"], id="comment after the last"),
        pytest.param("select ';'; select 2", ["select ';'", "select 2"], id="in a text"),
        pytest.param(
            r"select 'it\'s; so'; select 2", [r"select 'it\'s; so'", "select 2"], id="escaped quote"
        ),
        pytest.param("select 'it''s; so'; select 2", ["select 'it''s; so'", "select 2"], id="doubled quote"),
        pytest.param("select `a;b`; select 2", ["select `a;b`", "select 2"], id="in a name"),
        pytest.param('select "a;b"; select 2', ['select "a;b"', "select 2"], id="in a standard name"),
        pytest.param("select 1 /* a; b */; select 2", ["select 1 /* a; b */", "select 2"], id="in a comment"),
        pytest.param(
            "-- it's\nselect 1; select 2", ["-- it's\nselect 1", "select 2"], id="quote in a comment"
        ),
        pytest.param("select '--'; select 2", ["select '--'", "select 2"], id="dashes in a text"),
    ],
)
def test_splits_at_semicolons_that_end_statements(text: str, statements: list[str]) -> None:
    assert split_statements(text) == statements


def test_loads_a_file_by_folder_and_name() -> None:
    assert load_sql("queries/find_stored").startswith("-- Purpose: which of some ids are stored")


def test_says_which_file_is_missing() -> None:
    with pytest.raises(FileNotFoundError, match=r"no_such_query\.sql"):
        load_sql("queries/no_such_query")
