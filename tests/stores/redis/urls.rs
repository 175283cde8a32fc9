//! How `redis_url` parses URLs, and what it says about wrong ones.

use actix_throttle::Limit;

use super::{build, check};
use harness::{Server, ServerVersion, stores::block_on};

#[test]
fn schemes_passwords_and_users_of_urls() {
    let folder = std::env::temp_dir().join(format!("throttle-urls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let socket = folder.join("redis.sock");
    let server = Server::start_with(
        ServerVersion::Redis7,
        &["--unixsocket", socket.to_str().unwrap()],
    );
    let _: String = server.cli(&["ACL", "SETUSER", "a:n", "on", ">p@s/s#,%", "~*", "+@all"]);
    let _: String = server.cli(&["ACL", "SETUSER", "default", "off"]);
    let (socket, port) = (socket.display(), server.port());
    for url in [
        format!("redis://a%3An:p%40s%2Fs%23%2C%25@127.0.0.1:{port}"),
        format!("valkey://a%3An:p%40s%2Fs%23,%25@localhost:{port}/4"),
        format!("redis+unix://{socket}?db=4&user=a%3An&pass=p%40s%2Fs%23%2C%25"),
        format!("valkey+unix://{socket}?user=a%3An&pass=p%40s%2Fs%23%2C%25"),
        format!("unix://{socket}?user=a%3An&pass=p%40s%2Fs%23%2C%25"),
    ] {
        let limiter = build(url.as_str()).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert!(block_on(check(&limiter, &Limit::per_minute(9))).is_allowed());
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn urls_that_mean_something_else_say_what_to_do() {
    for (url, what_to_do) in [
        ("redis://a:7000,b:7000", "deadpool_redis::cluster::Pool"),
        ("redis://user:p,w@a,b/0", "deadpool_redis::sentinel::Pool"),
        ("rediss://h/#insecure", "SSL_CERT_FILE"),
        ("redis://h?db=4", "redis://host:port/4"),
        ("redis://h/0?ssl=true", "write rediss://"),
        (
            "redis://h/?user=u&pass=p",
            "redis://user:password@host:port",
        ),
        ("redis://h/0?protcol=resp3", "`protocol`"),
        ("unix:///run/redis.sock?database=4", "`db`"),
    ] {
        let error = build(url).unwrap_err();
        assert!(error.is_settings(), "{url}: {error}");
        assert!(error.to_string().contains(what_to_do), "{url}: {error}");
    }
}
