//! Sends what is queued: each event at least once, to one receiver by one process at a time. For
//! nobody in particular, so it checks no access; a receiver that fails holds up no other.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;

use super::{rest_after, sealed_for, signature, wait_after};
use crate::backend::webhooks::Answer;
use crate::model::time::Timestamp;
use crate::model::webhook::{
    ATTEMPTS_MAX, Delivery, GIVE_UP_AFTER, KEPT, Outcome, RETRY_AFTER_MAX, Webhook,
};
use crate::service::{Error, Result, Services};
use crate::store::{webhook_deliveries, webhooks};
use crate::telemetry;

/// Deliveries of one webhook before others get their turn.
const BATCH: i64 = 20;
/// How long a shift may take before its last attempt; with that, it ends before its lease.
const SHIFT: Duration = Duration::from_secs(25);
/// Log lines that are cleared away at a time.
const CLEARED: i64 = 1_000;
/// Statuses of a receiver that wants nothing more to do with an event, and of one that has too much.
const GONE: u16 = 410;
const BUSY: [u16; 2] = [429, 503];

/// The right to send to one webhook, for a while.
pub struct Shift {
    webhook: Webhook,
    /// How often in a row nobody has answered.
    silences: i64,
}

/// What a receiver is like to send to.
enum Mood {
    Answers,
    /// Leave it alone for so long.
    Silent(Duration),
}

/// What every request to a webhook carries.
struct Secrets {
    token: Option<SecretString>,
    /// The one that counts, and the one before if it counts as well.
    signing: Vec<SecretString>,
}

/// Takes the webhook that has had something due for longest, if nobody else has it.
pub async fn claim(services: &Services, owner: &str, now: Timestamp) -> Result<Option<Shift>> {
    while let Some(id) = webhooks::due(services.store.read(), now).await? {
        let taken = webhooks::claim(services.store.write_lightly(), id, owner, now).await?;
        if let Some((webhook, silences)) = taken {
            return Ok(Some(Shift { webhook, silences }));
        }
    }
    Ok(None)
}

/// Sends some of what is due and gives the webhook back. What is not finished when `stop` comes is
/// sent again later.
pub async fn deliver(
    services: &Services,
    shift: &Shift,
    owner: &str,
    stop: &CancellationToken,
) -> Result<()> {
    let id = shift.webhook.id;
    let sent = stop.run_until_cancelled(send(services, shift)).await;
    let (silences, rest) = match sent {
        None | Some(Ok(Mood::Answers)) => (0, Duration::ZERO),
        Some(Ok(Mood::Silent(rest))) => (shift.silences + 1, rest),
        Some(Err(error)) => {
            tracing::error!(webhook = %id, %error, "deliveries cannot be sent, to be tried again");
            (shift.silences + 1, rest_after(shift.silences + 1))
        }
    };
    let until = Timestamp::now().plus(rest);
    Ok(webhooks::release(services.store.write_lightly(), id, owner, silences, until).await?)
}

async fn send(services: &Services, shift: &Shift) -> Result<Mood> {
    let (webhook, begun) = (&shift.webhook, Instant::now());
    let secrets = Secrets::of(services, webhook)?;
    let due = webhook_deliveries::due(services.store.read(), webhook.id, Timestamp::now(), BATCH);
    for (delivery, body) in due.await? {
        if begun.elapsed() > SHIFT {
            break;
        }
        let headers = secrets.headers(&delivery, &body)?;
        let answer = services.posts.post(&webhook.url, headers, Bytes::from(body)).await;
        let answer = answer.map_err(|error| error.to_string());
        let outcome = judge(&delivery, &answer);
        note(services, webhook, &delivery, &outcome).await?;
        let rest = rest_after(shift.silences + 1);
        match answer {
            Err(_) => return Ok(Mood::Silent(rest)),
            Ok(answer) if BUSY.contains(&answer.status) => {
                let asked = answer.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
                return Ok(Mood::Silent(rest.max(asked)));
            }
            Ok(_) => {}
        }
    }
    Ok(Mood::Answers)
}

impl Secrets {
    fn of(services: &Services, webhook: &Webhook) -> Result<Self> {
        let open = |what, sealed: &[u8]| {
            Ok::<_, Error>(services.vault.open(&sealed_for(webhook.id, what), sealed)?)
        };
        let token =
            webhook.sealed_token.as_ref().map(|sealed| open("token", sealed)).transpose()?;
        let mut signing = vec![open("secret", &webhook.sealed_secret)?];
        if let Some((sealed, until)) = &webhook.former
            && *until > Timestamp::now()
        {
            signing.push(open("secret", sealed)?);
        }
        Ok(Self { token, signing })
    }

    fn headers(&self, delivery: &Delivery, body: &str) -> Result<HeaderMap> {
        let (id, seconds) = (delivery.id.to_string(), Timestamp::now().seconds());
        let signatures = self.signing.iter().map(|key| signature::sign(key, &id, seconds, body));
        let signatures = signatures.collect::<Result<Vec<_>>>()?.join(" ");
        let mut headers = HeaderMap::new();
        headers.insert("webhook-timestamp", HeaderValue::from(seconds));
        for (name, text) in [("webhook-id", id), ("webhook-signature", signatures)] {
            headers.insert(name, HeaderValue::try_from(text).map_err(Error::internal)?);
        }
        if let Some(token) = &self.token {
            let bearer = format!("Bearer {}", token.expose_secret());
            let mut bearer = HeaderValue::try_from(bearer).map_err(Error::internal)?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        Ok(headers)
    }
}

/// What an answer means for a delivery.
fn judge(delivery: &Delivery, answer: &Result<Answer, String>) -> Outcome {
    let (at, tried) = (Timestamp::now(), delivery.attempts + 1);
    let asked = match answer {
        Ok(Answer { status: 200..300, .. }) => {
            let answer = answer.as_ref().ok().map(|answer| answer.status.into());
            return Outcome { at, answer, error: None, again_at: None };
        }
        Ok(answer) => answer.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX),
        Err(_) => Duration::ZERO,
    };
    let status = answer.as_ref().ok().map(|answer| answer.status);
    let wait = wait_after(tried, rand::random()).max(asked);
    let last = tried >= ATTEMPTS_MAX || status == Some(GONE);
    let error = match answer {
        Ok(answer) => format!("the receiver answered {}", answer.status),
        Err(error) => error.clone(),
    };
    let again_at = (!last).then(|| at.plus(wait));
    Outcome { at, answer: status.map(i64::from), error: Some(error), again_at }
}

async fn note(
    services: &Services,
    webhook: &Webhook,
    delivery: &Delivery,
    outcome: &Outcome,
) -> Result<()> {
    // If a power cut undoes it, the event is told once more.
    let (db, id) = (services.store.write_lightly(), delivery.id);
    webhook_deliveries::settle(db, webhook.id, id, outcome).await?;
    telemetry::count_delivery(outcome.error.is_none());
    if let Some(error) = &outcome.error {
        let given_up = outcome.again_at.is_none();
        tracing::info!(webhook = %webhook.id, delivery = %id, error, given_up, "not delivered");
    }
    Ok(())
}

/// Gives up what is too old, and clears away what nobody needs any more.
pub async fn tidy(services: &Services, now: Timestamp) -> Result<()> {
    let db = services.store.write_now();
    let error = "given up: it could not be delivered in time";
    webhook_deliveries::give_up(db, now.minus(GIVE_UP_AFTER), error).await?;
    while webhook_deliveries::clear(db, now.minus(KEPT), CLEARED).await? > 0 {}
    for webhook in webhook_deliveries::crowded(services.store.read()).await? {
        webhook_deliveries::trim(db, webhook).await?;
    }
    Ok(webhooks::remove_orphans(db).await?)
}
