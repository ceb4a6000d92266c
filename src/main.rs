//! `landbridge`: one private LAN, bridged from your racks into EC2.

fn main() {}
