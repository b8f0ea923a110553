//! The page: which streams there are, and a player; all of it is in the program.

use crate::{hub::Hub, status::Survey};

const INDEX: &str = include_str!("../page/index.html");

/// A file of the page: its type, and its content.
pub(crate) type File = (&'static str, &'static [u8]);

/// The file at a path.
pub(crate) fn file(path: &str) -> Option<File> {
    Some(match path {
        "/page/app.js" => ("text/javascript; charset=utf-8", include_bytes!("../page/app.js")),
        "/page/mp4.js" => ("text/javascript; charset=utf-8", include_bytes!("../page/mp4.js")),
        "/page/style.css" => ("text/css; charset=utf-8", include_bytes!("../page/style.css")),
        "/page/mpegts.js" => ("text/javascript; charset=utf-8", include_bytes!("../page/mpegts.js")),
        "/page/licenses.txt" => ("text/plain; charset=utf-8", include_bytes!("../page/mpegts.LICENSE.txt")),
        _ => return None,
    })
}

/// The policy of the page: nothing from elsewhere, no script within it.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     media-src 'self' blob:; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The page with the list of streams, which is there without scripts, too.
pub(crate) fn html(hub: &Hub) -> String {
    let mut list = String::new();
    for channel in hub.all() {
        let survey = Survey::of(&channel);
        let (name, path) = (escaped(&survey.name), encoded(&survey.name));
        let state = if survey.live { "live" } else { "waiting for its publisher" };
        list += &format!("<li><a href=\"/{path}.flv\">{name}</a>, {state}</li>\n");
    }
    if list.is_empty() {
        list = "<li>Nothing is published.</li>\n".into();
    }
    let port = match hub.settings().rtmp.port() {
        maliu::wire::rtmp::PORT => String::new(),
        port => format!(":{port}"),
    };
    INDEX.replace("{rtmp}", &port).replace("{streams}", &list)
}

/// Text in a page.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, letter| {
        match letter {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            letter => safe.push(letter),
        }
        safe
    })
}

/// A name in the path of a URL.
fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use sha1::{Digest, Sha1};

    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_page() {
        assert_eq!(escaped("<script>\"a'&b"), "&lt;script&gt;&quot;a&#39;&amp;b");
        assert_eq!(encoded("live/<a b>\"ключ"), "live/%3Ca%20b%3E%22%D0%BA%D0%BB%D1%8E%D1%87");
    }

    #[test]
    fn the_library_is_the_one_that_was_chosen() {
        // dist/mpegts.js of the package mpegts.js 1.8.2 of npm.
        let (_, library) = file("/page/mpegts.js").unwrap();
        let hash: String = Sha1::digest(library).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "88d8720a8985e8da26f9ab5c9cc1f0f3dcb36206");
    }

    #[test]
    fn nothing_of_the_page_comes_from_elsewhere_and_no_script_is_within_it() {
        assert!(!INDEX.contains("://") && !INDEX.contains("style=") && !INDEX.contains(" on"));
        let links = INDEX.split("/page/").skip(1).filter_map(|rest| rest.split('"').next());
        assert!(links.map(|name| file(&format!("/page/{name}"))).all(|file| file.is_some()));
        for path in ["/page/app.js", "/page/mp4.js", "/page/style.css"] {
            let text = std::str::from_utf8(file(path).unwrap().1).unwrap();
            assert!(!text.contains("innerHTML") && !text.contains("eval("), "{path}");
        }
    }
}
