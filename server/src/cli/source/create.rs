//! `repoplane source create`: a new source repo, empty, with the files of a folder, or from elsewhere.

use std::path::PathBuf;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use repoplane_client::types::{
    self, CreateSource, CreateSourceRepoRequest, EditOperation, EditSource, FileWrite, Metadata,
    SourceRepoInfo,
};
use uuid::Uuid;

use super::folder::{self, Folder};
use super::import::{self, Elsewhere};
use super::repo::NAME;
use crate::cli::remote::Remote;

const BAR: &str = "{wide_bar} {bytes}/{total_bytes} {eta}";

/// Make a source repo and print its id
#[derive(clap::Args)]
pub struct Create {
    /// What to call it; kept as `name` in its metadata
    #[arg(long)]
    name: Option<String>,
    /// Folder with its first files; what its .gitignore files leave out stays out
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
    #[command(flatten)]
    elsewhere: Elsewhere,
    /// Id of the workspace it belongs to [default: the organisation's default one]
    #[arg(long, value_name = "ID")]
    workspace: Option<Uuid>,
}

pub async fn run(remote: &Remote, create: Create) -> anyhow::Result<()> {
    let Create { name, from, elsewhere, workspace } = create;
    let metadata = name.map(|name| Metadata([(NAME.to_owned(), name)].into()));
    let mut request =
        CreateSourceRepoRequest { metadata, workspace_id: workspace, ..Default::default() };
    if let Some(source) = elsewhere.into_source()? {
        request.source = Some(source);
        return import::run(remote, request).await;
    }
    let Some(from) = from else {
        let made = make(remote, request).await?;
        return remote.print(&made, &format!("{}\n", made.repo_id));
    };
    let mut folder = Folder::look(&from)?;
    let style = ProgressStyle::with_template(BAR).expect("a template that is right");
    let bar = ProgressBar::new(folder.bytes).with_style(style);
    let first = folder.batch()?;
    let bytes = length(&first);
    if !first.is_empty() {
        request.source = Some(CreateSource::Files { files: first });
    }
    let mut made = make(remote, request).await?;
    bar.inc(bytes);
    let (count, filled) = (folder.count, fill(remote, &mut made, &mut folder, &bar).await);
    bar.finish_and_clear();
    if let Err(error) = filled {
        // Half a folder is nothing that was asked for.
        let id = made.repo_id;
        let removed = remote.call(remote.client.delete_source_repo().repo_id(id).send()).await;
        return Err(error).context(match removed {
            Ok(()) => "no source repo was made".to_owned(),
            Err(_) => format!("the source repo {id} has only a part of the folder; delete it"),
        });
    }
    eprintln!("Made the source repo with {count} files of {}.", from.display());
    remote.print(&made, &format!("{}\n", made.repo_id))
}

async fn make(remote: &Remote, body: CreateSourceRepoRequest) -> anyhow::Result<SourceRepoInfo> {
    remote.call(remote.client.create_source_repo().body(body).send()).await
}

/// Sends what did not go with the first request.
async fn fill(
    remote: &Remote,
    made: &mut SourceRepoInfo,
    folder: &mut Folder,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let repo = made.repo_id;
    loop {
        let batch = folder.batch()?;
        if batch.is_empty() {
            break;
        }
        let bytes = length(&batch);
        let body = types::EditSourceRepoRequest {
            source: Some(EditSource::Diff { operations: batch.into_iter().map(write).collect() }),
            message: Some("Add more files".parse()?),
            ..Default::default()
        };
        let sent = remote.client.edit_source_repo().repo_id(repo).body(body).send();
        *made = remote.call(sent).await?;
        bar.inc(bytes);
    }
    while let Some(file) = folder.next_alone() {
        let mut put = remote.client.put_source_file().repo_id(repo).file_path(file.path);
        if let Some(mode) = file.mode {
            put = put.mode(mode);
        }
        *made = remote.call(put.body(folder::read(&file.at)?).send()).await?;
        bar.inc(file.bytes);
    }
    made.changed_files = None;
    Ok(())
}

pub fn write(file: FileWrite) -> EditOperation {
    let FileWrite { filename, content, encoding, mode } = file;
    EditOperation::Write { filename, content, encoding, mode }
}

fn length(files: &[FileWrite]) -> u64 {
    files.iter().map(|file| file.content.len() as u64).sum()
}
