//! Ranked search in the files of a source repo: the words of a question by BM25, and what it names
//! exactly by looking for it. Computed here, without a model: the same question at the same commit
//! always has the same answer.

mod question;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use futures::Stream;
use futures::stream::poll_fn;
use gix::bstr::{BStr, ByteSlice as _};
use tokio::sync::mpsc;

use crate::backend::git::blobs::Blobs;
use crate::backend::git::cache::Cache;
use crate::backend::git::diff::is_binary;
use crate::backend::git::grep::{self, Glob, Place, Until};
use crate::backend::git::objects::{ObjectError, ObjectSource as _};
use crate::backend::search::index::{Index, Ranked, Ranking};
use crate::backend::search::lines::excerpt;
use crate::model::access::{Caller, Role};
use crate::model::edit::CommitId;
use crate::model::id::SourceRepoId;
use crate::model::search::{
    FoundFile, Passage, QUERY_CHARS_MAX, RETRIEVED_MAX, Retrieved, Step, TOKEN_BYTES,
};
use crate::model::source_ref::Revision;
use crate::model::source_repo::SourceRepo;
use crate::service::source_grep::TIME;
use crate::service::source_history::{Page, bad_cursor};
use crate::service::source_reading::read;
use crate::service::source_repos::require;
use crate::service::{Error, Result, Services, source_index};
use question::Asked;

/// Files of a report.
const REPORTED: usize = 10;
/// Steps of a search that may wait for a slow client; there are never more.
const STEPS_MAX: usize = 2 * (REPORTED + question::EXACT_MAX);
/// Matches of one exact search; what is there more often says nothing of a file.
const MATCHES_MAX: usize = 1_000;
/// What a passage gains that has everything that was named exactly: as much as by all the words in a passage
/// that is full of them.
const EXACT: f32 = 2.0;

/// A question that can be answered: the caller may ask, and the files are indexed.
pub struct Ready {
    repo: SourceRepo,
    commit: CommitId,
    index: Arc<Index>,
    asked: Arc<Asked>,
}

/// Checks a question, and makes ready what its answer needs.
pub async fn prepare(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    at: Option<Revision>,
    query: &str,
) -> Result<Ready> {
    let repo = require(services, caller, id, Role::Read).await?;
    ready(services, repo, at, query).await
}

async fn ready(
    services: &Services,
    repo: SourceRepo,
    at: Option<Revision>,
    query: &str,
) -> Result<Ready> {
    if !(1..=QUERY_CHARS_MAX).contains(&query.chars().count()) {
        let message = format!("query: must have 1 to {QUERY_CHARS_MAX} characters");
        return Err(Error::invalid("query", message));
    }
    let (commit, index) = source_index::at(services, &repo, at).await?;
    Ok(Ready { repo, commit, index, asked: Arc::new(Asked::new(query)) })
}

/// One page of the files that fit, the best one first.
pub async fn files(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    (at, query, glob): (Option<Revision>, &str, Option<&str>),
    cursor: Option<&str>,
    limit: usize,
) -> Result<(CommitId, Page<FoundFile>)> {
    let begin = cursor.map(place_of).transpose()?;
    let at = begin.map(|(commit, _)| Revision::Id(commit)).or(at);
    let ready = prepare(services, caller, id, at, query).await?;
    let (commit, skip, glob) =
        (ready.commit, begin.map_or(0, |(_, skip)| skip), glob.map(Glob::new));
    let page = search(services, &ready, move |look| {
        let ranking = look.rank(|path| glob.as_ref().is_none_or(|glob| glob.fits(path)))?;
        let page = ranking.0.files.iter().skip(skip).take(limit);
        let items = page.map(|file| look.show(&ranking, file)).collect::<Result<_, _>>()?;
        let end = skip.saturating_add(limit);
        let next = (end < ranking.0.files.len()).then(|| format!("{commit}.{end}"));
        Ok(Page { items, next })
    })
    .await?;
    Ok((commit, page))
}

/// The best files at once.
pub async fn best(services: &Services, ready: &Ready) -> Result<Vec<FoundFile>> {
    search(services, ready, |look| {
        let ranking = look.rank(|_| true)?;
        ranking.0.files.iter().take(REPORTED).map(|file| look.show(&ranking, file)).collect()
    })
    .await
}

/// What is done to answer, step by step; the last step is the report.
pub fn steps(
    services: Arc<Services>,
    ready: Ready,
) -> impl Stream<Item = Result<Step>> + Send + 'static {
    let (sender, mut steps) = mpsc::channel(STEPS_MAX);
    tokio::spawn(async move {
        let told = sender.clone();
        let done = search(&services, &ready, move |look| {
            // Nobody waits for what does not fit in, nor for a client that is gone.
            let tell = |step| drop(told.try_send(Ok(step)));
            let ranking = look.rank_and_tell(|_| true, &tell)?;
            let mut files = Vec::new();
            for file in ranking.0.files.iter().take(REPORTED) {
                files.push(look.show(&ranking, file)?);
                tell(Step::View(files[files.len() - 1].path.clone()));
            }
            let explanation = look.explain(&ranking, &files);
            tell(Step::Report { explanation, files });
            Ok(())
        });
        if let Err(error) = done.await {
            let _ = sender.try_send(Err(error));
        }
    });
    poll_fn(move |context| steps.poll_recv(context))
}

/// What is to be retrieved.
pub struct Retrieval {
    pub at: Option<Revision>,
    pub query: String,
    pub score_min: f64,
    pub tokens_max: u32,
    pub with_content: bool,
    /// Whether what is named exactly counts beside the words.
    pub exact: bool,
}

/// The files that fit well enough, as many as there is room for.
pub async fn retrieve(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    asked: Retrieval,
) -> Result<Retrieved> {
    let repo = require(services, caller, id, Role::Read).await?;
    source_index::require_auto(&repo)?;
    let mut ready = ready(services, repo, asked.at, &asked.query).await?;
    if !asked.exact {
        ready.asked = Arc::new(ready.asked.words_only());
    }
    let commit = ready.commit;
    let files = search(services, &ready, move |look| {
        let ranking = look.rank(|_| true)?;
        let (mut files, mut room) = (Vec::new(), asked.tokens_max as usize);
        let fit = ranking.0.files.iter().take(RETRIEVED_MAX);
        for file in fit.take_while(|file| f64::from(file.score) >= asked.score_min) {
            let (path, content) = look.content(file)?;
            let tokens = content.len().div_ceil(TOKEN_BYTES);
            if tokens > room {
                continue;
            }
            room -= tokens;
            let text = asked.with_content.then(|| str::from_utf8(&content).ok()).flatten();
            files.push((path, file.score, text.map(str::to_owned)));
        }
        Ok(files)
    })
    .await?;
    Ok(Retrieved { commit, files })
}

/// Runs `work` in its turn, on the files of the question's commit.
async fn search<T: Send + 'static>(
    services: &Services,
    ready: &Ready,
    work: impl Fn(&Look<'_>) -> Result<T, ObjectError> + Send + Sync + 'static,
) -> Result<T> {
    let _turn = services.searches.turn().await?;
    let (repo, blobs) = (ready.repo.id, services.searches.blobs.clone());
    let (index, asked) = (ready.index.clone(), ready.asked.clone());
    read(services, &ready.repo, Some(Revision::Id(ready.commit)), move |cache, commit| {
        let look = Look { repo, blobs: &blobs, cache, commit, index: &index, asked: &asked };
        Ok(Ok(work(&look)?))
    })
    .await
}

/// One look at the files of a commit.
struct Look<'a> {
    repo: SourceRepoId,
    blobs: &'a Blobs,
    cache: &'a Cache,
    commit: CommitId,
    index: &'a Index,
    asked: &'a Asked,
}

/// Lines of files that were named exactly: the file by its number.
type Marked = HashMap<usize, HashSet<u64>>;

impl Look<'_> {
    fn rank(&self, wanted: impl Fn(&BStr) -> bool) -> Result<(Ranking, Marked), ObjectError> {
        self.rank_and_tell(wanted, &|_| {})
    }

    fn rank_and_tell(
        &self,
        wanted: impl Fn(&BStr) -> bool,
        tell: &dyn Fn(Step),
    ) -> Result<(Ranking, Marked), ObjectError> {
        let root = self.cache.read(&self.commit.into())?.root_tree()?;
        let (mut question, mut marked) = (self.asked.question(), Marked::new());
        let share = EXACT / self.asked.exact.len().max(1) as f32;
        for exact in &self.asked.exact {
            let until = Until { matches: MATCHES_MAX, deadline: Instant::now() + TIME };
            let blobs = (self.repo, self.blobs);
            let (found, more) =
                grep::grep(blobs, self.cache, root, &exact.pattern, Place::default(), until)?;
            tell(Step::Grep(exact.text.clone()));
            if more.is_some() {
                continue;
            }
            let mut passages = HashSet::new();
            for found in found {
                let Some(file) = self.index.find(found.path.as_bytes().as_bstr()) else { continue };
                marked.entry(file).or_default().insert(found.line);
                passages.insert((file, Index::passage_of(found.line)));
            }
            for passage in passages {
                *question.extra.entry(passage).or_default() += share;
            }
        }
        Ok((self.index.rank(&question, wanted), marked))
    }

    fn content(&self, file: &Ranked) -> Result<(String, bytes::Bytes), ObjectError> {
        let file = self.index.file(file.file);
        match self.blobs.read(self.repo, self.cache, &file.id) {
            Ok(content) => Ok((file.path.to_string(), content)),
            Err(ObjectError::ObjectTooLarge { .. }) => {
                Ok((file.path.to_string(), Default::default()))
            }
            Err(error) => Err(error),
        }
    }

    /// A file with the parts of it that fit.
    fn show(
        &self,
        (ranking, marked): &(Ranking, Marked),
        file: &Ranked,
    ) -> Result<FoundFile, ObjectError> {
        let (path, content) = self.content(file)?;
        let nothing = HashSet::new();
        let lines = marked.get(&file.file).unwrap_or(&nothing);
        // If only the path fits, the beginning tells most of a file.
        let mut wanted = if file.passages.is_empty() { vec![0] } else { file.passages.clone() };
        wanted.sort_unstable();
        let mut passages: Vec<Passage> = Vec::new();
        for passage in wanted.into_iter().filter(|_| !is_binary(&content)) {
            let found = excerpt(&content, passage, &ranking.words, lines);
            let (first, last) = (found.first as u64, found.last as u64);
            match passages.last_mut().filter(|before| before.last + 1 >= first) {
                Some(before) => {
                    before.last = last;
                    before.lines.extend(found.lines);
                }
                None => passages.push(Passage { first, last, lines: found.lines }),
            }
        }
        Ok(FoundFile { path, score: file.score, passages })
    }

    /// The report in words.
    fn explain(&self, (ranking, marked): &(Ranking, Marked), files: &[FoundFile]) -> String {
        let (searched, _) = self.index.progress();
        let Some(best) = files.first() else {
            return format!("None of the {searched} files at {} has a word of it.", self.commit);
        };
        let mut text = format!(
            "Of {searched} files at {}, {} have words of it; the {} that fit best are listed, first {}.",
            self.commit,
            ranking.files.len(),
            files.len(),
            best.path
        );
        if !marked.is_empty() {
            let names: Vec<_> =
                self.asked.exact.iter().map(|it| format!("`{}`", it.text)).collect();
            text.push_str(&format!(" {} was looked for exactly.", names.join(", ")));
        }
        text
    }
}

fn place_of(cursor: &str) -> Result<(CommitId, usize)> {
    let (commit, skip) = cursor.split_once('.').ok_or_else(bad_cursor)?;
    let commit = commit.parse().map_err(|_| bad_cursor())?;
    Ok((commit, skip.parse().map_err(|_| bad_cursor())?))
}
