//! Reading the audit log.

use crate::model::access::Caller;
use crate::model::audit::{ACTIONS, CONTEXTS, EVENTS_TAKE_MAX, Event, EventFilter};
use crate::model::page::Page;
use crate::service::{Error, Result, Services, access};
use crate::store::audit;

/// The lines the caller may see: all of the organisation's for those who see all
/// workspaces, else those of the caller's own workspaces.
pub async fn list(
    services: &Services,
    caller: &Caller,
    filter: &EventFilter,
) -> Result<Page<Event>> {
    access::require_account(caller)?;
    if !(1..=EVENTS_TAKE_MAX).contains(&filter.take) {
        return Err(Error::invalid("take", format!("take: must be 1 to {EVENTS_TAKE_MAX}")));
    }
    if filter.skip < 0 {
        return Err(Error::invalid("skip", "skip: must not be negative"));
    }
    for (field, number, names) in
        [("context", filter.context, &CONTEXTS[..]), ("event", filter.action, &ACTIONS[..])]
    {
        let last = names.len() as i64 - 1;
        if number.is_some_and(|number| number > last) {
            return Err(Error::invalid(field, format!("{field}: must be 0 to {last}")));
        }
    }
    Ok(audit::list(services.store.read(), caller, filter).await?)
}
