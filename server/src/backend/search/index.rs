//! The files of one tree with the words they are found by, and how well each fits a question.
//! The same tree is always ranked the same, whatever was known when its index was made.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};

use super::card::{Card, PASSAGE_LINES, Use};
use super::words::{Word, words};
use crate::backend::git::objects::{ObjectError, ObjectSource};
use crate::backend::git::walk::Walk;

/// Files of an index; what comes after them in path order is not found.
pub const FILES_MAX: usize = 100_000;
/// Files that are read before it is seen whether there is time for more.
const WINDOW_FILES: usize = 128;
/// Most threads for one index.
const THREADS_MAX: usize = 4;
/// Passages of a file that are answered.
const PASSAGES_MAX: usize = 3;
/// How well a passage must fit to be answered beside the best one of its file.
const BESIDE_BEST: f32 = 0.6;

/// BM25: how soon a word that comes again says nothing new, and how much long passages are at a
/// disadvantage.
const K1: f32 = 2.0;
const B: f32 = 0.75;
/// What a word in the path is worth, of one in the text.
const IN_PATH: f32 = 0.6;

pub struct Index {
    files: Vec<File>,
    /// Files that were read, in path order.
    read: usize,
    size: usize,
    /// Memory that it may take, in bytes; files for which there is none left, in path order, are found
    /// by their paths.
    size_max: usize,
    passages: usize,
    /// Words of a passage on average.
    average: f32,
}

pub struct File {
    pub path: BString,
    pub id: ObjectId,
    words: Box<[Word]>,
    /// None if the content was not read yet, or there was no memory for it.
    card: Option<Arc<Card>>,
}

/// What is looked for.
#[derive(Default)]
pub struct Question {
    /// Words, and how much each matters.
    pub words: Vec<(Word, f32)>,
    /// What passages of files are worth beyond their words: file by its number, and passage.
    pub extra: HashMap<(usize, u32), f32>,
}

/// Files that fit, the best one first.
pub struct Ranking {
    /// The words that some file has, and how much each says.
    pub words: Vec<(Word, f32)>,
    pub files: Vec<Ranked>,
}

#[derive(Clone, Debug)]
pub struct Ranked {
    /// Number of the file in the index.
    pub file: usize,
    /// From 0, and always below 1.
    pub score: f32,
    /// Those that fit, the best one first; none if only the path fits.
    pub passages: Vec<u32>,
}

impl Index {
    /// Reads the files of a tree, as far as none of the `known` indexes has them, until `deadline`, and
    /// until they take `size_max` bytes of memory.
    pub fn build(
        source: &(dyn ObjectSource + Sync),
        root: ObjectId,
        known: &[Arc<Self>],
        size_max: usize,
        deadline: Instant,
    ) -> Result<Self, ObjectError> {
        let mut cards: HashMap<ObjectId, Arc<Card>> = HashMap::new();
        for index in known.iter().rev() {
            let known = index.files.iter().filter_map(|file| Some((file.id, file.card.clone()?)));
            cards.extend(known);
        }
        let mut files = Vec::new();
        for leaf in Walk::new(source, root, BString::default())? {
            let (path, entry) = leaf?;
            if files.len() == FILES_MAX {
                break;
            }
            if entry.file_mode().is_some() {
                files.push(File::new(path, entry.id));
            }
        }
        let size = files.iter().map(File::size).sum();
        let mut index = Self { files, read: 0, size, size_max, passages: 0, average: 1.0 };
        // However little time there is, something comes of it.
        let mut has_read = false;
        while !index.is_finished() && (!has_read || Instant::now() < deadline) {
            let end = index.files.len().min(index.read + WINDOW_FILES);
            has_read |= make_cards(source, &index.files[index.read..end], &mut cards)?;
            let full = !index.take(end, &cards);
            index.read = if full { index.files.len() } else { end };
        }
        let lengths = index.files.iter().flat_map(File::lengths);
        let words: u64 = lengths.clone().map(|length| u64::from(*length)).sum();
        index.passages = lengths.count();
        index.average = (words as f32 / index.passages.max(1) as f32).max(1.0);
        Ok(index)
    }

    /// Takes the cards of the next files, up to `end`; false if there is no memory for more.
    fn take(&mut self, end: usize, cards: &HashMap<ObjectId, Arc<Card>>) -> bool {
        for file in &mut self.files[self.read..end] {
            let card = &cards[&file.id];
            if self.size + card.size() > self.size_max {
                return false;
            }
            self.size += card.size();
            file.card = Some(card.clone());
        }
        true
    }

    /// How many files were read, and how many were not yet.
    pub fn progress(&self) -> (usize, usize) {
        (self.read, self.files.len() - self.read)
    }

    pub fn is_finished(&self) -> bool {
        self.read == self.files.len()
    }

    /// What the index takes in memory.
    pub fn size(&self) -> usize {
        self.size
    }

    pub fn file(&self, number: usize) -> &File {
        &self.files[number]
    }

    /// The passage that a line is in, which is counted from 1.
    pub fn passage_of(line: u64) -> u32 {
        u32::try_from(line.saturating_sub(1) / PASSAGE_LINES as u64).unwrap_or(u32::MAX)
    }

    /// The number of a file.
    pub fn find(&self, path: &BStr) -> Option<usize> {
        self.files.binary_search_by(|file| file.path.as_bstr().cmp(path)).ok()
    }

    /// The files that have something of what is looked for, of those that are `wanted`.
    pub fn rank(&self, question: &Question, wanted: impl Fn(&BStr) -> bool) -> Ranking {
        let said = |total: usize, with: usize| {
            let (total, with) = (total as f32, with as f32);
            (1.0 + (total - with + 0.5) / (with + 0.5)).ln()
        };
        let mut sought = Vec::new();
        for (word, weight) in &question.words {
            let with = self.files.iter().map(|file| file.uses(*word).len()).sum();
            let named = self.files.iter().filter(|file| file.has_in_path(*word)).count();
            if with + named > 0 {
                let in_text = weight * said(self.passages.max(with), with);
                let in_path = weight * said(self.files.len(), named);
                sought.push(Sought { word: *word, in_text, in_path, with });
            }
        }
        let all: f32 =
            sought.iter().map(|it| if it.with > 0 { it.in_text } else { it.in_path }).sum();
        let mut files = Vec::new();
        for (number, file) in self.files.iter().enumerate() {
            if !wanted(file.path.as_bstr()) {
                continue;
            }
            let (path, passages) =
                self.fit(number, file, &sought, all.max(f32::MIN_POSITIVE), question);
            let best = passages.first().map_or(0.0, |(_, fit)| *fit);
            let fit = best + path;
            if fit > 0.0 {
                let beside = passages.iter().take_while(|(_, fit)| *fit >= best * BESIDE_BEST);
                let passages = beside.take(PASSAGES_MAX).map(|(passage, _)| *passage).collect();
                files.push(Ranked { file: number, score: fit / (1.0 + fit), passages });
            }
        }
        // Equal ones stay in path order.
        files.sort_by(|one, other| other.score.total_cmp(&one.score));
        let words = sought.iter().map(|it| (it.word, it.in_text)).collect();
        Ranking { words, files }
    }

    /// How well a file's path fits, and its passages, the best one first: 1 is a passage that has every
    /// word once.
    fn fit(
        &self,
        number: usize,
        file: &File,
        sought: &[Sought],
        all: f32,
        question: &Question,
    ) -> (f32, Vec<(u32, f32)>) {
        let lengths = file.lengths();
        let mut fits: Vec<f32> = Vec::new();
        let mut path = 0.0;
        for word in sought {
            for used in file.uses(word.word) {
                fits.resize(lengths.len(), 0.0);
                let (count, length) = (used.count as f32, lengths[used.passage as usize] as f32);
                let norm = K1 * (1.0 - B + B * length / self.average);
                fits[used.passage as usize] += word.in_text * count * (K1 + 1.0) / (count + norm);
            }
            if file.has_in_path(word.word) {
                path += IN_PATH * word.in_path / all;
            }
        }
        let mut passages: Vec<(u32, f32)> = (0..).zip(fits.iter().map(|fit| fit / all)).collect();
        if !question.extra.is_empty() {
            passages.resize(lengths.len().max(1), (0, 0.0));
            for (passage, fit) in (0..).zip(&mut passages) {
                let extra = question.extra.get(&(number, passage)).copied();
                *fit = (passage, fit.1 + extra.unwrap_or_default());
            }
        }
        passages.retain(|(_, fit)| *fit > 0.0);
        passages.sort_by(|one, other| other.1.total_cmp(&one.1));
        (path, passages)
    }
}

/// A word that is looked for, how much it says in a text and in a path, and in how many passages
/// it is.
struct Sought {
    word: Word,
    in_text: f32,
    in_path: f32,
    with: usize,
}

impl File {
    fn new(path: BString, id: ObjectId) -> Self {
        let mut own = Vec::new();
        words(&path.to_str_lossy(), |found| own.push(found.word));
        own.sort_unstable();
        own.dedup();
        Self { path, id, words: own.into(), card: None }
    }

    fn uses(&self, word: Word) -> &[Use] {
        self.card.as_ref().map_or(&[], |card| card.uses(word))
    }

    fn lengths(&self) -> &[u32] {
        self.card.as_ref().map_or(&[], |card| card.lengths())
    }

    fn has_in_path(&self, word: Word) -> bool {
        self.words.binary_search(&word).is_ok()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.path.len() + size_of_val(&*self.words)
    }
}

/// Reads the files that are not known, on several threads; whether there are such.
fn make_cards(
    source: &(dyn ObjectSource + Sync),
    files: &[File],
    cards: &mut HashMap<ObjectId, Arc<Card>>,
) -> Result<bool, ObjectError> {
    let missing: Vec<_> =
        files.iter().map(|file| file.id).filter(|id| !cards.contains_key(id)).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let make = |ids: &[ObjectId]| -> Result<Vec<_>, ObjectError> {
        let card = |id: &ObjectId| match source.read(id) {
            Ok(content) => Ok((*id, Arc::new(Card::new(&content.data)))),
            Err(ObjectError::ObjectTooLarge { .. }) => Ok((*id, Arc::new(Card::new(b"")))),
            Err(error) => Err(error),
        };
        ids.iter().map(card).collect()
    };
    let made: Vec<_> = std::thread::scope(|scope| {
        let parts = missing.chunks(missing.len().div_ceil(threads));
        let running: Vec<_> = parts.map(|part| scope.spawn(|| make(part))).collect();
        running.into_iter().map(|thread| thread.join()).collect()
    });
    for part in made {
        let part = part.map_err(|_| ObjectError::broken("search", "a thread panicked"))?;
        cards.extend(part?);
    }
    Ok(true)
}
