from typing import Any

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

    # Somebody who came in by PIN on a device of their store (oms.kernel.pin_session): the rights that remain, also to a
    # superuser, and the place. None, and no place: in by password, with all that is theirs.
    rights_within: frozenset[str] | None = None
    at_place: int | None = None

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]

    class Meta(AbstractUser.Meta):
        permissions = [
            ("manage_users", _("利用者と権限を管理する")),
            ("manage_sign_in", _("ログインの決まりと記録を管理する")),
            ("reset_second_step", _("ほかの人の二段階認証をリセットする")),
            ("end_devices", _("ほかの人の端末をログアウトさせる")),
            ("reset_pin", _("ほかの人のPINをリセットする")),
            ("manage_store_devices", _("店舗端末を登録し、取り消す")),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username

    @property
    def by_pin(self) -> bool:
        return self.rights_within is not None

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return (self.rights_within is None or perm in self.rights_within) and super().has_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        if self.rights_within is None:
            return super().has_module_perms(app_label)
        return any(right.startswith(f"{app_label}.") for right in self.get_all_permissions())

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        rights = super().get_all_permissions(obj)
        return rights if self.rights_within is None else rights & self.rights_within
