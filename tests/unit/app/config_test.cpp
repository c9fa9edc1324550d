#include "triage/app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "triage/model/json.h"

namespace triage::app {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

const std::filesystem::path kRoot = TRIAGED_SOURCE_DIR;
constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// A directory of its own, gone at the end.
class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "triaged-config-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Environment {
 public:
  Environment(std::string name, const std::string& value) : name_(std::move(name)) {
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Environment() { unsetenv(name_.c_str()); }
  Environment(const Environment&) = delete;

 private:
  std::string name_;
};

// "POINTER: MESSAGE" of each finding.
std::vector<std::string> lines(const std::vector<Finding>& findings) {
  std::vector<std::string> out;
  for (const Finding& finding : findings) out.push_back(finding.pointer + ": " + finding.message);
  return out;
}

std::vector<std::string> errors_of(const std::string& text, const Overrides& overrides = {}) {
  const auto loaded = parse_config(text, "triaged.json", overrides);
  return loaded ? std::vector<std::string>{} : lines(loaded.error());
}

std::vector<std::string> warnings_of(const std::string& text) {
  const auto loaded = parse_config(text, "triaged.json");
  return loaded ? lines(loaded->warnings) : std::vector<std::string>{"errors: " + lines(loaded.error()).front()};
}

Config config_of(const std::string& text, const Overrides& overrides = {}) {
  const auto loaded = parse_config(text, "triaged.json", overrides);
  if (!loaded) {
    ADD_FAILURE() << testing::PrintToString(lines(loaded.error()));
    return {};
  }
  return loaded->config;
}

// Sets every variable that a configuration names.
std::vector<std::unique_ptr<Environment>> environment_for(const std::string& text) {
  std::vector<std::unique_ptr<Environment>> set;
  const std::regex variable(R"(\$\{([A-Z][A-Z0-9_]*)\})");
  for (std::sregex_iterator it(text.begin(), text.end(), variable), end; it != end; ++it) {
    const std::string name = (*it)[1];
    if (name == "NAME") continue;
    const bool url = name == "TRIAGED_DEMO_CALLBACKS";
    set.push_back(std::make_unique<Environment>(name, url ? "http://127.0.0.1:9999" : kSecret));
  }
  return set;
}

// --- The whole

TEST(Config, TheShippedExamplePassesWithoutAWarningOfASecret) {
  const auto file = kRoot / "config/triaged.json";
  const auto environment = environment_for(read_text(file));
  const auto loaded = load_config(file);
  ASSERT_TRUE(loaded) << testing::PrintToString(lines(loaded.error()));
  EXPECT_THAT(lines(loaded->warnings), IsEmpty());
  const Config& config = loaded->config;
  EXPECT_EQ(config.sources.size(), 5U);
  EXPECT_EQ(config.teams.size(), 4U);
  EXPECT_EQ(config.plan.ladders.at("ops").at(1).team, "duty-manager");
  EXPECT_EQ(config.plan.routes.at(0).routes.at(0).match.min_followers, 100'000);
}

TEST(Config, TheDemoPasses) {
  const auto file = kRoot / "config/demo/triaged.json";
  const auto environment = environment_for(read_text(file));
  const auto loaded = load_config(file);
  EXPECT_TRUE(loaded) << testing::PrintToString(lines(loaded.error()));
}

// What the example says are the defaults are the defaults.
TEST(Config, TheShippedExampleShowsTheDefaults) {
  const auto file = kRoot / "config/triaged.json";
  const auto environment = environment_for(read_text(file));
  const auto loaded = load_config(file);
  ASSERT_TRUE(loaded);
  const Config& shown = loaded->config;
  const Config actual = config_of("{}");
  EXPECT_EQ(shown.server.host, actual.server.host);
  EXPECT_EQ(shown.server.port, actual.server.port);
  EXPECT_EQ(shown.threads, actual.threads);
  EXPECT_EQ(shown.drain_grace, actual.drain_grace);
  EXPECT_EQ(shown.cases.join_within, actual.cases.join_within);
  EXPECT_EQ(shown.cases.reopen_within, actual.cases.reopen_within);
  EXPECT_EQ(shown.escalations.repeat_every, actual.escalations.repeat_every);
  EXPECT_EQ(shown.escalations.link_ttl, actual.escalations.link_ttl);
  EXPECT_EQ(shown.incidents.by, actual.incidents.by);
  EXPECT_EQ(shown.incidents.window, actual.incidents.window);
  EXPECT_EQ(shown.incidents.open_at, actual.incidents.open_at);
  EXPECT_EQ(shown.plan.max_age, actual.plan.max_age);
  EXPECT_EQ(shown.delivery.allow_private_addresses, actual.delivery.allow_private_addresses);
  EXPECT_EQ(shown.delivery.timeout, actual.delivery.timeout);
  EXPECT_EQ(shown.delivery.schedule, actual.delivery.schedule);
  EXPECT_EQ(shown.delivery.breaker_failures, actual.delivery.breaker_failures);
  EXPECT_EQ(shown.delivery.breaker_wait, actual.delivery.breaker_wait);
  EXPECT_EQ(shown.delivery.breaker_wait_max, actual.delivery.breaker_wait_max);
  EXPECT_EQ(shown.delivery.gone_limit, actual.delivery.gone_limit);
  EXPECT_EQ(shown.limits.hook_body_bytes, actual.limits.hook_body_bytes);
  EXPECT_EQ(shown.limits.api_body_bytes, actual.limits.api_body_bytes);
  EXPECT_EQ(shown.limits.token_requests_per_minute, actual.limits.token_requests_per_minute);
  EXPECT_EQ(shown.limits.address_requests_per_minute, actual.limits.address_requests_per_minute);
  EXPECT_EQ(shown.limits.queue_wait_max, actual.limits.queue_wait_max);
  EXPECT_EQ(shown.limits.lease, actual.limits.lease);
  EXPECT_EQ(shown.limits.lease_max, actual.limits.lease_max);
  EXPECT_EQ(shown.server.limits.header_bytes, actual.server.limits.header_bytes);
  EXPECT_EQ(shown.server.limits.connections, actual.server.limits.connections);
  EXPECT_EQ(shown.server.limits.header_timeout, actual.server.limits.header_timeout);
  EXPECT_EQ(shown.server.limits.body_timeout, actual.server.limits.body_timeout);
  EXPECT_EQ(shown.server.limits.idle_timeout, actual.server.limits.idle_timeout);
  EXPECT_EQ(shown.server.limits.write_timeout, actual.server.limits.write_timeout);
  EXPECT_EQ(shown.server.limits.handshake_timeout, actual.server.limits.handshake_timeout);
  EXPECT_EQ(shown.store.queue_depth, actual.store.queue_depth);
  EXPECT_EQ(shown.store.batch, actual.store.batch);
  EXPECT_EQ(shown.store.readers, actual.store.readers);
  EXPECT_EQ(shown.retention.posts, actual.retention.posts);
  EXPECT_EQ(shown.retention.audit, actual.retention.audit);
  EXPECT_EQ(shown.classifier.factors.reach, actual.classifier.factors.reach);
  EXPECT_EQ(shown.classifier.factors.failed_before, actual.classifier.factors.failed_before);
  EXPECT_EQ(shown.classifier.factors.repeated, actual.classifier.factors.repeated);
  EXPECT_EQ(shown.classifier.factors.waiting, actual.classifier.factors.waiting);
  EXPECT_EQ(shown.classifier.factors.low_rating, actual.classifier.factors.low_rating);
  EXPECT_EQ(shown.classifier.factors.crowd, actual.classifier.factors.crowd);
  EXPECT_EQ(shown.classifier.factors.how_long, actual.classifier.factors.how_long);
  EXPECT_EQ(shown.classifier.factors.vulnerable, actual.classifier.factors.vulnerable);
  EXPECT_EQ(shown.classifier.factors.danger, actual.classifier.factors.danger);
  EXPECT_EQ(shown.log.level, actual.log.level);
  EXPECT_EQ(shown.log.format, actual.log.format);
}

TEST(Config, WithoutAFileItIsSafe) {
  const auto loaded = default_config();
  ASSERT_TRUE(loaded);
  const Config& config = loaded->config;
  EXPECT_EQ(config.server.host, "127.0.0.1");
  EXPECT_EQ(config.server.port, 8080);
  EXPECT_EQ(config.store.directory, "./data");
  EXPECT_EQ(config.plan.team, "care");
  ASSERT_EQ(config.sources.size(), 1U);
  EXPECT_TRUE(config.sources[0].unsigned_ok);
  EXPECT_FALSE(config.delivery.allow_private_addresses);
  EXPECT_THAT(config.delivery.schedule, Not(IsEmpty()));
}

TEST(Config, TheUnsignedDefaultSourceIsNotThereForTheWorld) {
  const auto loaded = default_config({"0.0.0.0:8080", std::nullopt});
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->config.sources, IsEmpty());
  EXPECT_THAT(lines(loaded->warnings), Contains("/sources: there is no source, so no post can come in"));
  EXPECT_THAT(config_of(R"({"trusted_proxies": ["10.0.0.1"]})").sources, IsEmpty());
}

TEST(Config, TheCommandLineGoesBeforeTheFile) {
  const Config config = config_of(R"({"listen": "127.0.0.1:1", "data": "a"})", {"[::1]:9000", "b"});
  EXPECT_EQ(config.server.host, "::1");
  EXPECT_EQ(config.server.port, 9000);
  EXPECT_EQ(config.store.directory, "b");
  EXPECT_THAT(errors_of("{}", {"nonsense", std::nullopt}),
              ElementsAre(": --listen: expected HOST:PORT, such as \"127.0.0.1:8080\" or \"[::1]:8080\""));
}

TEST(Config, AllFaultsAreFoundAndNotOnlyTheFirst) {
  EXPECT_THAT(errors_of(R"({
    "listen": "nowhere",
    "sits": [],
    "cases": {"join_within": "soon", "reopen_in": "72h"},
    "teams": [{"name": "care"}, {"name": "care"}, {"callback": {"format": "slack"}}],
    "routing": {"team": "cares", "max_age": 7200},
    "log": {"level": "loud", "format": "yaml"},
    "limits": {"connections": 0, "requests_per_minute": 5}})"),
              UnorderedElementsAre(
                  HasSubstr("/listen: expected HOST:PORT"), "/sits: unknown key, the nearest known one is \"sites\"",
                  "/cases/join_within: expected a duration such as \"90s\", \"15m\", \"2h\" or \"30d\", found \"soon\"",
                  "/cases/reopen_in: unknown key, the nearest known one is \"reopen_within\"",
                  "/teams/1/name: expected a name of its own, there is another team \"care\"",
                  "/teams/2/name: missing, expected the team's name",
                  "/teams/2/callback/url: missing, expected the http(s) address to call",
                  "/teams/2/callback/format: expected \"standard\": \"slack\" is not supported yet",
                  HasSubstr("/teams/2/callback/secret: missing, expected the secret"),
                  "/routing/team: there is no team \"cares\", the nearest is \"care\"",
                  "/routing/max_age: expected a duration such as \"90s\", \"15m\", \"2h\" or \"30d\", found 7200",
                  "/log/level: expected trace, debug, info, warn or error, found \"loud\"",
                  "/log/format: expected text or json, found \"yaml\"",
                  "/limits/connections: expected a whole number from 1 to 1000000, found 0",
                  "/limits/requests_per_minute: expected an object, found 5"));
}

TEST(Config, AFindingNamesItsFile) {
  const Directory directory;
  const auto file = directory.write("broken.json", "{\n  \"listen\": 8080\n}");
  const auto loaded = load_config(file);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(to_string(loaded.error().at(0)), file.string() + ": /listen: expected a string, found 8080");
}

TEST(Config, WhatIsNotJsonIsRefusedByLineAndColumn) {
  EXPECT_THAT(errors_of("{\n  \"data\": \"x\"\n  \"listen\": 1\n}"),
              ElementsAre(HasSubstr("not valid JSON at line 3, column 10")));
  EXPECT_THAT(errors_of("[]"), ElementsAre(": expected an object, found a list"));
  EXPECT_THAT(errors_of(R"({"data": "a", "data": "b"})"), ElementsAre(HasSubstr("second time")));
}

TEST(Config, AFileThatCannotBeReadIsSaidSo) {
  const Directory directory;
  const auto missing = load_config(directory.path() / "none.json");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().at(0).message, HasSubstr("cannot read the file: No such file"));
  const auto not_a_file = load_config(directory.path());
  ASSERT_FALSE(not_a_file);
  EXPECT_EQ(not_a_file.error().at(0).message, "expected a file, found a directory");
}

// --- Secrets, environment and files

constexpr const char* kSigned = R"({"sources": [{"name": "a", "use": "generic", "secrets": {"signing_key": %}}]})";

std::string with(std::string text, const std::string& value) {
  return text.replace(text.find('%'), 1, value);
}

TEST(Config, AStringTakesWhatTheEnvironmentGives) {
  const Environment key("TRIAGED_TEST_KEY", kSecret);
  const Environment host("TRIAGED_TEST_HOST", "127.0.0.5");
  const Config config = config_of(R"({"listen": "${TRIAGED_TEST_HOST}:81", "sources": [
      {"name": "a", "use": "generic", "brand_account": "$${x}", "secrets": {"signing_key": "${TRIAGED_TEST_KEY}"}}]})");
  EXPECT_EQ(config.server.host, "127.0.0.5");
  EXPECT_EQ(config.sources.at(0).secrets.at("signing_key"), std::vector<std::string>{kSecret});
  EXPECT_EQ(config.sources.at(0).brand_account, "${x}");
}

TEST(Config, AVariableThatIsNotSetIsOneFaultAtItsPlace) {
  unsetenv("TRIAGED_TEST_NONE");
  EXPECT_THAT(errors_of(with(kSigned, R"("${TRIAGED_TEST_NONE}")")),
              ElementsAre("/sources/0/secrets/signing_key: the environment variable TRIAGED_TEST_NONE is not set"));
  EXPECT_THAT(errors_of(R"({"listen": "${oops"})"), ElementsAre(HasSubstr("/listen: expected ${NAME}")));
  EXPECT_THAT(errors_of(R"({"data": "${}"})"), ElementsAre(HasSubstr("/data: expected ${NAME}")));
}

TEST(Config, AFileGivesItsContentWithoutTheNewlineAtItsEnd) {
  const Directory directory;
  directory.write("key", std::string(kSecret) + "\r\n");
  const auto file = directory.write("triaged.json", with(kSigned, R"({"file": "key"})"));
  const auto loaded = load_config(file);
  ASSERT_TRUE(loaded) << testing::PrintToString(lines(loaded.error()));
  EXPECT_EQ(loaded->config.sources.at(0).secrets.at("signing_key"), std::vector<std::string>{kSecret});
  EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST(Config, AFileThatIsNotThereIsOneFault) {
  EXPECT_THAT(errors_of(with(kSigned, R"({"file": "none"})")),
              ElementsAre("/sources/0/secrets/signing_key/file: cannot read none: No such file or directory"));
  EXPECT_THAT(errors_of(with(kSigned, R"({"file": 7})")),
              ElementsAre(HasSubstr("/sources/0/secrets/signing_key/file: expected the path of a file")));
}

TEST(Config, ASecretWrittenOutWorksAndIsWarnedOf) {
  const std::string text = with(kSigned, '"' + std::string(kSecret) + '"');
  EXPECT_EQ(config_of(text).sources.at(0).secrets.at("signing_key"), std::vector<std::string>{kSecret});
  EXPECT_THAT(warnings_of(text),
              ElementsAre(HasSubstr("/sources/0/secrets/signing_key: a secret is written out here")));
}

TEST(Config, NoFindingShowsASecret) {
  const std::string hidden = "hunter2-hunter2";
  const Environment variable("TRIAGED_TEST_HIDDEN", hidden);
  const Directory directory;
  directory.write("secret", hidden);
  // The secret, in each way that it can be given, in each place where something else was expected.
  const auto keys = {"listen",   "public_url", "data",    "threads", "trusted_proxies", "drain_grace", "sources",
                     "teams",    "sites",      "routing", "ladders", "cases",           "incidents",   "clocks",
                     "delivery", "limits",     "log"};
  for (const std::string value :
       {R"("${TRIAGED_TEST_HIDDEN}")", R"({"file": "secret"})", R"(["${TRIAGED_TEST_HIDDEN}"])"}) {
    json document = json::object();
    for (const char* key : keys) document[key] = json::parse(value);
    std::string places = R"({
           "teams": [{"name": %, "callback": {"url": %, "format": %, "secret": %, "include": %, "concurrency": %}}],
           "sources": [{"name": %, "use": %, "unsigned": %}, {"name": "a", "use": "x", "secrets": %, "expect_every": %},
                       {"name": "b", "use": "generic", "secrets": {"signing_key": %}, "algorithm": %, "encoding": %}],
           "sites": [{"name": "s", "lat": %, "aliases": %}], "ladders": {"l": [{"after": %, "team": %}]},
           "clocks": {"first_response": {"x": %}}, "tls": {"certificate": %, "key": %}, "log": {"level": %, "format": %},
           "classifier": {"model": %}, "delivery": {"ca_file": %, "schedule": %},
           "routing": {"team": %, "routes": [{"team": %, "escalate": %, "match": {"topic": %, "moment": %, "site": %}}]}
         })";
    while (places.find('%') != std::string::npos) places = with(places, value);
    for (const std::string& whole : {document.dump(), places}) {
      const auto loaded = parse_config(whole, directory.path() / "triaged.json");
      ASSERT_FALSE(loaded);
      EXPECT_GT(loaded.error().size(), 10U);
      for (const Finding& finding : loaded.error()) EXPECT_THAT(to_string(finding), Not(HasSubstr(hidden)));
    }
  }
  // A secret that was written out into its own place.
  EXPECT_THAT(
      errors_of(R"({"teams": [{"name": "a", "callback": {"url": "https://a.example/hunter2", "secret": "hunter2"}}]})"),
      ElementsAre(AllOf(HasSubstr("/teams/0/callback/secret: expected a webhook secret"), Not(HasSubstr("hunter2")))));
  EXPECT_THAT(
      errors_of(R"({"teams": [{"name": "a", "callback": {"url": "https://u:hunter2@a.example", "secret": 7}}]})"),
      Each(Not(HasSubstr("hunter2"))));
}

// --- Sources and teams

TEST(Config, ASourceIsCheckedAgainstItsPlatform) {
  EXPECT_THAT(errors_of(R"({"sources": [{"name": "a", "use": "xx"}]})"),
              ElementsAre(HasSubstr("/sources/0/use: expected ")));
  EXPECT_THAT(errors_of(R"({"sources": [{"name": "a", "use": "x"}]})"),
              ElementsAre(HasSubstr("/sources/0/secrets/consumer_secret")));
  EXPECT_THAT(
      errors_of(R"({"sources": [{"name": "a", "use": "x", "secrets": {"consumer_secrt": "${HOME}"}}]})"),
      ElementsAre("/sources/0/secrets/consumer_secrt: unknown key, the nearest known one is \"consumer_secret\""));
  EXPECT_THAT(errors_of(R"({"sources": [{"name": "A B", "use": "generic", "unsigned": true}]})"),
              Contains(HasSubstr("/sources/0/name: expected lower-case letters")));
  EXPECT_THAT(errors_of(with(kSigned, "\"x\"").insert(14, R"("hedder": "x", )")),
              Contains("/sources/0/hedder: unknown key, the nearest known one is \"header\""));
}

TEST(Config, AnUnsignedSourceNeedsLoopbackAndNoProxy) {
  const std::string sources = R"("sources": [{"name": "lab", "use": "generic", "unsigned": true}])";
  for (const char* listen : {"127.0.0.1:80", "127.9.9.9:80", "localhost:80", "[::1]:80"}) {
    EXPECT_THAT(errors_of("{\"listen\": \"" + std::string(listen) + "\", " + sources + "}"), IsEmpty()) << listen;
  }
  for (const char* listen : {"0.0.0.0:80", "[::]:80", "10.0.0.1:80", "care.example.com:80", "127.example.com:80"}) {
    EXPECT_THAT(errors_of("{\"listen\": \"" + std::string(listen) + "\", " + sources + "}"),
                ElementsAre(HasSubstr("/sources/0/unsigned: an unsigned source")))
        << listen;
  }
  EXPECT_THAT(errors_of("{\"trusted_proxies\": [\"10.0.0.0/8\"], " + sources + "}"),
              ElementsAre(HasSubstr("/sources/0/unsigned: an unsigned source")));
  EXPECT_THAT(errors_of("{" + sources + "}", {"0.0.0.0:80", std::nullopt}),
              ElementsAre(HasSubstr("/sources/0/unsigned")));
}

TEST(Config, ACallbackIsReadyToBeDelivered) {
  const Environment key("TRIAGED_TEST_KEY", kSecret);
  const Config config = config_of(R"({"delivery": {"concurrency": 3}, "teams": [{"name": "care"},
      {"name": "ops", "callback": {"url": "https://ops.example.com:444/secret-path", "secret": ["${TRIAGED_TEST_KEY}"]}},
      {"name": "duty", "callback": {"url": "https://d.example.com", "secret": "${TRIAGED_TEST_KEY}", "concurrency": 5,
                                    "include": ["direct_message_text", "author"]}}]})");
  const auto targets = endpoints(config);
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].to, store::to_team("ops"));
  const CallbackConfig& callback = *config.teams[1].callback;
  EXPECT_EQ(callback.url.host, "ops.example.com");
  EXPECT_EQ(callback.url.target, "/secret-path");
  EXPECT_EQ(callback.keys.size(), 1U);
  EXPECT_EQ(callback.keys[0].size(), 24U);  // decoded
  EXPECT_EQ(targets[0].concurrency, 3U);
  EXPECT_EQ(targets[1].concurrency, 5U);
  EXPECT_EQ(config.teams[1].callback->shown_url, "https://ops.example.com:444");
  EXPECT_TRUE(config.teams[1].callback->include.post_text);
  EXPECT_FALSE(config.teams[1].callback->include.author);
  EXPECT_FALSE(config.teams[2].callback->include.post_text);
  EXPECT_TRUE(config.teams[2].callback->include.direct_message_text);
  EXPECT_FALSE(config.teams[0].callback);
}

TEST(Config, WarnsOfCallbacksThatCannotOrShouldNotBeMade) {
  const Environment key("TRIAGED_TEST_KEY", kSecret);
  const auto warnings = [](const std::string& url, const std::string& more = "") {
    return warnings_of(R"({"public_url": "https://c.example", )" + more +
                       R"("teams": [{"name": "a", "callback": {"url": ")" + url +
                       R"(", "secret": "${TRIAGED_TEST_KEY}"}}]})");
  };
  EXPECT_THAT(warnings("https://example.com"), IsEmpty());
  EXPECT_THAT(warnings("http://example.com"), ElementsAre(HasSubstr("without TLS")));
  EXPECT_THAT(warnings("http://10.0.0.1/x"),
              ElementsAre(HasSubstr("/teams/0/callback/url: this address is not public")));
  EXPECT_THAT(warnings("http://localhost:1"),
              ElementsAre(HasSubstr("/teams/0/callback/url: this address is not public")));
  EXPECT_THAT(warnings("http://10.0.0.1", R"("delivery": {"allow_private_addresses": true}, )"), IsEmpty());
}

// --- Routing

std::string routed(const std::string& more) {
  return R"({"public_url": "https://c.example",
    "teams": [{"name": "care"}, {"name": "ops", "callback": {"url": "https://o.example", "secret": "${TRIAGED_TEST_KEY}"}}],
    "sites": [{"name": "LHR-T5", "aliases": ["Heathrow T5"]}],
    "ladders": {"ops": [{"after": "0s", "team": "ops"}]}, )" +
         more + "}";
}

TEST(Config, EveryConditionOfARouteIsRead) {
  const Environment key("TRIAGED_TEST_KEY", kSecret);
  const Config config = config_of(routed(R"("routing": {"team": "ops", "max_age": "3h", "routes": [{
      "name": "all", "team": "care", "escalate": "ops", "match": {
        "moment": "after_the_fact", "min_urgency": 20.5, "priority": ["high", "critical"], "topic": "queue",
        "intent": ["complaint"], "actionable": false, "site": "LHR-T5", "platform": ["x"], "kind": ["review", "reply"],
        "source": ["generic"], "brand_account": "acme", "language": ["en", "de"], "min_followers": 5, "verified": true,
        "max_rating": 2}, "routes": [{"match": {"verified": false}, "escalate": ""}]}]})"));
  EXPECT_EQ(config.plan.team, "ops");
  EXPECT_EQ(config.plan.max_age, hours(3));
  const route::Route& route = config.plan.routes.at(0);
  EXPECT_EQ(route.name, "all");
  EXPECT_EQ(route.team, "care");
  EXPECT_EQ(route.escalate, "ops");
  const route::Match& match = route.match;
  EXPECT_EQ(match.moment, Moment::after_the_fact);
  EXPECT_EQ(match.min_urgency, 20.5);
  EXPECT_THAT(match.priority, ElementsAre(Priority::high, Priority::critical));
  EXPECT_THAT(match.topic, ElementsAre(Topic::queue));
  EXPECT_THAT(match.intent, ElementsAre(Intent::complaint));
  EXPECT_EQ(match.actionable, false);
  EXPECT_THAT(match.site, ElementsAre("LHR-T5"));
  EXPECT_THAT(match.platform, ElementsAre("x"));
  EXPECT_THAT(match.kind, ElementsAre(PostKind::review, PostKind::reply));
  EXPECT_THAT(match.source, ElementsAre("generic"));
  EXPECT_THAT(match.brand_account, ElementsAre("acme"));
  EXPECT_THAT(match.language, ElementsAre("en", "de"));
  EXPECT_EQ(match.min_followers, 5);
  EXPECT_EQ(match.verified, true);
  EXPECT_EQ(match.max_rating, 2);
  EXPECT_EQ(route.routes.at(0).escalate, "");
  EXPECT_FALSE(route.routes.at(0).team);
}

TEST(Config, ANameThatIsNotThereIsAFaultAtItsReference) {
  const Environment key("TRIAGED_TEST_KEY", kSecret);
  EXPECT_THAT(
      errors_of(routed(R"("routing": {"routes": [{"team": "car", "escalate": "opps",
        "match": {"site": ["LHR"], "source": ["generic", "gen"], "topic": ["quue"]},
        "routes": [{"escalate": "no"}]}]})")),
      UnorderedElementsAre("/routing/routes/0/team: there is no team \"car\", the nearest is \"care\"",
                           "/routing/routes/0/escalate: there is no ladder \"opps\", the nearest is \"ops\"",
                           "/routing/routes/0/match/site/0: there is no site \"LHR\", the nearest is \"LHR-T5\"",
                           "/routing/routes/0/match/source/1: there is no source \"gen\", the nearest is \"generic\"",
                           HasSubstr("/routing/routes/0/match/topic/0: expected delay, queue, "),
                           "/routing/routes/0/routes/0/escalate: there is no ladder \"no\", the nearest is \"ops\""));
}

TEST(Config, ALadderCallsTeamsThatCanBeCalledOneAfterTheOther) {
  const Environment key("TRIAGED_TEST_KEY", kSecret);
  const std::string teams =
      R"("public_url": "https://c.example", "teams": [{"name": "care"}, {"name": "ops", "callback": {"url": "https://o.example", "secret": "${TRIAGED_TEST_KEY}"}}], )";
  EXPECT_THAT(errors_of("{" + teams + R"("ladders": {
      "a": [], "b": [{"after": "5m", "team": "ops"}], "c": [{"after": "0s", "team": "care"}],
      "d/e": [{"after": "0s", "team": "ops"}, {"after": "10m", "team": "ops"}, {"after": "10m", "team": "op"}],
      "f": [{"tema": "ops"}], "g": {}}})"),
              UnorderedElementsAre("/ladders/a: expected at least one rung",
                                   "/ladders/b/0/after: expected \"0s\": the first rung is called at once",
                                   "/ladders/c/0/team: expected a team with a callback, \"care\" has none",
                                   "/ladders/d~1e/2/after: expected more than the rung before, which is after 10m",
                                   "/ladders/d~1e/2/team: there is no team \"op\", the nearest is \"ops\"",
                                   HasSubstr("/ladders/f/0/after: missing"), HasSubstr("/ladders/f/0/team: missing"),
                                   "/ladders/f/0/tema: unknown key, the nearest known one is \"team\"",
                                   "/ladders/g: expected a list, found an object"));
}

TEST(Config, ASiteHasAPlaceOrNames) {
  EXPECT_THAT(errors_of(R"({"sites": [{"name": "a", "lat": 1, "lon": 2}, {"name": "a"}, {"aliases": ["🛫"]},
                                      {"name": "b", "lat": 91, "lon": 0, "radius_m": 0}, {"name": "c", "radius_m": 5}]})"),
              UnorderedElementsAre("/sites/0/radius_m: missing, expected lat, lon and radius_m together",
                                   "/sites/1/name: expected a name of its own, there is another site \"a\"",
                                   "/sites/2/name: missing, expected the site's name",
                                   "/sites/2/aliases/0: expected a name with a letter or digit in it, found \"🛫\"",
                                   "/sites/3/lat: expected a number from -90 to 90, found 91",
                                   "/sites/3/radius_m: expected a number from 1 to 1000000, found 0",
                                   "/sites/4/lat: missing, expected lat, lon and radius_m together"));
}

TEST(Config, WarnsOfWhatCanHaveNoEffect) {
  const Environment key("TRIAGED_TEST_KEY", kSecret);
  EXPECT_THAT(
      warnings_of(routed(R"("routing": {"routes": [{"match": {}, "team": "care"}, {"match": {"verified": true}}]},
                                    "clocks": {"first_response": {"in_the_momnt": "5m", "mastodon": "1h"}})")),
      UnorderedElementsAre("/routing/routes/1: this is never reached: a route before it has no conditions",
                           "/ladders/ops: no route escalates by this ladder",
                           HasSubstr("/clocks/first_response/in_the_momnt: this counts for a platform")));
}

TEST(Config, TheRoutingThatWasReadRoutes) {
  const auto file = kRoot / "config/triaged.json";
  const auto environment = environment_for(read_text(file));
  const auto loaded = load_config(file);
  ASSERT_TRUE(loaded);
  const route::Router router(loaded->config.plan);
  Post post;
  post.platform = "x";
  post.text = "an hour in the queue at Heathrow T5";
  post.created_at = from_millis(1'000'000);
  Verdict verdict;
  verdict.moment = Moment::in_the_moment;
  verdict.actionable = true;
  verdict.topic = Topic::queue;
  verdict.urgency = 83;
  verdict.priority = Priority::critical;
  const Decision decision = router.decide(post, verdict, post.created_at);
  EXPECT_THAT(decision.path, ElementsAre("stuck at the airport"));
  EXPECT_EQ(decision.rungs.at(0).team, "airport-ops");
  EXPECT_EQ(decision.first_response, minutes(10));
}

// --- Limits and the like

TEST(Config, ValuesOutOfRangeAreRefused) {
  EXPECT_THAT(errors_of(R"({"limits": {"lease": "9h", "hook_body_bytes": 1.5, "queue_wait": "1d"},
                            "delivery": {"breaker": {"wait": "2m"}, "schedule": ["5s", "x"], "timeout": "0s"},
                            "incidents": {"by": ["site", "site", "mood"], "open_at": 1}, "retention": {"posts": "1h"},
                            "classifier": {"factors": {"reach": 101}}, "trusted_proxies": ["10.0.0.0/33"]})"),
              UnorderedElementsAre("/limits/lease: expected at most lease_max, which is 8h",
                                   HasSubstr("/limits/hook_body_bytes: expected a whole number from 1024"),
                                   "/limits/queue_wait: expected a duration from 0s to 10m, found \"1d\"",
                                   "/delivery/breaker/wait: expected at most wait_max, which is 1m",
                                   HasSubstr("/delivery/schedule/1: expected a duration"),
                                   "/delivery/timeout: expected a duration from 1ms to 5m, found \"0s\"",
                                   HasSubstr("/incidents/by/1: expected a name of its own"),
                                   HasSubstr("/incidents/by/2: expected site, topic"),
                                   HasSubstr("/incidents/open_at: expected a whole number from 2"),
                                   HasSubstr("/retention/posts: expected a duration from 1d"),
                                   HasSubstr("/classifier/factors/reach: expected a number from 0 to 100"),
                                   HasSubstr("/trusted_proxies/0: expected an address or a network")));
}

TEST(Config, PathsAreRelativeToTheFile) {
  const Directory directory;
  directory.write("cert.pem", "x");
  directory.write("key.pem", "x");
  const auto file =
      directory.write("triaged.json", R"({"data": "here", "tls": {"certificate": "cert.pem", "key": "key.pem"}})");
  const auto loaded = load_config(file);
  ASSERT_TRUE(loaded) << testing::PrintToString(lines(loaded.error()));
  EXPECT_EQ(loaded->config.store.directory, directory.path() / "here");
  EXPECT_EQ(loaded->config.server.tls->certificate, (directory.path() / "cert.pem").string());
  EXPECT_THAT(errors_of(R"({"tls": {"certificate": "none.pem"}})"),
              UnorderedElementsAre("/tls/certificate: expected a file that can be read, cannot read none.pem",
                                   "/tls/key: missing, expected the path of a PEM file"));
}

TEST(Config, ThePublicUrlLosesTheSlashAtItsEnd) {
  EXPECT_EQ(config_of(R"({"public_url": "https://care.example.com/x/"})").public_url, "https://care.example.com/x");
  EXPECT_THAT(errors_of(R"({"public_url": "https://care.example.com/?a=b"})"), ElementsAre(HasSubstr("/public_url: ")));
  EXPECT_THAT(errors_of(R"({"public_url": "care.example.com"})"), ElementsAre(HasSubstr("/public_url: ")));
}

// --- The schema

const json& resolve(const json& schema, const json& root) {
  const auto reference = schema.find("$ref");
  if (reference == schema.end()) return schema;
  return root.at(json::json_pointer(reference->get<std::string>().substr(1)));
}

// Each key of the schema, in a document that has it alone, at the place where the schema has it.
void each_key(const json& schema, const json& root, const std::vector<std::string>& at, int depth,
              const std::function<void(const std::vector<std::string>&)>& visit) {
  const json& here = resolve(schema, root);
  if (depth > 12) return;
  if (here.contains("items")) {
    auto below = at;
    below.push_back("0");
    each_key(here["items"], root, below, depth + 1, visit);
  }
  if (here.contains("additionalProperties") && here["additionalProperties"].is_object() &&
      !here.contains("properties")) {
    auto below = at;
    below.push_back("any");
    each_key(here["additionalProperties"], root, below, depth + 1, visit);
  }
  const json properties = here.value("properties", json::object());
  for (const auto& [key, inner] : properties.items()) {
    auto below = at;
    below.push_back(key);
    visit(below);
    const bool recursion = key == "routes" && at.size() > 2;
    if (!recursion) each_key(inner, root, below, depth + 1, visit);
  }
}

std::string pointer_of(const std::vector<std::string>& path) {
  std::string out;
  for (const std::string& token : path) out += '/' + token;
  return out;
}

TEST(ConfigSchema, EveryKeyOfTheSchemaIsKnownToTheReader) {
  const json schema = json::parse(read_text(kRoot / "config/triaged.schema.json"));
  int keys = 0;
  each_key(schema, schema, {}, 0, [&](const std::vector<std::string>& path) {
    json document = json::object();
    document[json::json_pointer(pointer_of(path))] = json();
    const auto loaded = parse_config(document.dump(), "triaged.json");
    ++keys;
    if (loaded) return;
    for (const std::string& line : lines(loaded.error())) EXPECT_THAT(line, Not(HasSubstr("unknown key")));
  });
  EXPECT_GT(keys, 90);
}

TEST(ConfigSchema, EveryKeyOfTheExampleIsInTheSchemaAndTheOtherWayRound) {
  const json schema = json::parse(read_text(kRoot / "config/triaged.schema.json"));
  // What the example only speaks of in comments.
  std::set<std::string> expected{"/tls",
                                 "/tls/certificate",
                                 "/tls/key",
                                 "/classifier/model",
                                 "/classifier/deep_model",
                                 "/delivery/ca_file",
                                 "/sources/unsigned"};
  std::set<std::string> in_schema;
  const auto without_indices = [](std::vector<std::string> path) {
    std::string out;
    for (const std::string& token : path) {
      if (token.find_first_not_of("0123456789") != std::string::npos) out += '/' + token;
    }
    return out;
  };
  each_key(schema, schema, {}, 0, [&](const std::vector<std::string>& path) {
    // "any" is a name that the configuration chooses; a file in a string's place is no key of its own.
    if (path.back() != "file") in_schema.insert(without_indices(path));
  });

  std::set<std::string> in_example = expected;
  const std::function<void(const json&, const std::vector<std::string>&)> walk =
      [&](const json& value, const std::vector<std::string>& at) {
        for (const auto& [key, inner] : value.items()) {
          auto below = at;
          const bool chosen =
              !at.empty() && (at.back() == "ladders" || at.back() == "first_response" || at.back() == "secrets");
          below.push_back(value.is_array() ? "0" : chosen ? "any" : key);
          // A route below a route has the same keys.
          const std::string pointer =
              std::regex_replace(without_indices(below), std::regex("/routes/routes/"), "/routes/");
          const bool setting = at.size() == 2 && at[0] == "sources" && in_schema.count(pointer) == 0;
          if (value.is_object() && !chosen && !setting) in_example.insert(pointer);
          if (inner.is_structured()) walk(inner, below);
        }
      };
  walk(*parse_written_json(read_text(kRoot / "config/triaged.json")), {});
  std::vector<std::string> only_in_one;
  std::set_symmetric_difference(in_example.begin(), in_example.end(), in_schema.begin(), in_schema.end(),
                                std::back_inserter(only_in_one));
  EXPECT_THAT(only_in_one, IsEmpty());
}

}  // namespace
}  // namespace triage::app
