//! The cloud's images. The golden one's and the bare one's root file system is the lab's own; the stock one's knows of nothing.

/// Joins by its user-data as soon as it has started. The id is that of the template of 2008.
pub const GOLDEN_AMI: &str = "ami-d5c226bc";

/// Starts, and waits for whoever comes.
pub const BARE_AMI: &str = "ami-0000000000000ba4e";

/// Debian as everybody has it, in an emulated machine: it joins by cloud-init.
pub const STOCK_AMI: &str = "ami-0000000000000570c";

/// As moto wants them.
pub(super) const AMIS: &str = r#"[
  {"ami_id": "ami-d5c226bc", "name": "landbridge-golden", "description": "joins by its user-data", "owner_id": "123456789012",
   "architecture": "x86_64", "hypervisor": "xen", "image_location": "lab/golden", "image_type": "machine", "platform": null,
   "public": true, "root_device_name": "/dev/sda1", "root_device_type": "ebs", "sriov": "simple", "state": "available",
   "virtualization_type": "hvm"},
  {"ami_id": "ami-0000000000000ba4e", "name": "landbridge-bare", "description": "waits", "owner_id": "123456789012",
   "architecture": "x86_64", "hypervisor": "xen", "image_location": "lab/bare", "image_type": "machine", "platform": null,
   "public": true, "root_device_name": "/dev/sda1", "root_device_type": "ebs", "sriov": "simple", "state": "available",
   "virtualization_type": "hvm"},
  {"ami_id": "ami-0000000000000570c", "name": "debian-stock", "description": "joins by cloud-init", "owner_id": "123456789012",
   "architecture": "x86_64", "hypervisor": "xen", "image_location": "lab/stock", "image_type": "machine", "platform": null,
   "public": true, "root_device_name": "/dev/sda1", "root_device_type": "ebs", "sriov": "simple", "state": "available",
   "virtualization_type": "hvm"}
]"#;
