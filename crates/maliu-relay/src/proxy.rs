//! Proxies in front: whose word on the address of a peer counts, and the PROXY protocol in both of its versions.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use tokio::io::{AsyncRead, AsyncReadExt};

/// The first bytes of version 2.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Most bytes of a line of version 1, with its end.
const MAX_LINE: usize = 107;

/// Most bytes behind the head of version 2.
const MAX_REST: usize = 2048;

/// Addresses with the same first bits, such as `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether an address is one of them. Addresses of IPv4 within IPv6 count as those of IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a network, expected one such as \"10.0.0.0/8\" or \"::1\"");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let address = address.to_canonical();
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits > most { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

/// The address of a peer by a list of `X-Forwarded-For`: the last one that is not a trusted proxy's; `None` when there is
/// none. Entries before it can be whatever the peer wrote.
pub(crate) fn forwarded(list: &str, trusted: &[Network]) -> Option<IpAddr> {
    let mut last = None;
    for entry in list.rsplit(',') {
        let entry = entry.trim();
        let address = entry
            .parse::<IpAddr>()
            .ok()
            .or_else(|| entry.parse().ok().map(|place: std::net::SocketAddr| place.ip()))?;
        last = Some(address);
        if !trusted.iter().any(|network| network.contains(address)) {
            break;
        }
    }
    last
}

/// Reads the head of the PROXY protocol, and nothing behind it; `None` for a connection that the proxy itself made.
///
/// # Errors
/// Those of the connection; `InvalidData` for other bytes.
pub(crate) async fn read(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let mut first = [0; 12];
    socket.read_exact(&mut first).await?;
    if first != SIGNATURE {
        return line(socket, first).await;
    }
    let mut head = [0; 4];
    socket.read_exact(&mut head).await?;
    let [version, family, high, low] = head;
    let size = usize::from(u16::from_be_bytes([high, low]));
    if version >> 4 != 2 || size > MAX_REST {
        return Err(wrong("a head of the PROXY protocol of another version, or too long"));
    }
    let mut rest = vec![0; size];
    socket.read_exact(&mut rest).await?;
    match (version & 0x0f, family >> 4) {
        // The proxy asks for itself, as for a look at its health.
        (0, _) => Ok(None),
        (1, 1) if rest.len() >= 12 => address::<4>(&rest).map(|bytes| Some(Ipv4Addr::from(bytes).into())),
        (1, 2) if rest.len() >= 36 => address::<16>(&rest).map(|bytes| Some(Ipv6Addr::from(bytes).into())),
        (1, 1 | 2) => Err(wrong("addresses of the PROXY protocol that are cut off")),
        (1, _) => Ok(None),
        _ => Err(wrong("a command of the PROXY protocol that does not exist")),
    }
}

fn address<const N: usize>(rest: &[u8]) -> io::Result<[u8; N]> {
    rest.first_chunk().copied().ok_or_else(|| wrong("an address of the PROXY protocol that is cut off"))
}

/// Version 1: `PROXY TCP4 192.0.2.1 192.0.2.2 1234 1935`.
async fn line(socket: &mut (impl AsyncRead + Unpin), first: [u8; 12]) -> io::Result<Option<IpAddr>> {
    let mut line = first.to_vec();
    while line.starts_with(b"PROXY ") && !line.ends_with(b"\r\n") && line.len() < MAX_LINE {
        line.push(socket.read_u8().await?);
    }
    let text = std::str::from_utf8(&line).ok().and_then(|text| text.strip_suffix("\r\n"));
    let mut words = text.unwrap_or_default().split(' ');
    match (words.next(), words.next(), words.next()) {
        (Some("PROXY"), Some("UNKNOWN"), _) => Ok(None),
        (Some("PROXY"), Some(family @ ("TCP4" | "TCP6")), Some(address)) => {
            let address = address.parse().ok().filter(|address: &IpAddr| address.is_ipv4() == (family == "TCP4"));
            address.map(Some).ok_or_else(|| wrong("an address of the PROXY protocol that is not one of its family"))
        }
        _ => Err(wrong("a trusted proxy did not begin with the PROXY protocol")),
    }
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_addresses_of_their_first_bits() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "192.0.2.1", false),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert_eq!(parsed.contains(address.parse().unwrap()), expected, "{network} {address}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::1/129", "host", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_last_address_that_no_proxy_has_is_the_peers() {
        let trusted = ["127.0.0.1", "10.0.0.0/8"].map(|text| text.parse().unwrap());
        for (list, expected) in [
            ("203.0.113.9", Some("203.0.113.9")),
            ("1.1.1.1, 203.0.113.9, 10.1.1.1", Some("203.0.113.9")),
            ("evil, 203.0.113.9", Some("203.0.113.9")),
            ("10.0.0.1, 10.0.0.2", Some("10.0.0.1")),
            ("203.0.113.9, evil", None),
            ("[2001:db8::1]:4711", Some("2001:db8::1")),
            ("", None),
        ] {
            assert_eq!(forwarded(list, &trusted), expected.map(|text| text.parse().unwrap()), "{list}");
        }
    }

    #[tokio::test]
    async fn heads_of_both_versions_are_read_to_their_end() {
        let v2 = |command: u8, family: u8, rest: &[u8]| {
            let size = (rest.len() as u16).to_be_bytes();
            [&SIGNATURE[..], &[0x20 | command, family], &size, rest].concat()
        };
        let four = [192, 0, 2, 1, 192, 0, 2, 2, 0x12, 0x34, 7, 143];
        let six = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1], &[0; 20]].concat();
        for (head, expected) in [
            (b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 1935\r\n".to_vec(), Some("192.0.2.1")),
            (b"PROXY TCP6 2001:db8::1 ::1 1234 1935\r\n".to_vec(), Some("2001:db8::1")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (v2(1, 0x11, &four), Some("192.0.2.1")),
            (v2(1, 0x21, &six), Some("2001:db8::1")),
            (v2(0, 0, &[]), None),
        ] {
            let bytes = [&head[..], b"\x03next"].concat();
            let mut rest = &bytes[..];
            let got = read(&mut rest).await.unwrap();
            assert_eq!((got, rest), (expected.map(|text| text.parse().unwrap()), &b"\x03next"[..]), "{head:?}");
        }
        let long = [&b"PROXY TCP4 "[..], &[b'1'; 200]].concat();
        for wrong in
            [&b"GET / HTTP/1.1\r\n\r\n"[..], b"PROXY TCP4 x y\r\n", b"\x03aaaaaaaaaaaa", &v2(1, 0x11, &[1, 2]), &long]
        {
            assert!(read(&mut &wrong[..]).await.is_err(), "{wrong:?}");
        }
    }
}
