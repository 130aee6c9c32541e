"""会員名簿 of a file: number, rank, birthday, store's card and tags; who is not known yet becomes a member."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from customers.models import Member, Rank
from customers.services import labels, profile, roll
from customers.services.identity import Person, match_members
from orders.decide import moving_in as decide
from orders.models import MoveIn

Values = Mapping[str, str]
Units = Mapping[str, Sequence[Values]]
Outcome = tuple[str, Any]
CREATED, UPDATED, UNCHANGED, FAILED = "created", "updated", "unchanged", "failed"
UNDONE, KEPT = "undone", "kept"


def listed(values: Values) -> roll.Listed:
    person = Person(
        values.get("name", "")[:120],
        values.get("kana", "")[:120],
        values.get("phone", "")[:20],
        values.get("email", "")[:254],
        decide.postal(values.get("postal", ""))[:8],
        values.get("prefecture", "")[:10],
    )
    return roll.Listed(values.get("member_no", "")[:40], person)


def plan(_move: MoveIn, units: Units) -> dict[str, str]:
    return {key: outcome for key, (outcome, _detail) in _judged(units).items()}


def _judged(units: Units) -> dict[str, Outcome]:
    """Key → what would happen, with the member's id (None for a new one) and the facts to set, or why not."""
    found = dict(zip(units, roll.find([listed(lines[0]) for lines in units.values()]), strict=True))
    members = Member.objects.select_related("rank").defer("search").in_bulk([pk for pk in found.values() if pk])
    tags = profile.tags_of_all(list(members))
    ranks = {name: rank.code for rank in Rank.objects.all() for name in (rank.code, rank.name)}
    judged: dict[str, Outcome] = {}
    seen: set[int] = set()
    for key, lines in units.items():
        wanted, who, pk = _wanted(lines[0], ranks), listed(lines[0]), found[key]
        if isinstance(wanted, str):
            judged[key] = (FAILED, {"why": wanted})
        elif pk in seen:
            judged[key] = (FAILED, {"why": _("同じ会員がファイルのほかの行にもあります。")})
        elif pk is None:
            judged[key] = (CREATED, {"member": None, "is": wanted}) if who.can_be_new else (FAILED, {"why": _nobody()})
        else:
            seen.add(pk)
            have = profile.facts_of(members[pk])
            same = all(have[name] == value for name, value in wanted.items() if name != "tags")
            missing = set(wanted.get("tags", ())) - tags.get(pk, set())
            was = {name: have[name] for name in wanted if name != "tags"}
            told = {"member": pk, "was": was, "is": wanted}
            judged[key] = (UNCHANGED if same and not missing else UPDATED, told)
    return judged


def _nobody() -> str:
    return _("会員が見つかりません。新しい会員にするには、氏名と、電話番号かメールが要ります。")


def _wanted(values: Values, ranks: Mapping[str, str]) -> dict[str, Any] | str:
    """The facts of one line as a journal keeps them (empty cells say nothing), or why they cannot be taken."""
    told: dict[str, Any] = {}
    if values.get("member_no"):
        told["member_no"] = values["member_no"]
    if values.get("birthday"):
        told["birthday"] = decide.birthday(values["birthday"]).isoformat()
    if values.get("store_member"):
        told["store_member"] = decide.is_yes(values["store_member"])
    if values.get("tags"):
        told["tags"] = decide.tags(values["tags"])
    if rank := values.get("rank"):
        if rank not in ranks:
            return _("会員ランク「%(rank)s」は登録がありません。") % {"rank": rank[:40]}
        told["rank"] = ranks[rank]
    return told


def apply(move: MoveIn, units: Units) -> dict[str, Outcome]:
    """Members first, then what is said of them. Applying the same file again changes nothing."""
    judged = _judged(units)
    fresh = [key for key, (outcome, _told) in judged.items() if outcome == CREATED]
    made = dict(zip(fresh, match_members([listed(units[key][0]).person for key in fresh]), strict=True))
    doubled: set[int] = set()
    for key, pk in made.items():
        if pk is None or pk in doubled:
            judged[key] = (FAILED, {"why": _("同じ会員がファイルのほかの行にもあります。")})
        else:
            doubled.add(pk)
            judged[key] = (CREATED, judged[key][1] | {"member": pk})
    work = {told["member"]: told["is"] for outcome, told in judged.values() if outcome in {CREATED, UPDATED}}
    profile.change({pk: as_values(told) for pk, told in work.items()}, by=move.by, source=move.name)
    labels.add_tags(
        [
            labels.NewLabel(pk, tag, f"file:{pk}:{tag}"[:120], source=move.name)
            for pk, told in work.items()
            for tag in told.get("tags", ())
        ],
        by=move.by,
    )
    return judged


def as_values(told: Mapping[str, Any]) -> dict[str, Any]:
    """As `profile.change` takes them."""
    values = {name: value for name, value in told.items() if name != "tags"}
    if "birthday" in values:
        values["birthday"] = date.fromisoformat(values["birthday"]) if values["birthday"] else None
    return values


def undo(move: MoveIn, kept: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """Facts go back where nobody has written since, tags of the file too. New members stay, as people do."""
    rows = {key: told for key, (outcome, told) in kept.items() if outcome in {CREATED, UPDATED}}
    members = Member.objects.select_related("rank").defer("search").in_bulk([told["member"] for told in rows.values()])
    done: dict[str, Outcome] = {}
    back = {}
    for key, told in rows.items():
        member, facts = members.get(told["member"]), {n: v for n, v in told["is"].items() if n != "tags"}
        now = profile.facts_of(member) if member else {}
        if "was" not in told or any(now.get(name) != value for name, value in facts.items()):
            done[key] = (KEPT, None)
            continue
        back[told["member"]] = as_values(told["was"])
        labels.remove([f"file:{told['member']}:{tag}"[:120] for tag in told["is"].get("tags", ())])
        done[key] = (UNDONE, None)
    profile.change(back, by=move.by, source=move.name)
    return done
