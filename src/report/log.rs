//! The log on standard error: one line an event, drawn around the bars.

use std::io::{self, Write};
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::{Loudness, Progress};

pub(super) fn start(loudness: Loudness, json: bool, progress: &Arc<Progress>) {
    let level = match loudness {
        Loudness::Quiet => LevelFilter::ERROR,
        Loudness::Normal => LevelFilter::WARN,
        Loudness::Verbose(1) => LevelFilter::INFO,
        Loudness::Verbose(_) => LevelFilter::DEBUG,
    };
    // The libraries' own events are of no use to a user.
    let ours = Targets::new().with_target("depeche", level);
    let lines = tracing_subscriber::fmt::layer().with_target(false).with_timer(Clock).with_writer(AroundBars(Arc::clone(progress)));
    let layer = if json {
        lines.json().flatten_event(true).with_current_span(false).with_filter(ours).boxed()
    } else {
        lines.with_ansi(console::colors_enabled_stderr()).with_filter(ours).boxed()
    };
    // A second log in one process (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

struct Clock;

impl FormatTime for Clock {
    fn format_time(&self, writer: &mut tracing_subscriber::fmt::format::Writer<'_>) -> std::fmt::Result {
        write!(writer, "{:.0}", jiff::Timestamp::now())
    }
}

struct AroundBars(Arc<Progress>);

impl<'a> MakeWriter<'a> for AroundBars {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { progress: Arc::clone(&self.0), bytes: Vec::new() }
    }
}

/// Gathers one event and writes it at once.
struct Line {
    progress: Arc<Progress>,
    bytes: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.progress.around(|| {
            // Nobody to tell when standard error is gone.
            let _ = io::stderr().write_all(&bytes);
        });
    }
}
