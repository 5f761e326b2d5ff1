//! Jobs and imports, followed to their end over server-sent events. Keeps no more than one event in
//! memory.

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{BoxStream, Stream, StreamExt as _, TryStreamExt as _, try_unfold};
use serde::de::DeserializeOwned;

use crate::{ByteStream, Error, ResponseValue, builder, types};

/// Longest event that is read, in bytes.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// Why a job or an import is not followed any longer. It goes on itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    #[error("the server does not let the job be followed")]
    Request(#[source] Box<Error<types::StorageError>>),
    #[error("the server does not let the import be followed")]
    ImportRequest(#[source] Box<Error<types::SourceError>>),
    #[error("the connection broke while its end was waited for")]
    Connection(#[source] reqwest::Error),
    #[error("the server ended the stream before the end; follow it again")]
    Cut,
    #[error("the server sent what is no event of it")]
    Event(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl<'a> builder::FollowJob<'a> {
    /// Sends the request; the job as it is now, then again whenever it has come further.
    ///
    /// The stream ends after the job as it was when it finished, well or not, see its `state`; or
    /// after the first error.
    ///
    /// ```no_run
    /// use futures::TryStreamExt;
    ///
    /// # async fn example(
    /// #     client: repoplane_client::Client,
    /// #     repo: uuid::Uuid,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let repair = client.repair_mirror().repo_id(repo).send().await?;
    /// let mut jobs = std::pin::pin!(client.follow_job().id(repair.job_id).stream());
    /// while let Some(job) = jobs.try_next().await? {
    ///     println!("{}: {} of {:?}", job.state, job.done, job.total);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self) -> impl Stream<Item = Result<types::Job, FollowError>> + Send + 'a {
        let begun = self.send().map(|answer| match answer {
            Ok(answer) => Ok(Events::of(answer)),
            Err(error) => Err(FollowError::Request(error.into())),
        });
        follow(begun.boxed(), |job: &types::Job| job.finished_at.is_some())
    }
}

impl<'a> builder::FollowSourceImport<'a> {
    /// Sends the request; the import as it is now, then again whenever it has come further.
    ///
    /// The stream ends after the import as it was when it ended, well or not, see its `state`; or
    /// after the first error.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::SourceImport, FollowError>> + Send + 'a {
        let begun = self.send().map(|answer| match answer {
            Ok(answer) => Ok(Events::of(answer)),
            Err(error) => Err(FollowError::ImportRequest(error.into())),
        });
        follow(begun.boxed(), |import: &types::SourceImport| import.finished_at.is_some())
    }
}

/// What each event holds, up to the one that `is_last`.
fn follow<'a, T: DeserializeOwned + Send + 'a>(
    begun: BoxFuture<'a, Result<Events, FollowError>>,
    is_last: fn(&T) -> bool,
) -> impl Stream<Item = Result<T, FollowError>> + Send + 'a {
    try_unfold(Following::Begin(begun), move |following| async move {
        let mut events = match following {
            Following::Begin(begun) => begun.await?,
            Following::On(events) => events,
            Following::End => return Ok(None),
        };
        let data = events.next().await?;
        let now: T =
            serde_json::from_str(&data).map_err(|error| FollowError::Event(error.into()))?;
        let next = if is_last(&now) { Following::End } else { Following::On(events) };
        Ok(Some((now, next)))
    })
}

enum Following<'a> {
    Begin(BoxFuture<'a, Result<Events, FollowError>>),
    On(Events),
    End,
}

struct Events {
    body: BoxStream<'static, reqwest::Result<Vec<u8>>>,
    /// What came after the last event.
    buffer: Vec<u8>,
}

impl Events {
    fn of(answer: ResponseValue<ByteStream>) -> Self {
        Self { body: answer.into_inner_stream().map_ok(Vec::from).boxed(), buffer: vec![] }
    }

    /// The data of the next event.
    async fn next(&mut self) -> Result<String, FollowError> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if let Some(data) = data(&event)? {
                    return Ok(data);
                }
            }
            if self.buffer.len() > EVENT_BYTES_MAX {
                return Err(FollowError::Event("it is too long".into()));
            }
            let piece = self.body.next().await.ok_or(FollowError::Cut)?;
            self.buffer.extend_from_slice(&piece.map_err(FollowError::Connection)?);
        }
    }
}

/// What an event says; nothing, if it is there to keep the connection alive.
fn data(event: &[u8]) -> Result<Option<String>, FollowError> {
    let text = str::from_utf8(event).map_err(|error| FollowError::Event(error.into()))?;
    let lines = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let lines: Vec<_> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    Ok((!lines.is_empty()).then(|| lines.join("\n")))
}
