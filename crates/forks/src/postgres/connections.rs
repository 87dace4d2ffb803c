//! A bounded number of connections, and what becomes of those that are lost.

use std::cell::Cell;
use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use deadpool::managed::{Metrics, Object, Pool, PoolError, RecycleError, RecycleResult, TimeoutType};
use deadpool::{Runtime, Status};
use deadpool_postgres::ClientWrapper;
use recloser::Recloser;
use tokio::runtime::Handle;
use tokio_postgres::Client;

use super::dial::Dialer;
use super::failure::{Failure, Fate, fate};
use super::{PostgresOptions, PostgresUrl, schema};
use crate::{ConnectionCounts, StoreError};

/// What a piece of work for the cleaner may take, which deletes much.
const LONG: Duration = Duration::from_secs(60);

/// For how long a connection is used: password, addresses and tables are looked at again with each new one.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// Out of so many uses in a row, half must fail for the database to be left alone for a moment; it is tried again with so many.
const JUDGED: usize = 10;
const TRIED: usize = 2;
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// How long a database that was found away may take to say that it is back, beside trying its other hosts.
const BACK: Duration = Duration::from_secs(1);

/// Forks are found by their keys, at any size of any table and whatever the planner believes of it. Plans that it believes to be
/// dear, as it does then, would be compiled, which takes longer than any of them.
const PLANS: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
                     SET plan_cache_mode = force_generic_plan; SET jit = off;";

/// The connections to one database.
pub(super) struct Connections {
    pool: Pool<Manager>,
    place: String,
    patience: Duration,
    runtime: Handle,
    breaker: Recloser,
    is_left_alone: AtomicBool,
    /// Whether it was away when it was last asked.
    is_doubted: AtomicBool,
    back: Duration,
    failures: AtomicU64,
    refusals: AtomicU64,
}

/// How often the same thing is tried, and whether an earlier try may have done it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt {
    /// An earlier attempt may have succeeded: its answer was lost.
    pub(super) is_repeated: bool,
}

/// How long something may take, and whether it changes anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    LongWrite,
}

impl Connections {
    pub(super) fn new(
        url: &PostgresUrl,
        options: PostgresOptions,
        runtime: Handle,
    ) -> Result<Connections, String> {
        let patience = options.patience;
        let dialer = Dialer::new(url, &options)?;
        let other_times = options.connect_timeout.saturating_mul(dialer.other_hosts());
        let back = patience.min(BACK.saturating_add(other_times));
        let manager = Manager { dialer, patience, password: options.password };
        let pool = Pool::builder(manager)
            .max_size(options.connections)
            .wait_timeout(Some(patience))
            // Each of several hosts has its own time to connect.
            .create_timeout(Some(patience))
            .recycle_timeout(Some(patience))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| error.to_string())?;
        let breaker = Recloser::custom()
            .error_rate(0.5)
            .closed_len(JUDGED)
            .half_open_len(TRIED)
            .open_wait(LEFT_ALONE)
            .build();
        Ok(Connections {
            pool,
            place: url.to_string(),
            patience,
            runtime,
            breaker,
            is_left_alone: AtomicBool::new(false),
            is_doubted: AtomicBool::new(false),
            back,
            failures: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
        })
    }

    /// Asks the database. It is asked again when the connection was lost.
    pub(super) fn read<T>(
        &self,
        body: impl AsyncFn(&ClientWrapper) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.run(Kind::Read, async |client, _| body(client).await)
            .map_err(|(failure, _)| self.explain(failure, false))
    }

    /// Changes something by one statement. When the connection was lost, it is repeated over another one: `body` finds out
    /// whether it was done before.
    pub(super) fn write<T>(
        &self,
        body: impl AsyncFn(&ClientWrapper, Attempt) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.try_write(body).map_err(|(failure, in_doubt)| self.explain(failure, in_doubt))
    }

    /// As [`write`](Self::write), for what may take longer.
    pub(super) fn write_long<T>(
        &self,
        body: impl AsyncFn(&ClientWrapper, Attempt) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.run(Kind::LongWrite, body).map_err(|(failure, in_doubt)| self.explain(failure, in_doubt))
    }

    /// As [`write`](Self::write), for a body whose failure the caller explains: with whether it may have been done after all.
    pub(super) fn try_write<T>(
        &self,
        body: impl AsyncFn(&ClientWrapper, Attempt) -> Result<T, Failure>,
    ) -> Result<T, (Failure, bool)> {
        self.run(Kind::Write, body)
    }

    pub(super) fn explain(&self, failure: Failure, in_doubt: bool) -> StoreError {
        failure.explain(&self.place, in_doubt)
    }

    pub(super) fn counts(&self) -> ConnectionCounts {
        let Status { max_size, size, available, waiting } = self.pool.status();
        ConnectionCounts {
            most: max_size,
            open: size,
            used: size.saturating_sub(available),
            waiting,
            failures: self.failures.load(Ordering::Relaxed),
            refusals: self.refusals.load(Ordering::Relaxed),
            is_left_alone: self.is_left_alone.load(Ordering::Relaxed),
        }
    }

    /// Runs `body` within one transaction, for as long as it takes: each of its statements has its own time. It is not repeated.
    pub(super) fn session<T>(
        &self,
        begin: &str,
        body: impl AsyncFnOnce(&ClientWrapper) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut is_ending = false;
        let done = self.guarded(|| {
            self.runtime.block_on(async {
                let client = self.lend().await?;
                client.batch_execute(begin).await?;
                let value = body(&client).await?;
                is_ending = true;
                client.batch_execute("COMMIT").await?;
                client.give_back();
                Ok(value)
            })
        });
        done.map_err(|failure| self.explain(failure, is_ending))
    }

    fn run<T>(
        &self,
        kind: Kind,
        body: impl AsyncFn(&ClientWrapper, Attempt) -> Result<T, Failure>,
    ) -> Result<T, (Failure, bool)> {
        let in_doubt = Cell::new(false);
        let limit = if kind == Kind::LongWrite { LONG } else { self.patience };
        self.guarded(|| {
            self.runtime.block_on(async {
                match tokio::time::timeout(limit, self.attempts(kind, &in_doubt, &body)).await {
                    Ok(done) => done,
                    Err(_) => Err(Failure::Late),
                }
            })
        })
        .map_err(|failure| (failure, in_doubt.get()))
    }

    /// Leaves a database alone that fails. One that was away is first asked whether it is back, so that not everybody waits for it
    /// in turn for as long as their work may take.
    fn guarded<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        let done = self.breaker.call_with(Failure::is_absence, || {
            if self.is_doubted.load(Ordering::Relaxed) {
                self.within(self.back, async {
                    let client = self.lend().await?;
                    client.batch_execute("SELECT 1").await?;
                    client.give_back();
                    Ok(())
                })?;
            }
            work()
        });
        let is_rejected = matches!(done, Err(recloser::Error::Rejected));
        self.is_left_alone.store(is_rejected, Ordering::Relaxed);
        match done {
            Ok(value) => {
                self.is_doubted.store(false, Ordering::Relaxed);
                Ok(value)
            }
            Err(recloser::Error::Inner(failure)) => {
                self.is_doubted.store(failure.is_absence(), Ordering::Relaxed);
                if failure.is_absence() {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                }
                Err(failure)
            }
            Err(recloser::Error::Rejected) => {
                self.refusals.fetch_add(1, Ordering::Relaxed);
                Err(Failure::Away(
                    "it failed several times in a row, and is left alone for a second".to_owned(),
                ))
            }
        }
    }

    async fn attempts<T>(
        &self,
        kind: Kind,
        in_doubt: &Cell<bool>,
        body: &impl AsyncFn(&ClientWrapper, Attempt) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let waits = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(10))
            .with_max_delay(Duration::from_millis(500))
            .with_jitter()
            .without_max_times();
        let mut waits = waits.build();
        let mut lost: u32 = 0;
        loop {
            let failure = match self.attempt(kind, in_doubt, body).await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let may_repeat = match &failure {
                Failure::Statement(error) => match fate(error) {
                    Fate::Refused => false,
                    Fate::Undone | Fate::ReadOnly => true,
                    Fate::Unknown => {
                        lost += 1;
                        in_doubt.get() || lost < 3
                    }
                },
                // Who does not know what became of a change asks until time is up.
                Failure::Away(_) | Failure::Busy => in_doubt.get(),
                _ => false,
            };
            match waits.next() {
                Some(wait) if may_repeat => tokio::time::sleep(wait).await,
                _ => return Err(failure),
            }
        }
    }

    async fn attempt<T>(
        &self,
        kind: Kind,
        in_doubt: &Cell<bool>,
        body: &impl AsyncFn(&ClientWrapper, Attempt) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let client = self.lend().await?;
        let was_in_doubt = in_doubt.replace(in_doubt.get() || kind != Kind::Read);
        let done = body(&client, Attempt { is_repeated: was_in_doubt }).await;
        let is_lost = match &done {
            Err(Failure::Statement(error)) => fate(error),
            _ => Fate::Refused,
        };
        match is_lost {
            Fate::Unknown => {}
            // The next connection is made to who may write.
            Fate::ReadOnly => in_doubt.set(was_in_doubt),
            Fate::Refused | Fate::Undone => {
                in_doubt.set(was_in_doubt);
                client.give_back();
            }
        }
        done
    }

    async fn lend(&self) -> Result<Lent, Failure> {
        match self.pool.get().await {
            Ok(object) => Ok(Lent(Some(object))),
            Err(PoolError::Backend(failure)) => Err(failure),
            Err(PoolError::Timeout(TimeoutType::Wait)) => Err(Failure::Busy),
            Err(_) => Err(Failure::Away("a connection takes too long to stand".to_owned())),
        }
    }

    fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.runtime.block_on(async {
            match tokio::time::timeout(limit, work).await {
                Ok(done) => done,
                Err(_) => Err(Failure::Late),
            }
        })
    }
}

/// A connection that goes back when it is in a known state, and is closed when it is not.
struct Lent(Option<Object<Manager>>);

impl Lent {
    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Deref for Lent {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.0.as_ref().expect("invariant: it is lent until it is given back")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // What is taken from its pool is closed.
        drop(self.0.take().map(Object::take));
    }
}

/// Makes connections, and looks whether they can be used.
struct Manager {
    dialer: Dialer,
    patience: Duration,
    password: super::Password,
}

impl deadpool::managed::Manager for Manager {
    type Type = ClientWrapper;
    type Error = Failure;

    async fn create(&self) -> Result<ClientWrapper, Failure> {
        let (client, served) = self.dialer.connect(&self.password).await?;
        let client = ClientWrapper::new(client, served);
        let millis = self.patience.as_millis();
        let setup = format!(
            "SET search_path = {schema}; SET statement_timeout = '{long}'; SET lock_timeout = '{millis}'; \
             SET idle_in_transaction_session_timeout = '{long}'; SET default_transaction_isolation = 'read committed'; \
             SET synchronous_commit = on; {PLANS}",
            schema = schema::NAME,
            long = LONG.as_millis(),
        );
        client.batch_execute(&setup).await?;
        schema::check(&client).await?;
        Ok(client)
    }

    async fn recycle(&self, client: &mut ClientWrapper, metrics: &Metrics) -> RecycleResult<Failure> {
        match client.is_closed() || metrics.age() > LIFETIME {
            true => Err(RecycleError::message("another one is made")),
            false => Ok(()),
        }
    }
}

/// A connection of its own, without a pool, for what is not about forks.
pub(super) fn alone(
    url: &PostgresUrl,
    options: &PostgresOptions,
    runtime: &Handle,
) -> Result<Client, StoreError> {
    let explain = |failure: Failure| failure.explain(&url.to_string(), false);
    let dialer = Dialer::new(url, options).map_err(|problem| explain(Failure::Refused(problem)))?;
    runtime.block_on(async {
        let connected = tokio::time::timeout(options.patience, dialer.connect(&options.password)).await;
        let connected = connected.unwrap_or(Err(Failure::Late));
        connected.map(|(client, _)| client).map_err(explain)
    })
}
