//! A source repo as its clients see it, and short words for what tests keep saying to it.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use repoplane_client::reqwest::header::HeaderMap;
use repoplane_client::{Client, Error, ResponseValue, types};
use types::{EditOperation, EditSource, EditSourceRepoRequest, FileMode};
use uuid::Uuid;

/// Path to content.
pub type Files = BTreeMap<String, String>;
pub type Answer<T = types::SourceRepoInfo> = Result<T, Refusal>;

pub struct Repo {
    pub client: Client,
    pub id: Uuid,
}

/// What the server said instead of doing what it was asked.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    pub headers: Box<HeaderMap>,
    pub error: Box<types::SourceError>,
}

impl Repo {
    /// A new repo with these files.
    pub async fn create(client: &Client, files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, content)| file(path, content)).collect();
        let source = Some(types::CreateSource::Files { files });
        let body = types::CreateSourceRepoRequest { source, ..Default::default() };
        let id = created(client.create_source_repo().body(body).send().await).repo_id;
        Self { client: client.clone(), id }
    }

    /// The same repo in the eyes of another client.
    pub fn seen_by(&self, client: &Client) -> Self {
        Self { client: client.clone(), id: self.id }
    }

    pub async fn send(&self, request: EditSourceRepoRequest) -> Answer {
        answer(self.client.edit_source_repo().repo_id(self.id).body(request).send().await)
    }

    pub async fn diff(&self, operations: Vec<EditOperation>) -> Answer {
        self.send(diff(operations)).await
    }

    /// Replaces everything.
    pub async fn replace(&self, files: Vec<types::FileWrite>) -> Answer {
        let source = Some(EditSource::Files { files });
        self.send(EditSourceRepoRequest { source, ..Default::default() }).await
    }

    /// A `diff` that has to succeed; returns its `changed_files`.
    #[track_caller]
    pub fn changes(&self, operations: Vec<EditOperation>) -> impl Future<Output = Vec<String>> {
        let place = std::panic::Location::caller();
        async move {
            let done = self.diff(operations).await;
            done.unwrap_or_else(|refusal| panic!("{place}: {refusal:?}"))
                .changed_files
                .expect("an edit names the changed files")
        }
    }

    /// A `diff` that has to be refused and to change nothing; returns the refusal.
    pub async fn refuses(&self, operations: Vec<EditOperation>) -> Refusal {
        let before = (self.head().await, self.files().await);
        let refusal = self.diff(operations).await.expect_err("a refusal");
        assert_eq!(before, (self.head().await, self.files().await), "a refusal changes nothing");
        refusal
    }

    pub async fn record(&self) -> types::SourceRepo {
        self.record_or_refusal().await.expect("the record")
    }

    pub async fn record_or_refusal(&self) -> Answer<types::SourceRepo> {
        answer(self.client.get_source_repo().repo_id(self.id).send().await)
    }

    pub async fn metadata(&self) -> Option<Files> {
        self.record().await.metadata.map(|metadata| metadata.0)
    }

    pub async fn head(&self) -> String {
        self.record().await.repo_head
    }

    /// The text files at the head.
    pub async fn files(&self) -> Files {
        let found = self.client.clone_source_repo().repo_id(self.id).send().await;
        by_path(answer(found).expect("a clone"))
    }

    pub async fn files_at(&self, commit: &str) -> Answer<Files> {
        let found = self.client.clone_source_repo().repo_id(self.id).commit(commit).send().await;
        answer(found).map(by_path)
    }

    pub async fn read(&self, path: &str) -> Answer<Vec<u8>> {
        let found = self.client.get_source_file().repo_id(self.id).file_path(path).send().await;
        let chunks: Vec<_> = answer(found)?.into_inner().try_collect().await.expect("the bytes");
        Ok(chunks.concat())
    }

    pub async fn put(&self, path: &str, content: impl Into<Vec<u8>>) -> Answer {
        let put = self.client.put_source_file().repo_id(self.id).file_path(path);
        answer(put.body(content.into()).send().await)
    }

    pub async fn delete(&self) -> Answer<()> {
        answer(self.client.delete_source_repo().repo_id(self.id).send().await).map(drop)
    }
}

impl Refusal {
    /// Status and code, which together name the cause.
    pub fn cause(&self) -> (u16, &str) {
        (self.status, &self.error.code)
    }
}

pub fn answer<T>(
    answer: Result<ResponseValue<T>, Error<types::SourceError>>,
) -> Result<T, Refusal> {
    match answer {
        Ok(value) => Ok(value.into_inner()),
        Err(Error::ErrorResponse(refusal)) => Err(Refusal {
            status: refusal.status().as_u16(),
            headers: Box::new(refusal.headers().clone()),
            error: Box::new(refusal.into_inner()),
        }),
        Err(other) => panic!("neither an answer nor a refusal: {other:?}"),
    }
}

#[track_caller]
pub fn created(
    made: Result<ResponseValue<types::SourceRepoInfo>, Error<types::SourceError>>,
) -> types::SourceRepoInfo {
    let made = made.expect("a new repo");
    assert_eq!(made.status().as_u16(), 201);
    made.into_inner()
}

pub fn by_path(found: types::SourceFiles) -> Files {
    found.files.into_iter().map(|file| (file.filename, file.content)).collect()
}

pub fn files(expected: &[(&str, &str)]) -> Files {
    expected.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect()
}

pub fn pairs(pairs: &[(&str, &str)]) -> types::Metadata {
    types::Metadata(files(pairs))
}

pub fn diff(operations: Vec<EditOperation>) -> EditSourceRepoRequest {
    let source = Some(EditSource::Diff { operations });
    EditSourceRepoRequest { source, ..Default::default() }
}

pub fn path(path: &str) -> types::FilePath {
    path.parse().expect("a path that the contract allows")
}

pub fn file(name: &str, content: &str) -> types::FileWrite {
    types::FileWrite {
        filename: path(name),
        content: content.to_owned(),
        encoding: None,
        mode: None,
    }
}

pub fn write(name: &str, content: &str) -> EditOperation {
    write_as(name, content, None)
}

pub fn write_as(name: &str, content: &str, mode: Option<FileMode>) -> EditOperation {
    let (filename, content) = (path(name), content.to_owned());
    EditOperation::Write { filename, content, encoding: None, mode }
}

pub fn delete(name: &str) -> EditOperation {
    EditOperation::Delete { filename: path(name) }
}

pub fn rename(from: &str, to: &str) -> EditOperation {
    EditOperation::Rename { old_filename: path(from), new_filename: path(to) }
}
