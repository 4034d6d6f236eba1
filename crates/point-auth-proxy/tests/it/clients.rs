//! Clients that nobody here wrote: curl, Python's requests, node's fetch, Java's client, and nginx
//! in front. A missing one is reported and skipped.
