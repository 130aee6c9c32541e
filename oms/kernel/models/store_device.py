"""A store's own tablet or PC, and the PINs with which the store's people sign in there."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel import clock


class StoreDeviceQuerySet(models.QuerySet["StoreDevice"]):
    def registered(self) -> "StoreDeviceQuerySet":
        return self.filter(ended_at=None).exclude(token_digest=None)


class StoreDevice(models.Model):
    """One browser that a store shares. It waits for its registration code, then holds a cookie, and at last has ended.

    Of code and cookie only digests are kept. The place, of a floor above, never changes and is never deleted.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("登録待ち")
        OVERDUE = "overdue", _("コードの期限切れ")
        REGISTERED = "registered", _("登録済み")
        DISUSED = "disused", _("長く未使用のため終了")
        ENDED = "ended", _("取り消し済み")

    key = models.UUIDField(unique=True)  # of the form that asked for it: sent twice, it is one device
    place_id = models.BigIntegerField()
    name = models.CharField(_("端末名"), max_length=40)
    code_digest = models.CharField(max_length=64, null=True, blank=True, unique=True)
    code_until = models.DateTimeField(null=True, blank=True)
    token_digest = models.CharField(max_length=64, null=True, blank=True, unique=True)
    agent = models.CharField(_("ブラウザ"), max_length=300, blank=True)
    created_at = models.DateTimeField()
    registered_at = models.DateTimeField(_("登録日時"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("最後の利用"), null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = StoreDeviceQuerySet.as_manager()

    # Only on devices read by `oms.pages.queries.store_devices`, which knows what places are called.
    place_name: str

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(code_digest=None, token_digest=None),
                name="an_ended_store_device_opens_nothing",
            )
        ]

    def __str__(self) -> str:
        return self.told

    @property
    def told(self) -> str:
        """Store and device, as the journal and the screens name them."""
        return "・".join(part for part in (getattr(self, "place_name", ""), self.name) if part)

    @property
    def state(self) -> State:
        if self.ended_at is not None:
            return self.State.ENDED
        if self.token_digest is not None:
            return self.State.DISUSED if self.is_disused else self.State.REGISTERED
        return self.State.WAITING if self.code_until and self.code_until > clock.now() else self.State.OVERDUE

    @property
    def is_disused(self) -> bool:
        """Registered, and not in use for longer than the setting lets it stand."""
        limit = clock.now() - timedelta(days=settings.STORE_DEVICE_DAYS)
        return self.last_seen_at is not None and self.last_seen_at < limit


class Pin(models.Model):
    """A person's PIN for the devices of their store. `failures` since it was last right; too many, and it is worth
    nothing until it is set anew."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="pin")
    secret = models.CharField(max_length=128)  # by Django's hashers
    set_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id} {self.set_at}"
