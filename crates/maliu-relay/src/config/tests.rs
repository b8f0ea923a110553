//! Settings: every key, and faults with their places.

use super::*;

/// A file with every key.
const EVERY_KEY: &str = r#"
rtmp = "0.0.0.0:1936"
http = "[::1]:81"
wire = "127.0.0.1:7000"
memory = "256 MiB"
batch = "50ms"
drain = "2m"
trusted_proxies = ["10.0.0.0/8", "::1"]
proxy_protocol = true
[publish]
tokens = ["long enough"]
secret = "0123456789abcdef"
jwt = "publish.json"
[play]
tokens = ["and another"]
secret = "fedcba9876543210"
jwt = "play.json"
[admin]
tokens = ["administrator"]
[hls]
segment = "4s"
part = "500ms"
window = 10
encrypt = true
dvr = "30m"
folder = "old"
keep = true
[tls]
cert = "cert.pem"
key = "key.pem"
rtmps = "0.0.0.0:1937"
https = "0.0.0.0:8443"
wire = "0.0.0.0:7001"
[hooks]
on_publish = "http://127.0.0.1:9000/publish"
on_play = "http://127.0.0.1:9000/play"
on_unpublish = "http://127.0.0.1:9000/unpublish"
on_stop = "http://127.0.0.1:9000/stop"
on_record = "http://127.0.0.1:9000/record"
secret = "a secret of hooks"
timeout = "1s"
cache = "0s"
[live]
linger = "3s"
takeover = "never"
[limits]
connections = 7
connections_per_address = 5
publishers = 3
publisher_rate = "20 Mbit/s"
[[record]]
path = "rec/{app}/{stream}/{start}.flv"
match = ["live/*"]
split = "1h"
[[push]]
match = "live/show"
to = "rtmp://there/app/key?x={stream}"
[[pull]]
match = "cam/*"
from = "http://there/{stream}.flv"
"#;

fn hls_of_every_key() -> Hls {
    Hls {
        segment: Duration::from_secs(4),
        part: Duration::from_millis(500),
        window: 10,
        encrypt: true,
        dvr: Duration::from_secs(1800),
        folder: Some("old".into()),
        keep: true,
    }
}

fn hooks_of_every_key() -> Hooks {
    Hooks {
        publish: Some("http://127.0.0.1:9000/publish".into()),
        play: Some("http://127.0.0.1:9000/play".into()),
        unpublish: Some("http://127.0.0.1:9000/unpublish".into()),
        stop: Some("http://127.0.0.1:9000/stop".into()),
        record: Some("http://127.0.0.1:9000/record".into()),
        secret: Some("a secret of hooks".into()),
        timeout: Duration::from_secs(1),
        cache: Duration::ZERO,
    }
}

#[test]
fn every_key_is_read_and_an_empty_file_is_the_default() {
    assert_eq!(Config::parse("").unwrap(), Config::default());
    let expected = Config {
        rtmp: "0.0.0.0:1936".parse().unwrap(),
        http: "[::1]:81".parse().unwrap(),
        wire: Some("127.0.0.1:7000".parse().unwrap()),
        memory: 256 << 20,
        batch: Duration::from_millis(50),
        drain: Duration::from_secs(120),
        publish_tokens: vec!["long enough".into()],
        publish_secret: Some("0123456789abcdef".into()),
        open_publish: false,
        play_tokens: vec!["and another".into()],
        play_secret: Some("fedcba9876543210".into()),
        linger: Duration::from_secs(3),
        takeover: Takeover::Never,
        max_connections: 7,
        max_connections_per_address: Some(5),
        max_publishers: 3,
        max_publisher_rate: Some(20_000_000),
        record: vec![Record {
            path: "rec/{app}/{stream}/{start}.flv".into(),
            matches: vec!["live/*".into()],
            split: Some(Duration::from_secs(3600)),
        }],
        push: vec![Push { matches: "live/show".into(), to: "rtmp://there/app/key?x={stream}".into() }],
        pull: vec![Pull { matches: "cam/*".into(), from: "http://there/{stream}.flv".into() }],
        hls: hls_of_every_key(),
        tls: Some(Tls {
            cert: "cert.pem".into(),
            key: "key.pem".into(),
            rtmps: Some("0.0.0.0:1937".parse().unwrap()),
            https: Some("0.0.0.0:8443".parse().unwrap()),
            wire: Some("0.0.0.0:7001".parse().unwrap()),
        }),
        publish_jwt: Some("publish.json".into()),
        play_jwt: Some("play.json".into()),
        hooks: hooks_of_every_key(),
        admin_tokens: vec!["administrator".into()],
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()],
        proxy_protocol: true,
    };
    assert_eq!(Config::parse(EVERY_KEY).unwrap(), expected);
}

#[test]
fn faults_have_a_place_and_a_hint() {
    for (text, place, what, hint) in [
        ("drain = \"3s\"\n  drian = 4\n", (2, 3), "unknown field `drian`", "`drain`"),
        ("rtmp = 5", (1, 8), "invalid type: integer `5`", "expected"),
        ("rtmp = \"here\"", (1, 8), "socket address", ""),
        ("[live]\ntakeover = \"soon\"", (2, 12), "unknown variant `soon`", "`stale`"),
        ("batch = \"5\"", (1, 9), "\"5\" is not a span of time", "50ms"),
        ("memory = \"many\"", (1, 10), "\"many\" is not a size", "256 MiB"),
        ("[limits]\npublisher_rate = \"9\"", (2, 18), "\"9\" is not a bit rate", "20 Mbit/s"),
        ("[publish]\ntokens = [\"short\"]", (2, 10), "a token of 5 characters", "at least 8"),
        ("[publish]\nopen = true\ntokens = [\"long enough\"]", (2, 8), "publishing is open", "one of both"),
        ("[play]\nsecret = \"short\"", (2, 10), "a secret of 5 characters", "at least 16"),
        ("wire = \"127.0.0.1:7\"\n[publish]\nsecret = \"0123456789abcdef\"", (1, 8), "proves a token", "tokens"),
        ("[[record]]\npath = \"a.flv\"", (2, 8), "cannot be told apart", "{app} and {stream}"),
        ("[[push]]\nmatch = \"*\"\nto = \"http://h/a\"", (3, 6), "is not rtmp://", "rtmp://HOST"),
        ("[[pull]]\nmatch = \"*\"\nfrom = \"h\"", (3, 8), "nothing can be fetched", "http://HOST"),
        ("[[pull]]\nfrom = \"http://h/a\"", (1, 1), "missing field `match`", ""),
        ("[hls]\nsegment = \"100ms\"", (2, 11), "cannot have this length", "1s to 30s"),
        ("[hls]\nwindow = 1", (2, 10), "this number of segments", "3 to 100"),
        ("[hls]\ndvr = \"30m\"", (2, 7), "have no place", "a folder"),
        ("[hls]\nkeep = true", (2, 8), "nothing is kept", "dvr"),
        ("proxy_protocol = true", (1, 18), "no proxy is trusted", "trusted_proxies"),
        ("trusted_proxies = [\"10.0.0.0/99\"]", (1, 19), "is not a network", "10.0.0.0/8"),
        ("[hooks]\non_play = \"https://h/a\"", (2, 11), "cannot be asked", "http://HOST"),
        ("[tls]\ncert = \"a\"", (1, 1), "missing field `key`", ""),
        ("rtmp = ", (1, 8), "", ""),
    ] {
        let fault = Config::parse(text).unwrap_err();
        assert_eq!((fault.line, fault.column), place, "{text}: {fault}");
        assert!(fault.what.contains(what) && fault.hint.contains(hint), "{text}: {fault}");
    }
    assert!(Config::parse("rtmp = \"0.0.0.0:1935\"").unwrap().lacks_token());
    assert!(!Config::parse("rtmp = \"0.0.0.0:1935\"\n[publish]\nopen = true").unwrap().lacks_token());
    assert!(!Config::default().lacks_token());
    let tls = "[tls]\ncert = \"a\"\nkey = \"b\"\nrtmps = \"0.0.0.0:1\"";
    assert!(Config::parse(tls).unwrap().lacks_token());
    let hook = "rtmp = \"0.0.0.0:1\"\n[hooks]\non_publish = \"http://h/a\"";
    assert!(!Config::parse(hook).unwrap().lacks_token());
}
