"""Hours of delivery in words."""

from django.utils.translation import gettext as _

# The hours that carriers offer, as they are kept.
SLOTS = ("am", "1214", "1416", "1618", "1820", "1821", "1921", "2021")


def slot_label(code: str) -> str:
    """am → 午前中, 1416 → 14–16時; a channel's own word as it is."""
    if code == "am":
        return _("午前中")
    if len(code) == 4 and code.isdecimal():
        return _("%(start)s–%(end)s時") % {"start": code[:2], "end": code[2:]}
    return code
