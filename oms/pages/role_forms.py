"""An own role: its name, and what it allows, area by area."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.rights import AREAS
from oms.kernel.roles import ROLES
from oms.kernel.services.roles import PRESETS, rights_of

AREA = "area_"


class RoleForm(forms.Form):
    name = forms.CharField(label=lazy("役割の名前"), max_length=60)

    def __init__(self, data: Any = None, *, role: Group, rights: list[str] | None = None) -> None:
        """`rights`: what is ticked at first, for a new role that begins as a preset."""
        super().__init__(data, initial={"name": role.name})
        self.role = role
        held = set(rights if rights is not None else rights_of(role) if role.pk and not role._state.adding else ())
        for area in AREAS:
            self.fields[AREA + area.code] = forms.MultipleChoiceField(
                label=str(area.label),
                choices=list(area.rights.items()),
                required=False,
                widget=forms.CheckboxSelectMultiple,
                initial=[code for code in area.rights if code in held],
            )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        taken = {str(role.label) for role in ROLES} | PRESETS
        if name in taken or Group.objects.filter(name=name).exclude(pk=self.role.pk).exists():
            raise forms.ValidationError(_("同じ名前の役割があります。別の名前にしてください。"))
        return name

    @property
    def rights(self) -> list[str]:
        return [code for area in AREAS for code in self.cleaned_data[AREA + area.code]]

    @property
    def filled(self) -> Group:
        """The role with its name, to be saved."""
        self.role.name = self.cleaned_data["name"]
        return self.role
