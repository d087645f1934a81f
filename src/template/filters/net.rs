//! Addresses and networks: the filters of ansible.utils that take them apart.

mod address;
pub mod hardware;
pub mod ipaddr;
pub mod subnet;
