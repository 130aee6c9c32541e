"""Where a request comes from, and whether an address lies in a list of networks."""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

MOST_NETWORKS = 200
_V4_WITH_PORT = re.compile(r"(\d+\.\d+\.\d+\.\d+):\d+")
_V6_IN_BRACKETS = re.compile(r"\[([0-9A-Fa-f:.]+)\](:\d+)?")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class UnreadableNetworks(ValueError):
    """`lines` say in words what is wrong with which line."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def address_of(request: HttpRequest) -> str:
    """The client's address. X-Forwarded-For counts only as far from its end as `TRUSTED_PROXIES` wrote it: what stands
    further to the left the client may have written itself."""
    proxies = settings.TRUSTED_PROXIES
    told = request.headers.get("X-Forwarded-For", "") if proxies else ""
    chain = [*(part.strip() for part in told.split(",") if part.strip()), request.META.get("REMOTE_ADDR", "")]
    return canonical(chain[-1 - proxies] if len(chain) > proxies else chain[0])


def canonical(address: str) -> str:
    """Without port and brackets, IPv4 also where it came as IPv6; what is no address stays as it is."""
    if found := _V4_WITH_PORT.fullmatch(address) or _V6_IN_BRACKETS.fullmatch(address):
        address = found[1]
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def networks_of(text: str) -> list[str]:
    """The networks of a typed list, one per line, in canonical form and once each. Raises UnreadableNetworks."""
    found: dict[str, None] = {}
    wrong = []
    for number, line in enumerate(unicodedata.normalize("NFKC", text).replace("。", ".").splitlines(), start=1):
        typed = line.strip()
        if not typed:
            continue
        try:
            found[str(_network(typed))] = None
        except ValueError as error:
            wrong.append(
                _("%(number)s行目「%(line)s」：%(cause)s") % {"number": number, "line": typed[:60], "cause": error}
            )
    if len(found) > MOST_NETWORKS:
        wrong.append(
            _("%(most)s行までにしてください。続きの番号はネットワーク（例：203.0.113.0/24）でまとめられます。")
            % {"most": MOST_NETWORKS}
        )
    if wrong:
        raise UnreadableNetworks(wrong)
    return list(found)


def _network(typed: str) -> Network:
    """One address or network. Raises ValueError with a sentence."""
    try:
        return _plain(ipaddress.ip_network(typed))
    except ValueError:
        pass
    try:
        meant = _plain(ipaddress.ip_network(typed, strict=False))
    except ValueError:
        raise ValueError(
            _("IPアドレスとして読めません。203.0.113.7 や 203.0.113.0/24、2001:db8::/32 のように入力してください。")
        ) from None
    raise ValueError(
        _("ネットワークの先頭ではありません。%(network)s か、アドレス1つだけなら /%(bits)s なしで入力してください。")
        % {"network": meant, "bits": typed.rpartition("/")[2]}
    )


def _plain(network: Network) -> Network:
    """An IPv4 network also where it was written inside IPv6 (::ffff:…): requests are compared that way."""
    first = getattr(network.network_address, "ipv4_mapped", None)
    if first is None or network.prefixlen < 96:
        return network
    return ipaddress.IPv4Network((first, network.prefixlen - 96))


def admits(lists: Iterable[str], address: str) -> bool:
    """Whether the address lies in every list (canonical networks, one per line; an empty list admits all)."""
    wanted = [networks for networks in lists if networks]
    if not wanted:
        return True
    try:
        at = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(any(at in ipaddress.ip_network(line) for line in networks.splitlines()) for networks in wanted)
