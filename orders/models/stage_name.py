from django.db import models
from django.utils.translation import gettext_lazy as _


class StageName(models.Model):
    """What the company calls a stage; one without a row has its standard name. Changes stand in
    `ReviewSettingChange` under `stage:<code>`."""

    code = models.CharField(max_length=18, primary_key=True)
    label = models.CharField(_("呼び名"), max_length=20)

    def __str__(self) -> str:
        return self.label
