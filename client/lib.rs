//! Typed client of a Repoplane server.
//!
//! Every operation of the API is a method of [`Client`] that returns a builder: set its
//! parameters, then `send().await` it. Methods, builders and [`types`] are generated from the
//! OpenAPI contract that comes with this crate, so they never differ from what the server
//! documents. Written by hand is only what the contract cannot say: [`Client::connect`],
//! the bearer token, paging as a stream, and following a job or an import as one.
//!
//! ```no_run
//! use futures::TryStreamExt;
//! use repoplane_client::{Client, types};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect("http://127.0.0.1:8080", "rlc-...")?;
//!
//! // A repo with one file.
//! let readme = types::FileWrite::builder().filename("README.md").content("# Search\n");
//! let created = client
//!     .create_source_repo()
//!     .body(types::CreateSourceRepoRequest::builder().source(Some(types::CreateSource::Files {
//!         files: vec![readme.try_into()?],
//!     })))
//!     .send()
//!     .await?;
//!
//! // One edit, one commit; refused if somebody else was faster.
//! let edited = client
//!     .edit_source_repo()
//!     .repo_id(created.repo_id)
//!     .body(
//!         types::EditSourceRepoRequest::builder()
//!             .source(Some(types::EditSource::Diff {
//!                 operations: vec![types::EditOperation::Rename {
//!                     old_filename: "README.md".parse()?,
//!                     new_filename: "docs/README.md".parse()?,
//!                 }],
//!             }))
//!             .expected_head(Some(created.repo_head.parse()?)),
//!     )
//!     .send()
//!     .await?;
//! assert_eq!(edited.changed_files.as_deref(), Some(&["docs/README.md".to_owned()][..]));
//!
//! // Every repo, whatever the number of pages.
//! let mut repos = std::pin::pin!(client.list_source_repos().stream());
//! while let Some(repo) = repos.try_next().await? {
//!     println!("{} {}", repo.repo_id, repo.repo_head);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//!
//! An [`Error`] is a refusal by the server ([`Error::ErrorResponse`], with its typed body), a
//! failure on the way, or a request that was never sent because a parameter is not valid
//! ([`Error::InvalidRequest`]). Paths of files are among what is checked before sending: a
//! [`types::FilePath`] cannot be empty and has no `.` or `..` in it, which URL parsers would
//! resolve and thereby address something else.
//!
//! # Features
//!
//! `rustls`, on by default, is what `https` needs.

mod auth;
mod connect;
mod pages;
mod sse;

// Generated code keeps to no style, and its prelude is not re-exported.
#[allow(clippy::all, clippy::too_many_lines, clippy::unwrap_used, dead_code, unused_imports)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/codegen.rs"));
}

pub use auth::Auth;
pub use connect::ConnectError;
pub use generated::{ByteStream, Client, ClientInfo, Error, ResponseValue, builder, types};
/// The HTTP client below, for [`Client::connect_with`] and for bodies.
pub use reqwest;
pub use sse::FollowError;
