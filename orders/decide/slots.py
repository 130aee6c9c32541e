"""Hours of delivery in words."""

from collections.abc import Collection

from django.utils.translation import gettext as _

# The hours that carriers offer, as they are kept.
SLOTS = ("am", "1214", "1416", "1618", "1820", "1821", "1921", "2021")
MORNING = 800, 1200  # 午前中, in the same figures as the others


def slot_label(code: str) -> str:
    """am → 午前中, 1416 → 14–16時; a channel's own word as it is."""
    if code == "am":
        return _("午前中")
    if len(code) == 4 and code.isdecimal():
        return _("%(start)s–%(end)s時") % {"start": code[:2], "end": code[2:]}
    return code


def nearest_slot(wanted: str, offered: Collection[str]) -> str:
    """The hours among these whose middle is nearest to the wanted ones; "" where those are offered or not read."""
    if wanted in offered or not (len(wanted) == 4 and wanted.isdecimal()):
        return ""
    return min(sorted(offered), key=lambda code: abs(_middle(code) - _middle(wanted)), default="")


def _middle(code: str) -> float:
    start, end = MORNING if code == "am" else (int(code[:2]) * 100, int(code[2:]) * 100)
    return (start + end) / 2
