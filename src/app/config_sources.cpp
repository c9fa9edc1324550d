// The sections of who sends to us and whom we call: sources and teams, and the secrets between us.
#include <algorithm>

#include "app/config_sections.h"
#include "app/source_files.h"
#include "triage/deliver/signature.h"
#include "triage/net/address.h"

namespace triage::app {
namespace {

// [A-Za-z0-9][A-Za-z0-9._-]{0,63}; `upper` says whether capitals may be in it.
bool is_name(std::string_view text, bool upper) {
  const auto alnum = [upper](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (upper && c >= 'A' && c <= 'Z');
  };
  if (text.empty() || text.size() > 64 || !alnum(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return alnum(c) || c == '.' || c == '_' || c == '-'; });
}

void warn_of_written_secret(const Value& value) {
  if (value.written_out()) {
    value.warn(R"(a secret is written out here; take it from the environment ("${NAME}") or a file ({"file": "…"}))");
  }
}

void read_secrets(Object& in, const ingest::SourceFile& file, ingest::SourceConfig& source) {
  in.object("secrets", [&](Object& secrets) {
    for (const std::string& name : file.secret_names()) {
      const auto value = secrets.find(name);
      if (!value) continue;
      for (const Value& element : value->one_or_more()) {
        if (auto secret = element.text()) {
          warn_of_written_secret(element);
          source.secrets[name].push_back(std::move(*secret));
        }
      }
    }
  });
}

// The source file checks what is its own: which secrets must be there, what a setting may be.
void check_binding(const Value& at, const ingest::SourceFile& file, const ingest::SourceConfig& source) {
  const auto bound = file.bind(source);
  if (bound) return;
  const Error& error = bound.error();
  for (const FieldError& field : error.fields) at.findings().fail(at.pointer() + field.pointer, field.detail);
  if (error.fields.empty()) at.fail(error.detail);
}

void read_source(Object& in, const Place& place, KnownNames& names, Config& config) {
  ConfiguredSource source;
  if (const auto name = in.require("name", "the source's name, as it stands in the webhook's address")) {
    if (auto text = name->text()) {
      if (!is_name(*text, false)) {
        name->expected("lower-case letters, digits, '.', '_' and '-', at most 64");
      } else if (take_name(*name, *text, "source", names.sources)) {
        source.name = std::move(*text);
      }
    }
  }

  const std::string expected =
      or_list(ingest::shipped_source_names()) + ", or the path of a source file (./forum.json)";
  const auto use = in.require("use", expected);
  const auto use_name = use ? use->text() : std::nullopt;
  in.text("brand_account", source.brand_account);
  if (const auto every = in.find("expect_every")) {
    source.expect_every = every->duration(std::chrono::seconds(1), std::chrono::hours(24 * 365));
  }
  if (const auto every = in.find("pull_every")) {
    source.pull_every = every->duration(std::chrono::seconds(1), std::chrono::hours(24));
  }
  in.flag("unsigned", source.unsigned_ok);
  if (source.unsigned_ok) {
    const Value at = in.place("unsigned");
    if (!is_loopback(config.server.host)) {
      at.fail(
          "an unsigned source takes posts from anyone, so it needs a loopback address to listen on, such as "
          "127.0.0.1; here it is " +
          config.server.host);
    } else if (!config.server.trusted_proxies.empty()) {
      at.fail("an unsigned source takes posts from anyone, so it cannot stand behind trusted_proxies");
    }
  }

  if (!use_name) return in.pass_over_rest();
  const auto file = open_source_file(*use_name, place.directory);
  if (!file) {
    const Error& error = file.error();
    if (error.code == ErrorCode::not_found && !is_source_path(*use_name)) {
      use->expected(expected);
    } else {
      use->fail(error.detail);
    }
    for (const FieldError& field : error.fields) use->fail("at " + field.pointer + " of it: " + field.detail);
    return in.pass_over_rest();
  }
  source.file = *file;
  source.use = (*file)->name();
  const std::size_t faults = in.value().findings().faults();
  read_secrets(in, **file, source);
  for (const std::string& name : (*file)->setting_names()) {
    const auto value = in.find(name);
    if (!value) continue;
    if (value->json().is_string()) {
      source.settings[name] = value->json().get<std::string>();  // may be empty: what it may be is the source's to say
    } else {
      value->expected("a string");
    }
  }
  if (!source.name.empty() && in.value().findings().faults() == faults) check_binding(in.value(), **file, source);
  config.sources.push_back(std::move(source));
}

void read_include(const Value& value, deliver::Include& include) {
  include = {false, false, false};
  for (const Value& element : value.elements()) {
    const auto what = element.one_of({"post_text", "direct_message_text", "author"});
    if (what == "post_text") include.post_text = true;
    if (what == "direct_message_text") include.direct_message_text = true;
    if (what == "author") include.author = true;
  }
}

void read_url(const Value& value, const Config& config, CallbackConfig& callback) {
  const auto text = value.text();
  if (!text) return;
  const auto url = net::parse_url(*text);
  if (!url) return value.fail(url.error().detail);
  callback.url = *url;
  const bool brackets = url->host.find(':') != std::string::npos;
  callback.shown_url = url->scheme + "://" + (brackets ? '[' + url->host + ']' : url->host);
  if (url->port != (url->scheme == "https" ? "443" : "80")) callback.shown_url += ':' + url->port;

  const auto address = net::IpAddress::parse(url->host);
  const bool is_private = url->host == "localhost" || (address && !net::is_public_address(*address));
  if (is_private && !config.delivery.allow_private_addresses) {
    value.warn("this address is not public and will not be called: /delivery/allow_private_addresses is false");
  } else if (!is_private && url->scheme == "http") {
    value.warn("this is called without TLS, so customers' words can be read on the way; expected https");
  }
}

void read_callback(Object& in, std::size_t concurrency, const Config& config, CallbackConfig& callback) {
  if (const auto url = in.require("url", "the http(s) address to call")) read_url(*url, config, callback);

  if (const auto format = in.find("format")) {
    const auto name = format->one_of({"standard", "slack", "teams", "pagerduty", "alertmanager"});
    if (name && *name != "standard") format->fail("expected \"standard\": \"" + *name + "\" is not supported yet");
  }
  if (const auto secret = in.require("secret", "the secret that signs the callbacks: \"whsec_\" and base64")) {
    for (const Value& element : secret->one_or_more()) {
      const auto text = element.text();
      if (!text) continue;
      warn_of_written_secret(element);
      auto key = deliver::decode_secret(*text);
      if (key) {
        callback.keys.push_back(std::move(*key));
      } else {
        element.fail(key.error().detail);
      }
    }
  }
  if (const auto include = in.find("include")) read_include(*include, callback.include);
  callback.concurrency = concurrency;
  in.whole("concurrency", callback.concurrency, 1, 256);
}

}  // namespace

bool take_name(const Value& value, const std::string& name, const char* what, std::vector<std::string>& taken) {
  if (std::find(taken.begin(), taken.end(), name) != taken.end()) {
    value.fail(std::string("expected a name of its own, there is another ") + what +
               (value.written_out() ? " \"" + name + '"' : " of that name"));
    return false;
  }
  taken.push_back(name);
  return true;
}

void read_sources(Object& root, const Place& place, KnownNames& names, Config& config) {
  if (root.find("sources")) {
    root.objects("sources", [&](Object& in) { read_source(in, place, names, config); });
  } else if (is_loopback(config.server.host) && config.server.trusted_proxies.empty()) {
    ConfiguredSource source;
    source.name = source.use = "generic";
    source.file = ingest::shipped_source(source.use).value();
    source.unsigned_ok = true;
    names.sources.push_back(source.name);
    config.sources.push_back(std::move(source));
  }
  if (names.sources.empty() && config.sources.empty()) {
    root.place("sources").warn("there is no source, so no post can come in");
  }
}

void read_teams(Object& root, std::size_t concurrency, KnownNames& names, Config& config) {
  if (!root.find("teams")) {
    names.teams.push_back("care");
    config.teams.push_back({"care", std::nullopt});
    return;
  }
  root.objects("teams", [&](Object& in) {
    TeamConfig team;
    const auto name = in.require("name", "the team's name");
    const auto text = name ? name->text() : std::nullopt;
    if (text && !is_name(*text, true)) {
      name->expected("letters, digits, '.', '_' and '-', at most 64");
    } else if (text && take_name(*name, *text, "team", names.teams)) {
      team.name = *text;
    }
    in.object("callback", [&](Object& callback) {
      if (text) names.callback_teams.push_back(*text);
      read_callback(callback, concurrency, config, team.callback.emplace());
    });
    config.teams.push_back(std::move(team));
  });
  if (config.teams.empty()) root.place("teams").fail("expected at least one team");
}

}  // namespace triage::app
