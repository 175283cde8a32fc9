//! Real HTTP servers, and clients that write HTTP/1.1 byte by byte.

use std::{net::SocketAddr, time::Duration};

use actix_throttle::{RateLimiter, Throttle};
use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    rt::{self, net::TcpStream, time::timeout},
    web::ServiceConfig,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bound for a response to arrive.
const BOUND: Duration = Duration::from_secs(20);

/// An HTTP server on a free port. It stops when it is dropped.
pub struct Live {
    pub address: SocketAddr,
    handle: ServerHandle,
}

impl Live {
    pub fn start(
        limiter: &RateLimiter,
        workers: usize,
        routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> Self {
        Self::with(limiter, workers, Throttle::new(), routes)
    }

    /// Starts a server with one worker, wrapped in a middleware.
    pub fn behind(
        limiter: &RateLimiter,
        throttle: Throttle,
        routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> Self {
        Self::with(limiter, 1, throttle, routes)
    }

    fn with(
        limiter: &RateLimiter,
        workers: usize,
        throttle: Throttle,
        routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> Self {
        let limiter = limiter.clone();
        let factory = move || {
            App::new()
                .app_data(limiter.clone())
                .wrap(throttle.clone())
                .configure(routes.clone())
        };
        let server = HttpServer::new(factory)
            .workers(workers)
            .disable_signals()
            .h1_allow_half_closed(false)
            // HTTP/2 with prior knowledge (h2c) and HTTP/1.1 on the same port.
            .bind_auto_h2c(("127.0.0.1", 0))
            .expect("a free port");
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        rt::spawn(server);
        Self { address, handle }
    }

    pub async fn connect(&self) -> Wire<TcpStream> {
        Wire(TcpStream::connect(self.address).await.expect("a server"))
    }

    /// Sends one `GET` on a connection of its own and returns the response.
    pub async fn get(&self, path: &str) -> String {
        let mut wire = self.connect().await;
        wire.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
            .await;
        wire.answer().await
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // `stop` sends its command at once; its future only waits for the end.
        drop(self.handle.stop(false));
    }
}

/// A client connection.
pub struct Wire<S>(pub S);

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0
            .write_all(bytes.as_ref())
            .await
            .expect("a connection");
    }

    /// Reads the next response: head, in lower case, and body.
    ///
    /// # Panics
    ///
    /// If no response arrives in time, or one without a `Content-Length`.
    pub async fn answer(&mut self) -> String {
        let answer = timeout(BOUND, self.read()).await;
        answer.expect("an answer in time")
    }

    async fn read(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.expect("a whole head"));
        }
        let head = String::from_utf8(head).expect("ASCII").to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .expect("a length");
        let mut body = vec![0; length.parse().expect("a number")];
        self.0.read_exact(&mut body).await.expect("a whole body");
        head + str::from_utf8(&body).expect("UTF-8")
    }
}

/// The status of a response that [`Wire::answer`] returned.
pub fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).expect("a status line");
    status.parse().expect("a number")
}
