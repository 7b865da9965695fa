//! HTTPS: its files, its addresses, and SIGHUP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::{Client, announce};
use crate::place::Place;
use crate::program::{PATIENCE, Program};

const TLS: &str = "certificate: \"cert.pem\", private_key: \"key.pem\"";

/// A certificate and its key, that was valid in these years.
fn made(from: i32, until: i32) -> (CertificateDer<'static>, String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
    let certificate = params.self_signed(&key).unwrap();
    (certificate.der().clone(), certificate.pem(), key.serialize_pem())
}

/// Connects, trusting this certificate only.
fn connect(addr: SocketAddr, trusted: &CertificateDer<'static>) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

/// Announces, and returns how many leechers there are.
#[track_caller]
fn leechers(stream: &mut StreamOwned<ClientConnection, TcpStream>, port: u16) -> String {
    try_leechers(stream, port).unwrap()
}

fn try_leechers(stream: &mut StreamOwned<ClientConnection, TcpStream>, port: u16) -> std::io::Result<String> {
    stream.write_all(announce(1, port, "&left=1&numwant=0").as_ref())?;
    let mut answer = [0; 2000];
    let read = stream.read(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer[..read]);
    let count = answer.split("10:incompletei").nth(1).and_then(|rest| rest.split('e').next());
    Ok(count.unwrap_or_else(|| panic!("{answer}")).to_owned())
}

/// A place with a certificate that is valid, and a configuration with these settings of `http`.
fn place(http: &str) -> (Place, CertificateDer<'static>) {
    let (trusted, certificate, key) = made(2000, 2100);
    let config = format!("(http: ({http}))");
    (Place::with(&[("tracker.ron", &config), ("cert.pem", &certificate), ("key.pem", &key)]), trusted)
}

#[test]
fn all_of_listen_is_tls_unless_tls_has_a_list_of_its_own() {
    let (place, trusted) = place(&format!("tls: Some(({TLS}))"));
    let program = place.start_configured(&[]);
    assert_eq!(program.said[0], format!("listening on https://{}", program.addr()));
    assert_eq!(leechers(&mut connect(program.addr(), &trusted), 1), "1");
    let answer = program.client().ask("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    assert!(answer.status == 400 && answer.text().contains("use https://"), "{answer:?}");
    let said = program.stop();
    assert!(!said.iter().any(|line| line.contains("cert.pem")), "{said:#?}");

    place.write("tracker.ron", format!("(http: (tls: ({TLS}, listen: [\"127.0.0.1:0\", \"127.0.0.1:0\"])))"));
    let listen = ["--config", "tracker.ron", "--listen", "127.0.0.1:0", "--workers", "3"];
    let program = Program::start(place.command(&listen), 3);
    let is_secure = |line: &String| line.starts_with("listening on https://");
    assert_eq!(program.said.iter().map(is_secure).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(program.client().announce(1, 7, "&left=1").incomplete, 2);
    for (addr, count) in program.addrs[1..].iter().zip(["3", "4"]) {
        assert_eq!(leechers(&mut connect(*addr, &trusted), 10 + addr.port() % 1000), count);
    }
    let metrics = program.client().ask("GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n");
    assert!(metrics.text().contains("tracker_tls_handshakes_total{result=\"completed\"} 2\n"));
    assert!(metrics.text().contains("tracker_tls_handshakes_total{result=\"failed\"} 0\n"));
    program.stop();
}

#[test]
fn files_that_are_wrong_are_named_and_nothing_is_served() {
    let (place, _) = place(&format!("tls: ({TLS})"));
    let (_, certificate, other_key) = made(2000, 2100);
    let (right, key) = (place.read("cert.pem"), place.read("key.pem"));
    let refused = |name: &str, text: Option<&str>, problem: &str| {
        match text {
            Some(text) => place.write(name, text),
            None => std::fs::remove_file(place.path(name)).unwrap(),
        }
        let which = if name == "cert.pem" { "certificate" } else { "private_key" };
        for more in [&["--check-config"][..], &["--listen", "127.0.0.1:0"]] {
            let sentence = place.refusal(&[&["--config", "tracker.ron"], more].concat());
            assert!(sentence.contains(&format!("{name}: {problem}")), "{sentence}");
            assert!(sentence.trim_end().ends_with(&format!(", check http.tls.{which}")), "{sentence}");
        }
        place.write("cert.pem", &right);
        place.write("key.pem", &key);
    };
    refused("cert.pem", None, "cannot be read: No such file");
    refused("key.pem", None, "cannot be read: No such file");
    refused("cert.pem", Some("\u{1}\u{2}"), "is not PEM");
    refused("cert.pem", Some(&key), "has no certificate in it");
    refused("cert.pem", Some(&right[..100]), "is damaged PEM");
    refused("key.pem", Some("secret"), "is not PEM");
    refused("key.pem", Some(&certificate), "has no private key in it");
    refused("key.pem", Some(&other_key), "does not match the certificate");
    std::fs::remove_file(place.path("cert.pem")).unwrap();
    std::fs::create_dir(place.path("cert.pem")).unwrap();
    let sentence = place.refusal(&["--config", "tracker.ron"]);
    assert!(sentence.contains("cert.pem: cannot be read: Is a directory"), "{sentence}");
    // nothing has been made
    assert_eq!(place.names(), ["cert.pem", "key.pem", "tracker.ron"]);
}

#[test]
fn a_certificate_out_of_its_time_is_served_with_a_warning() {
    for ((from, until), warning) in [
        ((2000, 2001), "WARN cert.pem: the certificate expired on 2001-01-01T00:00:00Z"),
        ((2090, 2100), "WARN cert.pem: the certificate is not valid before 2090-01-01T00:00:00Z"),
    ] {
        let (place, _) = place(&format!("tls: ({TLS})"));
        let (_, certificate, key) = made(from, until);
        place.write("cert.pem", certificate);
        place.write("key.pem", key);
        let checked = place.run(&["--config", "tracker.ron", "--check-config"]);
        let said = crate::place::text(&checked.stderr);
        assert!(checked.status.success() && said.contains(&warning[5..]), "{said}");
        let mut program = place.start_configured(&[]);
        program.says(warning);
        program.stop();
    }
}

#[test]
fn addresses_that_cannot_be_listened_on_are_named_by_their_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let (place, _) = place(&format!("listen: [\"127.0.0.1:0\"],\ntls: ({TLS},\nlisten: [\"{addr}\"])"));
    let sentence = place.refusal(&["--config", "tracker.ron"]);
    let expected = format!("tracker.ron:3: http.tls.listen[0]: \"{addr}\" is in use");
    assert!(sentence.contains(&expected), "{sentence}");
    place.write("tracker.ron", format!("(http: (tls: ({TLS})))"));
    let sentence = place.refusal(&["--config", "tracker.ron", "--listen", &addr.to_string()]);
    assert!(sentence.contains(&format!("--listen: \"{addr}\" is in use")), "{sentence}");
    let twice = format!("listen: [\"{addr}\"],\ntls: ({TLS}, listen: [\"{addr}\"])");
    place.write("tracker.ron", format!("(http: ({twice}))"));
    let sentence = place.refusal(&["--config", "tracker.ron", "--check-config"]);
    let expected = format!("tracker.ron:2: http.tls.listen[0]: \"{addr}\" is in http.listen too");
    assert!(sentence.contains(&expected), "{sentence}");
}

#[test]
fn a_reload_takes_the_new_certificate_and_leaves_open_connections_alone() {
    let (place, first) = place(&format!("tls: ({TLS})"));
    let mut program = place.start_configured(&[]);
    let mut open = connect(program.addr(), &first);
    assert_eq!(leechers(&mut open, 1), "1");

    let (second, certificate, key) = made(2000, 2100);
    place.write("cert.pem", &certificate);
    // half of it is there: everything stays as it was
    program.signal("HUP");
    let line = program.says("nothing is reloaded: ");
    assert!(line.contains("key.pem: does not match the certificate"), "{line}");
    assert_eq!(leechers(&mut connect(program.addr(), &first), 2), "2");
    place.write("key.pem", &key);
    program.reload();
    assert_eq!(leechers(&mut open, 3), "3");
    assert_eq!(leechers(&mut connect(program.addr(), &second), 4), "4");
    let error = try_leechers(&mut connect(program.addr(), &first), 5).unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");

    // other files, one that has expired: said, and served
    let (_, certificate, key) = made(2000, 2001);
    place.write("old.pem", key + &certificate);
    place.write("tracker.ron", "(http: (tls: (certificate: \"old.pem\", private_key: \"old.pem\")))");
    program.signal("HUP");
    program.says("WARN old.pem: the certificate expired on 2001-01-01");
    program.says("reloaded");
    assert!(!program.has_said("wait for a restart"));
    assert!(try_leechers(&mut connect(program.addr(), &second), 6).is_err());
    // to do without TLS takes a restart
    place.write("tracker.ron", "()");
    program.signal("HUP");
    assert!(program.says("wait for a restart").ends_with(": http.tls"));
    assert_eq!(leechers(&mut open, 7), "5");
    program.stop();
}

#[test]
fn a_client_that_is_refused_a_certificate_costs_nobody_anything() {
    let (place, trusted) = place(&format!("tls: ({TLS})"));
    let program = place.start_configured(&[]);
    let (stranger, ..) = made(2000, 2100);
    for port in 0..20 {
        assert!(try_leechers(&mut connect(program.addr(), &stranger), port).is_err());
        let mut garbage = Client::new(program.addr());
        garbage.send([0; 100]);
    }
    assert_eq!(leechers(&mut connect(program.addr(), &trusted), 1), "1");
    program.stop();
}
