//! Configuration: defaults < file < `REPOPLANE_SECTION__KEY` < flags. An unknown key is an
//! error wherever it stands, so that a misspelt one cannot go unnoticed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use config::{Environment, File, FileFormat};
use ipnet::IpNet;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What every variable begins with.
pub const ENV_PREFIX: &str = "REPOPLANE_";
/// Variables of the command line, which set nothing of a server.
const NOT_SETTINGS: [&str; 9] = [
    "REPOPLANE_CONFIG",
    "REPOPLANE_URL",
    "REPOPLANE_TOKEN",
    "REPOPLANE_TOKEN_FILE",
    "REPOPLANE_BUCKET_SECRET",
    "REPOPLANE_GIT_PASSWORD",
    "REPOPLANE_S3_URL",
    "REPOPLANE_S3_KEY",
    "REPOPLANE_S3_SECRET",
];
/// What means something else in the URL of a file.
const NOT_IN_PATHS: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');
/// What `config show` prints in the place of a secret.
const MASKED: &str = "********";

/// All settings of a server.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder for everything the server keeps; made when absent.
    pub data_dir: PathBuf,
    /// Folder for packs too large for the database. Servers that share a database have to share
    /// this folder, too. Default is `objects` in the data folder.
    pub objects_dir: Option<PathBuf>,
    /// Bucket in the place of that folder, as in `s3://BUCKET/PREFIX`.
    pub objects: Option<String>,
    pub objects_s3: ObjectsS3,
    /// Folder for buckets on local disks, to be shared likewise. Default is `disks` in the data
    /// folder.
    pub disks_dir: Option<PathBuf>,
    /// Address of the JSON API.
    pub listen: SocketAddr,
    /// Address of the S3 gateway; `off` for none.
    pub s3_listen: S3Listen,
    /// Domain of the S3 gateway, for requests that have the bucket in front of it, as in
    /// `bucket.s3.example.org`. Without one, the bucket is in the path.
    pub s3_domain: Option<String>,
    /// `sqlite:FILE` or `postgres://USER:PASSWORD@HOST/NAME`. Default is a SQLite file in the
    /// data folder.
    pub database: Option<String>,
    /// Token of the owner, set on the first start instead of a random one: `rlc-` and at least
    /// 32 letters, digits, `-` or `_`.
    pub bootstrap_token: Option<String>,
    /// Region of this server, as clients are told it.
    pub region: String,
    pub limits: Limits,
    pub git: Git,
    pub egress: Egress,
    pub log: Log,
}

/// Where the S3 gateway listens, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct S3Listen(pub Option<SocketAddr>);

impl FromStr for S3Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if matches!(text, "" | "off") {
            return Ok(Self(None));
        }
        let address = text.parse().map_err(|error| {
            format!("{text:?} is neither an address, as in 127.0.0.1:9000, nor `off`: {error}")
        })?;
        Ok(Self(Some(address)))
    }
}

impl TryFrom<String> for S3Listen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<S3Listen> for String {
    fn from(listen: S3Listen) -> Self {
        listen.0.map_or_else(|| "off".to_owned(), |address| address.to_string())
    }
}

/// Bounds on what clients can ask for.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests per second and token, in the long run.
    pub requests_per_second: NonZeroU32,
    /// Requests of one token that may come at once.
    pub burst: NonZeroU32,
    /// Requests answered at the same time; one more gets 503.
    pub concurrent_requests: usize,
    /// Mebibytes of request bodies that are in memory at the same time; further ones wait.
    pub body_mib: u32,
    /// Open connections; further ones wait to be accepted.
    pub connections: usize,
    /// Seconds after which a request is given up.
    pub request_seconds: u64,
    /// Seconds that an edit waits behind other edits of its repo before it gets 423.
    pub edit_wait_seconds: u64,
    /// Seconds that requests have to finish when the server is told to stop.
    pub drain_seconds: u64,
    /// Mebibytes of bare repositories on the local disk. Beyond it, those that nobody has used for
    /// longest are removed; they are built again when they are needed.
    pub cache_mib: u64,
    /// Mebibytes of memory for the indexes of ranked search. Beyond it, those that nobody has used for
    /// longest go; one takes at most half of it, and the files that do not fit are found by their paths.
    pub index_mib: u64,
    /// Seconds that one request may read files for such an index before it gets 503 and the next one goes
    /// on; half as long it waits for its turn.
    pub index_seconds: u64,
    /// Buckets that one organisation may have.
    pub buckets: u32,
    /// Storage repos that one organisation may have.
    pub storage_repos: u32,
}

/// Bounds on git over HTTP.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Git {
    /// Clones, fetches and pushes under way at the same time; further ones wait.
    pub concurrent: usize,
    /// Seconds that one waits for its turn before it gets 503.
    pub wait_seconds: u64,
    /// Mebibytes that one push may bring.
    pub push_mib: u32,
    /// Seconds that a client may take to send or read the next piece.
    pub idle_seconds: u64,
    /// Seconds after which the client of a push that is being checked or stored hears a sign of life; at
    /// least 1.
    pub keep_alive_seconds: u64,
    /// Seconds after which a clone, fetch or push is given up.
    pub total_seconds: u64,
    /// Repositories elsewhere that are fetched from at the same time, on a user's word.
    pub imports: usize,
    /// Mebibytes that may come from one of them at once.
    pub import_mib: u32,
}

impl Default for Git {
    fn default() -> Self {
        Self {
            concurrent: 16,
            wait_seconds: 15,
            push_mib: 1_024,
            idle_seconds: 60,
            keep_alive_seconds: 5,
            total_seconds: 3_600,
            imports: 4,
            import_mib: 1_024,
        }
    }
}

/// How the bucket of `objects` is reached.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectsS3 {
    /// Where it answers, if not at AWS, as in `https://s3.example.org`.
    pub endpoint: Option<String>,
    /// Its region. Default is `us-east-1`.
    pub region: Option<String>,
    /// Access key id. Without one, the server is who its machine is in the cloud.
    pub key: Option<String>,
    /// Secret of the access key.
    pub secret: Option<String>,
}

/// What the server may dial on a user's word.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Egress {
    /// Private networks that may be reached, for instance `192.168.1.0/24`.
    #[schemars(with = "Vec<String>")]
    pub allow: Vec<IpNet>,
    /// Whether public addresses may be reached.
    pub public: bool,
}

impl Default for Egress {
    fn default() -> Self {
        Self { allow: vec![], public: true }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`; also per module, as in
    /// `info,repoplane::worker=debug`.
    pub level: String,
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    Text,
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("./repoplane-data"),
            objects_dir: None,
            objects: None,
            objects_s3: ObjectsS3::default(),
            disks_dir: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            s3_listen: S3Listen(Some(SocketAddr::from(([127, 0, 0, 1], 9000)))),
            s3_domain: None,
            database: None,
            bootstrap_token: None,
            region: "local".to_owned(),
            limits: Limits::default(),
            git: Git::default(),
            egress: Egress::default(),
            log: Log::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        const fn number(n: u32) -> NonZeroU32 {
            NonZeroU32::new(n).expect("not zero")
        }
        Self {
            requests_per_second: number(1_000),
            burst: number(2_000),
            concurrent_requests: 512,
            body_mib: 512,
            connections: 4_096,
            request_seconds: 60,
            edit_wait_seconds: 15,
            drain_seconds: 30,
            cache_mib: 10_240,
            index_mib: 256,
            index_seconds: 20,
            buckets: 10_000,
            storage_repos: 10_000,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Auto }
    }
}

/// What the command line says; it wins over everything else.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Configuration")]
pub struct Flags {
    /// Configuration file in TOML
    #[arg(long, value_name = "FILE", global = true, env = "REPOPLANE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Folder for everything the server keeps [default: ./repoplane-data]
    #[arg(long, value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// Database [default: SQLite in the data folder]
    #[arg(long, value_name = "URL", global = true)]
    pub database: Option<String>,
    /// Address of the JSON API [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", global = true)]
    pub listen: Option<SocketAddr>,
    /// Address of the S3 gateway, or `off` [default: 127.0.0.1:9000]
    #[arg(long, value_name = "ADDR", global = true)]
    pub s3_listen: Option<S3Listen>,
}

impl Config {
    /// Puts the layers together.
    pub fn load(flags: &Flags) -> anyhow::Result<Self> {
        let variables = own_variables()?;
        let settings =
            variables.into_iter().filter(|(name, _)| !NOT_SETTINGS.contains(&name.as_str()));
        Self::from_layers(flags, &with_files(settings)?)
    }

    fn from_layers(flags: &Flags, variables: &[(String, String)]) -> anyhow::Result<Self> {
        let mut layers = config::Config::builder();
        if let Some(path) = &flags.config {
            layers = layers.add_source(File::from(path.as_path()).format(FileFormat::Toml));
        }
        let environment = Environment::with_prefix(ENV_PREFIX)
            .prefix_separator("")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("egress.allow")
            .source(Some(variables.iter().cloned().collect()));
        let mut config: Self = layers
            .add_source(environment)
            .build()
            .and_then(config::Config::try_deserialize)
            .context(
                "the configuration cannot be used; `repoplane config schema` lists every setting",
            )?;
        let Flags { config: _, data_dir, database, listen, s3_listen } = flags.clone();
        config.data_dir = data_dir.unwrap_or(config.data_dir);
        config.listen = listen.unwrap_or(config.listen);
        config.s3_listen = s3_listen.unwrap_or(config.s3_listen);
        config.database = database.or(config.database);
        Ok(config)
    }

    /// The database in force.
    pub fn database_url(&self) -> String {
        self.database.clone().unwrap_or_else(|| {
            let file = self.data_dir.join("repoplane.db").display().to_string();
            format!("sqlite:{}?mode=rwc", utf8_percent_encode(&file, NOT_IN_PATHS))
        })
    }

    /// Where a client on this machine reaches the server that listens on `address`.
    pub fn local_url(address: SocketAddr) -> String {
        let mut address = address;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        format!("http://{address}")
    }

    /// The folder for large packs in force.
    pub fn objects_folder(&self) -> PathBuf {
        self.objects_dir.clone().unwrap_or_else(|| self.data_dir.join("objects"))
    }

    /// The folder for buckets on local disks in force.
    pub fn disks_folder(&self) -> PathBuf {
        self.disks_dir.clone().unwrap_or_else(|| self.data_dir.join("disks"))
    }

    /// The same settings, fit to be shown.
    pub fn masked(mut self) -> Self {
        self.bootstrap_token = self.bootstrap_token.map(|_| MASKED.to_owned());
        self.objects_s3.secret = self.objects_s3.secret.map(|_| MASKED.to_owned());
        self.database = Some(masked_url(&self.database_url()));
        self
    }
}

fn masked_url(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) if url.password().is_some() => match url.set_password(Some(MASKED)) {
            Ok(()) => url.into(),
            Err(()) => MASKED.to_owned(),
        },
        Ok(url) if url.query_pairs().all(|(name, _)| name != "password") => text.to_owned(),
        // What is not understood may hold a password anywhere.
        _ => MASKED.to_owned(),
    }
}

/// The variables that are for this program. Others may hold anything, also what is not text.
fn own_variables() -> anyhow::Result<Vec<(String, String)>> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(ENV_PREFIX))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => anyhow::bail!("the value of {name} is not UTF-8"),
        })
        .collect()
}

/// Variables that end in `_FILE` hold the path of a file with the value.
fn with_files(
    variables: impl Iterator<Item = (String, String)>,
) -> anyhow::Result<Vec<(String, String)>> {
    variables
        .map(|(name, value)| match name.strip_suffix("_FILE") {
            Some(plain) if name.starts_with(ENV_PREFIX) => {
                let text = std::fs::read_to_string(Path::new(&value))
                    .with_context(|| format!("{name}: cannot read {value}"))?;
                Ok((plain.to_owned(), text.trim_end().to_owned()))
            }
            _ => Ok((name, value)),
        })
        .collect()
}

#[cfg(test)]
mod tests;
