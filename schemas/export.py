"""`python -m schemas.export` writes the schemas that other languages read: JSON Schema a record type, and AsyncAPI 3.0.

The files of older versions stay as they are. A change that cannot read what the written schema allows is refused: it
needs a new schema_version and an upcaster.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from schemas.compatibility import compatibility_faults
from schemas.record import Record
from schemas.registry import RECORD_TYPES, TOPICS, current_version, type_name

FOLDER = Path(__file__).parent / "exported"
ASYNCAPI = "asyncapi.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
FORMAT = "application/schema+json;version=draft-2020-12"


def file_name(record_type: type[Record]) -> str:
    """Such as `EventScheduled.v1.json`."""
    return f"{type_name(record_type)}.v{current_version(record_type)}.json"


def json_schema(record_type: type[Record]) -> dict[str, Any]:
    """The whole record, envelope and payload, as it is read."""
    return {"$schema": DRAFT, "$id": file_name(record_type), **record_type.model_json_schema()}


def asyncapi(record_types: Iterable[type[Record]] = RECORD_TYPES) -> dict[str, Any]:
    """Topics, keys and messages as one AsyncAPI 3.0 document."""
    types = tuple(record_types)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "onrecord",
            "version": "1",
            "description": "The record of sports predictions: every topic of the log, its keys and its records.",
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic, types) for topic in TOPICS},
        "operations": {
            f"{verb}_{topic}": {"action": action, "channel": {"$ref": f"#/channels/{topic}"}}
            for topic in TOPICS
            for verb, action in (("append", "send"), ("read", "receive"))
        },
        "components": {"messages": {type_name(record_type): _message(record_type) for record_type in types}},
    }


def documents() -> dict[str, str]:
    """File name to text, of all that is exported at the current versions."""
    schemas = {file_name(record_type): _text(json_schema(record_type)) for record_type in RECORD_TYPES}
    return {**schemas, ASYNCAPI: _text(asyncapi())}


def faults_against(folder: Path) -> list[str]:
    """What the records of today cannot read of what the schemas in a folder allow at the same version."""
    return [
        f"{path.name}: {fault}"
        for record_type in RECORD_TYPES
        if (path := folder / file_name(record_type)).exists()
        for fault in compatibility_faults(json.loads(path.read_text(encoding="utf-8")), json_schema(record_type))
    ]


def export(folder: Path = FOLDER) -> list[str]:
    """Write the documents, unless a change is incompatible; returns its faults."""
    faults = faults_against(folder)
    if not faults:
        folder.mkdir(exist_ok=True)
        for name, text in documents().items():
            (folder / name).write_text(text, encoding="utf-8")
    return faults


def _channel(topic: str, record_types: Iterable[type[Record]]) -> dict[str, Any]:
    names = [type_name(record_type) for record_type in record_types if record_type.topic == topic]
    return {
        "address": topic,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": {"topic": topic}},
    }


def _message(record_type: type[Record]) -> dict[str, Any]:
    return {
        "name": type_name(record_type),
        "title": f"{type_name(record_type)} v{current_version(record_type)}",
        "summary": (record_type.__doc__ or "").partition("\n")[0],
        "payload": {"schemaFormat": FORMAT, "schema": {"$ref": file_name(record_type)}},
        "bindings": {"kafka": {"key": {"type": "string", "description": _key(record_type)}}},
    }


def _key(record_type: type[Record]) -> str:
    if record_type.model_fields["event_id"].is_required():
        return "event_id"
    return f"event_id, else data.{record_type.keyed_by}" if record_type.keyed_by else "event_id, else the topic"


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    found = export()
    sys.stderr.writelines(f"{fault}\n" for fault in found)
    sys.exit("give the type a new schema_version and an upcaster in schemas/codec.py" if found else 0)
