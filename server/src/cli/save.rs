//! What a server sends, into a file or to standard output. What broke off must never look like what
//! is whole.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use bytes::Bytes;
use futures::{Stream, TryStreamExt as _};
use tokio::io::AsyncWriteExt as _;

/// What a new file may be for whom, as far as the umask allows.
const FILE_MODE: u32 = 0o666;
/// In the place of a file, standard output.
pub const STDOUT: &str = "-";

pub async fn save(
    file: &Path,
    body: impl Stream<Item = anyhow::Result<Bytes>>,
) -> anyhow::Result<()> {
    let mut body = std::pin::pin!(body);
    if file == Path::new(STDOUT) {
        let mut stdout = tokio::io::stdout();
        while let Some(piece) = body.try_next().await? {
            stdout.write_all(&piece).await?;
        }
        return Ok(stdout.flush().await?);
    }
    let cannot = || format!("cannot write {}", file.display());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let begun = tempfile::Builder::new()
        .permissions(Permissions::from_mode(FILE_MODE))
        .tempfile_in(folder.unwrap_or(Path::new(".")));
    let begun = begun.with_context(cannot)?;
    let mut writer = tokio::fs::File::from_std(begun.reopen()?);
    while let Some(piece) = body.try_next().await? {
        writer.write_all(&piece).await?;
    }
    writer.sync_all().await?;
    begun.persist(file).map(drop).with_context(cannot)
}
