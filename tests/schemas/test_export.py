"""The exported schemas are those of the code, and say where each record lies."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.export import ASYNCAPI, FOLDER, asyncapi, documents, export, faults_against, json_schema
from schemas.odds import OddsSnapshotCaptured
from schemas.predictions import PredictionMade
from schemas.record import Record
from schemas.registry import RECORD_TYPES, TOPICS, type_name
from tests.schemas.golden_files import expected_names


@pytest.mark.parametrize("name", documents())
def test_the_committed_file_is_what_the_code_exports(name: str) -> None:
    """When this fails: `python -m schemas.export` writes them anew, if the change is compatible."""
    assert documents()[name] == (FOLDER / name).read_text(encoding="utf-8")


def test_every_version_has_its_file_and_no_other_file_lies_there() -> None:
    """Old versions stay: a reader may still meet them."""
    expected = {name for kind in RECORD_TYPES for name in expected_names(kind)} | {ASYNCAPI}
    assert expected == {path.name for path in FOLDER.iterdir()}


def test_the_records_of_today_can_read_what_the_committed_schemas_allow() -> None:
    """An incompatible change needs a new schema_version and an upcaster."""
    assert faults_against(FOLDER) == []


def test_an_incompatible_change_is_not_written(tmp_path: Path) -> None:
    """The command refuses, says why, and leaves the file as it is."""
    schema = json_schema(OddsSnapshotCaptured)
    schema["$defs"]["OddsSnapshot"]["properties"]["vig"] = {"type": "number"}
    committed = tmp_path / "OddsSnapshotCaptured.v1.json"
    committed.write_text(json.dumps(schema), encoding="utf-8")
    assert export(tmp_path) == ["OddsSnapshotCaptured.v1.json: data.vig: removed field"]
    assert [schema] == [json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("field", "part"), [("market_key", "market"), ("market_key", "period"), ("selection", "selection")]
)
@pytest.mark.parametrize("kind", [OddsSnapshotCaptured, PredictionMade])
def test_a_word_that_is_gone_is_incompatible(tmp_path: Path, kind: type[Record], field: str, part: str) -> None:
    """Records that hold it could not be read."""
    schema = json_schema(kind)
    [payload] = (one for one in schema["$defs"].values() if field in one.get("properties", {}))
    payload["properties"][field]["x-words"][part].append("GONE")
    (tmp_path / schema["$id"]).write_text(json.dumps(schema), encoding="utf-8")
    assert faults_against(tmp_path) == [f"{schema['$id']}: data.{field}: removed {part} 'GONE'"]


def test_an_export_into_an_empty_folder_writes_everything(tmp_path: Path) -> None:
    """One file a type, and the AsyncAPI document."""
    assert export(tmp_path / "new") == []
    assert set(documents()) == {path.name for path in (tmp_path / "new").iterdir()}


@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_the_document_names_each_message_in_its_topic(kind: type[Record]) -> None:
    """The channel of the topic, the message, its payload's file and its key."""
    document, name = asyncapi(), type_name(kind)
    message = document["components"]["messages"][name]
    assert {"$ref": f"#/components/messages/{name}"} == document["channels"][kind.topic]["messages"][name]
    assert (FOLDER / message["payload"]["schema"]["$ref"]).exists()
    assert message["bindings"]["kafka"]["key"]["description"].startswith("event_id")


def test_every_reference_inside_the_document_leads_somewhere() -> None:
    """Tools that follow them find what they look for."""
    document = asyncapi()
    for reference in _references(document):
        if reference.startswith("#/"):
            node: Any = document
            for step in reference[2:].split("/"):
                node = node[step]
            assert node


def test_every_topic_can_be_appended_to_and_read() -> None:
    """Two operations a topic, on its channel."""
    operations = asyncapi()["operations"]
    assert {f"{verb}_{topic}" for topic in TOPICS for verb in ("append", "read")} == set(operations)
    assert {"#/channels/odds"} == {operations[f"{verb}_odds"]["channel"]["$ref"] for verb in ("append", "read")}


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for inner in node.values() for found in _references(inner)]
    return []
