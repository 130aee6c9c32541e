"""What a SKU looks like: kept by who may, shown on orders and pick lists, refused where it could not be printed."""

import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from inventory.models import SkuChange, SkuPicture
from inventory.services import pictures
from orders.models import Order
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db


def png(red: int = 200) -> bytes:
    """One pixel."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = part(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + part(b"IDAT", zlib.compress(bytes([0, red, 0, 0]))) + part(b"IEND", b"")


def upload(client, sku, data: bytes):
    return client.post(reverse("inventory:picture-put", args=[sku.pk]), {"picture": SimpleUploadedFile("p.png", data)})


def test_a_picture_is_set_replaced_and_taken_away_on_record(client_of, aoi):
    chair, client = make_sku(), client_of(aoi)
    upload(client, chair, png())
    upload(client, chair, png())
    upload(client, chair, png(90))
    client.post(reverse("inventory:picture-put", args=[chair.pk]), {"remove": "1"})
    assert not SkuPicture.objects.exists() and SkuChange.objects.filter(sku=chair).count() == 3


@pytest.mark.parametrize("data", [b"GIF89a", b"\x89PNG\r\n\x1a\nbroken", b"x" * (pictures.MOST_BYTES + 1)])
def test_what_cannot_be_printed_is_refused_in_words(client_of, aoi, data):
    chair, client = make_sku(), client_of(aoi)
    answer = client.post(
        reverse("inventory:picture-put", args=[chair.pk]), {"picture": SimpleUploadedFile("p.png", data)}, follow=True
    )
    assert "画像" in answer.content.decode() and not SkuPicture.objects.exists()


def test_it_is_shown_to_who_works_with_the_goods_and_to_nobody_else(client_of, aoi, ben, chie):
    chair = make_sku()
    pictures.put(chair.pk, png(), by_id=None)
    url = reverse("inventory:picture", args=[chair.pk, SkuPicture.objects.get().sha256[:12]])
    answer = client_of(ben).get(url)
    assert (
        answer.content == png()
        and answer["Content-Type"] == "image/png"
        and "nosniff" in answer["X-Content-Type-Options"]
    )
    assert client_of(chie).get(url).status_code == 403
    assert client_of(ben).post(reverse("inventory:picture-put", args=[chair.pk])).status_code == 403
    assert client_of(aoi).get(reverse("inventory:picture", args=[chair.pk, "0" * 12])).status_code == 404


def test_orders_and_pick_lists_show_it(client_of, aoi):
    chair = make_sku(stock_units=5)
    pictures.put(chair.pk, png(), by_id=None)
    take_in(make_shop(), [make_channel_order()], sku_of=mapped(chair))
    order, client = Order.objects.get(), client_of(aoi)
    address = reverse("inventory:picture", args=[chair.pk, SkuPicture.objects.get().sha256[:12]])
    assert address in client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert address in client.get(reverse("inventory:sku", args=[chair.pk])).content.decode()
    allocate_waiting()
    ids = instruct_orders([order.pk], actor=Actor()).shipments
    plain = client.post(reverse("fulfillment:pick-list"), {"ids": ids}).content
    shown = client.post(reverse("fulfillment:pick-list"), {"ids": ids, "pictures": "1"}).content
    assert b"/Subtype/Image" in shown and b"/Subtype/Image" not in plain
