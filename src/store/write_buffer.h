// A way to the disk for the writer's connection that joins the writes to the log. SQLite writes a commit in many small
// pieces, a header and a page at a time; each piece is a system call, and together they cost as much as some of the
// statements. Here the pieces are collected and written at once, at the latest when SQLite syncs the log.
//
// That is safe because with synchronous=FULL a commit becomes visible to others only after that sync, and because every
// other call on the file writes the buffer first. A write that fails is reported by the call that wrote, at the latest
// by the sync, which is before the commit is said. Writes to the database itself pass through: a checkpoint that
// covers only a part of the log tells the readers to look there without syncing first.
#pragma once

namespace triage::store {

// The name of the VFS, for sqlite3_open_v2. It goes through the VFS that is the default when a file is opened.
const char* write_buffer_vfs();

}  // namespace triage::store
