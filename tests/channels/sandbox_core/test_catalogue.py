from datetime import date

import pytest

from channels.sandbox import catalogue, people

DAY = date(2026, 10, 5)


@pytest.fixture(scope="module")
def goods():
    return catalogue.build(1, DAY)


def test_a_seed_makes_the_same_catalogue_and_another_seed_another_one(goods):
    catalogue.build.cache_clear()
    again = catalogue.build(1, DAY)
    assert again == goods and again is not goods
    assert catalogue.build(2, DAY).skus != goods.skus


def test_there_are_about_two_thousand_skus_of_every_kind(goods):
    skus = goods.skus.values()
    assert 1800 <= len(skus) <= 2300
    assert {sku.category for sku in skus} == {"furniture", "bicycle", "apparel", "food", "goods"}
    assert {sku.temperature for sku in skus} == {"ambient", "chilled", "frozen"}
    assert all(sku.tax_rate == 8 for sku in skus if sku.temperature != "ambient")
    assert any(sku.is_set for sku in skus) and any(sku.is_preorder for sku in skus)
    assert {place for sku in skus for place in sku.stock} == {code for code, _, _ in catalogue.LOCATIONS}


def test_every_jan_is_its_own_and_its_check_digit_is_right(goods):
    jans = [sku.jan for sku in goods.skus.values()]
    assert len(set(jans)) == len(jans)
    for jan in jans:
        assert len(jan) == 13
        total = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(jan))
        assert total % 10 == 0


def test_components_of_sets_are_plain_and_of_one_tax_rate(goods):
    for one in (sku for sku in goods.skus.values() if sku.is_set):
        parts = [goods.skus[code] for code, _ in one.components]
        assert not any(part.is_set for part in parts)
        assert {part.tax_rate for part in parts} == {one.tax_rate}
        assert goods.online_stock(one.code) == min(goods.online_stock(c) // n for c, n in one.components)


def test_each_sku_is_sold_on_two_channels_at_least(goods):
    places: dict[str, set[str]] = {}
    for listing in goods.listings.values():
        places.setdefault(listing.sku, set()).add(listing.channel)
    assert places.keys() == goods.skus.keys()
    assert min(len(channels) for channels in places.values()) >= 2


def test_codes_keep_the_limits_of_their_channel(goods):
    for (channel, key), listing in goods.listings.items():
        codes = listing.codes
        if channel == "amazon":
            assert key == codes["seller_sku"] and len(codes["asin"]) == 10
        elif channel == "rakuten":
            assert key == f"{codes['manage_number']}/{codes['variant_id']}"
            assert codes["manage_number"] == codes["manage_number"].lower() and len(codes["manage_number"]) <= 32
        elif channel == "yahoo":
            assert key == ":".join(code for code in (codes["item_code"], codes["sub_code"]) if code)
        elif channel == "qoo10":
            assert codes["item_code"].isdigit() and len(codes["item_code"]) in (9, 10)
            assert key == "/".join(code for code in (codes["item_code"], codes["option_code"]) if code)
        else:
            assert key == f"{codes['product_no']}/{codes['vertical_no']}/{codes['horizontal_no']}"
            assert len(codes["vertical_no"].encode()) <= 9 and len(codes["horizontal_no"].encode()) <= 9


def test_some_listings_are_unknown_to_the_merchant_and_some_belong_to_amazon(goods):
    unmapped = [one for one in goods.listings.values() if not one.mapped]
    assert {one.channel for one in unmapped} == {"amazon", "rakuten", "yahoo", "qoo10", "futureshop"}
    by_amazon = [one for one in goods.listings.values() if one.fulfilled_by == "amazon"]
    assert by_amazon and {one.channel for one in by_amazon} == {"amazon"}


def test_a_person_is_the_same_on_all_channels_under_another_spelling():
    crowd = [people.person(1, number) for number in range(400)]
    assert crowd == [people.person(1, number) for number in range(400)]
    spellings = {people.spelled(one, channel).name for one in crowd[:50] for channel in ("amazon", "yahoo")}
    assert any(set(name) & set("髙邊邉﨑齋濱廣嶋澤") for name in spellings)
    for one in crowd[:50]:
        written = [people.spelled(one, channel) for channel in ("amazon", "rakuten", "yahoo")]
        assert {spelling.person_id for spelling in written} == {one.person_id}
        assert {spelling.phone.replace("-", "") for spelling in written} == {one.phone.replace("-", "")}


def test_people_live_at_places_of_the_register_and_have_numbers_nobody_has():
    known = {(place.postal, place.prefecture, place.city, place.town) for place in people.places()}
    prefectures = {place.prefecture for place in people.places()}
    assert len(prefectures) == 47
    for number in range(300):
        one = people.person(1, number)
        address = one.address
        assert (address.postal, address.prefecture, address.city, address.town) in known
        assert one.phone[3:8] == "-0000"
    assert people.islander(1, 5).address.island
    assert not {one.person_id for one in people.blacklist(1)} & {f"p{n:05d}" for n in range(people.CROWD)}
