from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person of the company. What one may do comes from groups (the roles of `oms.kernel.roles`)."""

    display_name = models.CharField(_("表示名"), max_length=60, blank=True)
    language = models.CharField(_("言語"), max_length=5, default="ja")

    # Ids of the shops and places one is limited to, of floors above; empty: all. Neither is ever deleted.
    shop_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, db_default=[])
    place_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, db_default=[])

    # What a sign-in depends on; only on people read `with_sign_in` (oms.kernel.sign_in), as the person of a request is.
    second_step_on: bool
    second_step_due: bool
    address_lists: list[str]

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]

    class Meta(AbstractUser.Meta):
        permissions = [
            ("manage_users", _("利用者と権限を管理する")),
            ("manage_sign_in", _("ログインの決まりと記録を管理する")),
            ("reset_second_step", _("ほかの人の二段階認証をリセットする")),
            ("end_devices", _("ほかの人の端末をログアウトさせる")),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username
