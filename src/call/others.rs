//! Whether another endpoint can do a call, and of which service it is.

/// Which other endpoints can do a call that an endpoint does not take now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    /// None, so the call waits even if the endpoint is down.
    None,
    /// Only endpoints of other services. They may cost more, so the call waits while its endpoint is
    /// only busy.
    OfOtherServices,
    /// A server of the same service. It gives the same answers, so the call does not wait.
    OfSameService,
}

impl Others {
    /// Whether no other endpoint can do the call.
    pub(super) fn is_none(self) -> bool {
        self == Self::None
    }
}
