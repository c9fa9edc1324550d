// A source file made into a source: reads the file strictly, binds it to a configured source, and then only connects
// handshake, signatures and mapping.
#include "triage/ingest/source.h"

#include <algorithm>
#include <boost/json/monotonic_resource.hpp>
#include <nlohmann/json.hpp>

#include "ingest/api_file.h"
#include "ingest/body.h"
#include "ingest/bound_api.h"
#include "ingest/generic.h"
#include "ingest/handshake.h"
#include "ingest/mapping.h"
#include "ingest/signature.h"
#include "ingest/spec.h"
#include "ingest/text.h"
#include "triage/model/json.h"

namespace triage::ingest {
namespace {

using nlohmann::json;

constexpr std::string_view kBrandAccount = "brand_account";
constexpr std::size_t kMemoryFactor = 3;  // what a usual body takes once it is read, in times of its bytes

struct SecretSpec {
  std::string name;
  bool required = false;
};

struct SettingSpec {
  std::string name;
  std::string otherwise;
  std::vector<std::string> one_of;
};

// Everything that a source file says.
struct Compiled {
  std::string name;
  std::string title;
  std::string platform;
  std::vector<SecretSpec> secrets;
  std::vector<SettingSpec> settings;
  std::vector<std::string> secret_names;
  std::vector<std::string> setting_names;
  HandshakeSpec handshake;
  std::vector<SignatureSpec> signatures;
  BodyFormat body = BodyFormat::json;
  std::optional<GenericSpec> generic;
  std::unique_ptr<const Mapping> mapping;  // where it is not generic
  std::unique_ptr<const ApiSpec> api;      // null: it asks nothing of its platform
};

// The names that {"config": …} may use, in the order of BoundSource's values.
std::map<std::string, std::size_t> config_names(const Compiled& file) {
  std::map<std::string, std::size_t> names{{std::string(kBrandAccount), 0}};
  for (const auto& setting : file.settings) names.emplace(setting.name, names.size());
  return names;
}

// Our own shape is JSON, and a request that says it is something else is not that. What a platform says of its JSON is
// not looked at: it would switch a webhook off that answers 4xx.
bool says_json(const Headers* headers) {
  const auto header = find_value(headers, "Content-Type");
  if (!header) return true;
  std::string_view type = header->substr(0, header->find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  const auto plus = type.rfind('+');
  return same_ignoring_case(type, "application/json") ||
         (plus != std::string_view::npos && same_ignoring_case(type.substr(plus), "+json"));
}

// --- a source ---

class BoundSource : public Source {
 public:
  BoundSource(std::shared_ptr<const Compiled> file, SourceConfig config, std::vector<Value> values,
              std::vector<std::unique_ptr<const Signature>> signatures)
      : file_(std::move(file)),
        config_(std::move(config)),
        values_(std::move(values)),
        signatures_(std::move(signatures)) {
    const auto found = config_.secrets.find(file_->handshake.secret);
    if (found != config_.secrets.end()) handshake_secrets_ = found->second;
  }

  const SourceConfig& config() const override { return config_; }
  const Api* api() const override { return api_.get(); }
  bool takes_webhooks() const override { return !signatures_.empty() || config_.unsigned_ok; }
  void set_api(std::unique_ptr<const Api> api) { api_ = std::move(api); }
  const std::vector<Value>& values() const { return values_; }

  Result<Answer> handshake(const Delivery& delivery) const override {
    return answer_handshake(file_->handshake, handshake_secrets_, delivery);
  }

  Result<void> verify(const Delivery& delivery, Time now) const override {
    if (signatures_.empty() && config_.unsigned_ok) return {};
    if (signatures_.empty()) {
      return make_error(ErrorCode::not_found, "this source takes no webhooks: it is polled");
    }
    std::optional<Error> wrong;
    for (const auto& signature : signatures_) {
      if (!signature->present(delivery)) continue;
      auto verified = signature->verify(delivery, now);
      if (verified) return {};
      if (!wrong) wrong = verified.error();
    }
    if (wrong) return std::move(*wrong);
    std::string expected;
    for (const auto& signature : signatures_) expected += (expected.empty() ? "" : ", or ") + signature->headers();
    return make_error(ErrorCode::unauthenticated, "the request is not signed, expected " + expected);
  }

  Result<Mapped> map(const Delivery& delivery, Time now) const override { return mapped(delivery, now, false); }
  Result<Mapped> explain(const Delivery& delivery, Time now) const override { return mapped(delivery, now, true); }

  Result<Mapped> mapped(const Delivery& delivery, Time now, bool trace) const {
    if (file_->generic && !says_json(delivery.headers)) {
      return make_error(ErrorCode::unsupported_media, "expected a body with Content-Type: application/json");
    }
    Mapped out;
    const auto mapped =
        file_->generic ? map_posts(delivery.body, now, trace, out) : map_events(delivery.body, now, trace, out);
    if (!mapped) return mapped.error();
    return out;
  }

  Result<Headers> sign(std::string_view body, Time now, std::string_view message_id) const override {
    std::optional<Error> cannot;
    for (const auto& signature : signatures_) {
      auto headers = signature->sign(body, now, message_id);
      if (headers) return headers;
      if (!cannot) cannot = headers.error();
    }
    if (cannot) return std::move(*cannot);
    if (config_.unsigned_ok) return Headers();
    return make_error(ErrorCode::unprocessable, "the source " + config_.name + " has no secret to sign with");
  }

 private:
  Result<void> map_posts(std::string_view bytes, Time now, bool trace, Mapped& out) const {
    const auto body = parse_json(bytes);
    if (!body) return body.error();
    return map_generic(*file_->generic, *body, config_, file_->platform, now, trace, out);
  }

  Result<void> map_events(std::string_view bytes, Time now, bool trace, Mapped& out) const {
    boost::json::monotonic_resource memory(kMemoryFactor * bytes.size());
    const auto body = read_body(file_->body, bytes, &memory);
    if (!body) return body.error();
    return file_->mapping->map(*body, MappingContext{config_.name, values_, now}, trace, out);
  }

  std::shared_ptr<const Compiled> file_;
  SourceConfig config_;
  std::vector<Value> values_;
  std::vector<std::unique_ptr<const Signature>> signatures_;
  std::vector<std::string> handshake_secrets_;
  std::unique_ptr<const Api> api_;
};

// --- binding ---

bool is_source_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 64 && plain(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

void check_secrets(const Compiled& file, const SourceConfig& config, std::vector<FieldError>& errors) {
  for (const auto& [name, values] : config.secrets) {
    const std::string at = "/secrets/" + pointer_token(name);
    if (std::find(file.secret_names.begin(), file.secret_names.end(), name) == file.secret_names.end()) {
      errors.push_back({at, "unknown secret, the source \"" + file.name + "\" knows " + or_list(file.secret_names)});
      continue;
    }
    if (values.empty()) errors.push_back({at, "is empty, expected at least one value"});
    for (std::size_t i = 0; i < values.size(); ++i) {
      // Whoever knows that a secret is empty can sign with it.
      if (values[i].empty()) errors.push_back({at + '/' + std::to_string(i), "is empty"});
    }
  }
  if (config.unsigned_ok) {
    if (!config.secrets.empty()) {
      errors.push_back({"/unsigned", "a source is unsigned or has secrets, expected one of the two"});
    }
    return;
  }
  for (const auto& secret : file.secrets) {
    if (secret.required && config.secrets.count(secret.name) == 0) {
      errors.push_back(
          {"/secrets/" + pointer_token(secret.name), "missing, the source \"" + file.name + "\" needs it"});
    }
  }
}

// Every declared setting with its value.
std::map<std::string, std::string> check_settings(const Compiled& file, const SourceConfig& config,
                                                  std::vector<FieldError>& errors) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : config.settings) {
    if (std::find(file.setting_names.begin(), file.setting_names.end(), name) != file.setting_names.end()) continue;
    errors.push_back(
        {"/" + pointer_token(name),
         "unknown key, the source \"" + file.name + "\" " +
             (file.setting_names.empty() ? "has no further settings" : "knows " + or_list(file.setting_names))});
  }
  for (const auto& setting : file.settings) {
    const auto given = config.settings.find(setting.name);
    out[setting.name] = given == config.settings.end() ? setting.otherwise : given->second;
    const bool address = setting.name == "url" || setting.name.ends_with("_url");
    if (address && given != config.settings.end() && !given->second.starts_with("https://") &&
        !given->second.starts_with("http://")) {
      errors.push_back({"/" + pointer_token(setting.name), "expected an address that begins with https:// or http://"});
    }
    if (given == config.settings.end() || setting.one_of.empty()) continue;
    if (std::find(setting.one_of.begin(), setting.one_of.end(), given->second) == setting.one_of.end()) {
      errors.push_back({"/" + pointer_token(setting.name), "expected " + or_list(setting.one_of)});
    }
  }
  return out;
}

class CompiledFile : public SourceFile {
 public:
  explicit CompiledFile(std::shared_ptr<const Compiled> file) : file_(std::move(file)) {}

  const std::string& name() const override { return file_->name; }
  const std::string& title() const override { return file_->title; }
  const std::string& platform() const override { return file_->platform; }
  const std::vector<std::string>& secret_names() const override { return file_->secret_names; }
  const std::vector<std::string>& setting_names() const override { return file_->setting_names; }
  std::vector<std::string> ways() const override {
    std::vector<std::string> out;
    if (!file_->signatures.empty()) out.emplace_back("webhooks");
    if (file_->api && !file_->api->pulls.empty()) out.emplace_back("polls");
    if (file_->api && !file_->api->fetches.empty()) out.emplace_back("fetches");
    if (file_->api && !file_->api->replies.empty()) out.emplace_back("replies");
    return out;
  }

  Result<std::unique_ptr<Source>> bind(SourceConfig config) const override {
    std::vector<FieldError> errors;
    if (!is_source_name(config.name)) {
      errors.push_back({"/name", "expected 1 to 64 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit"});
    }
    check_secrets(*file_, config, errors);
    const auto settings = check_settings(*file_, config, errors);

    if (config.pull_every && (!file_->api || file_->api->pulls.empty())) {
      errors.push_back({"/pull_every", "expected none: the source \"" + file_->name + "\" is not polled"});
    }

    std::vector<std::unique_ptr<const Signature>> signatures;
    if (errors.empty() && !config.unsigned_ok) {
      std::vector<std::string> names;
      for (const auto& spec : file_->signatures) {
        names.push_back(spec.user.empty() ? spec.secret : spec.user + " with " + spec.secret);
        if (config.secrets.count(spec.secret) == 0) {
          check_unused(spec, config, errors);
          continue;
        }
        if (auto bound = bind_signature(spec, config.secrets, settings, errors)) signatures.push_back(std::move(bound));
      }
      const bool polled = file_->api && !file_->api->pulls.empty();
      if (errors.empty() && signatures.empty() && !polled) {
        errors.push_back({"/secrets", "expected " + or_list(names) + ", or \"unsigned\": true on a loopback listener"});
      }
    }
    if (!errors.empty()) return cannot(config, std::move(errors));

    std::vector<Value> values(config_names(*file_).size());
    if (!config.brand_account.empty()) values[0] = config.brand_account;
    for (const auto& [name, index] : config_names(*file_)) {
      const auto setting = settings.find(name);
      if (setting != settings.end() && !setting->second.empty()) values[index] = setting->second;
    }
    const bool closed = signatures.empty() && !config.unsigned_ok;
    auto source = std::make_unique<BoundSource>(file_, std::move(config), std::move(values), std::move(signatures));
    if (file_->api) source->set_api(bind_api(source->config(), source->values()));
    if (closed && source->api()->pulls().empty()) {
      std::string missing;
      for (const PullRule& pull : file_->api->pulls) {
        std::vector<std::string> needed = (pull.call.auth ? *pull.call.auth : file_->api->defaults.auth).secrets();
        std::erase_if(needed, [&](const std::string& name) { return source->config().secrets.contains(name); });
        missing += (missing.empty() ? "" : "; ") + pull.name + ": ";
        missing += needed.empty() ? "its settings (" + or_list(file_->setting_names) + ")" : or_list(needed);
      }
      return cannot(source->config(),
                    {{"",
                      "nothing can come in so: neither is a secret there that signs webhooks, nor all "
                      "that one of its pulls needs (" +
                          missing + ")"}});
    }
    return std::unique_ptr<Source>(std::move(source));
  }

 private:
  static Error cannot(const SourceConfig& config, std::vector<FieldError> errors) {
    Error error = make_error(ErrorCode::unprocessable, "the source \"" + config.name + "\" cannot be set up so");
    error.fields = std::move(errors);
    return error;
  }

  // `config` is the source's own.
  std::unique_ptr<const Api> bind_api(const SourceConfig& config, const std::vector<Value>& values) const {
    ApiBinding binding;
    binding.file = file_;
    binding.spec = file_->api.get();
    binding.mapping = file_->mapping.get();
    binding.body = file_->body;
    binding.config = &config;
    binding.values = values;
    for (const std::string& name : file_->secret_names) {
      const auto secret = config.secrets.find(name);
      const bool there = secret != config.secrets.end() && !secret->second.empty();
      binding.values.push_back(there ? Value(secret->second.front()) : Value());
    }
    return ingest::bind_api(std::move(binding));
  }

  // A setting that only a signature without its secret would use is a mistake that would go unseen.
  void check_unused(const SignatureSpec& spec, const SourceConfig& config, std::vector<FieldError>& errors) const {
    for (const auto* word : {&spec.header, &spec.algorithm, &spec.encoding, &spec.prefix}) {
      if (word->setting.empty() || config.settings.count(word->setting) == 0) continue;
      errors.push_back({"/" + pointer_token(word->setting), "is only used with the secret " + spec.secret});
    }
    if (!spec.user.empty() && config.secrets.count(spec.user) != 0) {
      errors.push_back({"/secrets/" + pointer_token(spec.user), "is only used with the secret " + spec.secret});
    }
  }

  std::shared_ptr<const Compiled> file_;
};

// --- reading the file ---

void read_secrets(const Spec& spec, Compiled& out) {
  for (const auto& [name, secret] : spec.members("an object of secrets")) {
    secret.is_object({"required"});
    const auto required = secret.find("required");
    out.secrets.push_back({name, required && required->flag().value_or(false)});
    out.secret_names.push_back(name);
  }
}

void read_settings(const Spec& spec, Compiled& out) {
  static const std::vector<std::string> kTaken{"name",     "use",          "secrets",    "brand_account",
                                               "unsigned", "expect_every", "pull_every", "settings"};
  for (const auto& [name, setting] : spec.members("an object of settings")) {
    setting.is_object({"default", "one_of"});
    if (std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end()) {
      setting.fail("expected a name that no source has anyway");
    }
    SettingSpec read{name, "", {}};
    if (const auto otherwise = setting.find("default")) read.otherwise = otherwise->text().value_or("");
    if (const auto one_of = setting.find("one_of")) {
      for (const auto& choice : one_of->list("a list of strings")) read.one_of.push_back(choice.text().value_or(""));
    }
    out.setting_names.push_back(name);
    out.settings.push_back(std::move(read));
  }
}

void read_mapping(const Spec& spec, Compiled& out) {
  if (spec.has("posts") == spec.has("events")) {
    spec.fail("expected either \"posts\" (the generic shape) or \"events\" (rules)");
    return;
  }
  if (const auto body = spec.find("body")) {
    const auto name = body->one_of({"json", "xml", "form"});
    if (name) out.body = *parse_body_format(*name);
    if (spec.has("posts")) body->fail("expected none beside \"posts\": our own shape is JSON");
  }
  if (const auto posts = spec.find("posts")) {
    GenericSpec generic;
    posts->is_object({"max"});
    if (const auto max = posts->find("max")) generic.max = static_cast<std::size_t>(max->whole(1, 10'000).value_or(1));
    out.generic = generic;
    return;
  }
  out.mapping = compile_mapping(spec["events"], out.platform, config_names(out));
}

void read_file(const Spec& spec, std::string_view file_name, Compiled& out) {
  if (!spec.is_object({"$schema", "name", "title", "platform", "documentation", "secrets", "settings", "handshake",
                       "signatures", "body", "posts", "events", "api", "replies", "fetches", "pulls"})) {
    return;
  }
  if (const auto name = spec.require("name", "the name of the file without .json")) {
    out.name = name->text().value_or("");
    if (!out.name.empty() && out.name != file_name) {
      name->fail("expected \"" + std::string(file_name) + "\", the name of the file, found \"" + out.name + "\"");
    }
  }
  if (const auto title = spec.find("title")) out.title = title->text().value_or("");
  if (out.title.empty()) out.title = out.name;
  if (const auto platform = spec.require("platform", "the platform of its posts, such as \"x\"")) {
    out.platform = platform->text().value_or("");
    const bool plain = out.platform.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
    if (out.platform.empty() || !plain) platform->fail("expected a lower-case name of letters, digits, '_' and '-'");
  }
  if (const auto links = spec.find("documentation")) {
    for (const auto& link : links->list("a list of addresses")) link.text();
  }
  if (const auto secrets = spec.find("secrets")) read_secrets(*secrets, out);
  if (const auto settings = spec.find("settings")) read_settings(*settings, out);
  if (const auto handshake = spec.find("handshake")) {
    out.handshake = compile_handshake(*handshake, out.secret_names).value_or(HandshakeSpec());
  }
  // What is only polled needs none.
  const auto signatures = spec.has("pulls") && !spec.has("signatures")
                              ? std::optional<Spec>()
                              : spec.require("signatures", "a list of signature schemes");
  if (signatures) {
    const auto schemes = signatures->list("a list of signature schemes");
    if (schemes.empty() && signatures->value().is_array()) signatures->fail("expected at least one signature scheme");
    for (const auto& scheme : schemes) {
      if (auto compiled = compile_signature(scheme, out.secret_names, out.setting_names)) {
        out.signatures.push_back(std::move(*compiled));
      }
    }
  }
  read_mapping(spec, out);
  out.api = compile_api(spec, out.platform, {config_names(out), out.secret_names});
}

}  // namespace

Result<std::shared_ptr<const SourceFile>> parse_source_file(std::string_view name, std::string_view json_text) {
  const auto document = parse_json(json_text);
  if (!document) return document.error();
  auto compiled = std::make_shared<Compiled>();
  std::vector<FieldError> errors;
  read_file(Spec(*document, "", errors), name, *compiled);
  if (!errors.empty()) {
    Error error = make_error(ErrorCode::unprocessable, "the source file \"" + std::string(name) + "\" is at fault");
    error.fields = std::move(errors);
    return error;
  }
  return std::shared_ptr<const SourceFile>(std::make_shared<CompiledFile>(std::move(compiled)));
}

Result<Headers> sign(const Source& source, std::string_view body, Time now, std::string_view message_id) {
  return source.sign(body, now, message_id);
}

}  // namespace triage::ingest
