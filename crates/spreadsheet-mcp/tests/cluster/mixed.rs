//! Nothing goes wrong: ten thousand calls of everything.

use crate::{
    cluster::{Cluster, Setup},
    load::Load,
    python::Clients,
};

const CALLS: u64 = 9_600;
/// Calls of the Python SDK.
const PYTHON_CALLS: usize = 400;
const CLIENTS: usize = 12;
const FORKS: usize = 6;

#[test]
fn everybody_sees_their_own_writes_in_ten_thousand_calls() {
    let Some(cluster) = Cluster::start(&Setup::default()) else { return };
    let load = Load { has_private_forks: true, ..Load::of(&cluster, FORKS, CLIENTS) };
    let python = Clients::start(&cluster, &load.forks, PYTHON_CALLS);
    let (mut ran, seen) = load.run(|progress| {
        progress.wait_for(CALLS);
        python.map(Clients::records)
    });
    ran.check_undisturbed();
    ran.records.join(seen.unwrap_or_default());
    ran.records.check(&*cluster.store());
}
