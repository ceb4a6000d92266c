//! The cluster's directory of volumes on a host: a storage pool that we make when the first machine comes and remove with the last.

use std::path::Path;

use landbridge_node::machine::crash;
use virt::connect::Connect;
use virt::error::{Error, ErrorNumber};
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;
use virt::stream::Stream;

use super::error::{failure, refused};
use super::tags;
use super::xml::Element;
use crate::provider::ProviderError;

/// The most of a volume that one message to libvirt carries.
const CHUNK: usize = 64 * 1024;

/// The cluster's pool on a host.
pub(super) struct Pool<'a> {
    pub(super) connect: &'a Connect,
    /// `landbridge-CLUSTER`.
    pub(super) name: &'a str,
    /// Its directory on the host.
    pub(super) directory: &'a Path,
}

impl Pool<'_> {
    /// The pool, active, with what is in its directory now; `None` where there is none.
    pub(super) fn find(&self) -> Result<Option<StoragePool>, ProviderError> {
        let failed = |error: Error| failure("looking at the storage pool", self.name, &error);
        let pool = match StoragePool::lookup_by_name(self.connect, self.name) {
            Err(error) if error.code() == ErrorNumber::NoStoragePool => return Ok(None),
            found => found.map_err(failed)?,
        };
        if pool.get_uuid_string().map_err(failed)? != tags::uuid(self.name) {
            let seen = format!("the host has a pool named {}, which landbridge did not make", self.name);
            return Err(refused("making the storage pool", self.name, seen, "rename that pool, or the cluster"));
        }
        if !pool.is_active().map_err(failed)? {
            pool.build(0).and_then(|_| pool.create(0)).map_err(failed)?;
        }
        pool.refresh(0).map_err(failed)?;
        Ok(Some(pool))
    }

    /// The pool, made if there is none.
    pub(super) fn ensure(&self) -> Result<StoragePool, ProviderError> {
        if let Some(pool) = self.find()? {
            return Ok(pool);
        }
        let failed = |error: Error| failure("making the storage pool", self.name, &error);
        let mode = Element::new("permissions").child(Element::new("mode").text("0711"));
        let path = Element::new("path").text(self.directory.display());
        let xml = Element::new("pool")
            .attribute("type", "dir")
            .child(Element::new("name").text(self.name))
            .child(Element::new("uuid").text(tags::uuid(self.name)))
            .child(Element::new("target").child(path).child(mode));
        let pool = StoragePool::define_xml(self.connect, &xml.to_string(), 0).map_err(failed)?;
        crash::point();
        pool.build(0).and_then(|_| pool.create(0)).map_err(failed)?;
        crash::point();
        Ok(pool)
    }

    /// The names of what lies in it.
    pub(super) fn volumes(&self) -> Result<Vec<String>, ProviderError> {
        let Some(pool) = self.find()? else { return Ok(Vec::new()) };
        let mut names = pool.list_volumes().map_err(|error| failure("listing the volumes", self.name, &error))?;
        names.sort();
        Ok(names)
    }

    /// Deletes every volume that is chosen; when none is left, the pool and its directory go too.
    pub(super) fn delete(&self, chosen: impl Fn(&str) -> bool) -> Result<(), ProviderError> {
        let Some(pool) = self.find()? else { return Ok(()) };
        let failed = |error: Error| failure("deleting the volumes", self.name, &error);
        let (going, staying): (Vec<_>, Vec<_>) =
            pool.list_volumes().map_err(failed)?.into_iter().partition(|name| chosen(name));
        for name in going {
            match StorageVol::lookup_by_name(&pool, &name).and_then(|volume| volume.delete(0)) {
                Err(error) if error.code() != ErrorNumber::NoStorageVolume => {
                    return Err(failure("deleting the volume", &name, &error));
                }
                _ => crash::point(),
            }
        }
        if staying.is_empty() {
            pool.destroy().map_err(failed)?;
            crash::point();
            pool.delete(0).map_err(failed)?;
            crash::point();
            pool.undefine().map_err(failed)?;
            crash::point();
        }
        Ok(())
    }
}

/// Makes a volume and writes its beginning.
pub(super) fn make(pool: &StoragePool, name: &str, xml: &Element, head: &[u8]) -> Result<(), ProviderError> {
    let failed = |error: Error| failure("making the volume", name, &error);
    let volume = StorageVol::create_xml(pool, &xml.to_string(), 0).map_err(failed)?;
    crash::point();
    if head.is_empty() {
        return Ok(());
    }
    let failed = |error: Error| failure("writing the volume", name, &error);
    let stream = Stream::new(&pool.get_connect().map_err(failed)?, 0).map_err(failed)?;
    volume.upload(&stream, 0, head.len() as u64, 0).map_err(failed)?;
    let mut rest = head;
    while !rest.is_empty() {
        let sent = stream.send(&rest[..rest.len().min(CHUNK)]).map_err(failed)?;
        rest = &rest[sent..];
    }
    stream.finish().map_err(failed)
}

/// The last `most` bytes of a volume that somebody may still be writing; `None` where there is none.
pub(super) fn tail(pool: &StoragePool, name: &str, most: u64) -> Result<Option<Vec<u8>>, ProviderError> {
    let failed = |error: Error| failure("reading the volume", name, &error);
    let volume = match StorageVol::lookup_by_name(pool, name) {
        Err(error) if error.code() == ErrorNumber::NoStorageVolume => return Ok(None),
        found => found.map_err(failed)?,
    };
    let size = volume.get_info().map_err(failed)?.capacity;
    let stream = Stream::new(&pool.get_connect().map_err(failed)?, 0).map_err(failed)?;
    let (offset, length) = (size.saturating_sub(most), size.min(most));
    if length == 0 {
        return Ok(Some(Vec::new()));
    }
    volume.download(&stream, offset, length, 0).map_err(failed)?;
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; CHUNK]);
    loop {
        match stream.recv(&mut chunk).map_err(failed)? {
            0 => break,
            n => bytes.extend_from_slice(&chunk[..n]),
        }
    }
    stream.finish().map_err(failed)?;
    Ok(Some(bytes))
}
