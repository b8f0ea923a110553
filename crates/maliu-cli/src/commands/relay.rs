//! `maliu relay`: one publisher by RTMP, many viewers by RTMP, HTTP-FLV and WebSocket-FLV.

use std::{
    fs,
    io::{self, Write},
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use maliu_relay::{Config, Purpose, Relay, sign};

use crate::{
    context::Context,
    failure::{Failure, Result, say},
    paths,
    relaying::{allow_many_files, announce, stopped},
};

/// Relays live streams from publishers to any number of viewers.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(clap::Subcommand)]
enum Task {
    /// Check a file of settings; nothing listens.
    Check {
        /// Settings in TOML.
        #[arg(value_name = "CONFIG.toml", value_parser = paths::parser())]
        config: String,
    },
    /// Print the query of a URL that lets its bearer watch, or publish, one stream for a time.
    Sign {
        /// Settings in TOML, with a secret in [play] or [publish].
        #[arg(value_name = "CONFIG.toml", value_parser = paths::parser())]
        config: String,
        /// Name of the stream, such as live/show.
        name: String,
        /// Sign for a publisher.
        #[arg(long)]
        publish: bool,
        /// Lifetime of the signature: seconds, or a number with s, m, h or d, such as 90m.
        #[arg(long = "for", value_name = "TIME", value_parser = lasting, default_value = "1h")]
        seconds: u32,
    },
}

#[derive(clap::Args)]
struct Serve {
    /// Settings in TOML (default: listen on 127.0.0.1, ports 1935 and 8080).
    #[arg(value_name = "CONFIG.toml", value_parser = paths::parser())]
    config: Option<String>,
    /// Arguments of a task, whose name was not recognised.
    #[arg(hide = true, value_parser = paths::parser())]
    rest: Vec<String>,
    /// Address for RTMP.
    #[arg(long, value_name = "IP:PORT")]
    rtmp: Option<SocketAddr>,
    /// Address for HTTP.
    #[arg(long, value_name = "IP:PORT")]
    http: Option<SocketAddr>,
    /// Address for what `maliu send` sends over TCP (default: none).
    #[arg(long, value_name = "IP:PORT")]
    wire: Option<SocketAddr>,
    /// Token that publishers need, as ?token= behind the stream's name; repeat it for more.
    #[arg(long, env = "MALIU_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Vec<String>,
    /// Let any machine publish without a token.
    #[arg(long)]
    open_publish: bool,
}

const EXAMPLES: &str = "Examples:
  maliu relay                                          on this machine only, without a token
  maliu relay --rtmp 0.0.0.0:1935 --http 0.0.0.0:8080  for others; a token for publishers is made and printed
  maliu remux clip.mp4 rtmp://127.0.0.1/live/show      publish
  ffplay http://127.0.0.1:8080/live/show.flv           watch
  maliu relay check relay.toml                         check settings
  maliu relay sign relay.toml live/show --for 2h       let someone watch for two hours

Settings, limits and players: docs/relay.md.";

/// Fewest characters of a token.
const MIN_TOKEN: usize = 8;

/// Listens and serves until it is stopped, or checks settings.
pub(super) fn run(args: Args, context: &Context) -> Result {
    match args.task {
        Some(Task::Check { config }) => {
            let settings = read(&config)?;
            settings.check_files().map_err(|error| Failure::Failed(format!("{config}: {error}")))?;
            say(&format!("{config}: no fault"));
            return Ok(());
        }
        Some(Task::Sign { config, name, publish, seconds }) => {
            let query = signed(&read(&config)?, &name, publish, seconds)?;
            writeln!(io::stdout(), "{query}")?;
            return Ok(());
        }
        None => {}
    }
    let serve = args.serve;
    let config = serve.settings()?;
    allow_many_files(config.max_connections);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let relay = Relay::bind(config).await.map_err(|error| Failure::Failed(error.to_string()))?;
        relay.reads(move || serve.settings().map_err(|failure| failure.to_string()));
        announce(&relay);
        context.stop.on_request();
        let control = relay.control();
        relay.run(stopped(context, &control)).await;
        Ok(())
    });
    // A thread may still wait for another server.
    runtime.shutdown_background();
    served
}

/// A time of whole seconds, minutes, hours or days, in seconds.
fn lasting(text: &str) -> std::result::Result<u32, String> {
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let unit = units.iter().find_map(|(letter, seconds)| Some((text.strip_suffix(*letter)?, *seconds)));
    let (number, seconds) = unit.unwrap_or((text, 1));
    let value = number.parse::<u32>().ok().and_then(|number| number.checked_mul(seconds)).filter(|value| *value > 0);
    value.ok_or_else(|| "expected a time such as 7200, 90m, 2h or 1d".to_owned())
}

/// The query that lets its bearer watch or publish a stream.
fn signed(config: &Config, name: &str, publish: bool, seconds: u32) -> Result<String> {
    let (purpose, secret, section) = match publish {
        true => (Purpose::Publish, &config.publish_secret, "publish"),
        false => (Purpose::Play, &config.play_secret, "play"),
    };
    let missing = || Failure::Failed(format!("the settings have no secret in [{section}]"));
    let secret = secret.as_deref().ok_or_else(missing)?;
    if !name.contains('/') {
        return Err(Failure::Usage(format!("{name} is not APP/NAME, such as live/show")));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok(sign(secret, purpose, name, now + u64::from(seconds)))
}

fn read(path: &str) -> Result<Config> {
    let text = fs::read_to_string(paths::of(path));
    let text = text.map_err(|error| Failure::while_("reading", path, error))?;
    Config::parse(&text).map_err(|fault| Failure::Failed(format!("{path}: {fault}")))
}

impl Serve {
    fn settings(&self) -> Result<Config> {
        if !self.rest.is_empty() {
            let word = self.config.as_deref().unwrap_or_default();
            let meant = ["check", "sign"].into_iter().find(|task| is_nearly(word, task));
            let hint = meant
                .map_or_else(|| "check and sign".to_owned(), |meant| format!("check and sign; was {meant} meant?"));
            return Err(Failure::Usage(format!("{word}: no task of that name; there are {hint}")));
        }
        let mut config = self.config.as_deref().map_or_else(|| Ok(Config::default()), read)?;
        config.rtmp = self.rtmp.unwrap_or(config.rtmp);
        config.http = self.http.unwrap_or(config.http);
        config.wire = self.wire.or(config.wire);
        if self.token.iter().any(|token| token.chars().count() < MIN_TOKEN) {
            return Err(Failure::Usage(format!("a token has fewer than {MIN_TOKEN} characters")));
        }
        config.publish_tokens.extend(self.token.iter().cloned());
        config.open_publish |= self.open_publish;
        if config.open_publish && !config.publish_tokens.is_empty() {
            return Err(Failure::Usage("publishing is open, and needs a token: only one of both can be".into()));
        }
        Ok(config)
    }
}

/// Returns true for a typing error: one letter more, less or wrong, or two letters swapped.
fn is_nearly(word: &str, meant: &str) -> bool {
    let same = word.bytes().zip(meant.bytes()).take_while(|(a, b)| a == b).count();
    let back = word.bytes().rev().zip(meant.bytes().rev()).take_while(|(a, b)| a == b).count();
    let longest = word.len().max(meant.len());
    word.len().abs_diff(meant.len()) <= 1 && longest - (same + back).min(longest) <= 2
}
