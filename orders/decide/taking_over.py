"""What becomes of a field that the channel tells anew while our own value may be another one. Pure, over plain texts.

Three values meet: what the channel had told (`known`), what stands here now (`ours`) and what it tells now (`theirs`).
Where nobody corrected anything here, `known` is what stands.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from oms.kernel.said import said, together

PART_NAMES = {
    "buyer": said("注文者"),
    "recipients": said("届け先"),
    "lines": said("商品・数量"),
    "totals": said("金額"),
    "delivery": said("配達の希望"),
    "remarks": said("備考"),
}


@dataclass(frozen=True, slots=True)
class Known:
    """What the channel had told of a field before it was changed here, and whether a person changed it (not a rule,
    which looks at the order again anyway)."""

    text: str
    by_person: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """Field names: `kept` stay as they are here, `taken` become the channel's (field → before, after), of which
    `clashing` were corrected here by a person and changed there too."""

    kept: frozenset[str] = frozenset()
    taken: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    clashing: frozenset[str] = frozenset()


def settle(ours: Mapping[str, str], theirs: Mapping[str, str], known: Mapping[str, Known]) -> Settled:
    """Decide field by field. A correction stays while the channel repeats what was corrected; what it tells anew is
    taken, and clashes with a person's correction."""
    kept, taken, clashing = set(), {}, set()
    for name, told in theirs.items():
        stands, before = ours[name], known.get(name)
        if told == stands:
            continue
        if before is not None and before.text != stands and told == before.text:
            kept.add(name)
            continue
        taken[name] = (stands, told)
        if before is not None and before.by_person and before.text != stands:
            clashing.add(name)
    return Settled(frozenset(kept), taken, frozenset(clashing))


@dataclass(frozen=True, slots=True)
class Judged:
    """Sentences that ask for a person, and the one that only informs ("" for none)."""

    stops: tuple[str, ...] = ()
    informs: str = ""


def judge(
    parts: Collection[str],
    *,
    at: str,
    clashing: Collection[str] = (),
    lines_clash: bool = False,
    short: bool = False,
    strict: bool = False,
) -> Judged:
    """What to say of a change taken over before the instruction.

    `parts` are those in which something visible changed, `at` the moment in words (the same change told twice is
    one piece of news, two changes alike are two), `clashing` labels of fields that both sides changed.
    """
    names = [PART_NAMES[part] for part in PART_NAMES if part in parts]
    stops = []
    if clashing:
        stops.append(
            said(
                "%(at)s こちらで直した%(fields)sが、モールでも変わりました。モールの内容にしてあります。"
                "見比べて、どちらにするか決めてください。",
                at=at,
                fields=list(clashing),
            )
        )
    if lines_clash:
        stops.append(
            said(
                "%(at)s こちらで商品・数量を変えたあとに、モールでも商品・数量が変わりました。"
                "今の明細と合計を確かめてください。",
                at=at,
            )
        )
    if short:
        stops.append(
            said(
                "%(at)s モールで商品・数量が変わり、在庫が足りません。"
                "入荷を待つか、お客様に知らせるかを決めてください。",
                at=at,
            )
        )
    if strict and names:
        stops.append(
            said("%(at)s モールで%(names)sが変わり、取り込みました。内容を確かめてください。", at=at, names=names)
        )
    informs = said("%(at)s モール側の変更を反映しました（%(names)s）。", at=at, names=names)
    return Judged(tuple(stops), informs if names and not stops else "")


def added(open_evidence: str, news: str) -> str:
    """News of one or more lines added to what is still unread, each line once."""
    known, new = open_evidence.split("\n"), news.split("\n")
    if not set(new) & set(known):
        return together([open_evidence, news], "\n")
    return together([open_evidence, *(line for line in new if line not in known)], "\n")
