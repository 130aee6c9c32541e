"""What the company calls stages and reasons: stored with a journal, published to every serving process."""

from collections.abc import Mapping

from django.db import transaction

from oms.kernel import clock, own_words
from oms.kernel.models import User
from oms.kernel.services import setting_versions
from orders.models import ReasonSetting, ReviewSettingChange, StageName
from orders.models.order import Stage


def stage_names() -> dict[str, str]:
    """The company's own, by stage code."""
    return dict(StageName.objects.values_list("code", "label"))


@transaction.atomic
def rename_stages(wanted: Mapping[str, str], *, by: User | None) -> list[str]:
    """Give stages these names; "" is the standard one. Returns the codes that changed. The same again does nothing."""
    with setting_versions.kept("stage_names", "-", by=by):
        held = dict(StageName.objects.select_for_update(no_key=True).order_by("pk").values_list("code", "label"))
        changed = [code for code in Stage.values if code in wanted and held.get(code, "") != wanted[code]]
        for code in changed:
            if wanted[code]:
                StageName.objects.update_or_create(code=code, defaults={"label": wanted[code]})
            else:
                StageName.objects.filter(code=code).delete()
        ReviewSettingChange.objects.bulk_create(
            ReviewSettingChange(
                subject=f"stage:{code}", version=_next_version(code), before={"label": held.get(code, "")},
                after={"label": wanted[code]}, at=clock.now(), by=by,
            )
            for code in changed
        )  # fmt: skip
        if changed:
            transaction.on_commit(publish)
        return changed


def publish() -> None:
    """Tell every serving process what things are called. Doing it again does no harm."""
    reasons = ReasonSetting.objects.exclude(label="").values_list("code", "label")
    own_words.publish(
        {f"reason:{code}": label for code, label in reasons}
        | {f"stage:{code}": label for code, label in stage_names().items()}
    )


def _next_version(code: str) -> int:
    return ReviewSettingChange.objects.filter(subject=f"stage:{code}").count() + 1
