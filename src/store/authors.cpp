// Customers: one row a person a platform.
#include "store/database.h"

namespace triage::store {
namespace {

const Sql kFind(
    "SELECT id, platform, native_id, handle, name, followers, verified, first_seen, cases FROM authors"
    " WHERE native_key = ? AND platform = ?");
const Sql kGet(
    "SELECT id, platform, native_id, handle, name, followers, verified, first_seen, cases FROM authors WHERE id = ?");
const Sql kInsert(
    "INSERT INTO authors (id, platform, native_key, native_id, handle, name, followers, verified, first_seen, cases)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
const Sql kUpdate("UPDATE authors SET handle = ?, name = ?, followers = ?, verified = ? WHERE id = ?");
const Sql kCountCase("UPDATE authors SET cases = cases + 1 WHERE id = ?");

AuthorRecord read_author_row(Query& row) {
  AuthorRecord record;
  record.id = row.id<AuthorId>();
  record.platform = row.string();
  record.author.native_id = row.string();
  record.author.handle = row.string();
  record.author.name = row.string();
  if (row.null()) {
    row.skip();
  } else {
    record.author.followers = row.integer();
  }
  if (row.null()) {
    row.skip();
  } else {
    record.author.verified = row.boolean();
  }
  record.first_seen = row.time();
  record.cases = row.small();
  return record;
}

// What a person is known by: the platform's id, or else the handle (which platforms fold), or else the name. Someone of
// whom nothing is known is nobody's double.
std::string native_key(const Author& author, const AuthorId& id) {
  if (!author.native_id.empty()) return author.native_id;
  std::string key;
  if (!author.handle.empty()) {
    key = "handle:" + author.handle;
    for (char& c : key) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
  } else if (!author.name.empty()) {
    key = "name:" + author.name;
  } else {
    key = "id:" + id.str();
  }
  return key;
}

template <class Field>
bool take(Field& known, const Field& said, bool is_said) {
  if (!is_said || known == said) return false;
  known = said;
  return true;
}

// What the platform says now, where it says something. True when that is news.
bool bring_up_to_date(Author& known, const Author& said) {
  bool news = take(known.handle, said.handle, !said.handle.empty());
  news |= take(known.name, said.name, !said.name.empty());
  news |= take(known.followers, said.followers, said.followers.has_value());
  news |= take(known.verified, said.verified, said.verified.has_value());
  return news;
}

}  // namespace

AuthorRecord Database::upsert_author(std::string_view platform, const Author& said, Time now) {
  AuthorRecord record;
  record.id = AuthorId::make(now);
  std::string key = native_key(said, record.id);
  insert_new_author();
  bool known = false;
  {
    auto row = c_.use(kFind);
    row.bind(key, platform);
    known = row.step();
    if (known) record = read_author_row(row);
  }
  if (!known) {
    record.platform = platform;
    record.author = said;
    record.first_seen = now;
    record.is_new = true;
    new_author_ = record;
    new_author_key_ = std::move(key);
  } else if (bring_up_to_date(record.author, said)) {
    const Author& a = record.author;
    c_.use(kUpdate).bind(a.handle, a.name, a.followers, a.verified, record.id).exec();
  }
  return record;
}

// A new customer's row is written when the next statement needs it, so that the case that is counted right after goes
// into the same one.
void Database::insert_new_author() {
  if (!new_author_) return;
  const AuthorRecord& r = *new_author_;
  const Author& a = r.author;
  c_.use(kInsert)
      .bind(r.id, r.platform, new_author_key_, a.native_id, a.handle, a.name, a.followers, a.verified, r.first_seen,
            r.cases)
      .exec();
  new_author_.reset();
}

std::optional<AuthorRecord> Database::author(const AuthorId& id) {
  insert_new_author();
  auto row = c_.use(kGet);
  if (!row.bind(id).step()) return std::nullopt;
  return read_author_row(row);
}

void Database::count_case_of_author(const AuthorId& id) {
  if (new_author_ && new_author_->id == id) {
    ++new_author_->cases;
  } else {
    c_.use(kCountCase).bind(id).exec();
  }
}

}  // namespace triage::store
