"""What a channel's code and name probably stand for: codes made comparable, rules applied, names compared."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from heapq import nsmallest

from oms.kernel.text import folded, search_word

SURE = 95
CODE_SCORE, JAN_SCORE, LEARNED_SCORE, RULE_SCORE, STEM_SCORE, TORN_SCORE = 100, 98, 97, 95, 70, 60
NAME_BEST, NAME_LEAST = 90, 35  # a name alone is never sure
COMMON = 400  # pairs of letters that more SKUs share tell nothing
CANDIDATES = 15


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a shop, in its order. `kind` is prefix, suffix, pattern or units."""

    kind: str
    pattern: str
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A listing without SKU. `learned` is (sku id, units) that people gave the same code elsewhere."""

    id: int
    code: str
    name: str = ""
    jan: str = ""
    rules: Sequence[Rule] = ()
    learned: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """`reason` is a key of Proposal.Reason; `score` 0 … 100."""

    sku_id: int
    units: int
    reason: str
    score: int


@dataclass(frozen=True, slots=True)
class Name:
    """A SKU's name, taken apart once: its words, and the pairs of letters in it."""

    words: tuple[str, ...]
    pairs: frozenset[str]


@dataclass(slots=True)
class Goods:
    """Active SKUs by what may name them; a plain code or JAN that two SKUs share names none."""

    by_code: dict[str, int] = field(default_factory=dict)
    by_jan: dict[str, int] = field(default_factory=dict)
    names: dict[int, "Name"] = field(default_factory=dict)
    pairs: dict[str, list[int]] = field(default_factory=dict)


def goods_of(rows: Sequence[tuple[int, str, str, str, str]]) -> Goods:
    """Rows of (id, code, jan, name, variant)."""
    codes: dict[str, list[int]] = defaultdict(list)
    jans: dict[str, list[int]] = defaultdict(list)
    pairs: dict[str, list[int]] = defaultdict(list)
    names = {}
    for pk, code, jan, name, variant in rows:
        codes[plain(code)].append(pk)
        if jan:
            jans[jan].append(pk)
        whole = folded(f"{name} {variant}")
        names[pk] = Name(tuple(words(whole)) or (whole,), frozenset(pairs_of(whole)))
        for pair in names[pk].pairs:
            pairs[pair].append(pk)
    return Goods(
        by_code={code: ids[0] for code, ids in codes.items() if code and len(ids) == 1},
        by_jan={jan: ids[0] for jan, ids in jans.items() if len(ids) == 1},
        names=names,
        pairs={pair: ids for pair, ids in pairs.items() if len(ids) <= COMMON},
    )


def match(wanted: Wanted, goods: Goods) -> Match | None:
    """The best guess: the code or the JAN, what people decided before, the code by the shop's rules, the name."""
    return _by_itself(wanted, goods) or _by_custom(wanted, goods) or _by_name(wanted.name, goods)


def _by_itself(wanted: Wanted, goods: Goods) -> Match | None:
    code = goods.by_code.get(plain(wanted.code))
    jan = next((goods.by_jan[jan] for jan in [wanted.jan, *jans_in(wanted.code)] if jan in goods.by_jan), None)
    if code:
        return Match(code, 1, "code", TORN_SCORE if jan and jan != code else CODE_SCORE)
    return Match(jan, 1, "jan", JAN_SCORE) if jan else None


def _by_custom(wanted: Wanted, goods: Goods) -> Match | None:
    if wanted.learned:
        return Match(wanted.learned[0], wanted.learned[1], "learned", LEARNED_SCORE)
    rewritten, units = rewrite(wanted.code, wanted.rules)
    if rewritten != wanted.code and (found := goods.by_code.get(plain(rewritten))):
        return Match(found, units, "rule", RULE_SCORE)
    found = goods.by_code.get(plain(stem(wanted.code)))
    return Match(found, 1, "stem", STEM_SCORE) if found else None


def _by_name(name: str, goods: Goods) -> Match | None:
    said = folded(quiet(name))
    said_pairs = pairs_of(said)
    weights: dict[int, float] = defaultdict(float)
    for pair in said_pairs:
        holders = goods.pairs.get(pair, ())
        for pk in holders:
            weights[pk] += 1 / len(holders)
    best = nsmallest(CANDIDATES, weights, key=lambda pk: (-weights[pk], pk))
    alike = ((_alike(goods.names[pk], said, said_pairs), pk) for pk in best)
    scored = sorted(alike, key=lambda pair: (-pair[0], pair[1]))
    if not scored:
        return None
    score = int(scored[0][0] * NAME_BEST)
    return Match(scored[0][1], 1, "name", score) if score >= NAME_LEAST else None


def _alike(own: Name, said: str, said_pairs: set[str]) -> float:
    """0 … 1, like `likeness`, but cheap enough for thousands of listings: shared pairs instead of shared runs."""
    share = sum(len(word) for word in own.words if word in said) / max(1, sum(map(len, own.words)))
    common = 2 * len(own.pairs & said_pairs) / max(1, len(own.pairs) + len(said_pairs))
    return (share + common) / 2


def rewrite(code: str, rules: Sequence[Rule]) -> tuple[str, int]:
    """The code after the shop's rules, and how many pieces it says it holds. A pattern that is none changes nothing."""
    units = 1
    for rule in rules:
        if rule.kind == "prefix":
            code = code[len(rule.pattern) :] if code.lower().startswith(rule.pattern.lower()) else code
        elif rule.kind == "suffix":
            code = code[: -len(rule.pattern)] if code.lower().endswith(rule.pattern.lower()) else code
        elif rule.kind == "pattern":
            code = _sub(rule.pattern, rule.replacement, code)
        elif rule.kind == "units" and (found := _search(rule.pattern, code)):
            digits = re.search(r"\d+", found.group(1) if found.groups() else found.group(0))
            units = min(int(digits.group(0)), 999) or 1 if digits else units
            code = code[: found.start()] + code[found.end() :]
    return code, units


def fault_in(kind: str, pattern: str, replacement: str) -> str:
    """Why a rule cannot work, as a key: "empty", "pattern" or "replacement"; "" when it can."""
    if not pattern:
        return "empty"
    if kind in {"prefix", "suffix"}:
        return ""
    try:
        compiled = re.compile(pattern)
    except re.error:
        return "pattern"
    try:
        compiled.sub(replacement, "")
        re.sub(f"(?:{pattern})|", replacement, "x")
    except (re.error, IndexError):
        return "replacement"
    return ""


def _sub(pattern: str, replacement: str, code: str) -> str:
    try:
        return re.sub(pattern, replacement, code)
    except (re.error, IndexError):
        return code


def _search(pattern: str, code: str) -> "re.Match[str] | None":
    try:
        return re.search(pattern, code)
    except re.error:
        return None


def plain(code: str) -> str:
    """ch-bk 01, CH_BK01 and ＣＨＢＫ０１ are one."""
    return re.sub(r"[^0-9a-z]", "", folded(code))


def stem(code: str) -> str:
    """The code without its last part: shops like to append -FBA, -2set, _a."""
    return re.sub(r"[-_ /:][^-_ /:]*$", "", code)


def jans_in(code: str) -> list[str]:
    return re.findall(r"(?<!\d)(?:\d{13}|\d{8})(?!\d)", code)


def quiet(name: str) -> str:
    """A mall's product name without what is shouted in brackets."""
    return re.sub(r"[【\[［（(][^】\]］）)]*[】\]］）)]", " ", name)


def words(name: str) -> set[str]:
    return {word for word in map(search_word, re.split(r"[\s　/／・|｜,、]+", quiet(name))) if len(word) >= 2}


def pairs_of(text: str) -> set[str]:
    """Pairs of neighbouring letters, spaces left out."""
    dense = "".join(text.split())
    return {dense[at : at + 2] for at in range(len(dense) - 1)}


def likeness(own: str, said: str) -> float:
    """0 … 1: how alike the names are, and how much of the SKU's own words the mall's name says. Both folded."""
    own_words = words(own) or {own}
    share = sum(len(word) for word in own_words if word in said) / max(1, sum(map(len, own_words)))
    return (share + SequenceMatcher(None, own, said).ratio()) / 2


def by_shop(rules: Mapping[int | None, Sequence[Rule]], shop_id: int) -> Sequence[Rule]:
    """A shop's own rules first, then those of all shops."""
    return [*rules.get(shop_id, ()), *rules.get(None, ())]
