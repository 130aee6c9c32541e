from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField
from oms.kernel.search import gram_index


class Rank(models.Model):
    """会員ランク: the company's own steps. Rules and settings name `code`, so it never changes."""

    code = models.SlugField(_("コード"), max_length=20, unique=True)
    name = models.CharField(_("名前"), max_length=40, unique=True)
    level = models.PositiveSmallIntegerField(_("順位（大きいほど上位）"), unique=True)
    is_vip = models.BooleanField(_("上位会員として扱う"), default=False)  # what the reason `vip` asks

    class Meta:
        verbose_name = _("会員ランク")
        ordering = ["-level"]

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A person who buys, in whatever channel. The columns show the newest data a channel gave; what stands below
    `order_count` is the company's own word (`customers.services.profile`)."""

    name = models.CharField(_("氏名"), max_length=120)
    kana = models.CharField(_("カナ"), max_length=120, blank=True)
    phone = models.CharField(_("電話番号"), max_length=20, blank=True)
    email = models.CharField(_("メール"), max_length=254, blank=True)
    postal_code = models.CharField(_("郵便番号"), max_length=8, blank=True)
    prefecture = models.CharField(_("都道府県"), max_length=10, blank=True)
    order_count = models.PositiveIntegerField(_("注文回数"), default=0)
    member_no = models.CharField(_("会員番号"), max_length=40, blank=True, default="", db_default="")
    birthday = models.DateField(_("生年月日"), null=True, blank=True)
    rank = models.ForeignKey(
        Rank, models.PROTECT, null=True, blank=True, related_name="members", verbose_name=_("会員ランク")
    )
    store_member = models.BooleanField(_("店舗会員"), default=False, db_default=False)
    created_at = models.DateTimeField(_("登録日時"))
    search = models.TextField(blank=True, default="", db_default="", editable=False)  # see `search_column`

    class Meta:
        indexes = [gram_index("search", name="member_search")]
        constraints = [
            models.UniqueConstraint(fields=["member_no"], condition=~models.Q(member_no=""), name="member_no_once")
        ]

    def __str__(self) -> str:
        return self.name


class Identity(models.Model):
    """One sure key of a member: the same key never belongs to two. `key` is normalised and hashed by the service."""

    class Kind(models.TextChoices):
        NAME_PHONE = "name_phone", _("氏名＋電話番号")
        EMAIL = "email", _("メール")

    member = models.ForeignKey(Member, models.CASCADE, related_name="identities")
    kind = models.CharField(_("種類"), max_length=12, choices=Kind)
    key = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="identity_once")]

    def __str__(self) -> str:
        return f"{self.kind} → {self.member_id}"


class MemberLabel(models.Model):
    """Something that was put onto a member. Rows are only inserted and deleted, so nobody waits for the member's lock.

    `key` makes putting it twice harmless; `source_order` is the order because of which it came, `source` says so.
    """

    source = SaidField(_("書いたもの"), blank=True)
    source_order = models.BigIntegerField(null=True)
    key = models.CharField(max_length=120, unique=True)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True


class MemberTag(MemberLabel):
    """A tag of a member. The member has it while any row says so."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="tags")
    tag = models.CharField(_("タグ"), max_length=40)

    def __str__(self) -> str:
        return self.tag


class MemberNote(MemberLabel):
    """A sentence about a member that the staff should know. `promise`: something to be done with the member's next
    order; open until somebody ticks it, and the tick may be taken back."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="notes")
    text = models.CharField(_("メモ"), max_length=300)
    promise = models.BooleanField(_("次の注文時に行う約束"), default=False, db_default=False)
    done_at = models.DateTimeField(_("済みにした日時"), null=True, blank=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(
                fields=["member"], name="member_promise", condition=models.Q(promise=True, done_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.text


class MemberChange(models.Model):
    """What the company changed of a member: field → value, before and after. Append-only, by trigger; forgetting the
    person empties the values. `source` says where it came from, when not by hand."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="changes")
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    source = models.CharField(_("書いたもの"), max_length=120, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.member_id}: {', '.join(self.after)}"


class MemberPair(models.Model):
    """Two members whose sure keys met in one person: probably the same one, until somebody says `different`.

    `first` is the smaller id; `met_on` names the kinds of the keys that met.
    """

    class State(models.TextChoices):
        OPEN = "open", _("未確認")
        DIFFERENT = "different", _("別人")

    first = models.ForeignKey(Member, models.CASCADE, related_name="+")
    second = models.ForeignKey(Member, models.CASCADE, related_name="+")
    state = models.CharField(_("状態"), max_length=10, choices=State, default=State.OPEN)
    met_on = models.CharField(_("手がかり"), max_length=40)
    found_at = models.DateTimeField(_("見つけた日時"))
    decided_at = models.DateTimeField(_("決めた日時"), null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="member_pair_once"),
            models.CheckConstraint(condition=models.Q(first__lt=models.F("second")), name="member_pair_ordered"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} = {self.second_id}? {self.state}"
