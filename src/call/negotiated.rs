//! The form in which a service accepts requests, learned during the run. A server may support no
//! JSON schema, no temperature, or another name for the token limit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use super::counters::Counters;
use super::http::HttpClient;
use super::preflight;
use crate::config::Endpoint;
use crate::dialect::Dialect;
use crate::model::{CallError, Verdict};

/// An endpoint with the options that its service was found to accept.
pub(super) struct NegotiatedEndpoint {
    endpoint: Mutex<Arc<Endpoint>>,
    /// Set once the preflight requests have succeeded.
    prepared: OnceCell<()>,
}

impl NegotiatedEndpoint {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint: Mutex::new(Arc::new(endpoint)), prepared: OnceCell::new() }
    }

    pub(super) fn current(&self) -> Arc<Endpoint> {
        Arc::clone(&self.lock())
    }

    /// Sends the preflight requests, once per run.
    pub(super) async fn prepare(&self, dialect: &dyn Dialect, http: &HttpClient, counters: &Counters) -> Result<(), CallError> {
        let prepare = async || {
            let endpoint = self.current();
            let options = preflight::prepare(dialect, http, &endpoint, counters).await?;
            *self.lock() = Arc::new(Endpoint { options, ..Endpoint::clone(&endpoint) });
            Ok(())
        };
        self.prepared.get_or_try_init(prepare).await.copied()
    }

    /// Whether a request made for `used` and refused with `error` should be sent again in another
    /// form. That form is then used for every call.
    pub(super) fn adapt(&self, dialect: &dyn Dialect, used: &Arc<Endpoint>, error: &CallError) -> bool {
        let mut current = self.lock();
        if !Arc::ptr_eq(&current, used) {
            // Another call has changed the form already. The next request shows whether that helps.
            return error.verdict == Verdict::Never && dialect.adapt_options(used, error).is_some();
        }
        let Some(options) = dialect.adapt_options(used, error) else { return false };
        tracing::debug!(endpoint = used.name, "using another form of request from now on: {}", error.message);
        *current = Arc::new(Endpoint { options, ..Endpoint::clone(used) });
        true
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Endpoint>> {
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
