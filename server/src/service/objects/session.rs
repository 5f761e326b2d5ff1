//! One request's right to use a storage repo: whose key it is, and what it opens.

use std::sync::Arc;

use secrecy::SecretString;

use super::layout::{Layout, Space};
use super::{ObjectError, Result};
use crate::model::access::Role;
use crate::model::access_key::KeyCaller;
use crate::model::storage_repo::Mode;
use crate::model::time::Timestamp;
use crate::service::{Error, Services};
use crate::store::spaces;

#[derive(Clone)]
pub struct Session {
    pub caller: KeyCaller,
    pub secret: SecretString,
    pub layout: Arc<Layout>,
}

impl Session {
    /// Looks up an access key, as it is now. Nothing, if there is none.
    pub async fn open(services: &Services, access_key: &str) -> Result<Option<Self>> {
        // Taken before reading: a change that comes meanwhile makes what is found old at once.
        let settings = services.store.settings();
        if let Some(known) = settings.and_then(|now| services.plane.session(access_key, now)) {
            return Ok(Some(known));
        }
        let found = Self::find(services, access_key).await?;
        if let (Some(settings), Some(session)) = (settings, &found) {
            services.plane.keep(access_key, settings, session.clone());
        }
        Ok(found)
    }

    async fn find(services: &Services, access_key: &str) -> Result<Option<Self>> {
        // PostgreSQL knows no text with a NUL in it.
        if access_key.contains('\0') {
            return Ok(None);
        }
        let Some(holder) = spaces::holder(services.store.read(), access_key).await? else {
            return Ok(None);
        };
        if holder.plan.disabled {
            let message = "The storage repo is disabled. Ask whoever runs it to enable it.";
            return Err(ObjectError::Denied(message.to_owned()));
        }
        let place = format!("access_key/{}", holder.caller.key);
        let secret = services.vault.open(&place, &holder.sealed).map_err(Error::from)?;
        let layout = services.plane.layout(services, holder.plan).await?;
        Ok(Some(Self { caller: holder.caller, secret, layout }))
    }

    pub fn require(&self, needed: Role) -> Result<()> {
        let held = self.caller.access;
        if held >= needed {
            return Ok(());
        }
        Err(ObjectError::Denied(format!(
            "This needs an access key with {}; this one has {}.",
            needed.as_str(),
            held.as_str()
        )))
    }

    /// The names that buckets of the storage repo go by, in order.
    pub fn spaces(&self) -> Result<Vec<(String, Timestamp)>> {
        self.require(Role::Read)?;
        let layout = &self.layout;
        let mut names: Vec<_> = layout
            .spaces
            .iter()
            .flat_map(|space| space.members.iter().map(move |member| (space, member)))
            .map(|(space, member)| (member.bucket.place.bucket.clone(), space.created_at))
            .collect();
        if layout.plan.mode.is_shared() && !names.is_empty() {
            names.push((layout.plan.name.clone(), layout.plan.created_at));
        }
        names.sort();
        names.dedup_by(|a, b| a.0 == b.0);
        Ok(names)
    }

    /// The space that goes by this name, if the key has `needed` in it.
    pub fn space(&self, name: &str, needed: Role) -> Result<Arc<Space>> {
        let layout = &self.layout;
        let called = |space: &&Arc<Space>| {
            let shared = layout.plan.mode != Mode::Normal && layout.plan.name == name;
            shared || space.members.iter().any(|member| member.bucket.place.bucket == name)
        };
        let space = layout.spaces.iter().find(called).ok_or(ObjectError::NoSuchBucket)?;
        self.require(needed)?;
        Ok(space.clone())
    }
}
