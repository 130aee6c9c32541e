"""What an order's summary of its goods says to a reader."""

import re

from django.utils.translation import gettext as _

MORE = re.compile(r" 他(\d+)点$")  # as `orders.services.intake_rows.item_summary` writes it, in the company's language


def goods_words(summary: str) -> str:
    """`Order.item_summary` in the reader's language; the name of the first item is data."""
    found = MORE.search(summary)
    if found is None:
        return summary
    return _("%(first)s 他%(n)s点") % {"first": summary[: found.start()], "n": found[1]}
