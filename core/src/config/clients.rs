//! Reads what a file says about clients: the networks that are allowed or denied, the trusted
//! proxies, and the header of the client's address.

use super::{
    diagnostics::Diagnostics,
    reader::{TableReader, list, texts},
};
use crate::{
    network::{ClientSpec, NetworkAccess, NetworkSet, check_client_ip_header},
    vocabulary,
};

/// Reads the keys about clients at the top of the file.
pub(crate) fn clients(table: &mut TableReader<'_>, diagnostics: &mut Diagnostics) -> ClientSpec {
    let mut clients = ClientSpec::default();
    for (argument, access) in [
        (&vocabulary::ALLOW, NetworkAccess::Allow),
        (&vocabulary::DENY, NetworkAccess::Deny),
    ] {
        for text in table.texts(argument, diagnostics) {
            diagnostics.ok(text.position, clients.access.add(text.value, access));
        }
    }
    for text in table.texts(&vocabulary::TRUSTED_PROXIES, diagnostics) {
        diagnostics.ok(text.position, clients.proxies.add(text.value));
    }
    if let Some(name) = table.text(&vocabulary::CLIENT_IP_HEADER, diagnostics)
        && diagnostics
            .ok(name.position, check_client_ip_header(name.value))
            .is_some()
    {
        clients.client_ip_header = Some(name.value.to_ascii_lowercase());
    }
    clients
}

/// Reads the networks whose clients a rule is for; `None`: all clients.
pub(crate) fn networks(
    table: &mut TableReader<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<NetworkSet> {
    let argument = &vocabulary::NETWORKS;
    let node = &table.take(argument)?.node;
    let nodes = list(node, argument, diagnostics)?;
    let mut set = NetworkSet::default();
    if nodes.is_empty() {
        diagnostics.ok(node.position, set.check_not_empty());
    }
    for text in texts(nodes, argument, diagnostics) {
        diagnostics.ok(text.position, set.add(text.value));
    }
    (!set.is_empty()).then_some(set)
}

#[cfg(test)]
mod tests {
    use crate::config::testing::parse;

    #[test]
    fn keys_about_clients_are_read() {
        let file = parse(
            "allow = ['10.0.0.0/8', '2001:db8::7']
             deny = ['10.66.0.0/16']
             trusted_proxies = ['172.16.0.0/12', 'unix']
             client_ip_header = 'CF-Connecting-IP'
             rules = [{ networks = ['192.0.2.0/24'], limits = ['1/s'] }]",
        );
        let file = file.expect("a right file");
        let clients = file.clients;
        let find = |text: &str| clients.access.find(text.parse().expect(text));
        assert_eq!(find("10.1.0.1"), Some((8, super::NetworkAccess::Allow)));
        assert_eq!(find("10.66.0.1"), Some((16, super::NetworkAccess::Deny)));
        assert_eq!(find("2001:db8::8"), None);
        assert!(clients.proxies.trusts(None));
        assert!(clients.proxies.trusts("172.31.0.1".parse().ok()));
        assert_eq!(
            clients.client_ip_header.as_deref(),
            Some("cf-connecting-ip")
        );
        let networks = file.rules[0]
            .value
            .paths
            .networks
            .as_ref()
            .expect("networks");
        assert!(networks.contains("192.0.2.9".parse().expect("an address")));
    }

    /// Checks all diagnostics of each text, with their positions.
    #[test]
    fn each_diagnostic_has_its_position() {
        let unreadable = "is no network or address; write `10.0.0.0/8` or `192.0.2.1`";
        for (text, expected) in [
            (
                "allow = ['10.0.0.0/8', 'office']",
                format!("1:24: `office` {unreadable}"),
            ),
            (
                "deny = ['10.0.0.0/33']",
                format!("1:9: `10.0.0.0/33` {unreadable}"),
            ),
            ("deny = ['']", format!("1:9: `` {unreadable}")),
            (
                "allow = ['10.0.0.0/8']\ndeny = ['192.0.2.1', '10.9.9.9/8']",
                "2:22: `10.0.0.0/8` is in `allow` and in `deny`: remove it from one of them"
                    .to_owned(),
            ),
            (
                "deny = '10.0.0.0/8'",
                "1:8: `deny` takes a list, not a string: write `deny = [\"203.0.113.0/24\"]`"
                    .to_owned(),
            ),
            (
                "allow = [7]",
                "1:10: `allow` lists strings, not an integer: write `[\"10.0.0.0/8\"]`".to_owned(),
            ),
            (
                "trusted_proxies = ['tcp']",
                format!(
                    "1:20: `tcp` {unreadable}, or `unix` for proxies that connect over a Unix \
                     socket"
                ),
            ),
            (
                "client_ip_header = 'CF Connecting'",
                "1:20: `CF Connecting` is no name of an HTTP header".to_owned(),
            ),
            (
                "client_ip_header = ''",
                "1:20: `client_ip_header` is empty: write `client_ip_header = \
                 \"CF-Connecting-IP\"`"
                    .to_owned(),
            ),
        ] {
            let error = parse(&format!("{text}\nrules = []")).expect_err(text);
            assert_eq!(error, format!("a.toml:{expected}"), "{text}");
        }
    }

    #[test]
    fn diagnostics_of_networks_in_a_rule_have_their_positions() {
        for (networks, expected) in [
            (
                "[]",
                "1:23: `networks` is empty, so no client is in it: write one, such as \
                 `10.0.0.0/8`, or leave `networks` out",
            ),
            (
                "['10.0.0.0/8', 'lan']",
                "1:38: `lan` is no network or address; write `10.0.0.0/8` or `192.0.2.1`",
            ),
            (
                "'10.0.0.0/8'",
                "1:23: `networks` takes a list, not a string: write `networks = \
                 [\"10.0.0.0/8\"]`",
            ),
        ] {
            let text = format!("rules = [{{ networks = {networks}, limits = ['1/s'] }}]");
            let error = parse(&text).expect_err(&text);
            assert_eq!(error, format!("a.toml:{expected}"), "{text}");
        }
    }
}
