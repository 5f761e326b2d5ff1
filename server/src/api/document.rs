//! What the document says beyond its routes. Written by hand in the contract as well; a test
//! compares the two.

use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, RefOr, Required, Schema};
use utoipa::{Modify, OpenApi};

use super::edits::FileMode;
use super::half::{SourceError, SourceErrorDetail, StorageError};
use super::source_history::ArchiveFormat;
use super::source_repos::SourceRepoOrder;
use super::stats::{IdList, StatsScope, StatsTime, StatsTimeBucket, StatsWindow};
use super::storage_words::IdOrName;
use super::wire::{BranchName, CommitId, FilePath, Revision, ShortCommitMessage};

#[derive(OpenApi)]
#[openapi(
    info(title = "Repoplane", license(name = "Apache-2.0"), description = DESCRIPTION),
    servers((url = "/")),
    security(("bearerAuth" = [])),
    modifiers(&BearerAuth),
    // What only parameters and shared responses name is not found by the routes themselves.
    components(schemas(
        StorageError, SourceError, SourceErrorDetail, SourceRepoOrder, FilePath, CommitId,
        ShortCommitMessage, FileMode, IdOrName, IdList, StatsTime, StatsScope, StatsWindow,
        StatsTimeBucket, Revision, BranchName,
        ArchiveFormat
    )),
    tags(
        (name = "workspaces", description = "Workspaces of an organisation, and the role each user has in them."),
        (name = "users", description = "The calling user."),
        (name = "tokens", description = "The calling user's bearer tokens."),
        (name = "events", description = "The audit log of an organisation."),
        (name = "storage_repos", description = "Storage repos, and the buckets and AI LLMs they name."),
        (name = "mirrors", description = "How alike the copies of a storage repo's objects are, and what mends them."),
        (name = "jobs", description = "Long work on storage repos, and how far it has come."),
        (name = "buckets", description = "Buckets in clouds and on local disks, with their credentials."),
        (name = "access_keys", description = "S3 key pairs for the data of a storage repo."),
        (name = "ai_llms", description = "Language models with their credentials."),
        (name = "ai_keys", description = "Keys for the AI LLMs of a storage repo."),
        (name = "stats", description = "What went through storage repos and buckets, and how buckets answer."),
        (name = "source_repos", description = "Source repos, and edits of many files at once."),
        (name = "source_files", description = "Single files of a source repo, as raw bytes."),
        (name = "repo_tokens", description = "Tokens that reach only the source repos they name."),
        (name = "repo_webhooks", description = "URLs that are told when source repos change."),
        (name = "source_history", description = "The commits of a source repo, how they differ, and the files they hold."),
        (name = "source_branches", description = "Branches of a source repo, joining them, and taking back what was done."),
        (name = "source_imports", description = "Source repos that are made from repositories elsewhere, and how far they have come."),
        (name = "source_search", description = "Looking for words in the files of a source repo."),
        (name = "system", description = "Liveness, readiness and metrics of this server process. No token needed."),
    )
)]
pub struct Info;

const DESCRIPTION: &str = include_str!("description.md");

struct BearerAuth;

impl Modify for BearerAuth {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An account token (`rlc-...`) or a repo token (`rlcr-...`)."));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearerAuth", SecurityScheme::Http(scheme.build()));
    }
}

/// The requests whose branches are closed too. The derive closes structs only.
const CLOSED: [&str; 3] = ["EditOperation", "CreateSource", "EditSource"];

/// The paths to which a POST without a body is one with `{}`.
const NEEDS_NO_BODY: [&str; 6] = [
    "/v1/repo",
    "/v1/repo/{repo_id}/commits/{commit_id}/revert",
    "/v1/repo/{repo_id}/commits/{commit_id}/reset",
    "/bucket/{bucketId}/validate",
    "/repo/{repoId}/mirror/scrub",
    "/repo/{repoId}/restore",
];

/// Adds what the annotations cannot say.
pub fn complete(mut document: Document) -> Document {
    allow_empty_values(&mut document);
    for path in NEEDS_NO_BODY {
        let operation = document.paths.paths.get_mut(path).and_then(|path| path.post.as_mut());
        if let Some(RefOr::T(body)) = operation.and_then(|found| found.request_body.as_mut()) {
            body.required = Some(Required::False);
        }
    }
    let schemas = document.components.as_mut().map(|components| &mut components.schemas);
    for (name, schema) in schemas.into_iter().flatten() {
        let (true, RefOr::T(Schema::OneOf(choice))) = (CLOSED.contains(&name.as_str()), schema)
        else {
            continue;
        };
        for branch in &mut choice.items {
            if let RefOr::T(Schema::Object(object)) = branch {
                let closed = AdditionalProperties::FreeForm(false);
                object.additional_properties = Some(Box::new(closed));
            }
        }
    }
    document
}

/// An empty query parameter counts as absent, see `ApiQuery`. The crate has no field for it.
fn allow_empty_values(document: &mut Document) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(parameter) = parameter
                    && parameter.parameter_in == ParameterIn::Query
                {
                    let more = parameter.extensions.get_or_insert_default();
                    more.insert("allowEmptyValue".to_owned(), true.into());
                }
            }
        }
    }
}
