"""The column of a sentence that is read in each reader's language; see `oms.kernel.said`."""

from typing import Any

from django.db import models

from oms.kernel.said import SEPARATOR, said, stored, told


class Plain(models.Transform):
    """What the sentence says, without the form behind it."""

    lookup_name = "plain"
    function = "split_part"
    template = f"%(function)s(%(expressions)s, chr({ord(SEPARATOR)}), 1)"
    output_field = models.TextField()


class SaidField(models.TextField):
    """Text, or a sentence of ours with its form behind it. Looked up by what it says in Japanese."""

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> str | None:
        return value if value is None else told(value)

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return stored(prepared) if isinstance(prepared, str) else prepared

    def get_lookup(self, lookup_name: str) -> Any:
        """Every lookup compares what the sentence says; whether there is any can be asked of the column itself."""
        found = models.TextField().get_lookup(lookup_name)
        if found is None or lookup_name == "isnull":
            return found
        return lambda lhs, rhs: found(lhs if isinstance(rhs, str) and rhs == "" else Plain(lhs), rhs)


class SaidJSONField(models.JSONField):
    """JSON whose texts are sentences as `stored` makes them; the writer stores them so."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return _told(super().from_db_value(value, expression, connection))


def _told(value: Any) -> Any:
    match value:
        case str():
            return told(value)
        case list():
            return [_told(one) for one in value]
        case dict():
            return {name: _told(one) for name, one in value.items()}
    return value


def choice(row: models.Model, name: str) -> str:
    """The label of a choice for storing; `get_…_display` is in the language of whoever happens to work."""
    field = row._meta.get_field(name)
    assert isinstance(field, models.Field)
    value = getattr(row, name)
    return said(dict(field.flatchoices).get(value, str(value)))
