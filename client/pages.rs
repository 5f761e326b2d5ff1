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
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.items, page.next_page.map(|start| request.page_start(start))))
        })
    }
}

impl<'a> builder::ListBuckets<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `cursor` and keeps every other parameter; `limit` is how many buckets are fetched
    /// at a time. The stream ends after the last page or the first error.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::Bucket, Error<types::StorageError>>> + Send + 'a {
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.buckets, page.next_cursor.map(|cursor| request.cursor(cursor))))
        })
    }
}

impl<'a> builder::ListStorageRepos<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `cursor` and keeps every other parameter; `limit` is how many storage repos are
    /// fetched at a time. The stream ends after the last page or the first error.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::StorageRepo, Error<types::StorageError>>> + Send + 'a
    {
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.repos, page.next_cursor.map(|cursor| request.cursor(cursor))))
        })
    }
}

impl<'a> builder::ListJobs<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `cursor` and keeps every other parameter; `limit` is how many jobs are fetched at a
    /// time. The stream ends after the last page or the first error.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::Job, Error<types::StorageError>>> + Send + 'a {
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.jobs, page.next_cursor.map(|cursor| request.cursor(cursor))))
        })
    }
}

impl<'a> builder::ListAiLlms<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `cursor` and keeps every other parameter; `limit` is how many AI LLMs are fetched
    /// at a time. The stream ends after the last page or the first error.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::AiLlm, Error<types::StorageError>>> + Send + 'a {
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.ai_llms, page.next_cursor.map(|cursor| request.cursor(cursor))))
        })
    }
}

impl<'a> builder::ListRepoTokens<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `page_start`; `page_size` is how many tokens are fetched at a time. The stream
    /// ends after the last page or the first error. One that is new meanwhile moves the others on by
    /// one place.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::RepoToken, Error<types::SourceError>>> + Send + 'a {
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.items, page.next_page.map(|start| request.page_start(start))))
        })
    }
}

impl<'a> builder::ListWebhookDeliveries<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `page_start`; `page_size` is how many deliveries are fetched at a time. The stream
    /// ends after the last page or the first error. One that is new meanwhile moves the others on by
    /// one place.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::WebhookDelivery, Error<types::SourceError>>> + Send + 'a
    {
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.items, page.next_page.map(|start| request.page_start(start))))
        })
    }
}

impl<'a> builder::ListSourceRepoWebhookDeliveries<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `page_start`; `page_size` is how many deliveries are fetched at a time. The stream
    /// ends after the last page or the first error. One that is new meanwhile moves the others on by
    /// one place.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::WebhookDelivery, Error<types::SourceError>>> + Send + 'a
    {
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.items, page.next_page.map(|start| request.page_start(start))))
        })
    }
}

impl<'a> builder::ListCommits<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `cursor` and keeps every other parameter; `limit` is how many commits are fetched at
    /// a time. The stream ends after the last page or the first error.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::Commit, Error<types::SourceError>>> + Send + 'a {
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.items, page.next_cursor.map(|cursor| request.cursor(cursor))))
        })
    }
}

impl<'a> builder::ListTree<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `cursor` and keeps every other parameter; `limit` is how many paths are fetched at
    /// a time. The stream ends after the last page or the first error.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::TreeEntry, Error<types::SourceError>>> + Send + 'a {
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.items, page.next_cursor.map(|cursor| request.cursor(cursor))))
        })
    }
}

impl<'a> builder::GrepSourceRepo<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `cursor` and keeps every other parameter; `limit` is how many matches are fetched at
    /// a time. The stream ends after the last page or the first error.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::GrepMatch, Error<types::SourceError>>> + Send + 'a {
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.items, page.next_cursor.map(|cursor| request.cursor(cursor))))
        })
    }
}

impl<'a> builder::SearchSourceFiles<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `cursor` and keeps every other parameter; `limit` is how many files are fetched at
    /// a time. The stream ends after the last page or the first error.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::FileHit, Error<types::SourceError>>> + Send + 'a {
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.items, page.next_cursor.map(|cursor| request.cursor(cursor))))
        })
    }
}

impl<'a> builder::ListBranches<'a> {
    /// Sends the request, and one more for each page that follows, as the stream is read.
    ///
    /// Starts at `cursor` and keeps every other parameter; `limit` is how many branches are fetched at
    /// a time. The stream ends after the last page or the first error.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<types::Branch, Error<types::SourceError>>> + Send + 'a {
        pages(self, |request| async move {
            let page = request.clone().send().await?.into_inner();
            Ok((page.items, page.next_cursor.map(|cursor| request.cursor(cursor))))
        })
    }
}

/// The items of `first` and of all that follow it. `page` sends a request, and says which is next.
fn pages<R, T, E, F>(
    first: R,
    page: impl Fn(R) -> F + Send,
) -> impl Stream<Item = Result<T, Error<E>>> + Send
where
    R: Send,
    T: Send,
    E: Send,
    F: Future<Output = Result<(Vec<T>, Option<R>), Error<E>>> + Send,
{
    stream::try_unfold(Some(first), move |request| {
        let page = request.map(&page);
        async move {
            let Some(page) = page else {
                return Ok(None);
            };
            let (items, next) = page.await?;
            Ok::<_, Error<E>>(Some((stream::iter(items.into_iter().map(Ok)), next)))
        }
    })
    .try_flatten()
}
