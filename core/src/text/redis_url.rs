//! The parts of a Redis URL that a client would silently ignore, as an error says them. The library
//! and the command line parse the URL, each by its own client, and pass the parts.

use super::suggest::nearest;

/// The form of a server's URL, as advice for a URL that cannot be read.
pub const FORM: &str = "write redis://user:password@host:port/database, rediss://… for TLS, or \
    redis+unix:///path?db=0; in a user or password, escape characters that have a meaning in URLs, \
    such as %40 for @";

/// The parts of a URL behind its address.
#[derive(Debug)]
pub struct UrlParts<'u, P> {
    pub scheme: &'u str,
    /// The parameters: each has a name and a value, both decoded.
    pub parameters: P,
    /// The part behind `#`.
    pub fragment: Option<&'u str>,
    /// The advice for a parameter that would be a time limit.
    pub time_limit: &'u str,
}

impl<N: AsRef<str>, V: AsRef<str>, P: IntoIterator<Item = (N, V)>> UrlParts<'_, P> {
    /// Checks that the client reads all parts: what counts in another database, or without TLS,
    /// looks as if it worked.
    ///
    /// # Errors
    ///
    /// All parts that it does not read, at once, with what to write instead. The text repeats no
    /// secret.
    pub fn check(self) -> Result<(), String> {
        let scheme = Scheme::of(self.scheme);
        let mut problems: Vec<_> = self
            .parameters
            .into_iter()
            .filter(|(name, _)| !scheme.parameters().contains(&name.as_ref()))
            .map(|(name, value)| scheme.problem(name.as_ref(), value.as_ref(), self.time_limit))
            .collect();
        if self.fragment.is_some_and(|fragment| !fragment.is_empty()) {
            problems.push(
                "what follows `#` (certificates are always checked; in a user or password write \
                 %23 for it)"
                    .into(),
            );
        }
        if problems.is_empty() {
            return Ok(());
        }
        let problems = problems.join(", ");
        Err(format!(
            "nothing reads these parts of the server's URL: {problems}"
        ))
    }
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
    fn problem(self, name: &str, value: &str, time_limit: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if name.is_empty() || !name.bytes().all(plain) || value.contains('@') {
            // The name is not repeated: a password with a question mark ends up here, and the
            // server's address behind it.
            return "a parameter without a proper name (in a user or password write %3F for `?`)"
                .into();
        }
        let advice = self.advice(&name.to_ascii_lowercase(), value, time_limit);
        format!("`{name}` ({advice})")
    }

    fn advice(self, name: &str, value: &str, time_limit: &str) -> String {
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
            _ if name.contains("timeout") => time_limit.into(),
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

    /// Checks `scheme` with parameters `a=b&c=d`, and `fragment`.
    fn check(scheme: &str, parameters: &str, fragment: Option<&str>) -> Result<(), String> {
        let pairs = parameters.split('&').filter(|pair| !pair.is_empty());
        UrlParts {
            scheme,
            parameters: pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))),
            fragment,
            time_limit: "the builder's `deadline`",
        }
        .check()
    }

    #[test]
    fn parameters_that_the_client_reads_pass() {
        for (scheme, parameters, fragment) in [
            ("redis", "", None),
            ("redis", "protocol=resp3", None),
            ("rediss", "protocol=2", None),
            ("valkey", "", Some("")),
            ("unix", "db=4&user=u&pass=p&protocol=3", None),
        ] {
            let checked = check(scheme, parameters, fragment);
            assert_eq!(checked, Ok(()), "{scheme}, {parameters}");
        }
    }

    #[test]
    fn parts_that_nothing_reads_say_what_to_write() {
        for (scheme, parameters, advice) in [
            (
                "redis",
                "db=4",
                "`db` (write the database behind the address, redis://host:port/4",
            ),
            ("valkeys", "database=2", "redis://host:port/2"),
            ("redis", "ssl=true", "`ssl` (write rediss:// for TLS"),
            ("valkey", "tls=1", "`tls` (write rediss:// for TLS"),
            ("redis", "ssl_cert_reqs=none", "rediss://"),
            ("rediss", "ssl=true", "rediss:// is TLS"),
            ("unix", "tls=1", "no TLS over a socket"),
            (
                "redis",
                "user=u",
                "`user` (write redis://user:password@host:port",
            ),
            (
                "redis",
                "protcol=resp3",
                "`protcol` (did you mean `protocol`?",
            ),
            ("unix", "username=u", "`username` (did you mean `user`?"),
            ("unix", "password=p", "`password` (did you mean `pass`?"),
            ("unix", "database=3", "`database` (did you mean `db`?"),
            ("redis", "socket_timeout=5", "the builder's `deadline`"),
            ("redis", "x=1", "`x` (it may have `protocol`"),
            // The end of a password with a question mark, and the server's address.
            (
                "redis",
                "hunter2=x@host",
                "a parameter without a proper name",
            ),
        ] {
            let said = check(scheme, parameters, None).unwrap_err();
            assert!(said.contains(advice), "{scheme}, {parameters}: {said}");
        }
        let said = check("redis", "", Some("cache")).unwrap_err();
        assert!(said.contains("follows `#`"), "{said}");
    }

    #[test]
    fn all_errors_are_reported_without_secrets() {
        let said = check("redis", "user=ann&pass=hunter2&db=x", None).unwrap_err();
        for name in ["`user`", "`pass`", "`db`"] {
            assert!(said.contains(name), "{said}");
        }
        assert!(!said.contains("hunter2") && !said.contains("ann"), "{said}");
        let said = check("redis", "hunter2@h", None).unwrap_err();
        assert!(said.contains("%3F") && !said.contains("hunter2"), "{said}");
    }
}
