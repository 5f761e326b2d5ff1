//! Lists that come in pages, as streams. Asks for a page when it is needed, never ahead.

use futures::stream::{self, Stream, TryStreamExt};

use crate::{Error, builder, types};

impl<'a> builder::ListSourceRepos<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `page_start` and keeps every other parameter; `page_size` is how many repos are
    /// fetched at a time. The stream ends after the last page or the first error. A repo created or
    /// deleted meanwhile can move others from one page to the next.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::SourceRepo, Error<types::SourceError>>> + Send + 'a {
        stream::try_unfold(Some(self), |request| async move {
            let Some(request) = request else {
                return Ok(None);
            };
            let page = request.clone().send().await?.into_inner();
            let rest = page.next_page.map(|start| request.page_start(start));
            let repos = stream::iter(page.items.into_iter().map(Ok));
            Ok::<_, Error<types::SourceError>>(Some((repos, rest)))
        })
        .try_flatten()
    }
}
