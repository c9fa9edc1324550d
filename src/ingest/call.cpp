#include "ingest/call.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <nlohmann/json.hpp>

#include "ingest/encoding.h"
#include "ingest/oauth1.h"
#include "ingest/percent.h"
#include "ingest/signature.h"
#include "ingest/signature_schemes.h"
#include "ingest/text.h"
#include "triage/model/id.h"

namespace triage::ingest {
namespace {

std::string secret_name(const Spec& spec, std::string_view key, const std::vector<std::string>& secrets) {
  const auto found = spec.require(key, "the name of a secret");
  return found ? found->one_of(secrets).value_or("") : std::string();
}

std::string word(const Spec& spec, std::string_view key, std::string_view what) {
  const auto found = spec.require(key, what);
  return found ? found->text().value_or("") : std::string();
}

void check_header_name(const Spec& spec, std::string_view name) {
  if (!is_header_name(name)) spec.fail("expected the name of an HTTP header");
}

// The secrets that the expressions within name, each once.
void collect_secrets(const nlohmann::json& value, const std::vector<std::string>& secrets,
                     std::vector<std::string>& out) {
  if (!value.is_structured()) return;
  for (const auto& member : value.items()) {
    collect_secrets(member.value(), secrets, out);
    const auto* name = member.value().get_ptr<const nlohmann::json::string_t*>();
    if (!value.is_object() || member.key() != "config" || name == nullptr) continue;
    const bool known = std::find(secrets.begin(), secrets.end(), *name) != secrets.end();
    if (known && std::find(out.begin(), out.end(), *name) == out.end()) out.push_back(*name);
  }
}

// A line of a header: what would end it would begin another.
bool is_header_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
}

std::optional<std::string> spelled(const Value* value) {
  if (const Text text = as_text(value)) return std::string(text.view());
  if (value != nullptr && value->is_bool()) return std::string(value->get_bool() ? "true" : "false");
  if (value != nullptr && value->is_double()) return nlohmann::json(value->get_double()).dump();
  return std::nullopt;
}

std::optional<std::string> text_of(const ExpressionPtr& expression, Scope& scope) {
  return expression == nullptr ? std::nullopt : spelled(expression->evaluate(scope, 0));
}

// A list gives a name as often as it has elements.
std::vector<FormPair> pairs_of(const NamedExpressions& named, Scope& scope) {
  std::vector<FormPair> out;
  for (const auto& [name, expression] : named) {
    const Value* value = expression == nullptr ? nullptr : expression->evaluate(scope, 0);
    const auto* list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr) {
      if (auto text = spelled(value)) out.emplace_back(name, std::move(*text));
      continue;
    }
    for (const Value& element : *list) {
      if (auto text = spelled(&element)) out.emplace_back(name, std::move(*text));
    }
  }
  return out;
}

Result<std::string> secret(const CallContext& context, const std::string& name) {
  const auto found = context.secrets.find(name);
  if (found != context.secrets.end() && !found->second.empty()) return found->second.front();
  return make_error(ErrorCode::unprocessable, "the secret " + name + " is not configured");
}

void add_query(std::string& url, const std::vector<FormPair>& pairs) {
  for (const auto& [name, value] : pairs) {
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += percent_encode(name) + '=' + percent_encode(value);
  }
}

// Standard Webhooks, by the scheme that reads them.
Result<Headers> webhook_headers(const Auth& auth, const CallContext& context, std::string_view body,
                                std::string_view id) {
  if (const auto there = secret(context, auth.secret); !there) return there.error();
  SignatureSpec spec;
  spec.scheme = SignatureSpec::Scheme::standard_webhooks;
  spec.secret = auth.secret;
  std::vector<FieldError> errors;
  const auto signature = bind_signature(spec, context.secrets, {}, errors);
  if (signature == nullptr) return make_error(ErrorCode::unprocessable, "the secret " + auth.secret + " cannot sign");
  return signature->sign(body, context.now, id);
}

Result<void> authorize(const Auth& auth, const CallContext& context, const std::vector<FormPair>& form,
                       std::string_view id, Outgoing& out) {
  using Scheme = Auth::Scheme;
  switch (auth.scheme) {
    case Scheme::none:
      return {};
    case Scheme::session:
      if (context.session == nullptr) return make_error(ErrorCode::unprocessable, "there is no session");
      set_header(out.headers, "Authorization", "Bearer " + context.session->token);
      return {};
    case Scheme::bearer:
    case Scheme::header:
    case Scheme::query: {
      const auto token = secret(context, auth.secret);
      if (!token) return token.error();
      if (auth.scheme == Scheme::query) {
        add_query(out.url, {{auth.name, *token}});
      } else {
        set_header(out.headers, auth.name, auth.prefix + *token);
      }
      return {};
    }
    case Scheme::basic: {
      const auto user = secret(context, auth.user);
      const auto password = secret(context, auth.secret);
      if (!user) return user.error();
      if (!password) return password.error();
      set_header(out.headers, "Authorization", "Basic " + to_base64(*user + ':' + *password));
      return {};
    }
    case Scheme::oauth1: {
      OAuth1Credentials credentials;
      for (const auto& [name, to] :
           {std::pair(auth.user, &credentials.consumer_key), std::pair(auth.secret, &credentials.consumer_secret),
            std::pair(auth.token, &credentials.token), std::pair(auth.token_secret, &credentials.token_secret)}) {
        auto value = secret(context, name);
        if (!value) return value.error();
        *to = std::move(*value);
      }
      const auto seconds = std::chrono::floor<std::chrono::seconds>(context.now).time_since_epoch().count();
      const UuidText nonce = make_uuid7(context.now);
      auto header = oauth1_authorization({out.method, out.url, form}, credentials, seconds,
                                         std::string_view(nonce.data(), nonce.size()));
      if (!header) return make_error(ErrorCode::unprocessable, "its address cannot be signed");
      set_header(out.headers, "Authorization", std::move(*header));
      return {};
    }
    case Scheme::standard_webhooks: {
      const auto headers = webhook_headers(auth, context, out.body, id);
      if (!headers) return headers.error();
      for (const auto& [name, value] : *headers) set_header(out.headers, name, value);
      return {};
    }
  }
  return {};
}

}  // namespace

void set_header(Headers& headers, const std::string& name, std::string value) {
  if (!is_header_value(value)) return;
  std::erase_if(headers, [&](const auto& header) { return same_ignoring_case(header.first, name); });
  headers.emplace_back(name, std::move(value));
}

std::vector<std::string> Auth::secrets() const {
  std::vector<std::string> out;
  for (const std::string* needed : {&secret, &user, &token, &token_secret}) {
    if (!needed->empty()) out.push_back(*needed);
  }
  out.insert(out.end(), named.begin(), named.end());
  if (login && login->auth) {
    const auto also = login->auth->secrets();
    out.insert(out.end(), also.begin(), also.end());
  }
  return out;
}

NamedExpressions compile_headers(const Spec& spec, const Names& names) {
  for (const auto& [name, value] : spec.members("an object of names and expressions")) check_header_name(value, name);
  return compile_named(spec, names);
}

NamedExpressions compile_named(const Spec& spec, const Names& names) {
  NamedExpressions out;
  for (const auto& [name, value] : spec.members("an object of names and expressions")) {
    if (auto compiled = compile_expression(value, names)) out.emplace_back(name, std::move(compiled));
  }
  return out;
}

Auth compile_auth(const Spec& spec, const Names& names, const std::vector<std::string>& secrets) {
  using Scheme = Auth::Scheme;
  Auth out;
  if (!spec.value().is_object()) {
    spec.expected("an object");
    return out;
  }
  const auto scheme =
      spec.require("scheme", "none, bearer, header, query, basic, oauth1, standard_webhooks or session");
  const auto name =
      scheme ? scheme->one_of({"none", "bearer", "header", "query", "basic", "oauth1", "standard_webhooks", "session"})
             : std::nullopt;
  if (name == "none") spec.is_object({"scheme"});
  if (!name || *name == "none") return out;
  if (*name == "bearer") {
    out.scheme = Scheme::bearer;
    spec.is_object({"scheme", "secret"});
    out.name = "Authorization";
    out.prefix = "Bearer ";
    out.secret = secret_name(spec, "secret", secrets);
  } else if (*name == "header") {
    out.scheme = Scheme::header;
    spec.is_object({"scheme", "secret", "header", "prefix"});
    out.name = word(spec, "header", "the header's name");
    if (spec.has("header")) check_header_name(spec["header"], out.name);
    if (const auto prefix = spec.find("prefix")) out.prefix = prefix->text().value_or("");
    out.secret = secret_name(spec, "secret", secrets);
  } else if (*name == "query") {
    out.scheme = Scheme::query;
    spec.is_object({"scheme", "secret", "query"});
    out.name = word(spec, "query", "the query parameter's name");
    out.secret = secret_name(spec, "secret", secrets);
  } else if (*name == "basic") {
    out.scheme = Scheme::basic;
    spec.is_object({"scheme", "user", "secret"});
    out.user = secret_name(spec, "user", secrets);
    out.secret = secret_name(spec, "secret", secrets);
  } else if (*name == "oauth1") {
    out.scheme = Scheme::oauth1;
    spec.is_object({"scheme", "consumer_key", "consumer_secret", "token", "token_secret"});
    out.user = secret_name(spec, "consumer_key", secrets);
    out.secret = secret_name(spec, "consumer_secret", secrets);
    out.token = secret_name(spec, "token", secrets);
    out.token_secret = secret_name(spec, "token_secret", secrets);
  } else if (*name == "standard_webhooks") {
    out.scheme = Scheme::standard_webhooks;
    spec.is_object({"scheme", "secret"});
    out.secret = secret_name(spec, "secret", secrets);
  } else {
    out.scheme = Scheme::session;
    spec.is_object({"scheme", "call", "token", "expires_in"});
    if (const auto call = spec.require("call", "the call that gives the session")) {
      auto login = std::make_shared<Call>(compile_call(*call, names, secrets));
      if (!login->auth) login->auth.emplace();  // not the file's, which is this very one
      if (login->auth->scheme == Scheme::session) call->fail("auth", "expected another scheme");
      out.login = std::move(login);
      collect_secrets(call->value(), secrets, out.named);
    }
    Names answer = names;
    ++answer.depth;
    if (const auto token = spec.require("token", "where the token is in the answer")) {
      out.session_token = compile_expression(*token, answer);
    }
    if (const auto expires = spec.find("expires_in")) out.expires_in = compile_expression(*expires, answer);
  }
  return out;
}

Call compile_call(const Spec& spec, const Names& names, const std::vector<std::string>& secrets) {
  Call out;
  if (!spec.is_object({"method", "base", "path", "url", "query", "headers", "json", "form", "auth"})) return out;
  if (const auto method = spec.find("method")) {
    out.method = method->one_of({"GET", "POST", "PUT", "PATCH", "DELETE"}).value_or("GET");
  }
  if (spec.has("path") == spec.has("url")) spec.fail("expected either path (after base) or url");
  if (spec.has("base") && spec.has("url")) spec.fail("base", "expected none beside url");
  if (const auto base = spec.find("base")) out.base = compile_expression(*base, names);
  if (const auto path = spec.find("path")) out.path = compile_url(*path, names);
  if (const auto url = spec.find("url")) out.url = compile_url(*url, names);
  if (const auto query = spec.find("query")) out.query = compile_named(*query, names);
  if (const auto headers = spec.find("headers")) out.headers = compile_headers(*headers, names);
  if (const auto json = spec.find("json")) out.json = compile_expression(*json, names);
  if (const auto form = spec.find("form")) out.form = compile_named(*form, names);
  if (spec.has("json") && spec.has("form")) spec.fail("expected either json or form");
  if ((spec.has("json") || spec.has("form")) && out.method == "GET") {
    spec.fail("method", "expected one that has a body: POST, PUT, PATCH or DELETE");
  }
  if (const auto auth = spec.find("auth")) out.auth = compile_auth(*auth, names, secrets);
  return out;
}

Result<Outgoing> make_call(const Call& call, Scope& scope, const CallContext& context) {
  Outgoing out;
  out.method = call.method;
  if (call.url != nullptr) {
    const auto url = text_of(call.url, scope);
    if (!url) return make_error(ErrorCode::unprocessable, "its address cannot be made: a part of it is not there");
    out.url = *url;
  } else {
    const auto base = text_of(call.base != nullptr ? call.base : context.defaults.base, scope);
    if (!base || base->empty()) {
      return make_error(ErrorCode::unprocessable, "its address cannot be made: the setting that begins it is missing");
    }
    const auto path = text_of(call.path, scope);
    if (!path) return make_error(ErrorCode::unprocessable, "its address cannot be made: a part of it is not there");
    out.url = *base;
    if (!path->empty()) {
      while (out.url.ends_with('/')) out.url.pop_back();
      if (!path->starts_with('/')) out.url += '/';
      out.url += *path;
    }
  }
  add_query(out.url, pairs_of(call.query, scope));

  for (const NamedExpressions* named : {&context.defaults.headers, &call.headers}) {
    for (auto& [name, value] : pairs_of(*named, scope)) set_header(out.headers, name, std::move(value));
  }
  const std::vector<FormPair> form = pairs_of(call.form, scope);
  if (call.json != nullptr) {
    const Value* body = call.json->evaluate(scope, 0);
    if (body == nullptr) return make_error(ErrorCode::unprocessable, "its body cannot be made: it is not there");
    out.body = boost::json::serialize(*body);
    set_header(out.headers, "Content-Type", "application/json");
  } else if (!call.form.empty()) {
    out.body = form_encode(form);
    set_header(out.headers, "Content-Type", "application/x-www-form-urlencoded");
  }
  const Auth& auth = call.auth ? *call.auth : context.defaults.auth;
  const Value* id = scope.frames[0] == nullptr ? nullptr : scope.frames[0]->as_object().if_contains("id");
  const Text known = as_text(id);
  const auto authorized = authorize(auth, context, form, known ? known.view() : std::string_view("call"), out);
  if (!authorized) return authorized.error();
  return out;
}

}  // namespace triage::ingest
