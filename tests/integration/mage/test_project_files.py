"""The Mage project as its reader finds it: pipelines, blocks and triggers that agree with each other."""

import ast
import importlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from clickstream.mage_api import TRIGGER, MageClient
from clickstream.settings import PROJECT_ROOT

PROJECT = PROJECT_ROOT / "mage_project"
FOLDERS = {
    "data_loader": "data_loaders",
    "transformer": "transformers",
    "data_exporter": "data_exporters",
    "callback": "callbacks",
    "custom": "custom",
}
PIPELINES = sorted(path.name for path in (PROJECT / "pipelines").iterdir() if path.is_dir())
STREAMING = "stream_events"
BATCH_PIPELINES = [name for name in PIPELINES if name != STREAMING]
STREAMING_BLOCKS = {"read_broker_records", "store_raw_events"}
BLOCK_FILES = sorted(path for folder in FOLDERS.values() for path in (PROJECT / folder).glob("*.py"))
FUNCTION_FILES = [path for path in BLOCK_FILES if path.stem not in STREAMING_BLOCKS]
CLASS_FILES = [path for path in BLOCK_FILES if path.stem in STREAMING_BLOCKS]
ETL_BLOCK_FILES = [path for path in FUNCTION_FILES if path.parent.name != "custom"]


def read_yaml(pipeline: str, name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(
        (PROJECT / "pipelines" / pipeline / name).read_text(encoding="utf-8")
    )
    return content


def blocks_of(pipeline: str) -> list[dict[str, Any]]:
    metadata = read_yaml(pipeline, "metadata.yaml")
    return [*metadata["blocks"], *metadata["callbacks"]]


def functions_of(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


def etl_calls(path: Path) -> Iterator[tuple[str, str]]:
    """Module and function of each call into `clickstream.etl`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "clickstream.etl"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in modules:
                yield owner.id, node.func.attr


def test_the_pipelines_are_those_of_the_design() -> None:
    assert PIPELINES == [
        "load_csv",
        "process_events",
        "prune_run_history",
        "rebuild_marts",
        "replay_quarantine",
        "stream_events",
    ]


@pytest.mark.parametrize("path", FUNCTION_FILES, ids=lambda path: path.stem)
def test_a_block_is_one_described_function_that_bears_its_name(path: Path) -> None:
    functions = functions_of(path)
    assert [function.name for function in functions] == [path.stem]
    assert ast.get_docstring(functions[0])
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", CLASS_FILES, ids=lambda path: path.stem)
def test_a_streaming_block_is_one_described_class_that_bears_its_name(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert block.name == path.stem.title().replace("_", "")
    assert ast.get_docstring(block)
    assert ast.get_docstring(tree)


@pytest.mark.parametrize("path", ETL_BLOCK_FILES, ids=lambda path: path.stem)
def test_a_block_makes_one_call_to_a_function_that_exists(path: Path) -> None:
    calls = list(etl_calls(path))
    assert len(calls) == 1
    module, function = calls[0]
    assert callable(getattr(importlib.import_module(f"clickstream.etl.{module}"), function))


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_each_block_of_a_pipeline_has_its_file(pipeline: str) -> None:
    for block in blocks_of(pipeline):
        assert block["uuid"] == block["name"]
        assert (PROJECT / FOLDERS[block["type"]] / f"{block['uuid']}.py").is_file()


def test_no_block_is_orphaned() -> None:
    used = {block["uuid"] for pipeline in PIPELINES for block in blocks_of(pipeline)}
    assert {path.stem for path in BLOCK_FILES} == used


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_pipeline_is_described_and_runs_once_at_a_time_in_one_process(pipeline: str) -> None:
    metadata = read_yaml(pipeline, "metadata.yaml")
    assert metadata["uuid"] == metadata["name"] == pipeline
    assert metadata["description"]
    assert metadata["run_pipeline_in_one_process"] is True
    assert metadata["concurrency_config"]["pipeline_run_limit_all_triggers"] == 1


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("name", ["metadata.yaml", "triggers.yaml"])
def test_a_yaml_file_is_as_mage_writes_it_and_holds_no_path_of_a_machine(pipeline: str, name: str) -> None:
    text = (PROJECT / "pipelines" / pipeline / name).read_text(encoding="utf-8")
    assert text == yaml.safe_dump(yaml.safe_load(text))
    assert yaml.safe_load(text).get("variables_dir") is None


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_blocks_of_a_pipeline_form_a_chain(pipeline: str) -> None:
    blocks = read_yaml(pipeline, "metadata.yaml")["blocks"]
    names = [block["uuid"] for block in blocks]
    assert [block["upstream_blocks"] for block in blocks] == [[], *([name] for name in names[:-1])]
    assert [block["downstream_blocks"] for block in blocks] == [*([name] for name in names[1:]), []]


@pytest.mark.parametrize("pipeline", BATCH_PIPELINES)
def test_a_pipeline_can_be_started_by_the_api_and_mage_need_not_write_its_triggers(pipeline: str) -> None:
    triggers = read_yaml(pipeline, "triggers.yaml")["triggers"]
    assert TRIGGER in [trigger["name"] for trigger in triggers]
    for trigger in triggers:
        assert trigger["pipeline_uuid"] == pipeline
        assert trigger["status"] == "active"
        # Without it Mage would add it to the file, and the checkout would not be clean any more.
        assert trigger["last_enabled_at"]


@pytest.mark.parametrize("pipeline", BATCH_PIPELINES)
def test_the_trigger_on_request_explains_each_variable(pipeline: str) -> None:
    variables = read_yaml(pipeline, "metadata.yaml").get("variables") or {}
    triggers = read_yaml(pipeline, "triggers.yaml")["triggers"]
    [description] = [trigger["description"] for trigger in triggers if trigger["name"] == TRIGGER]
    assert [name for name in variables if name not in description.split()] == []


def test_the_stream_has_no_trigger_and_is_tried_again_for_ever() -> None:
    metadata = read_yaml(STREAMING, "metadata.yaml")
    assert read_yaml(STREAMING, "triggers.yaml")["triggers"] == []
    assert metadata["type"] == "streaming"
    assert metadata["retry_config"]["retries"] >= 1_000_000
    # Mage takes this for the sum of all pauses, and gives up beyond it.
    assert metadata["retry_config"]["max_delay"] >= 1_000_000 * metadata["retry_config"]["delay"]


def test_events_are_processed_every_minute() -> None:
    triggers = read_yaml("process_events", "triggers.yaml")["triggers"]
    schedules = [trigger["schedule_interval"] for trigger in triggers if trigger["schedule_type"] == "time"]
    assert schedules == ["* * * * *"]


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_mage_reads_the_pipeline_with_the_code_of_its_blocks(mage: MageClient, pipeline: str) -> None:
    shown: Mapping[str, Any] = mage.pipeline(pipeline)
    assert [block["uuid"] for block in shown["blocks"]] == [
        block["uuid"] for block in read_yaml(pipeline, "metadata.yaml")["blocks"]
    ]
    for block in shown["blocks"]:
        name = block["uuid"]
        beginning = f"class {name.title().replace('_', '')}(" if pipeline == STREAMING else f"def {name}("
        assert beginning in block["content"]


def test_mage_writes_nothing_into_the_checkout(mage: MageClient) -> None:
    mage.pipeline("process_events")
    git = ["git", "-C", str(PROJECT), "status", "--porcelain", "--untracked-files=all", "--", "."]
    untracked = [
        line
        for line in subprocess.run(git, capture_output=True, text=True, check=True).stdout.splitlines()
        if line.startswith("??")
    ]
    assert untracked == []
