//! `repoplane serve`: run until told to stop.

use std::time::Instant;

use anyhow::Context;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::App;
use crate::config::Config;
use crate::service::operator::Owner;
use crate::telemetry;

pub async fn run(config: Config) -> anyhow::Result<()> {
    telemetry::init_logs(&config.log.level, config.log.format)?;
    let started = Instant::now();
    // From here on a signal stops in order, however early it comes.
    let mut stop = Stop::new()?;
    // First, because nothing may be made by a start that comes to nothing.
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("cannot listen on {}; choose another address with --listen", config.listen)
    })?;
    let s3 = match config.s3_listen.0 {
        Some(address) => Some(TcpListener::bind(address).await.with_context(|| {
            format!(
                "the S3 gateway cannot listen on {address}; choose another address with \
                 --s3-listen, or `off`"
            )
        })?),
        None => None,
    };
    let app = App::open(&config).await?;
    let url = Config::local_url(listener.local_addr()?);
    if let Some(owner) = &app.owner {
        greet(owner, &url, config.bootstrap_token.is_none());
    }
    let running = app.start(listener, s3)?;
    let ready_ms = started.elapsed().as_secs_f64() * 1e3;
    let s3 = running.s3_address.map(Config::local_url);
    tracing::info!(url, docs = format!("{url}/docs"), s3, ready_ms, "ready");
    stop.received().await;
    tracing::info!("stopping: finishing what is under way");
    running.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Told once; the token cannot be shown again.
fn greet(owner: &Owner, url: &str, show_token: bool) {
    let (org, email) = (&owner.org.name, &owner.user.email);
    let (token, hint) = if show_token {
        (owner.token.expose_secret(), "The token is shown this once. Try it:")
    } else {
        ("$TOKEN", "The token is the bootstrap token you set. Try it, with the token in $TOKEN:")
    };
    println!(
        "Repoplane made the organisation {org:?} with the owner {email}.\n\n  \
         Token   {token}\n  \
         API     {url}\n  \
         Docs    {url}/docs\n\n\
         {hint}\n\n  \
         curl -X POST {url}/v1/repo -H \"Authorization: Bearer {token}\"\n"
    );
}

/// The signals that end a server.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
