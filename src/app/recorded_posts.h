// Recorded posts, one a line of a file, as bodies for the generic source: for `triaged replay`. Reads as it goes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "triage/model/error.h"

namespace triage::app {

// TSV: a header row, then a post a row, without quoting. Columns: text, and where they are there id, native_id,
// platform, kind, created_at, url, language, in_reply_to, conversation_id, rating, brand_account, place, author_id,
// author (the handle), author_name, followers; any other is ignored. JSONL: a Post of the generic shape a line.
class RecordedPosts {
 public:
  // `id_prefix` and the id column (or `id` field, or else the row's number) make the native id of posts without one.
  static Result<RecordedPosts> open(const std::filesystem::path& file, std::string id_prefix);

  // The next post; nothing at the end. The error names the line; the next call goes on after it. A post that has no
  // created_at is left without: the time of sending is its time.
  Result<std::optional<nlohmann::json>> next();

 private:
  RecordedPosts(std::filesystem::path file, std::string id_prefix);
  Result<nlohmann::json> from_row(const std::string& line);
  Result<nlohmann::json> from_json(const std::string& line);
  Error at_line(const std::string& what) const;

  std::filesystem::path file_;
  std::string id_prefix_;
  std::ifstream in_;
  std::vector<std::string> columns_;  // empty: JSONL
  std::int64_t line_ = 0;
  std::int64_t row_ = 0;
};

}  // namespace triage::app
