//! The log on standard error: one line per event, printed above the bars.

use std::io::{self, Write};
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::{Progress, Verbosity};

/// Starts the log; `json` writes one object per line.
pub fn start(verbosity: Verbosity, json: bool, progress: &Arc<Progress>) {
    let level = match verbosity {
        Verbosity::Quiet => LevelFilter::ERROR,
        Verbosity::Normal => LevelFilter::WARN,
        Verbosity::Verbose(1) => LevelFilter::INFO,
        Verbosity::Verbose(_) => LevelFilter::DEBUG,
    };
    // Events of the libraries do not help a user.
    let ours = Targets::new().with_target("depeche", level);
    let lines = tracing_subscriber::fmt::layer().with_target(false).with_timer(UtcSeconds).with_writer(AboveBars(Arc::clone(progress)));
    let layer = if json {
        lines.json().flatten_event(true).with_current_span(false).with_filter(ours).boxed()
    } else {
        lines.with_ansi(console::colors_enabled_stderr()).with_filter(ours).boxed()
    };
    // Only fails if a log has been started before, in tests.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

/// The time of an event in UTC, without fractions of a second.
struct UtcSeconds;

impl FormatTime for UtcSeconds {
    fn format_time(&self, writer: &mut tracing_subscriber::fmt::format::Writer<'_>) -> std::fmt::Result {
        write!(writer, "{:.0}", jiff::Timestamp::now())
    }
}

struct AboveBars(Arc<Progress>);

impl<'a> MakeWriter<'a> for AboveBars {
    type Writer = EventWriter;

    fn make_writer(&'a self) -> EventWriter {
        EventWriter { progress: Arc::clone(&self.0), bytes: Vec::new() }
    }
}

/// Buffers one event and writes it in one piece when it is dropped.
struct EventWriter {
    progress: Arc<Progress>,
    bytes: Vec<u8>,
}

impl Write for EventWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for EventWriter {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.progress.suspend(|| {
            // There is nowhere else to report a failure.
            let _ = io::stderr().write_all(&bytes);
        });
    }
}
