//! Which other endpoints can do a call.

/// Which other endpoints can do a call that an endpoint does not take now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    /// None, so the call waits even if the endpoint is down.
    None,
    /// Only endpoints of other services. They may cost more, so the call waits while its endpoint is
    /// only busy.
    OfOtherServices,
    /// A server of the same service, which is as good.
    OfSameService,
}

impl Others {
    /// Whether no other endpoint can do the call.
    pub(super) fn is_none(self) -> bool {
        self == Self::None
    }
}
