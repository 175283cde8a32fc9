use actix_throttle_core::network::ClientSpec;
use actix_web::test::TestRequest;

use super::*;

/// Settings of a builder or a file.
fn settings(change: impl FnOnce(&mut ClientSpec)) -> ClientSettings {
    let mut spec = ClientSpec::default();
    change(&mut spec);
    ClientSettings::new(spec).expect("valid settings")
}

fn trusting(proxies: &[&str], client_ip_header: Option<&str>) -> ClientIp {
    let own = settings(|spec| {
        for proxy in proxies {
            spec.proxies.add(proxy).expect("a proxy");
        }
        spec.client_ip_header = client_ip_header.map(str::to_owned);
    });
    ClientIp {
        own,
        ..ClientIp::default()
    }
}

/// A request of this peer; an empty text stands for a Unix socket.
fn request(peer: &str, headers: &[(&str, &str)]) -> HttpRequest {
    let mut request = TestRequest::default();
    if !peer.is_empty() {
        request = request.peer_addr(format!("{peer}:1").parse().expect("an address"));
    }
    for pair in headers {
        request = request.append_header(*pair);
    }
    request.to_http_request()
}

fn address(clients: &ClientIp, peer: &str, headers: &[(&str, &str)]) -> String {
    let address = clients.address(&request(peer, headers));
    address.map_or_else(|| "none".to_owned(), |address| address.to_string())
}

fn client(headers: &[(&str, &str)], header: ForwardingHeader) -> String {
    let clients = ClientIp {
        header: Some(header),
        ..trusting(&["10.0.0.0/8", "fd00::/8"], None)
    };
    let network = clients.network(&request("10.0.0.9", headers));
    network.expect("an address").addr().to_string()
}

fn any(headers: &[(&str, &str)]) -> String {
    client(headers, ForwardingHeader::Any)
}

#[test]
fn rightmost_untrusted_hop_counts() {
    for (value, expected) in [
        ("1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 10.1.1.1", "1.2.3.4"),
        ("6.6.6.6,1.2.3.4:80 , 10.1.1.1:9", "1.2.3.4"),
        ("[2001:db8::1]:80", "2001:db8::"),
        ("[2001:db8::1]", "2001:db8::"),
        ("2001:db8::1", "2001:db8::"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("garbage, 10.2.2.2", "10.2.2.2"),
        ("1.2.3.4, garbage", "10.0.0.9"),
        ("", "10.0.0.9"),
        (",,,", "10.0.0.9"),
    ] {
        assert_eq!(any(&[("X-Forwarded-For", value)]), expected, "{value}");
    }
}

#[test]
fn forwarded_is_read_as_rfc_7239_writes_it() {
    for (value, expected) in [
        ("for=1.2.3.4", "1.2.3.4"),
        ("For=\"[2001:db8::1]:4711\";proto=https", "2001:db8::"),
        ("for=6.6.6.6, for=1.2.3.4;by=10.0.0.1", "1.2.3.4"),
        ("for=1.2.3.4, for=unknown", "10.0.0.9"),
        ("for=1.2.3.4, for=_hidden, for=10.3.3.3", "10.3.3.3"),
        ("for=\"abc, for=1.2.3.4", "1.2.3.4"),
        ("proto=https", "10.0.0.9"),
    ] {
        assert_eq!(any(&[("Forwarded", value)]), expected, "{value}");
    }
}

#[test]
fn lines_are_read_as_one_list() {
    let lines = [
        ("X-Forwarded-For", "6.6.6.6"),
        ("X-Forwarded-For", "1.2.3.4, 10.1.1.1"),
    ];
    assert_eq!(any(&lines), "1.2.3.4");
}

#[test]
fn headers_that_disagree_evade_no_limit() {
    let both = [("Forwarded", "for=6.6.6.6"), ("X-Forwarded-For", "1.2.3.4")];
    assert_eq!(any(&both), "10.0.0.9");
    assert_eq!(client(&both, ForwardingHeader::Forwarded), "6.6.6.6");
    assert_eq!(client(&both, ForwardingHeader::XForwardedFor), "1.2.3.4");
    let agreed = [("Forwarded", "for=1.2.3.4"), ("X-Forwarded-For", "1.2.3.4")];
    assert_eq!(any(&agreed), "1.2.3.4");
}

#[test]
fn strangers_are_not_believed() {
    let headers = [
        ("X-Forwarded-For", "1.2.3.4"),
        ("CF-Connecting-IP", "1.2.3.4"),
    ];
    for header in [None, Some("CF-Connecting-IP")] {
        for proxies in [&["10.0.0.0/8"][..], &["10.0.0.0/8", "unix"], &[]] {
            let clients = trusting(proxies, header);
            assert_eq!(address(&clients, "8.8.8.8", &headers), "8.8.8.8");
        }
        let clients = trusting(&["10.0.0.0/8"], header);
        assert_eq!(address(&clients, "", &headers), "none");
    }
}

#[test]
fn proxy_on_a_unix_socket_is_believed_if_trusted() {
    let clients = trusting(&["10.0.0.0/8", "unix"], None);
    for (value, expected) in [
        ("1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 10.1.1.1", "1.2.3.4"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("garbage, 10.2.2.2", "10.2.2.2"),
        ("1.2.3.4, garbage", "none"),
        ("", "none"),
    ] {
        let headers = [("X-Forwarded-For", value)];
        assert_eq!(address(&clients, "", &headers), expected, "{value}");
    }
    assert_eq!(address(&clients, "", &[]), "none");
    let both = [("Forwarded", "for=6.6.6.6"), ("X-Forwarded-For", "1.2.3.4")];
    assert_eq!(address(&clients, "", &both), "none");
    let clients = trusting(&["unix"], Some("CF-Connecting-IP"));
    let headers = [("CF-Connecting-IP", "1.2.3.4")];
    assert_eq!(address(&clients, "", &headers), "1.2.3.4");
}

#[test]
fn named_header_stands_in_place_of_the_forwarding_headers() {
    let clients = trusting(&["10.0.0.0/8"], Some("CF-Connecting-IP"));
    let forwarded = ("X-Forwarded-For", "6.6.6.6");
    for (value, expected) in [
        ("1.2.3.4", "1.2.3.4"),
        (" 1.2.3.4 ", "1.2.3.4"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("64:ff9b::1.2.3.4", "1.2.3.4"),
        // A client that is itself a trusted proxy is a client like any other.
        ("10.3.3.3", "10.3.3.3"),
        ("1.2.3.4, 5.6.7.8", "10.0.0.9"),
        ("garbage", "10.0.0.9"),
        ("", "10.0.0.9"),
    ] {
        let headers = [forwarded, ("cf-connecting-ip", value)];
        assert_eq!(address(&clients, "10.0.0.9", &headers), expected, "{value}");
    }
    let twice = [
        ("CF-Connecting-IP", "1.2.3.4"),
        ("CF-Connecting-IP", "5.6.7.8"),
    ];
    assert_eq!(address(&clients, "10.0.0.9", &twice), "10.0.0.9");
    assert_eq!(address(&clients, "10.0.0.9", &[forwarded]), "10.0.0.9");
}

#[test]
fn addresses_of_nat64_are_those_of_ipv4() {
    let clients = trusting(&["192.0.2.1"], None);
    let peer = "[64:ff9b::8.8.8.8]";
    assert_eq!(address(&clients, peer, &[]), "8.8.8.8");
    let proxy = "[64:ff9b::192.0.2.1]";
    let headers = [("X-Forwarded-For", "64:ff9b::8.8.4.4")];
    assert_eq!(address(&clients, proxy, &headers), "8.8.4.4");
}

/// An `allow` and a `deny` list of the builder and of the file.
fn with_networks(own: [&[&str]; 2], file: [&[&str]; 2]) -> ClientIp {
    let both = |lists: [&[&str]; 2]| {
        settings(|spec| {
            for (list, access) in lists
                .into_iter()
                .zip([NetworkAccess::Allow, NetworkAccess::Deny])
            {
                for text in list {
                    spec.access.add(text, access).expect("no equal networks");
                }
            }
        })
    };
    ClientIp {
        own: both(own),
        live: Some(LiveClientSettings::new(both(file))),
        ..ClientIp::default()
    }
}

#[test]
fn longest_prefix_of_builder_and_file_decides() {
    let clients = with_networks(
        [
            &["10.0.0.0/8", "192.0.2.0/24"],
            &["10.1.0.0/16", "203.0.113.0/24"],
        ],
        [&["10.1.2.0/24"], &["10.0.0.0/8", "192.0.0.0/16"]],
    );
    for (peer, expected) in [
        ("10.1.2.3", Some(NetworkAccess::Allow)),
        ("10.1.3.3", Some(NetworkAccess::Deny)),
        // Both have this network, and the file's entry decides.
        ("10.9.9.9", Some(NetworkAccess::Deny)),
        ("192.0.2.1", Some(NetworkAccess::Allow)),
        ("192.0.9.1", Some(NetworkAccess::Deny)),
        ("203.0.113.1", Some(NetworkAccess::Deny)),
        ("198.51.100.1", None),
        ("", None),
    ] {
        assert_eq!(clients.access(&request(peer, &[])), expected, "{peer}");
    }
}

#[test]
fn settings_of_the_file_add_to_those_of_the_builder() {
    let file = settings(|spec| {
        spec.proxies.add("172.16.0.0/12").expect("a network");
        spec.client_ip_header = Some("X-Client".to_owned());
    });
    let live = LiveClientSettings::new(file);
    let clients = ClientIp {
        live: Some(live.clone()),
        ..trusting(&["10.0.0.9"], Some("CF-Connecting-IP"))
    };
    let headers = [("CF-Connecting-IP", "1.1.1.1"), ("X-Client", "2.2.2.2")];
    for peer in ["10.0.0.9", "172.16.0.1"] {
        assert_eq!(address(&clients, peer, &headers), "2.2.2.2", "{peer}");
    }
    live.replace(ClientSettings::default());
    assert_eq!(address(&clients, "10.0.0.9", &headers), "1.1.1.1");
    assert_eq!(address(&clients, "172.16.0.1", &headers), "172.16.0.1");
}

#[test]
fn missing_peer_address_is_no_panic() {
    let request = TestRequest::default().to_http_request();
    assert_eq!(ClientIp::default().network(&request), None);
}

#[test]
fn header_that_is_never_believed_is_a_warning() {
    assert_eq!(trusting(&[], None).start(), None);
    assert_eq!(trusting(&["unix"], Some("CF-Connecting-IP")).start(), None);
    let warning = trusting(&[], Some("CF-Connecting-IP")).start();
    assert!(
        warning
            .expect("a text")
            .contains("name them by `trusted_proxies`")
    );
    let file = settings(|spec| spec.proxies.add("10.0.0.0/8").expect("a network"));
    let live = LiveClientSettings::new(file.clone());
    let mut clients = ClientIp {
        live: Some(live.clone()),
        ..trusting(&[], Some("CF-Connecting-IP"))
    };
    assert_eq!(clients.start(), None);
    // The file is replaced by one without proxies, and by another that has some.
    let warning = live.replace(ClientSettings::default());
    assert!(warning.expect("a text").contains("`cf-connecting-ip`"));
    assert_eq!(live.replace(file), None);
    drop(clients);
    assert_eq!(live.replace(ClientSettings::default()), None);
}
