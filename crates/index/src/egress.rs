//! Where requests of our own may go (R31): https to public addresses, no redirects, no proxy. What the operator wrote down by its
//! address, or whose network they named, may be private; what a name resolves to is judged at each connection, so that a name that
//! later resolves elsewhere leads nowhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// How we call ourselves.
const AGENT: &str = "Strongroom";

/// Reads an address that an operator configured: https, or http to this machine; no credentials, no query.
///
/// # Errors
/// A sentence that says what it should be.
pub fn configured(text: &str) -> Result<Url, &'static str> {
    const WRONG: &str = "it should be an address that begins with https://, or http:// for this machine";
    let url = Url::parse(text).map_err(|_| WRONG)?;
    let local = url.host().is_some_and(|host| is_this_machine(&host));
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && local);
    if !scheme || url.host().is_none() {
        return Err(WRONG);
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("it should have no user name, no query and no fragment");
    }
    Ok(url)
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(v4) => v4.is_loopback(),
        Host::Ipv6(v6) => v6.is_loopback(),
    }
}

/// A client for one configured address: its name may resolve to public addresses, and to those in `networks`.
///
/// # Errors
/// The client cannot be made: no authorities on this machine, say.
pub fn client(networks: &[IpNet], within: Duration) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(within)
        .dns_resolver(Arc::new(Guarded { networks: Arc::from(networks) }))
        .build()
}

/// Resolves names, and hands on only what may be connected to. An address that was written as such does not come here.
struct Guarded {
    networks: Arc<[IpNet]>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = Arc::clone(&self.networks);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let may: Vec<SocketAddr> = found.filter(|address| may_connect(name.as_str(), address.ip(), &networks)).collect();
            if may.is_empty() {
                return Err("the name has no address that may be connected to: private ones must be named in the settings".into());
            }
            Ok(Box::new(may.into_iter()) as Addrs)
        })
    }
}

fn may_connect(name: &str, address: IpAddr, networks: &[IpNet]) -> bool {
    if name == "localhost" {
        return address.is_loopback();
    }
    is_public(address) || networks.iter().any(|network| network.contains(&address))
}

/// Whether an address is one of the public network, where anybody may be asked.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// The special ranges of the registry of RFC 6890.
fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let special = v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_documentation()
        || v4.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

/// Global unicast alone, without what carries an IPv4 address in it, unless that one is public.
fn is_public_v6(v6: Ipv6Addr) -> bool {
    let [a, b, ..] = v6.segments();
    if let Some(v4) = v6.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = v6.segments() {
        let [c, d] = high.to_be_bytes();
        let [e, f] = low.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(c, d, e, f));
    }
    let global = (a & 0xe000) == 0x2000;
    let special = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// R31: private ranges are refused after resolution.
    #[test]
    fn only_public_addresses_are_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "198.18.0.1",
            "192.0.2.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(ip(private)), "{private}");
        }
        for public in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"] {
            assert!(is_public(ip(public)), "{public}");
        }
    }

    #[test]
    fn a_private_address_is_connected_to_only_in_a_network_that_the_operator_named() {
        let networks = ["10.1.0.0/16".parse().unwrap()];
        assert!(may_connect("mirror.example.org", ip("10.1.2.3"), &networks));
        assert!(!may_connect("mirror.example.org", ip("10.2.2.3"), &networks));
        assert!(!may_connect("mirror.example.org", ip("127.0.0.1"), &networks));
        assert!(may_connect("localhost", ip("127.0.0.1"), &[]) && !may_connect("localhost", ip("1.1.1.1"), &[]));
    }

    #[test]
    fn plain_http_leaves_this_machine_never() {
        for good in [
            "https://ranges.example.org/range/",
            "http://127.0.0.1:9000/range/",
            "http://localhost/x",
            "http://[::1]:1/",
            "https://10.0.0.1/",
        ] {
            assert!(configured(good).is_ok(), "{good}");
        }
        for bad in [
            "http://ranges.example.org/range/",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "https://a:b@example.org/",
            "https://example.org/?x=1",
            "x",
            "",
        ] {
            assert!(configured(bad).is_err(), "{bad}");
        }
    }
}
