"""Kinds of settings whose versions are kept: each app registers those of its forms in `AppConfig.ready`.

A setting's content is what its form holds, as JSON; so going back to a version is filling in the form again, with the
form's own checks and the service that saves it. Credentials never get into a content: password fields, files and what
a kind leaves out are not read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any, cast

from django import forms
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from oms.kernel.models import User

Content = Mapping[str, Any] | None
EMPTY = "–"


@dataclass(frozen=True, slots=True)
class Who:
    """Who sets it, from where, and the session that stays when other browsers are signed out."""

    by: User
    address: str = ""
    session: str | None = None


class Refused(Exception):
    """The form or its service does not take this content; `causes` say why, for people."""

    def __init__(self, causes: Sequence[str]) -> None:
        super().__init__(*causes)
        self.causes = causes


@dataclass(frozen=True, slots=True)
class Kind:
    """One form's settings. `form(ref, data, who)` makes it, unbound without data; it must also be made for a subject
    that is gone. `who` is None where a whole content is read; else the form may lack what that person may not see.

    `exists` is False where nothing is set (content None); `reset` goes back to that. `save` writes a valid form by
    the service of the page. `hidden` fields are part of the content, though their widgets are hidden.
    """

    code: str
    label: str | Promise
    rights: tuple[str, ...]
    name: Callable[[str], str]
    url: Callable[[str], str]
    form: Callable[[str, Any, Who | None], forms.BaseForm]
    save: Callable[[str, Any, Who], object]
    exists: Callable[[str], bool] = lambda ref: True
    reset: Callable[[str, Who], object] | None = None
    leave_out: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    def read(self, ref: str) -> Content:
        """How it stands now."""
        if not self.exists(ref):
            return None
        form = self.form(ref, None, None)
        return {name: stands(form, name) for name in self.fields_of(form)}

    def fields_of(self, form: forms.BaseForm) -> list[str]:
        return [name for name, field in form.fields.items() if name in self.hidden or self._is_told(name, field)]

    def _is_told(self, name: str, field: forms.Field) -> bool:
        secret = isinstance(field.widget, forms.PasswordInput) or isinstance(field, forms.FileField)
        return not (secret or field.widget.is_hidden or name.startswith(self.leave_out))

    def put(self, ref: str, content: Content, who: Who) -> None:
        """Set it as this content says, through the form. Raises Refused."""
        if content is None:
            if self.reset is None:
                raise Refused([_("この版には設定がありません。戻す先を選び直してください。")])
            self.reset(ref, who)
            return
        form = self.form(ref, self.as_posted(self.form(ref, None, who), content), who)
        if not form.is_valid():
            raise Refused(_causes(form))
        self.save(ref, form, who)

    def as_posted(self, now: forms.BaseForm, content: Mapping[str, Any]) -> QueryDict:
        """What a browser would send; what the content does not name stays as it is now."""
        known, data = set(self.fields_of(now)), QueryDict(mutable=True)
        rest = {name: value for name, value in content.items() if name not in now.fields}  # rows that it grows by
        values = {
            name: content[name] if name in content and name in known else stands(now, name)
            for name, field in now.fields.items()
            if not (isinstance(field.widget, forms.PasswordInput) or isinstance(field, forms.FileField))
        }
        for name, value in (rest | values).items():
            if isinstance(value, list):
                data.setlist(now.add_prefix(name), [str(one) for one in value])
            elif isinstance(value, bool):
                if value:
                    data[now.add_prefix(name)] = "on"
            elif value is not None:
                data[now.add_prefix(name)] = str(value)
        return data

    def teller(self, ref: str, who: Who, contents: Iterable[Content] = ()) -> "Teller":
        """Where a content has more rows than the form now has, the form is made as that content filled it in."""
        form = self.form(ref, None, who)
        longest = max((content for content in contents if content), key=len, default={})
        if longest.keys() - form.fields.keys():
            form = self.form(ref, self.as_posted(form, longest), who)
        return Teller(self, form)


class Teller:
    """A content in words, by the labels and choices of its form, in the language of whoever reads."""

    def __init__(self, kind: Kind, form: forms.BaseForm) -> None:
        self._fields = {name: form.fields[name] for name in kind.fields_of(form)}
        self._choices: dict[str, dict[str, str]] = {}

    @property
    def names(self) -> list[str]:
        return list(self._fields)

    def label(self, name: str) -> str:
        return str(self._fields[name].label or name)

    def text(self, name: str, value: Any) -> str:
        if isinstance(self._fields[name], forms.BooleanField):
            return _("はい") if value else _("いいえ")
        if isinstance(value, list):
            return _("、").join(self._one(name, one) for one in value) or EMPTY
        return self._one(name, value)

    def _one(self, name: str, value: Any) -> str:
        field = self._fields[name]
        if told := getattr(field, "told", None):  # a field that knows better
            return told(value) or EMPTY
        if isinstance(field, forms.ModelChoiceField):  # may offer thousands: only what is named is read
            return self._chosen(name, field, value)
        if isinstance(field, forms.ChoiceField):
            known = self._choices.setdefault(name, dict(_flat(cast("Iterable[Any]", field.choices))))
            return known.get("" if value is None else str(value), "") or (EMPTY if value in (None, "") else str(value))
        return EMPTY if value in (None, "") else str(value)

    def _chosen(self, name: str, field: forms.ModelChoiceField, value: Any) -> str:
        if value in (None, ""):
            return str(field.empty_label or EMPTY).strip("-") or EMPTY
        known = self._choices.setdefault(name, {})
        if str(value) not in known:
            row = (
                field.queryset.filter(**{field.to_field_name or "pk": value}).first()
                if field.queryset is not None
                else None
            )
            known[str(value)] = str(field.label_from_instance(row)) if row else str(value)
        return known[str(value)]


def stands(form: forms.BaseForm, name: str) -> Any:
    """What a field holds, as JSON; an empty one the same way however the form was begun."""
    value, field = plain(form[name].value()), form.fields[name]
    if value is None and isinstance(field, forms.BooleanField):
        return False
    return "" if value is None and isinstance(field, forms.CharField) else value


def plain(value: Any) -> Any:
    """A form's value as JSON."""
    match value:
        case None | bool() | int() | float():
            return value
        case Model():
            return value.pk
        case date():  # a datetime is one as well
            return value.isoformat()
        case time():
            return f"{value:%H:%M}"
        case QuerySet() | list() | tuple():
            return [plain(one) for one in value]
        case _:
            return str(value).replace("\r\n", "\n")


def _flat(choices: Iterable[Any]) -> Iterable[tuple[str, str]]:
    for value, label in choices:
        if isinstance(label, (list, tuple)):
            yield from _flat(label)
        else:
            yield str(value), str(label)


def _causes(form: forms.BaseForm) -> list[str]:
    found = []
    for name, errors in form.errors.items():
        label = str(form.fields[name].label or name) if name in form.fields else ""
        found += [f"{label}：{error}" if label else str(error) for error in errors]
    return found


KINDS: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    for kind in kinds:
        KINDS[kind.code] = kind
