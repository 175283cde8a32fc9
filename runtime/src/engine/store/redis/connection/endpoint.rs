//! The address that `redis_url` names, and probes of what replies there. Connecting and the startup
//! check probe it when the client's error says too little. No credentials are sent.

use std::{fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use redis::{ConnectionAddr, ConnectionInfo};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

/// The longest time for one probe of the address: a connection and the first bytes of a reply. For
/// a server further away, only the client's error tells what is wrong.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// The time for which a greeting is cached.
const GREETING_HOLDS: Duration = Duration::from_secs(5);
/// An inline command. Any Redis or Valkey replies to it with one line, whatever the client may do.
const PING: &[u8] = b"PING\r\n";
/// The longest reply that matters, in bytes: a line of an error.
const LONGEST: usize = 256;

/// The address of one server. Its text has no user and no password.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    address: ConnectionAddr,
    database: i64,
    /// The latest greeting, shared by all clones.
    greeting: Arc<Mutex<Option<Greeting>>>,
}

#[derive(Debug)]
struct Greeting {
    since: Instant,
    reply: Option<String>,
}

impl Greeting {
    fn now(reply: Option<String>) -> Option<Self> {
        let since = Instant::now();
        Some(Self { since, reply })
    }
}

impl Endpoint {
    pub(crate) fn of(info: &ConnectionInfo) -> Self {
        Self {
            address: info.addr().clone(),
            database: info.redis_settings().db(),
            greeting: Arc::default(),
        }
    }

    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.address, ConnectionAddr::TcpTls { .. })
    }

    /// The host's name or IP address; `None` for a Unix socket.
    pub(crate) fn host(&self) -> Option<&str> {
        match &self.address {
            ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => Some(host),
            _ => None,
        }
    }

    /// Whether the server speaks TLS where the URL asks for none, or the other way round. It makes
    /// a connection of its own, and sends no credentials.
    ///
    /// A Redis without TLS waits silently for the end of a TLS handshake, and a Redis with TLS
    /// closes the connection on a plain command. A failing server does so too, so the client's
    /// error does not tell.
    pub(crate) async fn speaks_the_other_protocol(&self) -> bool {
        if self.is_tls() {
            resp_line(&self.first_bytes(PING).await).is_some()
        } else {
            is_tls_record(&self.first_bytes(&client_hello()).await)
        }
    }

    /// The line that a server without TLS sends to a client without credentials. A server that
    /// turns every client away says why.
    ///
    /// The line is cached for some seconds, so that a server without room for clients is not asked
    /// by each attempt of each worker. While one caller asks, other callers get `None`.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, it leaves `None` in the cache until that expires.
    pub(crate) async fn greeting(&self) -> Option<String> {
        {
            let mut latest = self.greeting.lock();
            match &*latest {
                Some(latest) if latest.since.elapsed() < GREETING_HOLDS => {
                    return latest.reply.clone();
                }
                _ => *latest = Greeting::now(None),
            }
        }
        let reply = resp_line(&self.first_bytes(PING).await);
        *self.greeting.lock() = Greeting::now(reply.clone());
        reply
    }

    /// The first bytes of the reply to `sent`; empty if there are none in time.
    async fn first_bytes(&self, sent: &[u8]) -> Vec<u8> {
        let exchanged = async {
            match &self.address {
                ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                    let stream = TcpStream::connect((host.as_str(), *port)).await.ok()?;
                    Some(exchange(stream, sent).await)
                }
                #[cfg(unix)]
                ConnectionAddr::Unix(path) => {
                    let stream = UnixStream::connect(path).await.ok()?;
                    Some(exchange(stream, sent).await)
                }
                _ => None,
            }
        };
        let in_time = timeout(PROBE_TIMEOUT, exchanged).await;
        in_time.ok().flatten().unwrap_or_default()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match &self.address {
            ConnectionAddr::Unix(path) => {
                return write!(f, "redis+unix://{}?db={}", path.display(), self.database);
            }
            ConnectionAddr::TcpTls { .. } => "rediss",
            _ => "redis",
        };
        write!(f, "{scheme}://")?;
        match &self.address {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }
                if host.contains(':') =>
            {
                write!(f, "[{host}]:{port}")?;
            }
            address => write!(f, "{address}")?,
        }
        match self.database {
            0 => Ok(()),
            database => write!(f, "/{database}"),
        }
    }
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, sent: &[u8]) -> Vec<u8> {
    // A server that turns the client away may have closed the connection, and its reason can still
    // be read.
    let _ = stream.write_all(sent).await;
    let mut reply = vec![0; LONGEST];
    let length = stream.read(&mut reply).await.unwrap_or(0);
    reply.truncate(length);
    reply
}

/// The first line of these bytes, if a Redis may have sent it: `+PONG`, `-NOAUTH …`, `-ERR …`.
fn resp_line(bytes: &[u8]) -> Option<String> {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let is_resp = match line {
        [b'-', code @ ..] => code.first().is_some_and(u8::is_ascii_uppercase),
        line => line == b"+PONG",
    };
    is_resp.then(|| String::from_utf8_lossy(line).into_owned())
}

/// Whether these bytes begin a TLS record: an alert, or a part of the handshake.
fn is_tls_record(bytes: &[u8]) -> bool {
    matches!(bytes, [0x15 | 0x16, 0x03, ..])
}

/// The smallest `ClientHello` to which a server replies, with a part of the handshake or an alert
/// ([RFC 5246, section 7.4.1.2]). It leads to no connection, so it needs no cryptography.
///
/// [RFC 5246, section 7.4.1.2]: https://www.rfc-editor.org/rfc/rfc5246#section-7.4.1.2
fn client_hello() -> Vec<u8> {
    // TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, the mandatory suite of RFC 5246, and that of TLS 1.3.
    const CIPHER_SUITES: [u8; 6] = [0xc0, 0x2f, 0x00, 0x2f, 0x13, 0x01];
    let mut body = vec![0x03, 0x03];
    body.extend((0..32).map(|_| fastrand::u8(..)));
    // The message has no session, the suites, and no compression.
    body.extend([0, 0, 6]);
    body.extend(CIPHER_SUITES);
    body.extend([1, 0]);
    // The length is below 256, so one byte of each length field is enough.
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    let mut record = vec![0x16, 0x03, 0x01, 0, length + 4, 0x01, 0, 0, length];
    record.extend(body);
    record
}

#[cfg(test)]
mod tests {
    use redis::IntoConnectionInfo as _;

    use super::*;

    #[test]
    fn text_of_an_endpoint_has_no_credentials() {
        for (url, text) in [
            ("redis://ann:secret@h:7000/3", "redis://h:7000/3"),
            ("redis://:secret@[::1]", "redis://[::1]:6379"),
            ("valkey://h", "redis://h:6379"),
            (
                "unix:///run/redis.sock?user=ann&pass=secret&db=2",
                "redis+unix:///run/redis.sock?db=2",
            ),
        ] {
            let endpoint = Endpoint::of(&url.into_connection_info().unwrap());
            assert_eq!(endpoint.to_string(), text);
        }
    }

    #[test]
    fn replies_of_redis_differ_from_others() {
        for (bytes, line) in [
            (&b"+PONG\r\n"[..], Some("+PONG")),
            (
                b"-NOAUTH Authentication required.\r\n",
                Some("-NOAUTH Authentication required."),
            ),
            (
                b"-ERR max number of clients reached\r\n",
                Some("-ERR max number of clients reached"),
            ),
            (b"HTTP/1.1 400 Bad Request\r\n", None),
            (b"+OK POP3 ready\r\n", None),
            (b"\x15\x03\x01\x00\x02\x02\x46", None),
            (b"-", None),
            (b"", None),
        ] {
            assert_eq!(resp_line(bytes).as_deref(), line, "{bytes:?}");
        }
        assert!(is_tls_record(b"\x15\x03\x01\x00\x02\x02\x46"));
        assert!(!is_tls_record(b"+PONG\r\n") && !is_tls_record(b""));
    }

    #[test]
    fn a_client_hello_says_its_own_length() {
        let hello = client_hello();
        assert_eq!(usize::from(hello[4]), hello.len() - 5);
        assert_eq!(usize::from(hello[8]), hello.len() - 9);
    }
}
