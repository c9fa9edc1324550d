// What every REST call has in common: who calls, the body's fields, and one way to change things.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "triage/desk/api.h"
#include "triage/store/await.h"

namespace triage::desk {

struct Call {
  std::shared_ptr<const ApiContext> context;
  net::Request& request;
  Caller caller;
  std::shared_ptr<const Policy> policy;
  Time now;
};

using Answer = Result<net::Response>;

// The fields of a JSON body, read one by one; what is wrong with them is collected, so that one answer names all.
class Fields {
 public:
  // An empty body reads as {}.
  static Result<Fields> of(const net::Request& request);

  std::optional<std::string> text(const char* name, std::size_t max_bytes = 10'000);
  std::string required_text(const char* name, std::size_t max_bytes = 10'000);
  std::optional<bool> boolean(const char* name);
  // A name of an enumeration; `expected` lists them for the fault.
  template <class Value>
  std::optional<Value> choice(const char* name, std::optional<Value> (*parse)(std::string_view), const char* expected) {
    const auto given = text(name);
    if (!given) return std::nullopt;
    auto value = parse(*given);
    if (!value) fault(name, std::string("expected ") + expected);
    return value;
  }
  std::optional<std::int64_t> integer(const char* name, std::int64_t low, std::int64_t high);
  void fault(const char* name, std::string detail);

  // The faults as one 422, when there are any.
  std::optional<Error> faults() const;

 private:
  nlohmann::json body_;
  std::vector<FieldError> faults_;
};

// Runs `change` as a unit of work and answers with what it made, once that is durable. It may run more than once and
// returns an error only before it has written anything. An Idempotency-Key is honoured in the same commit.
using Change = std::function<Answer(store::Writer&, Effects&)>;
boost::asio::awaitable<Answer> commit(const Call& call, Change change);

// The id in the path; not_found for what cannot be one.
template <class AnyId>
Result<AnyId> path_id(const net::Request& request, const char* what) {
  if (auto id = AnyId::parse(request.param("id"))) return *id;
  return make_error(ErrorCode::not_found, std::string("no such ") + what);
}

net::Response json_response(int status, const nlohmann::ordered_json& body);
net::Response with_etag(net::Response response, std::int64_t version);

// Query parameters: `limit` within 1…max, and the values of a repeated or comma-separated parameter.
Result<std::size_t> limit_of(const net::Request& request, std::size_t otherwise, std::size_t max);
std::vector<std::string> values_of(const net::Request& request, std::string_view name);

// One page of a list, as every list call answers it: the caller's `limit` and `cursor` (an id that an earlier page
// gave), the rows that `read` finds for them, and each as `json` writes it.
template <class Row>
using RowsOfPage = std::function<std::vector<Row>(store::Reader&, const store::Page&)>;

template <class Row>
boost::asio::awaitable<Answer> list_page(Call& call, RowsOfPage<Row> read, nlohmann::ordered_json (*json)(const Row&)) {
  const auto limit = limit_of(call.request, 50, 200);
  if (!limit) co_return limit.error();
  store::Page page;
  page.limit = *limit + 1;  // one more tells whether another page follows
  page.after = std::string(call.request.query_value("cursor").value_or(""));
  if (!page.after.empty() && !is_uuid(page.after)) {
    co_return make_error(ErrorCode::bad_request, "cursor: expected next_cursor of an earlier page");
  }
  auto rows = std::make_shared<std::vector<Row>>();
  auto work =
      store::Store::Read([rows, page, read = std::move(read)](store::Reader& reader) { *rows = read(reader, page); });
  const Result<void> done = co_await store::read(call.context->store, std::move(work));
  if (!done) co_return done.error();
  nlohmann::ordered_json out{{"items", nlohmann::ordered_json::array()}, {"next_cursor", nullptr}};
  if (rows->size() > *limit) {
    rows->resize(*limit);
    out["next_cursor"] = rows->back().id.str();
  }
  for (const Row& row : *rows) out["items"].push_back(json(row));
  co_return json_response(200, out);
}

// Everything about one case, read in one snapshot; not_found, or forbidden for a case of others.
struct WholeCase;
Result<void> load_case(store::Reader& reader, const CaseId& id, const Caller& caller, WholeCase& out);

}  // namespace triage::desk
