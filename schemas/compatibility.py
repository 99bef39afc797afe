"""Whether a record written under one JSON Schema can still be read under another."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
WORDS = "x-words"
"""The key of the words that a text is made of: part of the text to list, where one `enum` would be too long."""
_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_EXACT = ("pattern", "format")


def compatibility_faults(old: Schema, new: Schema) -> list[str]:
    """What a record that fits `old` may hold and `new` refuses, one line a fault with its path; empty: compatible.

    A new optional field, a wider type, a looser bound and a further allowed value are compatible. Whatever is not needs
    a new schema_version and an upcaster.
    """
    return list(_Comparison(old, new).faults("", old, new))


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old.get("$defs", {}), new.get("$defs", {})

    def faults(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        old_forms, new_forms = _alternatives(old, self._old), _alternatives(new, self._new)
        if len(old_forms) == len(new_forms) == 1:
            yield from self._form_faults(path, old_forms[0], new_forms[0])
            return
        for form in old_forms:
            if not any(not list(self._form_faults(path, form, other)) for other in new_forms):
                yield f"{path}: changed type: {_name(form)} is no longer accepted"

    def _form_faults(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        if not new.get("type"):  # anything goes
            return
        if old.get("type") != new["type"] and (old.get("type"), new["type"]) != ("integer", "number"):
            yield f"{path}: changed type: {_name(old)} became {_name(new)}"
            return
        yield from _value_faults(path, old, new)
        yield from _word_faults(path, old, new)
        yield from _bound_faults(path, old, new)
        if "items" in old:
            yield from self.faults(f"{path}[]", old["items"], new.get("items", {}))
        if old["type"] == "object":
            yield from self._object_faults(path, old, new)

    def _object_faults(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before:
            place = f"{path}.{name}".lstrip(".")
            if name not in after:
                yield f"{place}: removed field"
            else:
                yield from self.faults(place, before[name], after[name])
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{f'{path}.{name}'.lstrip('.')}: new required field"
        values, later = old.get("additionalProperties"), new.get("additionalProperties")
        if isinstance(values, Mapping) and isinstance(later, Mapping):
            yield from self.faults(f"{path}{{}}", values, later)


def _alternatives(schema: Schema, definitions: Schema) -> list[Schema]:
    if "$ref" in schema:
        return _alternatives(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return [form for choice in schema["anyOf"] for form in _alternatives(choice, definitions)]
    return [schema]


def _value_faults(path: str, old: Schema, new: Schema) -> Iterator[str]:
    allowed = _values(new)
    if allowed is None:
        return
    values = _values(old)
    if values is None:
        yield f"{path}: changed type: any {_name(old)} became one of {allowed}"
    else:
        yield from (f"{path}: removed value {value!r}" for value in values if value not in allowed)


def _word_faults(path: str, old: Schema, new: Schema) -> Iterator[str]:
    for part, allowed in new.get(WORDS, {}).items():
        # Words tell what the class checks anyway: a schema that does not list them says nothing of what it allowed.
        words = old.get(WORDS, {}).get(part, ())
        yield from (f"{path}: removed {part} {word!r}" for word in words if word not in allowed)


def _values(schema: Schema) -> list[Any] | None:
    values: list[Any] | None = schema.get("enum")
    return [schema["const"]] if "const" in schema else values


def _bound_faults(path: str, old: Schema, new: Schema) -> Iterator[str]:
    for bound in (*_LOWER_BOUNDS, *_UPPER_BOUNDS):
        if bound in new and (bound not in old or _is_narrower(bound, old[bound], new[bound])):
            yield f"{path}: narrower {bound}: {old.get(bound, 'none')} became {new[bound]}"
    for word in _EXACT:
        if word in new and new[word] != old.get(word):
            yield f"{path}: changed {word}: {old.get(word, 'none')} became {new[word]}"


def _is_narrower(bound: str, old: float, new: float) -> bool:
    return new > old if bound in _LOWER_BOUNDS else new < old


def _name(schema: Schema) -> str:
    return str(schema.get("type", "anything"))
