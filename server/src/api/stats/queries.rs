//! What is asked of statistics.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::strict::{strict, words};
use super::Result;
use crate::model::id::BucketId;
use crate::model::stats::{self as model, AnyOf, ENTITIES_MAX, Facet, IDS_MAX};
use crate::model::time::Timestamp;
use crate::service::Error;
use crate::service::stats::{Between, Moment, RowsWanted};
use crate::service::stats_series::{Page, Wanted};

/// Longest list of hosts, in bytes.
const HOSTS_BYTES_MAX: usize = 4_096;
/// Before that there is nothing.
const FIRST_YEAR: i32 = 1970;

words! {
    /// Whose usage is added up.
    #[schema(example = json!("org"))]
    StatsScope: model::Scope { Org = "org", Workspace = "workspace", Repo = "repo" }
}

words! {
    /// How far back a window of time goes.
    #[schema(example = json!("24h"))]
    StatsWindow: model::Window {
        Day = "24h",
        Week = "7d",
        Month = "30d",
        Quarter = "90d",
        HalfYear = "180d",
        Year = "365d",
    }
}

words! {
    /// Size of the pieces that a window is cut into.
    #[schema(example = json!("1h"))]
    StatsTimeBucket: model::Slot {
        FiveMinutes = "5m",
        TenMinutes = "10m",
        Hour = "1h",
        SixHours = "6h",
        TwelveHours = "12h",
        Day = "1d",
    }
}

/// Ids, separated by commas, at most 100. Those that do not exist, or that the caller cannot see, select nothing.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(
    max_length = 3699,
    pattern = r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?:,[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})*$",
    example = "550e8400-e29b-41d4-a716-446655440000,9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50"
)]
pub struct IdList(String);

/// An instant by RFC 3339, or a day (UTC).
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(
    max_length = 64,
    pattern = r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9]))?$",
    example = "2026-01-15T00:00:00.000Z"
)]
pub struct StatsTime(String);

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RepoStatsQuery {
    /// Only of these storage repos.
    #[param(nullable = false)]
    repo_id: Option<IdList>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketStatsQuery {
    /// Only of these buckets.
    #[param(nullable = false)]
    bucket_id: Option<IdList>,
    /// Another name for `bucketId`. Those in both count.
    #[param(nullable = false)]
    unit_id: Option<IdList>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatsQuery {
    /// First day or minute. Default is 30 days before the end, or 24 h for minutes.
    #[param(nullable = false)]
    start_date: Option<StatsTime>,
    /// Last day or minute, included. Default is now.
    #[param(nullable = false)]
    end_date: Option<StatsTime>,
    /// Only of these storage repos, or of the buckets in `bucketId`.
    #[param(nullable = false)]
    repo_id: Option<IdList>,
    /// Only of these buckets, or of the storage repos in `repoId`.
    #[param(nullable = false)]
    bucket_id: Option<IdList>,
    /// Another name for `bucketId`. Those in both count.
    #[param(nullable = false)]
    unit_id: Option<IdList>,
    /// Only of these servers, separated by commas, as `host` in the rows names them.
    #[param(max_length = 4096, pattern = r"^[^\u0000]*$", example = "127.0.0.1", nullable = false)]
    hosts: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeDaysQuery {
    /// Only of these buckets.
    #[param(nullable = false)]
    bucket_id: Option<IdList>,
    /// Another name for `bucketId`. Those in both count.
    #[param(nullable = false)]
    unit_id: Option<IdList>,
    /// First day, as a number of the form ddmmyyyy. Default is 30 days before the end.
    #[param(minimum = 1011970, maximum = 31129999, example = 1012026, nullable = false)]
    start_date: Option<u32>,
    /// Last day, included, as a number of the form ddmmyyyy. Default is today.
    #[param(minimum = 1011970, maximum = 31129999, example = 31012026, nullable = false)]
    end_date: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeriesQuery {
    /// Whose usage.
    scope: StatsScope,
    /// Id of the workspace or the storage repo that `scope` means. Not needed for `org`, which is the caller's own.
    #[param(example = "550e8400-e29b-41d4-a716-446655440000", nullable = false)]
    id: Option<Uuid>,
    /// How far back.
    window: StatsWindow,
    /// Default is `10m` for `24h`, and `1d` for all others, which have no other size.
    #[param(nullable = false)]
    time_bucket_size: Option<StatsTimeBucket>,
    /// Only of this bucket.
    #[param(example = "123e4567-e89b-42d3-a456-426614174000", nullable = false)]
    bucket_id: Option<Uuid>,
    /// Only by this access key, by its id.
    #[param(example = "789e0123-e45b-47d8-a901-234567890000", nullable = false)]
    api_key_id: Option<Uuid>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakdownQuery {
    /// Whose usage. Default is `org`.
    #[param(nullable = false)]
    scope: Option<StatsScope>,
    /// Id of the workspace or the storage repo that `scope` means. Not needed for `org`, which is the caller's own.
    #[param(example = "550e8400-e29b-41d4-a716-446655440000", nullable = false)]
    id: Option<Uuid>,
    /// How far back.
    window: StatsWindow,
    /// Whether to answer each entity's pieces of time, as `get_storage_series` has them by default.
    #[param(default = false, nullable = false)]
    include_series: Option<bool>,
    /// How many entities to answer at most.
    #[param(minimum = 1, maximum = 100, default = 100, nullable = false)]
    limit: Option<u32>,
    /// How many entities to pass over.
    #[param(minimum = 0, default = 0, nullable = false)]
    offset: Option<u32>,
    /// Only of this bucket.
    #[param(example = "123e4567-e89b-42d3-a456-426614174000", nullable = false)]
    bucket_id: Option<Uuid>,
    /// Only by this access key, by its id.
    #[param(example = "789e0123-e45b-47d8-a901-234567890000", nullable = false)]
    api_key_id: Option<Uuid>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BreakdownPath {
    /// What to tell apart: `workspaces`, `repos`, `buckets`, `providers` or `nodes`.
    #[param(pattern = r"^(?:workspaces|repos|buckets|providers|nodes)$", example = "repos")]
    pub(super) by: String,
}

/// The day to look at.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"day": "2026-01-15T00:00:00.000Z"}))]
pub struct BucketNodeStatsRequest {
    day: StatsTime,
}

strict!(BucketNodeStatsRequest);

impl IdList {
    fn ids(self, field: &str) -> Result<Vec<Uuid>> {
        let id = |text: &str| {
            let long = text.len() == uuid::fmt::Hyphenated::LENGTH;
            Uuid::try_parse(text).ok().filter(|_| long).ok_or_else(|| {
                let message = format!("{field}: must be ids, separated by commas");
                Error::invalid_at(&["query", field], message)
            })
        };
        let ids: Vec<Uuid> = self.0.split(',').map(id).collect::<Result<_>>()?;
        if ids.len() > IDS_MAX {
            let message = format!("{field}: must have at most {IDS_MAX} ids");
            return Err(Error::invalid_at(&["query", field], message));
        }
        Ok(ids)
    }
}

impl StatsTime {
    fn moment(self, place: &[&str]) -> Result<Moment> {
        const DAY_BYTES: usize = "2026-01-15".len();
        let found = match self.0.len() {
            DAY_BYTES => self.0.parse().ok().map(day),
            // The library takes small letters and spaces, too.
            _ => DateTime::parse_from_rfc3339(&self.0)
                .ok()
                .filter(|_| !self.0.contains(['t', 'z', ' ']))
                .map(|at| Moment { at: at.with_timezone(&Utc).into(), whole_day: false }),
        };
        found.ok_or_else(|| {
            let field = place.last().copied().unwrap_or_default();
            let message = format!(
                "{field}: must be a day such as 2026-01-15, or an instant such as \
                 2026-01-15T10:30:00Z"
            );
            Error::invalid_at(place, message)
        })
    }
}

fn day(date: NaiveDate) -> Moment {
    Moment { at: Timestamp::from(date.and_time(NaiveTime::MIN).and_utc()), whole_day: true }
}

/// A day as a number of the form ddmmyyyy; the zero in front is lost.
fn numbered_day(field: &str, number: u32) -> Result<Moment> {
    let (days, months) = (number / 1_000_000, number / 10_000 % 100);
    let year = i32::try_from(number % 10_000).unwrap_or_default();
    let date = NaiveDate::from_ymd_opt(year, months, days).filter(|_| year >= FIRST_YEAR);
    date.map(day).ok_or_else(|| {
        let message =
            format!("{field}: must be a day as ddmmyyyy, for instance 31012026, from 1970 on");
        Error::invalid_at(&["query", field], message)
    })
}

/// Both names mean the same.
fn buckets(bucket_id: Option<IdList>, unit_id: Option<IdList>) -> Result<Option<Vec<Uuid>>> {
    let mut all = bucket_id.map(|ids| ids.ids("bucketId")).transpose()?;
    if let Some(units) = unit_id.map(|ids| ids.ids("unitId")).transpose()? {
        all.get_or_insert_default().extend(units);
    }
    Ok(all)
}

fn typed<T: From<Uuid>>(ids: Option<Vec<Uuid>>) -> Option<Vec<T>> {
    ids.map(|ids| ids.into_iter().map(T::from).collect())
}

impl RepoStatsQuery {
    pub fn into_ids(self) -> Result<Option<Vec<Uuid>>> {
        self.repo_id.map(|ids| ids.ids("repoId")).transpose()
    }
}

impl BucketStatsQuery {
    pub fn into_ids(self) -> Result<Option<Vec<Uuid>>> {
        buckets(self.bucket_id, self.unit_id)
    }

    pub fn into_buckets(self) -> Result<Option<Vec<BucketId>>> {
        self.into_ids().map(typed)
    }
}

impl StatsQuery {
    pub fn into_wanted(self, by_day: bool) -> Result<RowsWanted> {
        let moment = |field: &str, time: Option<StatsTime>| {
            time.map(|time| time.moment(&["query", field])).transpose()
        };
        let repos = self.repo_id.map(|ids| ids.ids("repoId")).transpose()?;
        let any_of =
            AnyOf { repos: typed(repos), buckets: typed(buckets(self.bucket_id, self.unit_id)?) };
        let hosts = self.hosts.as_deref().map(hosts).transpose()?;
        Ok(RowsWanted {
            between: Between {
                start: moment("startDate", self.start_date)?,
                end: moment("endDate", self.end_date)?,
            },
            any_of,
            nodes: hosts,
            by_day,
        })
    }
}

fn hosts(text: &str) -> Result<Vec<String>> {
    if text.len() > HOSTS_BYTES_MAX || text.contains('\0') {
        let message = format!("hosts: must have at most {HOSTS_BYTES_MAX} bytes, none of them NUL");
        return Err(Error::invalid_at(&["query", "hosts"], message));
    }
    Ok(text.split(',').map(|host| host.trim().to_owned()).collect())
}

impl NodeDaysQuery {
    pub fn into_parts(self) -> Result<(Option<Vec<BucketId>>, Between)> {
        let day = |field: &str, number: Option<u32>| {
            number.map(|number| numbered_day(field, number)).transpose()
        };
        let (start, end) = (day("startDate", self.start_date)?, day("endDate", self.end_date)?);
        Ok((typed(buckets(self.bucket_id, self.unit_id)?), Between { start, end }))
    }
}

impl SeriesQuery {
    pub fn into_wanted(self) -> Result<Wanted> {
        Ok(Wanted {
            scope: self.scope.into(),
            id: self.id,
            window: self.window.into(),
            slot: self.time_bucket_size.map(Into::into),
            bucket: self.bucket_id.map(Into::into),
            key: self.api_key_id.map(Into::into),
        })
    }
}

impl BreakdownQuery {
    pub fn into_parts(self) -> Result<(Wanted, Page)> {
        let page = Page {
            with_series: self.include_series.unwrap_or(false),
            limit: self.limit.unwrap_or(ENTITIES_MAX),
            offset: self.offset.unwrap_or(0),
        };
        let wanted = Wanted {
            scope: self.scope.map_or(model::Scope::Org, Into::into),
            id: self.id,
            window: self.window.into(),
            slot: None,
            bucket: self.bucket_id.map(Into::into),
            key: self.api_key_id.map(Into::into),
        };
        Ok((wanted, page))
    }
}

impl BreakdownPath {
    pub fn facet(&self) -> Result<Facet> {
        match self.by.as_str() {
            "workspaces" => Ok(Facet::Workspaces),
            "repos" => Ok(Facet::Repos),
            "buckets" => Ok(Facet::Buckets),
            "providers" => Ok(Facet::Providers),
            "nodes" => Ok(Facet::Nodes),
            _ => Err(Error::NotFound(
                "No such breakdown. There are workspaces, repos, buckets, providers and nodes."
                    .to_owned(),
            )),
        }
    }
}

impl BucketNodeStatsRequest {
    pub fn into_moment(self) -> Result<Moment> {
        self.day.moment(&["body", "day"])
    }
}
