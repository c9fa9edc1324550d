// A request that a source file describes: where to, with what, and how the platform knows that it is ours. Compiled
// once; making one is pure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ingest/expression.h"
#include "triage/ingest/api.h"

namespace triage::ingest {

struct Call;

// How a call is signed. Secrets stand here by their names.
struct Auth {
  enum class Scheme { none, bearer, header, query, basic, oauth1, standard_webhooks, session };
  Scheme scheme = Scheme::none;
  std::string name;    // of the header or the query parameter
  std::string prefix;  // of the header
  std::string secret;  // the token; the password of basic, the consumer secret of oauth1
  std::string user;    // basic: its user; oauth1: the consumer key
  std::string token, token_secret;
  // session:
  std::vector<std::string> named;  // secrets that its call names by {"config": …}
  std::shared_ptr<const Call> login;
  std::shared_ptr<const Expression> session_token, expires_in;
  std::size_t session = 0;  // which of the file's sessions

  std::vector<std::string> secrets() const;  // those that it cannot do without
};

using NamedExpressions = std::vector<std::pair<std::string, ExpressionPtr>>;

struct Call {
  std::string method = "GET";
  ExpressionPtr base;  // before `path`; null: the file's
  ExpressionPtr path;  // null: `url` is the whole address
  ExpressionPtr url;
  NamedExpressions query, headers, form;
  ExpressionPtr json;
  std::optional<Auth> auth;  // in place of the file's
};

// What all calls of a file have in common.
struct CallDefaults {
  ExpressionPtr base;
  NamedExpressions headers;
  Auth auth;
};

// `secrets` are the names that the file declares. What is at fault is noted in `spec`. In `names` the depth is that of
// the document.
Call compile_call(const Spec& spec, const Names& names, const std::vector<std::string>& secrets);
Auth compile_auth(const Spec& spec, const Names& names, const std::vector<std::string>& secrets);
NamedExpressions compile_named(const Spec& spec, const Names& names);
NamedExpressions compile_headers(const Spec& spec, const Names& names);

// In place of one of that name, in any case. A value that would end the line is left out.
void set_header(Headers& headers, const std::string& name, std::string value);

using Secrets = std::map<std::string, std::vector<std::string>>;

struct CallContext {
  const CallDefaults& defaults;
  const Secrets& secrets;
  const Session* session;  // null: there is none
  Time now;
};

// The request, seen from `scope`, whose first frame is the document. unprocessable: its address has nothing to be made
// from, or a secret is missing.
Result<Outgoing> make_call(const Call& call, Scope& scope, const CallContext& context);

}  // namespace triage::ingest
