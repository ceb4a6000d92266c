//! Each failure of a join is named in plain words, on the worker and on the front-end; and when its cause is gone, the same
//! machine joins.

mod door;
mod seen;
mod way;
