#include "ingest/api_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace triage::ingest {
namespace {

using nlohmann::json;

// What the rules' expressions may name: on the document, and on the answer, which is a frame below it.
struct RuleNames {
  Names document;
  Names answer;
};

void compile_calls(const Spec& spec, const RuleNames& names, const std::vector<std::string>& secrets, CallRule& out) {
  if (const auto when = spec.find("when")) out.when = compile_condition(*when, names.document);
  if (const auto before = spec.find("before")) out.before = compile_call(*before, names.document, secrets);
  if (const auto call = spec.require("call", "the call to make")) {
    out.call = compile_call(*call, names.document, secrets);
  }
}

ReplyRule compile_reply(const Spec& spec, const RuleNames& names, const std::vector<std::string>& secrets) {
  ReplyRule out;
  if (!spec.is_object(
          {"when", "before", "call", "text", "max_length", "count", "native_id", "url", "repeat", "already_when"})) {
    return out;
  }
  compile_calls(spec, names, secrets, out);
  if (const auto text = spec.find("text")) out.text = compile_expression(*text, names.document);
  if (const auto most = spec.find("max_length")) {
    if (const auto whole = most->whole(1, 1'000'000)) out.max_length = static_cast<std::size_t>(*whole);
  }
  if (const auto count = spec.find("count")) {
    const auto unit = count->one_of({"characters", "utf16", "bytes", "graphemes", "x"});
    if (unit) out.count = parse_length_unit(*unit).value_or(LengthUnit::characters);
    if (!spec.has("max_length")) count->fail("expected a max_length beside it");
  }
  if (const auto id = spec.find("native_id")) out.native_id = compile_expression(*id, names.answer);
  if (const auto url = spec.find("url")) out.url = compile_expression(*url, names.answer);
  if (const auto repeat = spec.find("repeat")) out.repeat = repeat->flag().value_or(false);
  if (const auto already = spec.find("already_when")) out.already_when = compile_condition(*already, names.answer);
  return out;
}

// The answer is mapped as an event is: the group's element is the answer, around it is the document.
std::unique_ptr<const Mapping> compile_answer(const Spec& spec, const std::string& platform, const ApiNames& names) {
  json group = {{"each", json::array({"/answer"})}, {"rules", json::array({json{{"event", "post"}}})}};
  for (const char* key : {"own", "fields"}) {
    if (spec.has(key)) group[key] = spec[key].value();
  }
  json& fields = group["fields"];
  if (!fields.is_object()) fields = json::object();
  for (const auto& [field, pointer] : {std::pair("native_id", "$/post/native_id"),
                                       std::pair("platform", "$/post/platform"), std::pair("kind", "$/post/kind")}) {
    if (!fields.contains(field)) fields[field] = pointer;
  }
  const json events = json::array({std::move(group)});
  std::vector<FieldError> errors;
  auto mapping = compile_mapping(Spec(events, "", errors), platform, names.config);
  // The group stands at "/0" here; in the file it is the rule itself.
  for (FieldError& error : errors) {
    std::string_view at = error.pointer;
    for (const std::string_view made : {"/0/rules/0", "/0"}) {
      if (at.starts_with(made)) {
        at.remove_prefix(made.size());
        break;
      }
    }
    spec.errors().push_back({spec.at() + std::string(at), error.detail});
  }
  return mapping;
}

FetchRule compile_fetch(const Spec& spec, const RuleNames& names, const std::string& platform, const ApiNames& known) {
  FetchRule out;
  if (!spec.is_object({"when", "before", "call", "fields", "own", "gone_when"})) return out;
  compile_calls(spec, names, known.secrets, out);
  if (const auto gone = spec.find("gone_when")) out.gone_when = compile_condition(*gone, names.answer);
  if (const auto fields = spec.require("fields", "the fields of the post, in the answer")) {
    if (!fields->value().is_object()) fields->expected("an object");
    out.mapping = compile_answer(spec, platform, known);
  }
  return out;
}

PullRule compile_pull(const Spec& spec, const RuleNames& names, const std::vector<std::string>& secrets) {
  PullRule out;
  if (!spec.is_object({"name", "every", "when", "call", "cursor", "more", "back", "body", "stream"})) return out;
  if (const auto name = spec.require("name", "a name for the log and the cursor")) {
    out.name = name->text().value_or("");
    if (out.name.empty() || out.name.size() > 64) name->fail("expected 1 to 64 characters");
  }
  if (const auto every = spec.find("every")) {
    const auto text = every->text();
    const auto read = parse_duration(text.value_or(""));
    if (read && *read >= std::chrono::seconds(1)) {
      out.every = *read;
    } else if (text) {
      every->fail("expected a duration of at least a second, such as \"60s\"");
    }
  }
  if (const auto when = spec.find("when")) out.when = compile_condition(*when, names.document);
  if (const auto call = spec.require("call", "the call that asks for what is new")) {
    out.call = compile_call(*call, names.document, secrets);
  }
  if (const auto cursor = spec.find("cursor")) out.cursor = compile_expression(*cursor, names.answer);
  if (const auto more = spec.find("more")) out.more = compile_condition(*more, names.answer);
  if (const auto back = spec.find("back")) out.back = compile_expression(*back, names.answer);
  if (spec.has("more") && !spec.has("cursor")) {
    spec.fail("more", "expected a cursor beside it: without one the next call asks for the same");
  }
  if (spec.has("more") && spec.has("back")) {
    spec.fail("more", "expected one of more (the oldest come first) and back (the newest come first)");
  }
  if (const auto body = spec.find("body")) {
    const auto name = body->one_of({"json", "xml", "form"});
    if (name) out.body = parse_body_format(*name);
  }
  if (const auto stream = spec.find("stream")) {
    if (stream->is_object({"call", "cursor"})) {
      if (const auto cursor = stream->find("cursor")) {
        out.stream_cursor = compile_expression(*cursor, names.answer);
      }
      if (const auto call = stream->require("call", "the call that opens the stream")) {
        out.stream = compile_call(*call, names.document, secrets);
        if (out.stream->method != "GET") call->fail("method", "expected GET");
      }
    }
  }
  return out;
}

RateLimitSpec compile_rate_limit(const Spec& spec, const Names& names) {
  RateLimitSpec out;
  if (!spec.is_object({"remaining", "reset", "format", "retry_after"})) return out;
  if (const auto remaining = spec.find("remaining")) out.remaining = remaining->text().value_or("");
  if (const auto reset = spec.find("reset")) out.reset = reset->text().value_or("");
  if (const auto format = spec.find("format")) {
    const auto name = format->one_of({"seconds", "rfc3339", "rfc5322", "epoch_seconds", "epoch_milliseconds", "epoch"});
    if (name && *name != "seconds") out.format = parse_time_format(*name);
  }
  if (const auto after = spec.find("retry_after")) out.retry_after = compile_expression(*after, names);
  return out;
}

// A path alone is no address.
void check_bases(const Spec& file, const ApiSpec& spec) {
  if (spec.defaults.base != nullptr) return;
  const auto check = [&file](const char* section, std::size_t at, const char* key, const Call& call) {
    if (call.path == nullptr || call.base != nullptr) return;
    file.errors().push_back({file.at() + '/' + section + '/' + std::to_string(at) + '/' + key,
                             "has a path, expected a base beside it, or one for all in /api/base"});
  };
  const auto check_rule = [&check](const char* section, std::size_t at, const CallRule& rule) {
    check(section, at, "call", rule.call);
    if (rule.before) check(section, at, "before", *rule.before);
  };
  for (std::size_t i = 0; i < spec.replies.size(); ++i) check_rule("replies", i, spec.replies[i]);
  for (std::size_t i = 0; i < spec.fetches.size(); ++i) check_rule("fetches", i, spec.fetches[i]);
  for (std::size_t i = 0; i < spec.pulls.size(); ++i) check("pulls", i, "call", spec.pulls[i].call);
}

// Each auth that wants a session gets its place among them.
void number_sessions(ApiSpec& spec) {
  const auto number = [&spec](Auth& auth) {
    if (auth.scheme != Auth::Scheme::session) return;
    auth.session = spec.sessions.size();
    spec.sessions.push_back(auth);
  };
  const auto number_call = [&number](Call& call) {
    if (call.auth) number(*call.auth);
  };
  const auto number_rule = [&number_call](CallRule& rule) {
    number_call(rule.call);
    if (rule.before) number_call(*rule.before);
  };
  number(spec.defaults.auth);
  for (ReplyRule& rule : spec.replies) number_rule(rule);
  for (FetchRule& rule : spec.fetches) number_rule(rule);
  for (PullRule& rule : spec.pulls) {
    number_call(rule.call);
    if (rule.stream) number_call(*rule.stream);
  }
}

}  // namespace

std::unique_ptr<const ApiSpec> compile_api(const Spec& file, const std::string& platform, const ApiNames& known) {
  const bool any = file.has("api") || file.has("replies") || file.has("fetches") || file.has("pulls");
  if (!any) return nullptr;
  auto out = std::make_unique<ApiSpec>();
  RuleNames names;
  names.document.config = known.config;
  for (const std::string& secret : known.secrets) {
    std::map<std::string, std::size_t>& config = names.document.config;
    if (!config.emplace(secret, config.size()).second) {
      file.fail("secrets", "\"" + secret + "\" is also the name of a setting: calls could not tell them apart");
    }
  }
  const auto api = file.find("api");
  const bool readable =
      api && api->is_object({"let", "base", "auth", "headers", "rate_limit", "retry_when", "failed_when", "error"});
  if (readable && api->has("let")) compile_bindings((*api)["let"], names.document, out->bindings);
  names.answer = names.document;
  ++names.answer.depth;
  if (readable) {
    if (const auto base = api->find("base")) out->defaults.base = compile_expression(*base, names.document);
    if (const auto auth = api->find("auth")) out->defaults.auth = compile_auth(*auth, names.document, known.secrets);
    if (const auto headers = api->find("headers")) out->defaults.headers = compile_headers(*headers, names.document);
    if (const auto limit = api->find("rate_limit")) out->rate_limit = compile_rate_limit(*limit, names.answer);
    if (const auto retry = api->find("retry_when")) out->retry_when = compile_condition(*retry, names.answer);
    if (const auto failed = api->find("failed_when")) out->failed_when = compile_condition(*failed, names.answer);
    if (const auto error = api->find("error")) out->error = compile_expression(*error, names.answer);
  }
  if (const auto replies = file.find("replies")) {
    for (const auto& rule : replies->list("a list of rules")) {
      out->replies.push_back(compile_reply(rule, names, known.secrets));
    }
  }
  if (const auto fetches = file.find("fetches")) {
    for (const auto& rule : fetches->list("a list of rules")) {
      out->fetches.push_back(compile_fetch(rule, names, platform, known));
    }
  }
  if (const auto pulls = file.find("pulls")) {
    for (const auto& rule : pulls->list("a list of pulls")) {
      PullRule pull = compile_pull(rule, names, known.secrets);
      const bool taken =
          std::any_of(out->pulls.begin(), out->pulls.end(), [&](const PullRule& p) { return p.name == pull.name; });
      if (taken) rule.fail("name", "expected a name of its own");
      out->pulls.push_back(std::move(pull));
    }
    if (!file.has("events")) pulls->fail("expected \"events\" beside it: what is read is mapped by them");
  }
  check_bases(file, *out);
  number_sessions(*out);
  return out;
}

}  // namespace triage::ingest
