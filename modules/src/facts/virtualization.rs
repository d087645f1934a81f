//! Whether this is a guest or a host of virtual machines or containers, in Ansible's order of looking.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Facts, exists, file};
use crate::context::Context;

/// What was found: the first finding gives type and role, all give the sets.
#[derive(Default)]
struct Found {
    first: Option<(String, &'static str)>,
    guest: BTreeSet<String>,
    host: BTreeSet<String>,
}

impl Found {
    fn guest(&mut self, kind: &str) {
        self.guest.insert(kind.to_owned());
        self.first.get_or_insert_with(|| (kind.to_owned(), "guest"));
    }

    fn host(&mut self, kind: &str) {
        self.host.insert(kind.to_owned());
        self.first.get_or_insert_with(|| (kind.to_owned(), "host"));
    }
}

pub(super) fn collect(cx: &Context<'_>, facts: &mut Facts) {
    let mut found = Found::default();
    containers(cx, &mut found);
    machines(cx, &mut found);
    hosts(cx, &mut found);
    let (kind, role) = found.first.unwrap_or(("NA".into(), "NA"));
    facts.insert("virtualization_type".into(), json!(kind));
    facts.insert("virtualization_role".into(), json!(role));
    facts.insert("virtualization_tech_guest".into(), json!(found.guest));
    facts.insert("virtualization_tech_host".into(), json!(found.host));
}

fn containers(cx: &Context<'_>, found: &mut Found) {
    for line in file(cx, "/proc/1/cgroup").unwrap_or_default().lines() {
        match () {
            () if line.contains("/docker/") || line.contains("/docker-") && line.ends_with(".scope") => found.guest("docker"),
            () if line.contains("/lxc/") || line.contains("/machine.slice/machine-lxc") => found.guest("lxc"),
            () if line.contains("/system.slice/containerd.service") => found.guest("containerd"),
            () => {}
        }
    }
    for variable in file(cx, "/proc/1/environ").unwrap_or_default().split('\0') {
        match variable.strip_prefix("container=") {
            Some("lxc") => found.guest("lxc"),
            Some("podman") => found.guest("podman"),
            Some(other) if !other.is_empty() => found.guest("container"),
            _ => {}
        }
    }
    if exists(cx, "/proc/vz") && !exists(cx, "/proc/lve") {
        if exists(cx, "/proc/bc") { found.host("openvz") } else { found.guest("openvz") }
    }
    let container = file(cx, "/run/systemd/container");
    container.iter().for_each(|kind| found.guest(kind));
    if exists(cx, "/.dockerenv") || exists(cx, "/.dockerinit") {
        found.guest("docker");
    }
    if container.is_some() || ["docker", "lxc", "podman", "openvz", "containerd"].iter().any(|kind| found.guest.contains(*kind)) {
        found.guest.insert("container".into());
    }
}

fn machines(cx: &Context<'_>, found: &mut Found) {
    if exists(cx, "/proc/xen") {
        let host = file(cx, "/proc/xen/capabilities").is_some_and(|text| text.contains("control_d"));
        if host { found.host("xen") } else { found.guest("xen") }
    }
    let dmi = |name: &str| file(cx, format!("/sys/devices/virtual/dmi/id/{name}")).unwrap_or_default();
    let (product, vendor, family, bios) = (dmi("product_name"), dmi("sys_vendor"), dmi("product_family"), dmi("bios_vendor"));
    match product.as_str() {
        "KVM" | "KVM Server" | "Bochs" | "AHV" | "CloudStack KVM Hypervisor" => found.guest("kvm"),
        "OpenStack Compute" | "OpenStack Nova" => found.guest("openstack"),
        name if name.starts_with("VMware") => found.guest("VMware"),
        _ => {}
    }
    match bios.as_str() {
        "Xen" => found.guest("xen"),
        "innotek GmbH" => found.guest("virtualbox"),
        "Amazon EC2" | "DigitalOcean" | "Hetzner" | "Linode" => found.guest("kvm"),
        _ => {}
    }
    match vendor.as_str() {
        "QEMU" | "Amazon EC2" | "DigitalOcean" | "Google" | "Scaleway" | "Nutanix" => found.guest("kvm"),
        "oVirt" | "KubeVirt" => found.guest(&vendor),
        "Red Hat" if family == "RHV" => found.guest("RHV"),
        "Red Hat" if product == "RHEV Hypervisor" => found.guest("RHEV"),
        "Microsoft Corporation" => found.guest("VirtualPC"),
        "Parallels Software International Inc." => found.guest("parallels"),
        "OpenStack Foundation" => found.guest("openstack"),
        _ => {}
    }
    let cpuinfo = file(cx, "/proc/cpuinfo").unwrap_or_default();
    for line in cpuinfo.lines() {
        match () {
            () if line.starts_with("model name") && line.contains("QEMU Virtual CPU") => found.guest("kvm"),
            () if line.starts_with("vendor_id") && line.contains("User Mode Linux") => found.guest("uml"),
            () if line.starts_with("vendor_id") && line.contains("IBM/S390") => found.guest("ibm_systemz"),
            () => {}
        }
    }
}

fn hosts(cx: &Context<'_>, found: &mut Found) {
    let modules = file(cx, "/proc/modules").unwrap_or_default();
    let loaded = |name: &str| modules.lines().any(|line| line.split(' ').next() == Some(name));
    if loaded("kvm") {
        found.host("kvm");
    }
    if loaded("vboxdrv") {
        found.host("virtualbox");
    }
    if loaded("virtio") {
        found.host.insert("kvm".into());
        found.first.get_or_insert_with(|| ("kvm".into(), "guest"));
    }
    if exists(cx, "/dev/kvm") {
        found.host("kvm");
    }
}
