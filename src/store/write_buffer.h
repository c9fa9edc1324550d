// A way to the disk for the writer's connection that joins neighbouring writes. SQLite writes a commit to its log in
// many small pieces, a header and a page at a time, and a checkpoint page by page; each piece is a system call, and
// together they cost more than the statements. Here the pieces are collected and written at once, at the latest when
// SQLite syncs the file.
//
// That is safe because SQLite makes what it wrote visible to others only after a sync (synchronous=FULL), and because
// everything else that looks at the file through this handle writes the buffer first. A write that fails is reported by
// the call that wrote, at the latest by the sync, which is before the commit is said.
#pragma once

namespace triage::store {

// The name of the VFS, for sqlite3_open_v2. It goes through the VFS that is the default when a file is opened.
const char* write_buffer_vfs();

}  // namespace triage::store
