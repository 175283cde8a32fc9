//! A server that speaks TLS, and the certificates for it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

use super::{
    launch::Role,
    ports::{SECOND, fresh_folder},
    server::Server,
    server_version::ServerVersion,
};

/// The names in the certificate of a server that is where it says it is.
const HERE: [&str; 2] = ["127.0.0.1", "localhost"];

/// A Redis 7 with TLS. Of the three servers, only Debian's build of Redis 7 has TLS.
#[derive(Debug)]
pub struct TlsServer {
    server: Server,
    certificates: Certificates,
}

impl TlsServer {
    /// Starts a server that asks clients for no certificate.
    pub fn start() -> TlsServer {
        TlsServer::start_with(&HERE, &["--tls-auth-clients", "no"])
    }

    /// Starts a server that only accepts clients with a certificate of its own authority (mutual
    /// TLS).
    pub fn start_for_certified() -> TlsServer {
        TlsServer::start_with(&HERE, &["--tls-auth-clients", "yes"])
    }

    /// Starts a server with a valid certificate for these names or addresses.
    pub fn start_as(names: &[&str]) -> TlsServer {
        TlsServer::start_with(names, &["--tls-auth-clients", "no"])
    }

    /// Starts a server with further arguments and a certificate for these names.
    ///
    /// # Panics
    ///
    /// If the binary of Redis 7 has no TLS; the log in the message says so.
    pub fn start_with(names: &[&str], extra_args: &[&str]) -> TlsServer {
        let certificates = Certificates::new(names);
        let mut arguments: Vec<_> = extra_args.iter().map(ToString::to_string).collect();
        for (option, file) in [
            ("--tls-cert-file", "server.crt"),
            ("--tls-key-file", "server.key"),
            ("--tls-ca-cert-file", "ca.crt"),
        ] {
            let file = certificates.file(file).to_string_lossy().into_owned();
            arguments.extend([option.to_owned(), file]);
        }
        TlsServer {
            server: Server::start_as(ServerVersion::Redis7, Role::Tls, arguments),
            certificates,
        }
    }

    /// The URL `rediss://127.0.0.1` with the port that speaks TLS.
    pub fn url(&self) -> String {
        self.url_at("127.0.0.1")
    }

    /// The URL with another host name for this machine.
    pub fn url_at(&self, host: &str) -> String {
        format!("rediss://{host}:{}", self.port())
    }

    pub fn port(&self) -> u16 {
        self.server.port() + SECOND
    }

    /// The server, for [`Server::cli`] and the like, which use the port without TLS.
    pub fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    /// The certificate of the authority that signed the server's and the client's certificates.
    pub fn ca_file(&self) -> PathBuf {
        self.certificates.file("ca.crt")
    }

    /// The certificate of an authority that signed neither of them.
    pub fn stranger_ca_file(&self) -> PathBuf {
        self.certificates.file("stranger-ca.crt")
    }

    pub fn client_cert_file(&self) -> PathBuf {
        self.certificates.file("client.crt")
    }

    pub fn client_key_file(&self) -> PathBuf {
        self.certificates.file("client.key")
    }

    /// A certificate like the client's own, signed by the other authority.
    pub fn stranger_cert_file(&self) -> PathBuf {
        self.certificates.file("stranger.crt")
    }

    pub fn stranger_key_file(&self) -> PathBuf {
        self.certificates.file("stranger.key")
    }
}

/// Certificate files in a folder that is removed with this value.
#[derive(Debug)]
struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    fn new(names: &[&str]) -> Certificates {
        let certificates = Certificates {
            folder: fresh_folder(),
        };
        let ca = authority("The tests' authority");
        let stranger = authority("Another authority");
        certificates.write("ca.crt", &ca.pem());
        certificates.write("stranger-ca.crt", &stranger.pem());
        // The certificate is for both usages: a replica shows it to its master as a client.
        let both = [
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        certificates.issue("server", names, &both, &ca);
        certificates.issue("client", &["client"], &both[1..], &ca);
        certificates.issue("stranger", &["client"], &both[1..], &stranger);
        certificates
    }

    fn issue(
        &self,
        stem: &str,
        names: &[&str],
        usages: &[ExtendedKeyUsagePurpose],
        issuer: &CertifiedIssuer<'_, KeyPair>,
    ) {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        // Names that are IP addresses become address entries in the certificate.
        let mut params = CertificateParams::new(names).expect("the names are names");
        params.distinguished_name.push(DnType::CommonName, stem);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = usages.to_vec();
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("there is randomness");
        let certificate = params.signed_by(&key, issuer).expect("it can be signed");
        self.write(&format!("{stem}.crt"), &certificate.pem());
        self.write(&format!("{stem}.key"), &key.serialize_pem());
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).expect("the folder is writable");
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new(&self.folder).join(name)
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        // A folder that cannot be removed stays in cargo's target folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().expect("there is randomness");
    CertifiedIssuer::self_signed(params, key).expect("it can be signed")
}
