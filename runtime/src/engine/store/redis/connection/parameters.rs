//! Checks the query parameters of a Redis URL: a parameter that the client does not read is an
//! error. `pool_for` calls this before the client parses the URL.

use actix_throttle_core::text::suggest::nearest;

use crate::engine::error::InitError;

/// Refuses parameters that the client would silently ignore: a limiter that counts in another
/// database, or without TLS, looks as if it worked.
///
/// # Errors
///
/// All such parameters at once. The text repeats no secret.
pub(crate) fn check_parameters(url: &str) -> Result<(), InitError> {
    // The client reports a text that is no URL.
    let Some(url) = redis::parse_redis_url(url) else {
        return Ok(());
    };
    let scheme = Scheme::of(url.scheme());
    let mut problems: Vec<_> = url
        .query_pairs()
        .filter(|(name, _)| !scheme.parameters().contains(&name.as_ref()))
        .map(|(name, value)| scheme.problem(&name, &value))
        .collect();
    if url.fragment().is_some_and(|fragment| !fragment.is_empty()) {
        problems.push("what follows `#` (in a user or password write %23 for it)".into());
    }
    if problems.is_empty() {
        return Ok(());
    }
    let problems = problems.join(", ");
    Err(InitError::settings(format!(
        "nothing reads these parts of the server's URL: {problems}"
    )))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Plain,
    Tls,
    Socket,
}

impl Scheme {
    fn of(scheme: &str) -> Self {
        match scheme {
            "rediss" | "valkeys" => Self::Tls,
            "redis+unix" | "valkey+unix" | "unix" => Self::Socket,
            _ => Self::Plain,
        }
    }

    /// The parameters that `redis` 1.8 reads, in its `connection.rs`.
    fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Plain | Self::Tls => &["protocol"],
            Self::Socket => &["db", "user", "pass", "protocol"],
        }
    }

    /// Describes a parameter that the client does not read, and what to write instead.
    fn problem(self, name: &str, value: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if name.is_empty() || !name.bytes().all(plain) {
            // The name is not repeated: a password with a question mark ends up here.
            return "a parameter without a proper name (in a user or password write %3F for `?`)"
                .into();
        }
        let advice = self.advice(&name.to_ascii_lowercase(), value);
        format!("`{name}` ({advice})")
    }

    fn advice(self, name: &str, value: &str) -> String {
        let is_socket = self == Self::Socket;
        match name {
            "db" | "database" if !is_socket => {
                let number = value.parse::<u32>();
                let number = number.map_or("database".to_owned(), |number| number.to_string());
                format!("write the database behind the address, redis://host:port/{number}")
            }
            "user" | "username" | "pass" | "password" | "auth" if !is_socket => {
                "write redis://user:password@host:port".into()
            }
            _ if name.starts_with("ssl") || name.starts_with("tls") => match self {
                Self::Plain => "write rediss:// for TLS".into(),
                Self::Tls => "rediss:// is TLS, and certificates are always checked".into(),
                Self::Socket => "there is no TLS over a socket".into(),
            },
            _ if name.contains("timeout") => {
                "the builder's `deadline` says how long a decision may take".into()
            }
            _ => self.nearest(name),
        }
    }

    fn nearest(self, name: &str) -> String {
        let parameters = self.parameters();
        match nearest(name, parameters.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => {
                let list = parameters.iter().map(|word| format!("`{word}`"));
                format!("it may have {}", list.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(url: &str) -> String {
        let error = check_parameters(url).unwrap_err();
        assert!(error.is_settings());
        error.to_string()
    }

    #[test]
    fn parameters_that_the_client_reads_pass() {
        for url in [
            "redis://h",
            "redis://h?",
            "redis://h/4?protocol=resp3",
            "rediss://h?protocol=2",
            "valkey://h/#",
            "unix:///s?db=4&user=u&pass=p&protocol=3",
        ] {
            assert!(check_parameters(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn parameters_that_nothing_reads_say_what_to_write() {
        for (url, advice) in [
            (
                "redis://h?db=4",
                "`db` (write the database behind the address, redis://host:port/4",
            ),
            ("valkeys://h/?database=2", "redis://host:port/2"),
            ("redis://h/0?ssl=true", "`ssl` (write rediss:// for TLS"),
            ("valkey://h?tls=1", "`tls` (write rediss:// for TLS"),
            ("redis://h?ssl_cert_reqs=none", "rediss://"),
            ("rediss://h?ssl=true", "rediss:// is TLS"),
            ("unix:///s?tls=1", "no TLS over a socket"),
            (
                "redis://h?user=u",
                "`user` (write redis://user:password@host:port",
            ),
            (
                "redis://h/0?protcol=resp3",
                "`protcol` (did you mean `protocol`?",
            ),
            ("unix:///s?username=u", "`username` (did you mean `user`?"),
            ("unix:///s?password=p", "`password` (did you mean `pass`?"),
            ("unix:///s?database=3", "`database` (did you mean `db`?"),
            ("redis://h?socket_timeout=5", "`deadline`"),
            ("redis://h?x=1", "`x` (it may have `protocol`"),
            ("redis://h/0#cache", "follows `#`"),
        ] {
            let said = said(url);
            assert!(said.contains(advice), "{url}: {said}");
        }
    }

    #[test]
    fn all_errors_are_reported_without_secrets() {
        let text = said("redis://h?user=ann&pass=hunter2&db=x");
        assert!(
            ["`user`", "`pass`", "`db`"]
                .iter()
                .all(|name| text.contains(name)),
            "{text}"
        );
        assert!(!text.contains("hunter2") && !text.contains("ann"), "{text}");
        let text = said("redis://ann:12?hunter2@h");
        assert!(text.contains("%3F") && !text.contains("hunter2"), "{text}");
    }
}
