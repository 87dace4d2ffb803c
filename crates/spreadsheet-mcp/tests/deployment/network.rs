//! Where the NetworkPolicy lets the server connect to.

use std::net::{IpAddr, Ipv6Addr};

use components::installed;
use serde_json::Value;

use crate::{
    manifests::of_kind,
    source::{documents, place, said},
};

/// The overlay `rolling` with a component, as somebody writes it who uses it.
fn rendered(component: Option<&str>) -> Option<Vec<Value>> {
    let kubectl = installed("kubectl")?;
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().canonicalize().expect("a path");
    // Kustomize takes no absolute paths.
    let up = "../".repeat(folder.components().count() - 1);
    let root = place("deploy/kustomize").canonicalize().expect("a path");
    let root = format!("{up}{}", root.strip_prefix("/").expect("absolute").display());
    let mut page = format!("resources: [{root}/overlays/rolling]\n");
    if let Some(component) = component {
        page.push_str(&format!("components: [{root}/components/{component}]\n"));
    }
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("kustomization.yaml"), page).expect("written");
    Some(documents(&said(&kubectl, &["kustomize", folder.to_str().expect("a path")])))
}

/// The bits of an address, an IPv4 one as it is mapped into IPv6.
fn bits(address: IpAddr) -> u128 {
    let mapped = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    Ipv6Addr::to_bits(mapped)
}

fn is_in(address: IpAddr, cidr: &Value) -> bool {
    let (start, length) = cidr.as_str().and_then(|cidr| cidr.split_once('/')).expect("a range");
    let (start, length): (IpAddr, u32) = (start.parse().expect("an address"), length.parse().expect("bits"));
    let ignored = if start.is_ipv4() { 32 - length } else { 128 - length };
    start.is_ipv4() == address.is_ipv4()
        && bits(start).checked_shr(ignored).unwrap_or(0) == bits(address).checked_shr(ignored).unwrap_or(0)
}

/// Whether any policy of the server lets it connect there. Those that select pods say nothing of addresses.
fn lets_out(objects: &[Value], to: &str, port: u64) -> bool {
    let address: IpAddr = to.parse().expect("an address");
    let is_meant = |peer: &Value| {
        let block = &peer["ipBlock"];
        let is_excepted =
            block["except"].as_array().is_some_and(|ranges| ranges.iter().any(|range| is_in(address, range)));
        block.is_object() && is_in(address, &block["cidr"]) && !is_excepted
    };
    let server = |policy: &&&Value| {
        policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "spreadsheet-mcp"
    };
    let policies = of_kind(objects, "NetworkPolicy");
    let rules = policies.iter().filter(server).flat_map(|policy| policy["spec"]["egress"].as_array());
    rules.flatten().any(|rule| {
        let to = rule.get("to").is_none_or(|peers| peers.as_array().expect("peers").iter().any(is_meant));
        to && rule["ports"].as_array().expect("ports").iter().any(|known| known["port"] == port)
    })
}

/// Metadata of machines, by which a pod would become the machine; and what lies beside it.
const MACHINES: [(&str, u64); 8] = [
    ("169.254.169.254", 80),
    ("169.254.169.254", 443),
    ("169.254.169.252", 988),
    ("169.254.170.2", 80),
    ("169.254.170.23", 80),
    ("fd00:ec2::254", 80),
    ("fd00:ec2::23", 80),
    ("fd20:ce::254", 443),
];

#[track_caller]
fn check(component: Option<&str>, opened: &[(&str, u64)]) {
    let Some(objects) = rendered(component) else { return };
    for (address, port) in MACHINES {
        let expected = opened.contains(&(address, port));
        assert_eq!(lets_out(&objects, address, port), expected, "{component:?}: {address}, port {port}");
    }
    for (address, port) in opened {
        assert!(lets_out(&objects, address, *port), "{component:?}: {address}, port {port}");
    }
    for address in ["192.0.2.1", "2001:db8::1", "fd12:3456::1"] {
        for port in [443, 5432, 8200] {
            assert!(lets_out(&objects, address, port), "{component:?}: {address}, port {port}");
        }
        for port in [80, 988, 22] {
            assert!(!lets_out(&objects, address, port), "{component:?}: {address}, port {port}");
        }
    }
    assert!(!lets_out(&objects, "fe80::1", 443), "{component:?}");
}

#[test]
fn no_pod_becomes_its_machine() {
    check(None, &[]);
}

#[test]
fn pods_get_their_roles_where_a_component_says_so_and_nothing_else() {
    check(Some("workload-identity/eks"), &[("169.254.170.23", 80), ("fd00:ec2::23", 80)]);
    check(
        Some("workload-identity/gke"),
        &[("169.254.169.254", 80), ("169.254.169.254", 988), ("169.254.169.252", 988)],
    );
}
