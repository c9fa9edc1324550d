#include "app/recorded_posts.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "triage/model/json.h"

namespace triage::app {

using nlohmann::json;

namespace {

std::vector<std::string> split_tabs(const std::string& line) {
  std::vector<std::string> out;
  std::size_t from = 0;
  for (;;) {
    const std::size_t tab = line.find('\t', from);
    out.push_back(line.substr(from, tab == std::string::npos ? tab : tab - from));
    if (tab == std::string::npos) return out;
    from = tab + 1;
  }
}

void drop_carriage_return(std::string& line) {
  if (line.ends_with('\r')) line.pop_back();
}

// A cell that is a number goes into the post as one; another is left as it is, for the server to say what is wrong.
json number_or_text(const std::string& cell) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) return cell;
  if (value == static_cast<double>(static_cast<std::int64_t>(value))) return static_cast<std::int64_t>(value);
  return value;
}

// Where a column's cell goes in a post; "" for a column that is ignored.
std::string pointer_of(const std::string& column) {
  static const std::map<std::string, std::string, std::less<>> kPointers = {
      {"text", "/text"},
      {"native_id", "/native_id"},
      {"platform", "/platform"},
      {"kind", "/kind"},
      {"created_at", "/created_at"},
      {"url", "/url"},
      {"language", "/language"},
      {"in_reply_to", "/in_reply_to"},
      {"conversation_id", "/conversation_id"},
      {"rating", "/rating"},
      {"brand_account", "/brand_account"},
      {"place", "/geo/place"},
      {"author_id", "/author/native_id"},
      {"author", "/author/handle"},
      {"author_name", "/author/name"},
      {"followers", "/author/followers"},
  };
  const auto it = kPointers.find(column);
  return it == kPointers.end() ? std::string() : it->second;
}

}  // namespace

RecordedPosts::RecordedPosts(std::filesystem::path file, std::string id_prefix)
    : file_(std::move(file)), id_prefix_(std::move(id_prefix)), in_(file_, std::ios::binary) {}

Error RecordedPosts::at_line(const std::string& what) const {
  return make_error(ErrorCode::unprocessable, file_.string() + ":" + std::to_string(line_) + ": " + what);
}

Result<RecordedPosts> RecordedPosts::open(const std::filesystem::path& file, std::string id_prefix) {
  RecordedPosts posts(file, std::move(id_prefix));
  if (!posts.in_)
    return make_error(ErrorCode::not_found, file.string() + ": " + std::generic_category().message(errno));
  if (std::filesystem::is_directory(file)) return make_error(ErrorCode::not_found, file.string() + ": is a directory");
  if (file.extension() == ".jsonl" || file.extension() == ".ndjson" || file.extension() == ".json") return posts;
  std::string header;
  std::getline(posts.in_, header);
  drop_carriage_return(header);
  ++posts.line_;
  // Whatever its name, a file whose first line is an object is JSONL.
  if (header.starts_with('{')) {
    posts.in_.clear();
    posts.in_.seekg(0);
    posts.line_ = 0;
    return posts;
  }
  if (header.starts_with("\xEF\xBB\xBF")) header.erase(0, 3);
  posts.columns_ = split_tabs(header);
  if (std::find(posts.columns_.begin(), posts.columns_.end(), "text") == posts.columns_.end()) {
    return posts.at_line("expected a header row with a column \"text\", separated by tabs");
  }
  return posts;
}

Result<std::optional<json>> RecordedPosts::next() {
  std::string line;
  do {
    if (!std::getline(in_, line)) return std::optional<json>();
    drop_carriage_return(line);
    ++line_;
  } while (line.empty());
  ++row_;
  auto post = columns_.empty() ? from_json(line) : from_row(line);
  if (!post) return post.error();
  std::string id = std::to_string(row_);
  if (const auto it = post->find("id"); it != post->end()) {
    if (it->is_string() && !it->get_ref<const std::string&>().empty()) id = it->get<std::string>();
    if (it->is_number_integer()) id = it->dump();
    post->erase(it);
  }
  if (!post->contains("native_id")) (*post)["native_id"] = id_prefix_ + id;
  return std::optional<json>(std::move(*post));
}

Result<json> RecordedPosts::from_row(const std::string& line) {
  std::vector<std::string> cells = split_tabs(line);
  if (cells.size() != columns_.size()) {
    return at_line("expected " + std::to_string(columns_.size()) + " columns as in the header, found " +
                   std::to_string(cells.size()));
  }
  json post = json::object();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (columns_[i] == "id") {
      post["id"] = std::move(cells[i]);
      continue;
    }
    const std::string pointer = pointer_of(columns_[i]);
    if (pointer.empty() || (cells[i].empty() && columns_[i] != "text")) continue;
    const bool number = columns_[i] == "rating" || columns_[i] == "followers";
    post[json::json_pointer(pointer)] = number ? number_or_text(cells[i]) : json(std::move(cells[i]));
  }
  // What is written must be JSON, so text that is not UTF-8 cannot be sent.
  try {
    static_cast<void>(post.dump());
  } catch (const json::type_error&) {
    return at_line("expected UTF-8");
  }
  return {boost::system::in_place_value, std::move(post)};
}

Result<json> RecordedPosts::from_json(const std::string& line) {
  auto parsed = parse_json(line);
  if (!parsed) return at_line(parsed.error().detail);
  if (!parsed->is_object()) return at_line(std::string("expected an object, found ") + parsed->type_name());
  return parsed;
}

}  // namespace triage::app
