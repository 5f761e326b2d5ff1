//! Which files an edit changed; it must never name one that is as it was.

use std::collections::HashSet;

use gix::bstr::{BStr, BString, ByteSlice};

use super::plan::Plan;
use crate::backend::git::objects::ObjectError;
use crate::backend::git::tree::Tree;
use crate::model::edit::{FileWrite, Operation};

/// Collects changed files in request order, each once.
pub struct Changes<'t> {
    old: Tree<'t>,
    new: Tree<'t>,
    seen: HashSet<BString>,
    files: Vec<String>,
}

impl<'t> Changes<'t> {
    pub fn between(old: Tree<'t>, new: Tree<'t>) -> Self {
        Self { old, new, seen: HashSet::new(), files: Vec::new() }
    }

    pub fn into_files(self) -> Vec<String> {
        self.files
    }

    pub fn by_operations(
        &mut self,
        operations: &[Operation],
        plan: &Plan<'_>,
    ) -> Result<(), ObjectError> {
        for operation in operations {
            match operation {
                Operation::Write(write) => self.note(write.path.as_str().into())?,
                Operation::Delete { path } => {
                    for (leaf, _) in self.old.list(path.as_str().into())? {
                        self.note(leaf.as_bstr())?;
                    }
                }
                // A rename shows under its new name alone, even if only the old one differs.
                Operation::Rename { from, to } if plan.renames.get(from) == Some(&to) => {
                    if self.differs(from.as_str().into())? || self.differs(to.as_str().into())? {
                        self.add(to.as_str().into());
                    }
                }
                Operation::Rename { .. } => {}
            }
        }
        Ok(())
    }

    pub fn by_replacement(
        &mut self,
        files: &[FileWrite],
        plan: &Plan<'_>,
    ) -> Result<(), ObjectError> {
        files.iter().try_for_each(|write| self.note(write.path.as_str().into()))?;
        plan.deletes.iter().try_for_each(|path| self.note(path.as_bstr()))
    }

    fn differs(&mut self, path: &BStr) -> Result<bool, ObjectError> {
        Ok(self.old.get(path)? != self.new.get(path)?)
    }

    fn note(&mut self, path: &BStr) -> Result<(), ObjectError> {
        if self.differs(path)? {
            self.add(path);
        }
        Ok(())
    }

    fn add(&mut self, path: &BStr) {
        if self.seen.insert(path.to_owned()) {
            self.files.push(path.to_string());
        }
    }
}
