//! A service with batches in `OpenAI`'s form, Mistral's and Anthropic's, as it is asked for them.
//! Its time passes only when a batch is looked at, and each of its faults has a switch.

mod forms;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use serde_json::{Value, json};

use super::TIMEOUT;
use super::http::{Request, Response};
use super::mock::{Action, Mock};
pub(crate) use forms::Form;

/// What becomes of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It is answered.
    Answered,
    /// It is answered twice.
    Twice,
    /// Neither file has it.
    Missing,
    /// It is refused with this status and message.
    Refused(u16, &'static str),
    /// The batch ended before it, with this code.
    NotDone(&'static str),
    /// Its answer was cut at its limit.
    Cut,
    /// Its answer is longer than any client reads.
    Huge,
    /// Its answer has no text.
    Empty,
    /// Its answer is an error, with the status of a success.
    ErrorInside,
    /// The model refuses to answer it.
    Declined,
    /// It is answered under the name of a line of another batch.
    Renamed,
}

/// A step of a batch, for [`Switches::hang_at`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    List,
    Single,
    Upload,
    Create,
    Look,
    Results,
    Errors,
}

/// The switches. All are off by default.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one switch for each fault")]
pub(crate) struct Switches {
    /// Looks at a batch until it ends.
    pub(crate) looks: usize,
    /// The state in which batches end.
    pub(crate) ends: &'static str,
    /// Why batches fail as a whole: how many do, with which code and message.
    pub(crate) fails: (usize, &'static str, &'static str),
    /// What becomes of the line with this number in its file, in the batch with this number from 0.
    pub(crate) fate: fn(usize, usize) -> Fate,
    /// This many creates succeed, but their answers are lost.
    pub(crate) lost_creates: usize,
    /// Lost answers to creates come as this status with a text, as from a gateway.
    pub(crate) lost_as: Option<u16>,
    /// Why a call that is made by itself is refused: status and message.
    pub(crate) no_single: fn(&Value) -> Option<(u16, &'static str)>,
    /// This many creates are refused with this status.
    pub(crate) refused_creates: (usize, u16),
    /// This many uploads are cut.
    pub(crate) lost_uploads: usize,
    /// A batch is missing from this many lists at first.
    pub(crate) listed_late: usize,
    /// Metadata is not kept.
    pub(crate) no_metadata: bool,
    /// The list ignores its cursor.
    pub(crate) endless_list: bool,
    /// The list is answered with this status.
    pub(crate) no_list: Option<u16>,
    /// Looks at a batch are answered with this status.
    pub(crate) no_look: Option<u16>,
    /// The files of results come this many looks after the end.
    pub(crate) late_files: usize,
    /// Results are gone.
    pub(crate) no_results: bool,
    /// Results are elsewhere, it says: at this URL.
    pub(crate) results_at: Option<String>,
    /// The tier that Anthropic's answers name.
    pub(crate) tier: &'static str,
    /// This many downloads are cut.
    pub(crate) cut_results: usize,
    /// Answers as other servers give them: bodies as strings, states in capitals, no counts.
    pub(crate) other_server: bool,
    /// A cancelled batch never ends.
    pub(crate) never_cancels: bool,
    /// Hangs at this step; with `true`, after doing it.
    pub(crate) hang_at: Option<(Step, bool)>,
}

impl Switches {
    /// A service without faults.
    pub(crate) const NONE: Self = Self {
        looks: 2,
        ends: "completed",
        fails: (0, "", ""),
        fate: |_, _| Fate::Answered,
        lost_creates: 0,
        lost_as: None,
        no_single: |_| None,
        refused_creates: (0, 0),
        lost_uploads: 0,
        listed_late: 0,
        no_metadata: false,
        endless_list: false,
        no_list: None,
        no_look: None,
        late_files: 0,
        no_results: false,
        results_at: None,
        tier: "batch",
        cut_results: 0,
        other_server: false,
        never_cancels: false,
        hang_at: None,
    };
}

impl Default for Switches {
    fn default() -> Self {
        Self::NONE
    }
}

#[derive(Clone, Debug)]
struct Batch {
    form: Form,
    created: String,
    input: String,
    lines: Vec<Value>,
    metadata: Value,
    looks: usize,
    lists: usize,
    cancelled: bool,
    error: Option<(&'static str, &'static str)>,
    /// Someone else's.
    foreign: bool,
    /// Nothing is left of it.
    deleted: bool,
}

impl Batch {
    fn new(form: Form, lines: Vec<Value>) -> Self {
        Self {
            form,
            created: jiff::Timestamp::now().to_string(),
            input: String::new(),
            lines,
            metadata: Value::Null,
            looks: 0,
            lists: 0,
            cancelled: false,
            error: None,
            foreign: false,
            deleted: false,
        }
    }
}

#[derive(Default)]
struct State {
    switches: Switches,
    /// Name and content of each file, by its id.
    files: HashMap<String, (String, Vec<u8>)>,
    batches: Vec<Batch>,
    made: usize,
    /// Bodies of calls that were made without a batch.
    single: Vec<Value>,
    cancels: usize,
    is_hanging: bool,
}

/// The service. It ends on drop.
pub(crate) struct BatchService {
    pub(crate) mock: Mock,
    state: Arc<Mutex<State>>,
}

impl BatchService {
    pub(crate) fn new(switches: Switches) -> Self {
        let state = Arc::new(Mutex::new(State { switches, ..State::default() }));
        let shared = Arc::clone(&state);
        Self { mock: Mock::scripted(move |request, _| shared.lock().unwrap().answer(request)), state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Sets switches.
    pub(crate) fn set(&self, turn: impl FnOnce(&mut Switches)) {
        turn(&mut self.state().switches);
    }

    /// Waits until it hangs where `hang_at` says. Then it works again.
    pub(crate) fn wait_until_it_hangs(&self) {
        let end = Instant::now() + TIMEOUT;
        while !self.state().is_hanging {
            assert!(Instant::now() < end, "it never came to {:?}", self.state().switches.hang_at);
            std::thread::yield_now();
        }
        let mut state = self.state();
        (state.is_hanging, state.switches.hang_at) = (false, None);
    }

    /// How many batches of ours were created.
    pub(crate) fn created(&self) -> usize {
        self.state().batches.iter().filter(|batch| !batch.foreign).count()
    }

    /// How many requests to cancel it got.
    pub(crate) fn cancels(&self) -> usize {
        self.state().cancels
    }

    /// How many files there are, and batches of ours that have their answers without any.
    pub(crate) fn files(&self) -> usize {
        let state = self.state();
        state.files.len() + state.batches.iter().filter(|batch| batch.form == Form::Anthropic && !batch.foreign && !batch.deleted).count()
    }

    /// How many foreign batches were cancelled or deleted.
    pub(crate) fn harmed(&self) -> usize {
        self.state().batches.iter().filter(|batch| batch.foreign && (batch.cancelled || batch.deleted)).count()
    }

    /// The lines of each batch of ours.
    pub(crate) fn lines(&self) -> Vec<usize> {
        let state = self.state();
        let batches = state.batches.iter().filter(|batch| !batch.foreign);
        batches.map(|batch| batch.lines.len()).collect()
    }

    /// How many calls were made without a batch.
    pub(crate) fn single(&self) -> usize {
        self.state().single.len()
    }

    /// How often each request, by its messages, was paid for: without a batch, or in a batch of
    /// ours.
    pub(crate) fn paid(&self) -> HashMap<String, usize> {
        let state = self.state();
        let mut paid = HashMap::new();
        let mut add = |body: &Value| *paid.entry(body["messages"].to_string()).or_default() += 1;
        state.single.iter().for_each(&mut add);
        for (number, batch) in state.batches.iter().enumerate().filter(|(_, batch)| !batch.foreign && batch.error.is_none()) {
            for (at, line) in batch.lines.iter().enumerate() {
                match state.fate(number, batch, at) {
                    Fate::Twice => (0..2).for_each(|_| add(&line["body"])),
                    Fate::Refused(..) | Fate::NotDone(_) | Fate::ErrorInside => {}
                    _ => add(&line["body"]),
                }
            }
        }
        paid
    }

    /// Adds batches of somebody else, each on a file of one line.
    pub(crate) fn add_foreign(&self, count: usize, tag: &str) {
        let mut state = self.state();
        for _ in 0..count {
            let batch = Batch::new(Form::OpenAi, vec![json!({"custom_id": "theirs", "body": {}})]);
            state.batches.push(Batch { input: "file-theirs".into(), metadata: json!({"depeche": tag}), foreign: true, ..batch });
        }
    }

    /// Adds a batch of somebody else that has as many lines and no tag, in Anthropic's form.
    pub(crate) fn add_untagged(&self, lines: usize) {
        let line = |number: usize| json!({"custom_id": format!("theirs-{number}"), "body": {}});
        let batch = Batch::new(Form::Anthropic, (0..lines).map(line).collect());
        self.state().batches.push(Batch { foreign: true, ..batch });
    }

    /// Creates another batch on the file of the first one.
    pub(crate) fn create_again(&self) {
        let mut state = self.state();
        let again = Batch { looks: 0, ..state.batches[0].clone() };
        state.batches.push(again);
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Action {
        let path = request.path.split('?').next().unwrap_or_default().to_owned();
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["chat", "completions"] | ["messages"]) => self.at(Step::Single, |state| state.call(request)),
            ("POST", ["files"]) => self.at(Step::Upload, |state| state.upload(request)),
            ("GET", ["files"]) => self.list_files(),
            ("GET", ["files", id, "content"]) => {
                let step = if id.ends_with("errors") { Step::Errors } else { Step::Results };
                self.at(step, |state| state.content(id))
            }
            ("GET", ["messages", "batches", id, "results"]) => {
                self.at(Step::Results, |state| state.content(&format!("file-{}-output", id.trim_start_matches("batch_"))))
            }
            ("DELETE", ["files", id]) => {
                self.files.remove(*id);
                Action::Answer(Response::json(&json!({"id": id, "deleted": true})))
            }
            ("DELETE", ["messages", "batches", id]) => self.delete(id),
            ("POST", ["batches"] | ["messages" | "batch", "batches" | "jobs"]) => self.at(Step::Create, |state| state.create(request)),
            ("GET", ["batches"] | ["messages" | "batch", "batches" | "jobs"]) => self.at(Step::List, |state| state.list(request)),
            ("GET", ["batches", id] | ["messages" | "batch", "batches" | "jobs", id]) => self.at(Step::Look, |state| state.look(id)),
            ("POST", ["batches", id, "cancel"] | ["messages" | "batch", "batches" | "jobs", id, "cancel"]) => self.cancel(id),
            _ => Action::normal(request),
        }
    }

    /// Does a step, and hangs before or after it if a switch says so.
    fn at(&mut self, step: Step, act: impl FnOnce(&mut Self) -> Action) -> Action {
        match self.switches.hang_at {
            Some((at, after)) if at == step => {
                if after {
                    act(self);
                }
                self.is_hanging = true;
                Action::Hang
            }
            _ => act(self),
        }
    }

    fn call(&mut self, request: &Request) -> Action {
        let body = request.json();
        if let Some((status, message)) = (self.switches.no_single)(&body) {
            return Action::status(status, &json!({"error": {"message": message, "type": "invalid_request_error"}}).to_string());
        }
        self.single.push(body);
        Action::normal(request)
    }

    fn add_file(&mut self, name: &str, content: Vec<u8>) -> String {
        self.made += 1;
        let id = format!("file-{}", self.made);
        self.files.insert(id.clone(), (name.into(), content));
        id
    }

    fn upload(&mut self, request: &Request) -> Action {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let boundary = request.header("content-type").unwrap().split_once("boundary=").unwrap().1.to_owned();
        let part = body.split(&format!("--{boundary}\r\n")).find(|part| part.contains("filename=")).unwrap();
        let (head, content) = part.split_once("\r\n\r\n").unwrap();
        let content = content.split(&format!("\r\n--{boundary}--")).next().unwrap();
        let name = head.split("filename=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert!(head.contains(".jsonl\"") && body.contains("name=\"purpose\"\r\n\r\nbatch\r\n"), "{head}");
        let id = self.add_file(&name, content.as_bytes().to_vec());
        if take(&mut self.switches.lost_uploads) {
            return Action::Drop;
        }
        Action::Answer(Response::json(&json!({"id": id, "object": "file", "filename": name, "status": "processed"})))
    }

    fn list_files(&self) -> Action {
        let files: Vec<Value> = self.files.iter().map(|(id, (name, _))| json!({"id": id, "filename": name})).collect();
        Action::Answer(Response::json(&json!({"object": "list", "data": files, "has_more": false})))
    }

    fn create(&mut self, request: &Request) -> Action {
        if take(&mut self.switches.refused_creates.0) {
            return Action::status(self.switches.refused_creates.1, r#"{"error":{"message":"not now"}}"#);
        }
        let body = request.json();
        let form = Form::of(&request.path);
        let (input, lines) = if form == Form::Anthropic {
            (String::new(), forms::inline(&body))
        } else {
            let input = forms::input(&body, form);
            let Some((_, content)) = self.files.get(&input) else {
                return Action::status(404, r#"{"error":{"message":"No such File object"}}"#);
            };
            (input, lines(content))
        };
        let metadata = if self.switches.no_metadata { Value::Null } else { body["metadata"].clone() };
        let error = take(&mut self.switches.fails.0).then_some((self.switches.fails.1, self.switches.fails.2));
        self.batches.push(Batch { input, metadata, error, ..Batch::new(form, lines) });
        if take(&mut self.switches.lost_creates) {
            return self.switches.lost_as.map_or(Action::Drop, |status| Action::status(status, "Internal Server Error"));
        }
        Action::Answer(Response::json(&self.describe(self.batches.len() - 1)))
    }

    fn number(id: &str) -> Option<usize> {
        id.strip_prefix("batch_")?.parse().ok()
    }

    fn look(&mut self, id: &str) -> Action {
        let Some(number) = Self::number(id).filter(|number| self.batches.get(*number).is_some_and(|batch| !batch.deleted)) else {
            return Action::status(404, r#"{"error":{"message":"No batch found","code":"batch_not_found"}}"#);
        };
        if let Some(status) = self.switches.no_look {
            return Action::status(status, "{}");
        }
        self.batches[number].looks += 1;
        Action::Answer(Response::json(&self.describe(number)))
    }

    fn delete(&mut self, id: &str) -> Action {
        let Some(number) = Self::number(id).filter(|number| *number < self.batches.len()) else { return Action::status(404, "{}") };
        self.batches[number].deleted = true;
        Action::Answer(Response::json(&json!({"id": id, "type": "message_batch_deleted"})))
    }

    fn cancel(&mut self, id: &str) -> Action {
        let Some(number) = Self::number(id).filter(|number| *number < self.batches.len()) else { return Action::status(404, "{}") };
        self.cancels += 1;
        if self.batches[number].looks >= self.switches.looks {
            return Action::status(400, r#"{"error":{"message":"Cannot cancel a batch that has ended"}}"#);
        }
        self.batches[number].cancelled = true;
        Action::Answer(Response::json(&self.describe(number)))
    }

    fn list(&mut self, request: &Request) -> Action {
        if let Some(status) = self.switches.no_list {
            return Action::status(status, "no such path");
        }
        let form = Form::of(&request.path);
        // The newest come first.
        let mut numbers: Vec<usize> = (0..self.batches.len()).rev().collect();
        let late = self.switches.listed_late;
        numbers.retain(|number| {
            let batch = &self.batches[*number];
            batch.form == form && !batch.deleted && (batch.lists >= late || batch.foreign)
        });
        for batch in &mut self.batches {
            batch.lists += 1;
            // Without a tag, a batch may be looked at only in the list.
            batch.looks += usize::from(form == Form::Anthropic);
        }
        let page = forms::Page::asked(request, self.switches.endless_list);
        let (items, more) = page.of(&numbers);
        let data: Vec<Value> = items.iter().map(|number| self.describe(*number)).collect();
        let last = data.last().map(|item| item["id"].clone());
        let more = more || self.switches.endless_list;
        Action::Answer(Response::json(&json!({"object": "list", "data": data, "has_more": more, "last_id": last, "total": numbers.len()})))
    }

    fn state_of(&self, batch: &Batch) -> &'static str {
        if batch.error.is_some() {
            return "failed";
        }
        let ended = batch.looks >= self.switches.looks;
        match batch.cancelled {
            true if !self.switches.never_cancels && (ended || batch.looks > 0) => "cancelled",
            true => "cancelling",
            false if ended => self.switches.ends,
            false if batch.looks == 0 => "validating",
            false => "in_progress",
        }
    }

    fn describe(&self, number: usize) -> Value {
        let batch = &self.batches[number];
        let state = self.state_of(batch);
        let (output, errors) = self.results(number);
        let needed = if batch.cancelled { 0 } else { self.switches.looks + self.switches.late_files };
        let has_ended = matches!(state, "completed" | "expired" | "cancelled") && batch.looks >= needed;
        forms::describe(&forms::Seen { number, batch, state, output: &output, errors: &errors, has_ended }, &self.switches)
    }

    /// A cancelled batch has done the first half of its lines.
    fn fate(&self, number: usize, batch: &Batch, at: usize) -> Fate {
        let half = batch.lines.len().div_ceil(2);
        if batch.cancelled && at >= half && batch.looks < self.switches.looks {
            return Fate::NotDone("batch_cancelled");
        }
        (self.switches.fate)(number, at)
    }

    /// The files of results. The lines are in reverse order.
    fn results(&self, number: usize) -> (Vec<u8>, Vec<u8>) {
        let batch = &self.batches[number];
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        for (at, line) in batch.lines.iter().enumerate().rev() {
            let fate = self.fate(number, batch, at);
            for result in forms::results(batch.form, line, fate, &self.switches) {
                let is_error = matches!(fate, Fate::Refused(..) | Fate::NotDone(_)) && batch.form != Form::Anthropic;
                write(if is_error { &mut errors } else { &mut output }, &result);
            }
        }
        (output, errors)
    }

    fn content(&mut self, id: &str) -> Action {
        if let Some((_, content)) = self.files.get(id) {
            return Action::Answer(Response::new(200, content.clone()));
        }
        let mut parts = id.trim_start_matches("file-").split('-');
        let number = parts.next().and_then(|number| number.parse::<usize>().ok()).filter(|number| *number < self.batches.len());
        let (Some(number), false) = (number, self.switches.no_results) else {
            return Action::status(404, r#"{"error":{"message":"No such File object"}}"#);
        };
        let (output, errors) = self.results(number);
        if let Some(elsewhere) = &self.switches.results_at {
            return Action::Answer(Response::new(302, "").with("location", elsewhere.clone()));
        }
        let response = Response::new(200, if id.ends_with("errors") { errors } else { output });
        if take(&mut self.switches.cut_results) { Action::Cut(response) } else { Action::Answer(response) }
    }
}

/// The lines of a file of calls. Each is one JSON object, and no name is there twice.
fn lines(content: &[u8]) -> Vec<Value> {
    let lines: Vec<Value> =
        content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_slice(line).unwrap()).collect();
    let names: std::collections::HashSet<String> = lines.iter().map(|line| line["custom_id"].to_string()).collect();
    assert_eq!(names.len(), lines.len());
    lines
}

fn write(file: &mut Vec<u8>, line: &Value) {
    file.extend(line.to_string().bytes());
    file.push(b'\n');
}

fn take(left: &mut usize) -> bool {
    let some = *left > 0;
    *left -= usize::from(some);
    some
}
