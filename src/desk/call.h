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

// Everything about one case, read in one snapshot; not_found, or forbidden for a case of others.
struct WholeCase;
Result<void> load_case(store::Reader& reader, const CaseId& id, const Caller& caller, WholeCase& out);

}  // namespace triage::desk
