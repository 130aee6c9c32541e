"""Where a request comes from, and lists of networks."""

import pytest
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st

from oms.kernel.agents import described
from oms.kernel.whence import UnreadableNetworks, address_of, admits, canonical, networks_of


def asked(remote, forwarded=None):
    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    return RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers)


def test_without_a_proxy_nobody_is_believed_who_says_where_they_are():
    with override_settings(TRUSTED_PROXIES=0):
        assert address_of(asked("203.0.113.9", "10.0.0.1")) == "203.0.113.9"


def test_behind_proxies_only_what_they_wrote_counts():
    with override_settings(TRUSTED_PROXIES=1):
        assert address_of(asked("172.16.0.1", "10.0.0.1, 203.0.113.9")) == "203.0.113.9"
        assert address_of(asked("172.16.0.1")) == "172.16.0.1"
    with override_settings(TRUSTED_PROXIES=2):
        assert address_of(asked("172.16.0.1", "10.0.0.1, 203.0.113.9, 198.51.100.4")) == "203.0.113.9"


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[2001:DB8::1]:443", "2001:db8::1"),
        ("2001:db8:0:0::1", "2001:db8::1"),
        ("unknown", "unknown"),
    ],
)
def test_an_address_has_one_form(told, address):
    assert canonical(told) == address


def test_a_list_is_read_as_people_type_it():
    typed = "２０３．０．１１３．７\n\n 203.0.113.0/24 \n2001:DB8::/32\n203.0.113.7/32\n::ffff:192.0.2.0/120"
    assert networks_of(typed) == ["203.0.113.7/32", "203.0.113.0/24", "2001:db8::/32", "192.0.2.0/24"]
    assert networks_of(" \n") == []


def test_what_cannot_be_read_is_said_line_by_line():
    with pytest.raises(UnreadableNetworks) as wrong:
        networks_of("203.0.113.7\noffice\n203.0.113.7/24\n300.1.1.1")
    first, second, third = wrong.value.lines
    assert "2行目「office」" in first and "IPアドレスとして読めません" in first
    assert "3行目" in second and "203.0.113.0/24" in second
    assert "4行目" in third
    with pytest.raises(UnreadableNetworks, match="200行まで"):
        networks_of("\n".join(f"10.0.{n}.0/24" for n in range(201)))


def test_every_list_has_to_admit_and_an_empty_one_admits_all():
    store, tokyo = "203.0.113.0/24\n2001:db8::/32", "203.0.113.7/32"
    assert admits([], "198.51.100.1") and admits(["", ""], "nowhere")
    assert admits([store], "203.0.113.200") and admits([store], "2001:db8::5")
    assert admits([store, tokyo], "203.0.113.7") and not admits([store, tokyo], "203.0.113.8")
    assert not admits([store], "198.51.100.1") and not admits([store], "") and not admits([store], "office")


@given(st.ip_addresses())
def test_an_address_is_in_the_list_made_of_itself(address):
    assert admits(["\n".join(networks_of(str(address)))], canonical(str(address)))


@given(st.text(max_size=80))
def test_nothing_typed_breaks_the_reading(text):
    try:
        found = networks_of(text)
    except UnreadableNetworks as error:
        assert error.lines
    else:
        assert networks_of("\n".join(found)) == found


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
            "Chrome（Windows）",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge（Windows）"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/1 Safari/604.1",
            "Safari（iPhone）",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15", "Safari（Mac）"),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit Chrome/140.0 Mobile Safari/537",
            "Chrome（Androidスマートフォン）",
        ),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit Chrome/140.0 Safari/537", "Chrome（Androidタブレット）"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox（Linux）"),
        ("python-requests/2.34", "python-requests"),
        ("", "不明なブラウザ"),
        ("Mozilla/5.0 (<script>)", "不明なブラウザ"),
    ],
)
def test_a_browser_is_named_in_plain_words(agent, words):
    assert described(agent) == words
