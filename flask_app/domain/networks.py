"""Networks of IPv4 and IPv6 addresses, as people write them: an address alone is a network of one."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
_IPV4_WITHIN = IPv6Network("::ffff:0:0/96")
_IPV4_BITS = 32


def read(text: str) -> Network:
    """What an address says beyond its network is left out; IPv4 within IPv6 (`::ffff:…`) is IPv4. Raises ValueError."""
    if "%" in text:
        raise ValueError("the name of a network card is no part of a network")
    found = ip_network(text.strip(), strict=False)
    if isinstance(found, IPv6Network) and found.subnet_of(_IPV4_WITHIN):
        address, bits = int(found.network_address), found.max_prefixlen - found.prefixlen
        return IPv4Network((address & (1 << _IPV4_BITS) - 1, _IPV4_BITS - bits))
    return found


def written(network: Network) -> str:
    """In its shortest form."""
    is_one = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_one else str(network)


def hold(networks: Iterable[Network], address: str) -> bool:
    """Is it in any of them? What is no address is in none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    within = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return any((within or found) in network for network in networks)
