"""What the fields of a scenario file have in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Year = Annotated[int, Field(ge=1000, le=3000)]


def _in_english(value: Any) -> Any:
    return {"en": value} if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


Words = Annotated[
    dict[str, str],
    BeforeValidator(_in_english),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]}),
]
Text = Annotated[Words, Field(min_length=1)]
"""One text in several languages: ``{en: ..., es: ...}``; a plain string is English."""


_LENGTH = {"type": "number", "exclusiveMinimum": 0}
Lengths = Annotated[
    tuple[Annotated[float, Field(gt=0)], ...],
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [_LENGTH, {"type": "array", "items": _LENGTH}]}),
]
"""One length or several, in metres."""


Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_as_list),
    Field(min_length=1),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
    ),
]
"""One name or several."""


class Record(BaseModel):
    """A part of a scenario: frozen, and checked at construction; it knows all its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)
