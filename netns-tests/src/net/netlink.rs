//! A netlink conversation as one blocking call.

use std::io;

use futures_util::TryStreamExt as _;
use rtnetlink::Handle;
use rtnetlink::packet_route::link::LinkMessage;

/// Opens a netlink socket in this thread's network namespace and runs the conversation to its end.
pub(crate) fn converse<T, F: Future<Output = io::Result<T>>>(talk: impl FnOnce(Handle) -> F) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection()?;
        let connection = tokio::spawn(connection);
        let result = talk(handle).await;
        connection.abort();
        result
    })
}

/// An error that says what was tried.
pub(crate) fn refused(operation: &str) -> impl FnOnce(rtnetlink::Error) -> io::Error + '_ {
    move |err| match err {
        rtnetlink::Error::NetlinkError(message) => {
            let cause = message.to_io();
            io::Error::new(cause.kind(), format!("{operation}: {cause}"))
        }
        other => io::Error::other(format!("{operation}: {other}")),
    }
}

/// The link of this name; none if there is none.
pub(crate) async fn find_link(handle: &Handle, name: &str) -> io::Result<Option<LinkMessage>> {
    match handle.link().get().match_name(name.to_owned()).execute().try_next().await {
        Ok(link) => Ok(link),
        Err(rtnetlink::Error::NetlinkError(message)) if message.raw_code() == -nix::libc::ENODEV => Ok(None),
        Err(err) => Err(refused(&format!("looking for link {name}"))(err)),
    }
}

/// The index of the link of this name.
pub(crate) async fn index_of(handle: &Handle, name: &str) -> io::Result<u32> {
    let link = find_link(handle, name).await?;
    let missing = || io::Error::new(io::ErrorKind::NotFound, format!("there is no link {name}"));
    link.map(|link| link.header.index).ok_or_else(missing)
}
