//! Images: which volumes they bring, so that all of them are encrypted and end with their instance.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_ec2::types::{BlockDeviceMapping, DeviceType, EbsBlockDevice};

use super::answer::Answer;
use super::{Ec2, ProviderError};

/// What is known of images. An image never changes under its id.
#[derive(Default)]
pub(super) struct Known(Mutex<HashMap<String, Image>>);

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// The volumes that it brings, its root's among them.
    volumes: Vec<ImageVolume>,
}

/// A volume of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ImageVolume {
    /// For example `/dev/xvda`.
    device: String,
    /// In GiB, where the image says so.
    size: Option<i32>,
}

impl ImageVolume {
    fn of(mapping: &BlockDeviceMapping) -> Option<Self> {
        let device = mapping.device_name()?.to_owned();
        Some(Self { device, size: mapping.ebs()?.volume_size() })
    }

    /// Encrypted, and gone with its instance. EC2 knows the size from the image, others want to be told.
    fn encrypted(&self) -> BlockDeviceMapping {
        let ebs = EbsBlockDevice::builder().encrypted(true).delete_on_termination(true).set_volume_size(self.size);
        BlockDeviceMapping::builder().device_name(&self.device).ebs(ebs.build()).build()
    }
}

impl Image {
    fn new(root: &str, mappings: &[BlockDeviceMapping]) -> Self {
        let mut volumes: Vec<ImageVolume> = mappings.iter().filter_map(ImageVolume::of).collect();
        if volumes.iter().all(|volume| volume.device != root) {
            volumes.insert(0, ImageVolume { device: root.to_owned(), size: None });
        }
        Self { volumes }
    }

    /// What an instance is asked to make of its volumes.
    pub(super) fn encrypted(&self) -> Vec<BlockDeviceMapping> {
        self.volumes.iter().map(ImageVolume::encrypted).collect()
    }
}

impl Ec2 {
    /// Looks an image up, once.
    pub(super) async fn image(&self, ami: &str) -> Result<Image, ProviderError> {
        if let Some(known) = self.images.0.lock().unwrap_or_else(PoisonError::into_inner).get(ami) {
            return Ok(known.clone());
        }
        let image =
            self.ask_for_image(ami).await.map_err(|answer| self.unanswered("looking up the image", ami, answer))?;
        self.images.0.lock().unwrap_or_else(PoisonError::into_inner).insert(ami.to_owned(), image.clone());
        Ok(image)
    }

    async fn ask_for_image(&self, ami: &str) -> Result<Image, Answer> {
        let found = self.client.describe_images().image_ids(ami).send().await?;
        let none = || Answer::of(Some("InvalidAMIID.NotFound"), &format!("The image id '[{ami}]' does not exist"), 400);
        let image = found.images().first().ok_or_else(none)?;
        match (image.root_device_type(), image.root_device_name()) {
            (Some(DeviceType::Ebs), Some(root)) => Ok(Image::new(root, image.block_device_mappings())),
            _ => Err(Answer::refused("its root is no EBS volume, which alone can be encrypted")),
        }
    }
}
