#include "desk/call.h"

#include <charconv>

#include "desk/case_json.h"
#include "desk/digest.h"
#include "triage/model/json.h"
#include "triage/store/await.h"

namespace triage::desk {

namespace {

constexpr std::size_t kKeyBytes = 255;

std::string etag_of(const net::Response& response) {
  const auto header = net::find_header(response.headers, "ETag");
  return header ? std::string(*header) : std::string();
}

}  // namespace

Result<Fields> Fields::of(const net::Request& request) {
  Fields fields;
  fields.body_ = nlohmann::json::object();
  if (request.body.empty()) return fields;
  auto parsed = parse_json(request.body);
  if (!parsed) return parsed.error();
  if (!parsed->is_object()) {
    return Error{ErrorCode::unprocessable, "the body is not what was expected", {{"", "expected a JSON object"}}, {}};
  }
  fields.body_ = std::move(*parsed);
  return fields;
}

void Fields::fault(const char* name, std::string detail) {
  faults_.push_back({std::string("/") + name, std::move(detail)});
}

std::optional<std::string> Fields::text(const char* name, std::size_t max_bytes) {
  const auto it = body_.find(name);
  if (it == body_.end() || it->is_null()) return std::nullopt;
  if (!it->is_string()) {
    fault(name, "expected a string");
    return std::nullopt;
  }
  auto value = it->get<std::string>();
  if (value.size() > max_bytes) {
    fault(name, "expected at most " + std::to_string(max_bytes) + " bytes");
    return std::nullopt;
  }
  return value;
}

std::string Fields::required_text(const char* name, std::size_t max_bytes) {
  const std::size_t before = faults_.size();
  auto value = text(name, max_bytes);
  if (faults_.size() == before && (!value || value->find_first_not_of(" \t\r\n") == std::string::npos)) {
    fault(name, "is required and may not be empty");
  }
  return value.value_or("");
}

std::optional<bool> Fields::boolean(const char* name) {
  const auto it = body_.find(name);
  if (it == body_.end() || it->is_null()) return std::nullopt;
  if (!it->is_boolean()) {
    fault(name, "expected true or false");
    return std::nullopt;
  }
  return it->get<bool>();
}

std::optional<std::int64_t> Fields::integer(const char* name, std::int64_t low, std::int64_t high) {
  const auto it = body_.find(name);
  if (it == body_.end() || it->is_null()) return std::nullopt;
  const bool fits = it->is_number_integer() && !(it->is_number_unsigned() && it->get<std::uint64_t>() > INT64_MAX);
  const std::int64_t value = fits ? it->get<std::int64_t>() : 0;
  if (!fits || value < low || value > high) {
    fault(name, "expected a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    return std::nullopt;
  }
  return value;
}

std::optional<Error> Fields::faults() const {
  if (faults_.empty()) return std::nullopt;
  return Error{ErrorCode::unprocessable, "the body is not what was expected", faults_, {}};
}

boost::asio::awaitable<Answer> commit(const Call& call, Change change) {
  struct State {
    std::optional<Answer> answer;
    Effects effects;
  };
  auto state = std::make_shared<State>();
  std::string key;
  if (const auto header = call.request.header("Idempotency-Key")) key = std::string(*header);
  if (key.size() > kKeyBytes) {
    co_return make_error(ErrorCode::bad_request, "Idempotency-Key: expected at most 255 bytes");
  }
  std::string request_hash;
  if (!key.empty()) {
    request_hash = sha256_hex(std::string(net::to_string(call.request.method)) + " " + call.request.target + "\n" +
                              call.request.body);
  }
  const TokenId token = call.caller.token;
  const Time now = call.now;
  auto work =
      store::Store::Work([state, change = std::move(change), key, request_hash, token, now](store::Writer& writer) {
        state->answer.reset();
        state->effects = {};
        if (!key.empty()) {
          if (const auto before = writer.idempotent_answer(token, key, now)) {
            if (before->request_hash != request_hash) {
              state->answer.emplace(make_error(ErrorCode::unprocessable,
                                               "this Idempotency-Key was used for another request within 24 hours"));
              return;
            }
            net::Response again = net::Response::json(before->status, before->body);
            if (!before->etag.empty()) again.headers.emplace_back("ETag", before->etag);
            again.headers.emplace_back("Idempotent-Replayed", "true");
            state->answer.emplace(std::move(again));
            return;
          }
        }
        state->answer.emplace(change(writer, state->effects));
        if (!key.empty() && *state->answer) {
          const net::Response& made = **state->answer;
          writer.keep_idempotent_answer(token, key, {request_hash, made.status, made.body, etag_of(made)}, now);
        }
      });
  const Result<void> done = co_await store::write(call.context->store, std::move(work));
  if (!done) co_return done.error();
  call.context->tell(state->effects);
  co_return std::move(*state->answer);
}

net::Response json_response(int status, const nlohmann::ordered_json& body) {
  return net::Response::json(status, dump(body));
}

net::Response with_etag(net::Response response, std::int64_t version) {
  response.headers.emplace_back("ETag", "\"" + std::to_string(version) + "\"");
  return response;
}

Result<std::size_t> limit_of(const net::Request& request, std::size_t otherwise, std::size_t max) {
  const auto text = request.query_value("limit");
  if (!text) return otherwise;
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 1 || value > max) {
    return make_error(ErrorCode::bad_request, "limit: expected a whole number from 1 to " + std::to_string(max));
  }
  return value;
}

std::vector<std::string> values_of(const net::Request& request, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& [key, value] : request.query) {
    if (key != name) continue;
    std::size_t from = 0;
    while (from <= value.size()) {
      const std::size_t comma = std::min(value.find(',', from), value.size());
      if (comma > from) out.push_back(value.substr(from, comma - from));
      from = comma + 1;
    }
  }
  return out;
}

Result<void> load_case(store::Reader& reader, const CaseId& id, const Caller& caller, WholeCase& out) {
  out = {};
  auto c = reader.find_case(id);
  if (!c) return make_error(ErrorCode::not_found, "no such case");
  out.escalations = reader.escalations_of_case(id);
  if (!may_see(caller, *c, out.escalations)) return make_error(ErrorCode::forbidden, "this case is not yours to see");
  out.c = std::move(*c);
  out.posts = reader.posts_of_case(id);
  out.replies = reader.replies_of_case(id);
  out.notes = reader.notes(id);
  out.events = reader.events(id);
  if (out.c.author) {
    out.author = reader.author(*out.c.author);
    out.history = reader.history(*out.c.author, 50);
  }
  return boost::system::in_place_value;
}

}  // namespace triage::desk
