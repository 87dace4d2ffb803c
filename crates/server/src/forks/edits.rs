//! Applying edits to a fork: worked out on a copy, appended to the log, and only then live (DURABLE).

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use ::forks::{
    Appended, Digest, Fork, ForkId, Idempotency, IdempotencyKey, NewEntry, Seq, StagedId, Store, StoreError,
};
use grid::{Address, CellRange};
use serde_json::Value;
use workbook::{
    SheetId, Workbook,
    edit::{Draft, Edit, Places, VERSION},
};

use crate::{
    book::Book,
    call::Call,
    error::{ErrorCode, ToolError},
    flags::Flag,
    forks::{Live, Payload, Replayed, edit_error, now, store_error},
};

/// How often edits are worked out anew on what another writer made of the fork meanwhile.
const RETRIES: u32 = 30;
/// Bytes of edits that one entry of a log may have.
const MAX_PAYLOAD: usize = 16 << 20;
/// Characters of an entry's summary.
const MAX_SUMMARY: usize = 200;

/// Edits to be applied, and under which conditions.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) edits: Vec<Edit>,
    /// The state that the caller believes the fork to be at.
    pub(crate) expected: Option<Seq>,
    pub(crate) key: Option<IdempotencyKey>,
    /// The staged change that these edits are.
    pub(crate) applies: Option<StagedId>,
    /// What was asked, to notice another request under the same key.
    pub(crate) asked: &'a Value,
}

/// A fork before and after edits.
#[derive(Debug)]
pub(crate) struct Edited {
    pub(crate) before: Live,
    pub(crate) after: Live,
    pub(crate) edits: Vec<Edit>,
}

/// What became of a draft, and by which edits; `None` if nothing did.
pub(crate) type Made = Result<Option<(Draft, Vec<Edit>)>, ToolError>;

impl Call {
    /// Works edits out on a copy; nothing is kept.
    ///
    /// # Errors
    /// When there is no such fork, or an edit is refused.
    pub(crate) fn preview(&self, id: &ForkId, edits: &[Edit]) -> Result<(Fork, Edited), ToolError> {
        let Replayed { fork, live } = self.replayed(id, None)?;
        let (draft, edits) = self.work_out(&live.draft, edits)?;
        let after = Live {
            seq: live.seq,
            book: Arc::new(Book::following(&draft, &live.book)),
            draft: Arc::new(draft),
        };
        Ok((fork, Edited { before: live, after, edits }))
    }

    /// Applies edits to a fork. `answer` makes what the caller is told, also when the call is repeated.
    ///
    /// # Errors
    /// When an edit is refused, or the fork is at another state than the caller believes.
    pub(crate) fn apply(
        &self,
        id: &ForkId,
        request: &Request<'_>,
        answer: &(dyn Fn(&Edited, Seq) -> Value + Sync),
    ) -> Result<Value, ToolError> {
        self.apply_made(id, request, &|live| self.work_out(&live.draft, &request.edits).map(Some), answer)
    }

    /// Applies what `make` makes of the state that a fork is at, while no other call of this process changes it; `None` leaves it
    /// as it is. Otherwise as [`Call::apply`], the edits of the request aside.
    ///
    /// # Errors
    /// Those of `make`, or when the fork is at another state than the caller believes.
    pub(crate) fn apply_made(
        &self,
        id: &ForkId,
        request: &Request<'_>,
        make: &dyn Fn(&Live) -> Made,
        answer: &(dyn Fn(&Edited, Seq) -> Value + Sync),
    ) -> Result<Value, ToolError> {
        let state = self.forks().open()?;
        let asked = Digest::of(request.asked.to_string().as_bytes());
        if let Some(key) = &request.key {
            // What was answered before is told to nobody else.
            self.fork(id)?;
            if let Some(done) = state.store.recall(id, key, &asked).map_err(store_error)? {
                return Ok(serde_json::from_str(&done.answer).unwrap_or_default());
            }
        }
        let writer = self.writer(id);
        let _writing = writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut attempts = 0;
        loop {
            self.check()?;
            attempts += 1;
            let live = self.replayed(id, None)?.live;
            let expected = request.expected.unwrap_or(live.seq);
            let made = match expected == live.seq {
                true => make(&live)?,
                // The store tells what the caller missed.
                false => Some(((*live.draft).clone(), Vec::new())),
            };
            let Some((draft, edits)) = made else {
                let seq = live.seq;
                return Ok(answer(&Edited { before: live.clone(), after: live, edits: Vec::new() }, seq));
            };
            let payload = payload(&edits)?;
            self.check_state(payload.len() as u64)?;
            let after = Live {
                seq: live.seq,
                book: Arc::new(Book::following(&draft, &live.book)),
                draft: Arc::new(draft),
            };
            let edited = Edited { before: live, after, edits };
            let summary = summary(&edited.edits);
            let entry = NewEntry {
                payload: &payload,
                summary: &summary,
                actor: self.principal().id(),
                applies: request.applies.as_ref(),
            };
            // What is kept for a repeated call is what this one is told.
            let told_at: Mutex<Option<(Seq, Value)>> = Mutex::default();
            let tell = |seq: Seq| {
                let mut told = told_at.lock().unwrap_or_else(PoisonError::into_inner);
                match &*told {
                    Some((at, value)) if *at == seq => value.clone(),
                    _ => told.insert((seq, answer(&edited, seq))).1.clone(),
                }
            };
            let told = |seq: Seq| tell(seq).to_string();
            let idempotency =
                request.key.as_ref().map(|key| Idempotency { key, request: asked, answer: &told });
            match state.store.append(id, expected, &entry, idempotency.as_ref(), now()) {
                Ok(Appended::Added { seq, .. }) => {
                    let made = edited.edits.iter().filter(|edit| !matches!(edit, Edit::Results(_)));
                    self.metrics().work.applied(made.count() as u64);
                    let told = tell(seq);
                    let mut edited = edited;
                    edited.after.seq = seq;
                    self.keep_live(id, &edited.after);
                    return Ok(told);
                }
                Ok(Appended::Repeated(done)) => {
                    return Ok(serde_json::from_str(&done.answer).unwrap_or_default());
                }
                // Another process was faster: on what it made of the fork, again.
                Err(StoreError::Conflict { .. }) if request.expected.is_none() && attempts < RETRIES => {
                    thread::sleep(pause(attempts));
                }
                // Who expects no state is told of none.
                Err(StoreError::Conflict { fork, .. }) if request.expected.is_none() => {
                    return Err(store_error(StoreError::Busy { place: fork.to_string() }));
                }
                Err(error) => return Err(store_error(error)),
            }
        }
    }

    pub(crate) fn work_out(
        &self,
        draft: &Arc<Draft>,
        edits: &[Edit],
    ) -> Result<(Draft, Vec<Edit>), ToolError> {
        let mut draft = (**draft).clone();
        let edits = draft.apply(edits, &Resolver { call: self }).map_err(edit_error)?;
        Ok((draft, edits))
    }
}

/// Until edits are worked out anew for that time: different for each of those who compete, and longer each time.
fn pause(attempt: u32) -> Duration {
    let most = 1_000 << attempt.min(6);
    Duration::from_micros(u64::from(getrandom::u32().unwrap_or_default() % most))
}

/// What an address of an edit means: also names, tables and structured references.
struct Resolver<'a> {
    call: &'a Call,
}

impl Places for Resolver<'_> {
    fn find(&self, book: &Workbook, address: &Address) -> Result<(SheetId, CellRange), String> {
        let default = (book.tabs.len() == 1).then_some(SheetId(0));
        let located = analysis::resolve::locate(book, address, default, self.call)
            .map_err(|error| error.to_string())?;
        let area = located.single(book).map_err(|error| error.to_string())?;
        Ok((area.sheet, area.range))
    }

    fn keeps_within(&self) -> Option<&'static str> {
        (!self.call.is_on(Flag::ExternalFormulas)).then_some(
            "refer to cells of this workbook, or have the server started with SPREADSHEET_MCP_ALLOW_EXTERNAL_FORMULAS=true",
        )
    }
}

/// Edits as an entry of the log.
pub(crate) fn payload(edits: &[Edit]) -> Result<String, ToolError> {
    let payload = Payload { version: VERSION, ops: edits.to_vec() };
    let text = serde_json::to_string(&payload).map_err(|error| {
        ToolError::new(ErrorCode::Internal, format!("the edits can't be written: {error}"))
    })?;
    if text.len() > MAX_PAYLOAD {
        return Err(ToolError::new(
            ErrorCode::LimitExceeded,
            format!("the edits take {} bytes, more than the {MAX_PAYLOAD} of one call", text.len()),
        )
        .at("ops")
        .hint("send them in several calls"));
    }
    Ok(text)
}

/// The edits of a payload.
pub(crate) fn ops_of(payload: &str) -> Result<Vec<Edit>, ToolError> {
    let payload: Payload = serde_json::from_str(payload).map_err(|error| {
        ToolError::new(ErrorCode::StateUnavailable, format!("the staged edits can't be read: {error}"))
            .hint("stage them again")
    })?;
    Ok(payload.ops)
}

/// What edits do, in words, without content of cells.
pub(crate) fn summary(edits: &[Edit]) -> String {
    let mut words: Vec<String> = edits.iter().take(5).map(Edit::summary).collect();
    if edits.len() > words.len() {
        words.push(format!("{} more", edits.len() - words.len()));
    }
    let text = words.join(", ");
    text.chars().take(MAX_SUMMARY).collect()
}
