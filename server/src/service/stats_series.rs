//! Usage over a window of time, whole or broken down. Every slot of a window is in an answer, with
//! zeros where nothing happened.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use uuid::Uuid;

use crate::model::access::{Caller, Role};
use crate::model::id::{AccessKeyId, BucketId};
use crate::model::stats::{AnyOf, ENTITIES_MAX, Facet, Question, Scope, Slot, Span, Window};
use crate::model::time::Timestamp;
use crate::model::usage::Usage;
use crate::service::stats::ask;
use crate::service::{Error, Result, Services, access, storage_repos};

/// Whose usage, and of when.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub scope: Scope,
    /// What the scope is; not needed for the organisation.
    pub id: Option<Uuid>,
    pub window: Window,
    pub slot: Option<Slot>,
    pub bucket: Option<BucketId>,
    pub key: Option<AccessKeyId>,
}

/// Which entities of a breakdown.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub with_series: bool,
    pub limit: u32,
    pub offset: u32,
}

/// Usage of each slot.
pub type Points = Vec<(Timestamp, Usage)>;

pub struct Series {
    pub span: Span,
    pub points: Points,
}

pub struct Breakdown {
    pub span: Span,
    /// Of all entities, those of other pages included.
    pub total: Usage,
    pub entities_total: usize,
    /// Those of the page.
    pub entities: Vec<Entity>,
}

/// One part of a breakdown.
pub struct Entity {
    /// What tells it from others, see [`Facet`].
    pub by: [String; 3],
    pub totals: Usage,
    pub series: Option<Points>,
}

pub async fn series(services: &Services, caller: &Caller, wanted: Wanted) -> Result<Series> {
    let span = span(&wanted)?;
    let question = question(services, caller, &wanted, span, Facet::Whole).await?;
    let question = Question { slot: Some(span.slot.length()), ..question };
    let found = ask(services, caller, &question).await?;
    let points = fill(span, found.into_iter().map(|group| (group.at, group.usage)));
    Ok(Series { span, points })
}

/// Those that moved most come first.
pub async fn breakdown(
    services: &Services,
    caller: &Caller,
    wanted: Wanted,
    facet: Facet,
    page: Page,
) -> Result<Breakdown> {
    let span = span(&wanted)?;
    let question = question(services, caller, &wanted, span, facet).await?;
    if !(1..=ENTITIES_MAX).contains(&page.limit) {
        let message = format!("limit: must be 1 to {ENTITIES_MAX}");
        return Err(Error::invalid_at(&["query", "limit"], message));
    }
    let mut all = ask(services, caller, &question).await?;
    all.sort_by(|a, b| (Reverse(a.usage.moved()), &a.by).cmp(&(Reverse(b.usage.moved()), &b.by)));
    let mut total = Usage::default();
    all.iter().for_each(|entity| total.add(&entity.usage));
    let entities_total = all.len();
    let chosen = all.into_iter().skip(page.offset as usize).take(page.limit as usize);
    let mut entities: Vec<_> =
        chosen.map(|group| Entity { by: group.by, totals: group.usage, series: None }).collect();
    if page.with_series {
        let question = Question { slot: Some(span.slot.length()), ..question };
        let mut of = BTreeMap::<_, Points>::new();
        for group in ask(services, caller, &question).await? {
            of.entry(group.by).or_default().push((group.at, group.usage));
        }
        for entity in &mut entities {
            let points = of.remove(&entity.by).unwrap_or_default();
            entity.series = Some(fill(span, points.into_iter()));
        }
    }
    Ok(Breakdown { span, total, entities_total, entities })
}

fn span(wanted: &Wanted) -> Result<Span> {
    let slot = wanted.slot.unwrap_or(wanted.window.default_slot());
    if wanted.window.allows(slot) {
        return Ok(Span::new(wanted.window, slot, Timestamp::now()));
    }
    let message = "timeBucketSize: a window of more than 24h is cut into days, since older usage is \
                   kept by the day; use 1d";
    Err(Error::invalid_at(&["query", "timeBucketSize"], message))
}

/// Of the whole window in one piece. Demands READ on what the scope is.
async fn question(
    services: &Services,
    caller: &Caller,
    wanted: &Wanted,
    span: Span,
    facet: Facet,
) -> Result<Question> {
    access::require_account(caller)?;
    let (mut workspace, mut repo) = (None, None);
    let named = || {
        let message = "id: must be the id of what `scope` is, a workspace or a repo";
        wanted.id.ok_or_else(|| Error::invalid_at(&["query", "id"], message))
    };
    match wanted.scope {
        Scope::Org if wanted.id.is_some_and(|id| id != caller.org.uuid()) => {
            return Err(Error::not_found("Organisation"));
        }
        Scope::Org => {}
        Scope::Workspace => {
            let id = named()?.into();
            access::require_workspace(&services.store, caller, id, Role::Read).await?;
            workspace = Some(id);
        }
        Scope::Repo => {
            let id = named()?.into();
            storage_repos::require(services, caller, id, Role::Read).await?;
            repo = Some(id);
        }
    }
    let by_bucket = matches!(facet, Facet::Buckets | Facet::Providers);
    Ok(Question {
        facet,
        at_buckets: by_bucket || wanted.bucket.is_some(),
        from: span.start,
        until: span.end,
        slot: None,
        workspace,
        repo,
        key: wanted.key,
        any_of: AnyOf { repos: None, buckets: wanted.bucket.map(|id| vec![id]) },
        nodes: None,
    })
}

fn fill(span: Span, found: impl Iterator<Item = (Timestamp, Usage)>) -> Points {
    let found: BTreeMap<_, _> = found.collect();
    span.slots().map(|at| (at, found.get(&at).copied().unwrap_or_default())).collect()
}
