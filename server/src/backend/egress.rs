//! Decides which addresses the server may dial on a user's word. Whoever connects must dial
//! the address that was checked, never resolve the name again.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use url::{Host, Url};

/// Networks a user's URL may not lead to unless the operator lists them.
const INTERNAL: [&str; 25] = [
    "0.0.0.0/8",       // this network
    "10.0.0.0/8",      // private
    "100.64.0.0/10",   // carrier NAT
    "127.0.0.0/8",     // loopback
    "172.16.0.0/12",   // private
    "192.0.0.0/24",    // protocol assignments
    "192.0.2.0/24",    // documentation
    "192.88.99.0/24",  // 6to4 relays
    "192.168.0.0/16",  // private
    "198.18.0.0/15",   // benchmarks
    "198.51.100.0/24", // documentation
    "203.0.113.0/24",  // documentation
    "224.0.0.0/4",     // multicast
    "240.0.0.0/4",     // reserved, broadcast
    "::/128",          // unspecified
    "::1/128",         // loopback
    "64:ff9b::/96",    // NAT64: an IPv4 address in disguise
    "64:ff9b:1::/48",  // local NAT64
    "100::/64",        // discard
    "2001::/23",       // Teredo and other assignments
    "2001:db8::/32",   // documentation
    "2002::/16",       // 6to4: an IPv4 address in disguise
    "fc00::/7",        // unique local
    "fec0::/10",       // site local
    "ff00::/8",        // multicast
];
/// Link-local networks, where clouds serve instance credentials. Never dialled.
const METADATA: [&str; 4] =
    ["169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32"];

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum EgressError {
    #[error("the URL cannot be read: {0}")]
    Malformed(String),
    #[error("{0}:// is not allowed here; use {1}")]
    Scheme(String, &'static str),
    #[error("the URL carries a user name or password; send credentials in their own fields")]
    Credentials,
    #[error("{0} is a cloud metadata address and is never contacted")]
    Metadata(IpAddr),
    #[error("{0} is in a private network; the operator can list it in egress.allow")]
    Internal(IpAddr),
    #[error("public addresses are not contacted; the operator can change that with egress.public")]
    Public,
    #[error("{0} cannot be resolved to an address")]
    Unresolved(String),
}

/// What the operator allows beyond the public internet.
#[derive(Clone, Debug)]
pub struct Egress {
    allow: Vec<IpNet>,
    public: bool,
}

/// A URL with the addresses that may be dialled for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub url: Url,
    pub addresses: Vec<SocketAddr>,
}

impl Egress {
    /// The public internet, and the networks of `allow`.
    pub fn new(allow: Vec<IpNet>) -> Self {
        Self { allow, public: true }
    }

    /// Whether anything but the networks of `allow` may be dialled.
    pub fn with_public(self, public: bool) -> Self {
        Self { public, ..self }
    }

    /// For addresses that are known to be public, before they are looked up.
    pub fn check_public(&self) -> Result<(), EgressError> {
        if self.public { Ok(()) } else { Err(EgressError::Public) }
    }

    /// Checks the form of a URL, resolves its host once and checks every address.
    pub async fn check(&self, text: &str) -> Result<Checked, EgressError> {
        let url = self.check_url(text)?;
        let port = url.port_or_known_default().unwrap_or(443);
        let addresses = match url.host() {
            Some(Host::Ipv4(ip)) => vec![SocketAddr::from((ip, port))],
            Some(Host::Ipv6(ip)) => vec![SocketAddr::from((ip, port))],
            Some(Host::Domain(name)) => self.resolve(name, port).await?,
            None => return Err(EgressError::Unresolved(String::new())),
        };
        Ok(Checked { url, addresses })
    }

    /// The addresses of a name, all of which may be dialled.
    pub async fn resolve(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, EgressError> {
        let unresolved = || EgressError::Unresolved(name.to_owned());
        let found = tokio::net::lookup_host((name, port)).await.map_err(|_| unresolved())?;
        let addresses: Vec<SocketAddr> = found.collect();
        if addresses.is_empty() {
            return Err(unresolved());
        }
        for address in &addresses {
            self.check_ip(address.ip())?;
        }
        Ok(addresses)
    }

    /// Checks the form of a URL, and its host if that is an address; a name is still to be resolved.
    pub fn check_url(&self, text: &str) -> Result<Url, EgressError> {
        let url = Url::parse(text).map_err(|error| EgressError::Malformed(error.to_string()))?;
        // Plain HTTP makes sense only inside networks that the operator vouches for.
        let allowed = if self.allow.is_empty() {
            "https, or http in a network that the operator lists in egress.allow"
        } else {
            "https or http"
        };
        match url.scheme() {
            "https" => {}
            "http" if !self.allow.is_empty() => {}
            scheme => return Err(EgressError::Scheme(scheme.to_owned(), allowed)),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressError::Credentials);
        }
        match url.host() {
            Some(Host::Ipv4(ip)) => self.check_ip(ip.into())?,
            Some(Host::Ipv6(ip)) => self.check_ip(ip.into())?,
            Some(Host::Domain(_)) | None => {}
        }
        Ok(url)
    }

    /// Whether one address may be dialled.
    pub fn check_ip(&self, ip: IpAddr) -> Result<(), EgressError> {
        let ip = ip.to_canonical();
        if contains(&METADATA, ip) {
            return Err(EgressError::Metadata(ip));
        }
        if self.allow.iter().any(|network| network.contains(&ip)) {
            return Ok(());
        }
        if contains(&INTERNAL, ip) {
            return Err(EgressError::Internal(ip));
        }
        self.check_public()
    }
}

fn contains(networks: &[&str], ip: IpAddr) -> bool {
    // A network that did not parse would be a hole, so it counts as a hit; the test below
    // shows that all of them parse.
    networks.iter().any(|text| text.parse().map_or(true, |network: IpNet| network.contains(&ip)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_inside_is_reached_by_any_spelling() {
        let refused = include_str!("egress_refused.txt");
        let urls: Vec<&str> =
            refused.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert!(urls.len() >= 60, "{}", urls.len());
        for url in urls {
            assert!(Egress::new(vec![]).check(url).await.is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn the_allow_list_opens_networks_but_never_metadata() {
        let lan = Egress::new(vec!["127.0.0.0/8".parse().expect("network")]);
        let checked = lan.check("http://127.0.0.1:9000/bucket").await.expect("allowed");
        assert_eq!(checked.addresses, ["127.0.0.1:9000".parse().expect("address")]);
        assert!(lan.check("http://[::ffff:127.0.0.1]/").await.is_ok());
        assert!(matches!(lan.check("http://10.0.0.1/").await, Err(EgressError::Internal(_))));

        let all: Vec<IpNet> = ["0.0.0.0/0", "::/0"].map(|n| n.parse().expect("network")).into();
        for url in ["http://169.254.169.254/", "http://[fe80::1]/", "http://[fd00:ec2::254]/"] {
            let answer = Egress::new(all.clone()).check(url).await;
            assert!(matches!(answer, Err(EgressError::Metadata(_))), "{url}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        for ip in ["1.1.1.1", "8.8.8.8", "172.32.0.1", "192.169.0.1", "2606:4700::1111"] {
            assert_eq!(Egress::new(vec![]).check_ip(ip.parse().expect("address")), Ok(()), "{ip}");
        }
    }

    #[test]
    fn without_the_public_internet_only_the_allow_list_is_left() {
        let closed = Egress::new(vec!["10.0.0.0/8".parse().expect("network")]).with_public(false);
        assert_eq!(closed.check_ip("1.1.1.1".parse().expect("address")), Err(EgressError::Public));
        assert_eq!(closed.check_ip("10.1.1.1".parse().expect("address")), Ok(()));
        assert_eq!(closed.check_public(), Err(EgressError::Public));
    }

    #[test]
    fn every_network_parses() {
        for network in INTERNAL.iter().chain(&METADATA) {
            assert!(network.parse::<IpNet>().is_ok(), "{network}");
        }
    }
}
