"""日本郵便 クリックポスト, まとめ申込 CSV: eight columns, a header, forty parcels a file. Pure.

No phone, no day, no own number: tracking numbers stand on the site alone and are typed or pasted afterwards.
"""

from django.utils.translation import gettext as _

from fulfillment.waybills import common
from fulfillment.waybills.cells import Column, Held, Made, clean, row_of, too_long
from fulfillment.waybills.common import Service
from fulfillment.waybills.parcel import Contract, Parcel
from oms.kernel.label import laid_out, width

LINE, LINES = 40, 4
MOST_ROWS = 40
COLUMNS = (
    Column("お届け先郵便番号", 8, required=True),
    Column("お届け先氏名", 40, required=True),
    Column("お届け先敬称", 4),
    *(Column(f"お届け先住所{n}行目", LINE, required=n == "1") for n in "1234"),
    Column("内容品", 30, required=True, setting=True),
)


def make(parcel: Parcel, contract: Contract) -> Made:
    """One line. Raises Held."""
    causes = list(common.faults(parcel, Service.CLICKPOST, _("クリックポスト")))
    lines = _address(parcel, contract)
    if lines is None:
        over = width(clean(parcel.to.city + parcel.to.street + parcel.to.company, contract.letters)) - LINE * (
            LINES - 1
        )
        causes.append(too_long(_("届け先の住所と会社名"), max(1, over)))
    if causes:
        raise Held(causes)
    values = {
        "お届け先郵便番号": common.postal(parcel.to.postal_code),
        "お届け先氏名": parcel.to.name,
        "お届け先敬称": common.honorific(parcel.to.name),
        **{f"お届け先住所{n}行目": text for n, text in enumerate(lines or [], start=1)},
        "内容品": contract.item,
    }
    return Made([row_of(COLUMNS, values, contract.letters)], common.without_wish(parcel))


def _address(parcel: Parcel, contract: Contract) -> list[str] | None:
    """City, block, building and company each on a line of its own where they fit, else filled one after another."""
    block, building = common.block_and_building(parcel.to, contract.letters)
    head, company = (
        clean(text, contract.letters) for text in (parcel.to.prefecture + parcel.to.city, parcel.to.company)
    )
    apart = [text for text in (head, block, building, company) if text]
    if all(width(text) <= LINE for text in apart):
        return apart
    return laid_out(" ".join([head + block, *(text for text in (building, company) if text)]), (LINE,) * LINES)
