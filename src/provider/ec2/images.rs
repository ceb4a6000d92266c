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
    /// The device names of its volumes, the root's first, for example `/dev/xvda`.
    volumes: Vec<String>,
}

impl Image {
    pub(super) fn new(root: &str, mappings: &[BlockDeviceMapping]) -> Self {
        let others = mappings.iter().filter(|it| it.ebs().is_some()).filter_map(BlockDeviceMapping::device_name);
        let others = others.filter(|name| *name != root).map(str::to_owned);
        Self { volumes: std::iter::once(root.to_owned()).chain(others).collect() }
    }

    /// What an instance is asked to make of its volumes.
    pub(super) fn encrypted(&self) -> Vec<BlockDeviceMapping> {
        let ebs = EbsBlockDevice::builder().encrypted(true).delete_on_termination(true).build();
        let mapping = |name: &String| BlockDeviceMapping::builder().device_name(name).ebs(ebs.clone()).build();
        self.volumes.iter().map(mapping).collect()
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
