//! The address of a server, out of the arguments. Opens connections to it.

use std::{fs, path::Path, time::Duration};

use actix_throttle_core::text::redis_url::{self, UrlParts};
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, TlsCertificates,
    io::tcp::TcpSettings,
};

use super::node::Node;
use crate::{arguments::ServerArguments, error::CliError};

/// The parts of an address beside the host: credentials, certificates, time limits.
#[derive(Clone, Debug)]
pub(super) struct Access {
    certificates: Option<TlsCertificates>,
    timeout: Duration,
}

/// One server, and how to log in there.
#[derive(Clone, Debug)]
pub(super) struct Address(ConnectionInfo);

impl Access {
    /// Reads the files that the arguments name.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or one of certificate and key is missing.
    pub(super) fn new(arguments: &ServerArguments) -> Result<Self, CliError> {
        let client_tls = match (&arguments.cert, &arguments.key) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some(ClientTlsConfig {
                client_cert: read(cert)?,
                client_key: read(key)?,
            }),
            _ => {
                return Err(CliError::new(
                    "a client's certificate needs its key: write `--cert FILE --key FILE`",
                ));
            }
        };
        let root_cert = arguments.ca.as_deref().map(read).transpose()?;
        let certificates = TlsCertificates {
            client_tls,
            root_cert,
        };
        let has_any = certificates.client_tls.is_some() || certificates.root_cert.is_some();
        Ok(Self {
            certificates: has_any.then_some(certificates),
            timeout: arguments.timeout,
        })
    }

    /// Connects to a server.
    ///
    /// # Errors
    ///
    /// The reason why there is no connection, with the address.
    pub(super) fn open(&self, address: &Address) -> Result<Node, CliError> {
        let name = address.name();
        let opened = self.try_open(address, &name);
        opened.map_err(|error| CliError::new(format!("cannot connect to {name}: {error}")))
    }

    fn try_open(&self, address: &Address, name: &str) -> Result<Node, redis::RedisError> {
        let info = address.0.clone();
        let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        if is_tls {
            // An error only means that there is a provider already.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let client = match &self.certificates {
            Some(certificates) if is_tls => Client::build_with_tls(info, certificates.clone())?,
            _ => Client::open(info)?,
        };
        let connection = client.get_connection_with_timeout(self.timeout)?;
        connection.set_read_timeout(Some(self.timeout))?;
        connection.set_write_timeout(Some(self.timeout))?;
        Ok(Node::new(name.to_owned(), connection))
    }
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// The error in it, and what to write. The text repeats no secret.
    pub(super) fn of_url(url: &str) -> Result<Self, CliError> {
        let wrong = |reason: &str| {
            let form = redis_url::FORM;
            CliError::new(format!(
                "the server's URL cannot be right: {reason}; {form}"
            ))
        };
        let Some(parsed) = redis::parse_redis_url(url) else {
            return Err(wrong("it is not the URL of a Redis"));
        };
        let parts = UrlParts {
            scheme: parsed.scheme(),
            parameters: parsed.query_pairs(),
            fragment: parsed.fragment(),
            time_limit: "write `--timeout` for the longest time of a connection and a reply",
        };
        parts.check().map_err(CliError::new)?;
        let info = url.into_connection_info();
        let info = info.map_err(|error| wrong(&error.to_string()))?;
        // Users without permission for `CLIENT SETINFO` can connect, too.
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        let tcp = TcpSettings::default().set_nodelay(true);
        Ok(Self(
            info.set_redis_settings(settings).set_tcp_settings(tcp),
        ))
    }

    /// Returns the address of another server that takes the same credentials and speaks TLS if this
    /// one does. An empty host is this server's own.
    pub(super) fn at(&self, host: &str, port: u16) -> Self {
        let host = match (host, self.0.addr()) {
            ("", ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. }) => host,
            _ => host,
        };
        let host = host.to_owned();
        let address = match self.0.addr() {
            ConnectionAddr::TcpTls { insecure, .. } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: *insecure,
                tls_params: None,
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        Self(self.0.clone().set_addr(address))
    }

    /// The host and port, or the path of a socket; without credentials.
    pub(super) fn name(&self) -> String {
        self.0.addr().to_string()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|error| CliError::new(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_that_would_be_misread_is_an_error() {
        for (url, reason) in [
            ("localhost:6379", "not the URL of a Redis"),
            ("http://localhost", "not the URL of a Redis"),
            ("redis://h?db=4", "`db` (write the database behind"),
            ("redis://h?timeout=4", "`--timeout`"),
            ("redis://h/x", "cannot be right"),
            ("rediss://h/#insecure", "certificates are always checked"),
            ("unix:///s?database=3", "did you mean `db`?"),
        ] {
            let error = Address::of_url(url).unwrap_err().to_string();
            assert!(error.contains(reason), "{url}: {error}");
        }
        let error = Address::of_url("redis://ann:hunter2@h?x=1").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn node_of_a_cluster_has_the_credentials_of_the_first() {
        let first = Address::of_url("rediss://ann:secret@h:7000").unwrap();
        let other = first.at("10.0.0.2", 7001);
        assert_eq!(other.name(), "10.0.0.2:7001");
        assert_eq!(other.0.redis_settings().password(), Some("secret"));
        assert!(matches!(other.0.addr(), ConnectionAddr::TcpTls { .. }));
        assert_eq!(first.at("", 7001).name(), "h:7001");
    }
}
