"""The records: one Pydantic class each, one module a topic; the codec; JSON Schema export."""
