// `triaged route explain`: why somebody was called for a post, or nobody was. For a stored post or case it shows the
// decision that was kept and the walk under today's configuration; for a text or a Post on stdin only the walk.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/judges.h"
#include "triage/app/config.h"
#include "triage/model/json.h"
#include "triage/store/store.h"

namespace triage::app {

namespace {

constexpr int kInputAtFault = 1;
constexpr int kEnvironmentAtFault = 3;

struct ExplainOptions {
  std::string config;
  std::string data;
  std::string text;
  std::string case_id;
  std::string post_id;
  bool json = false;
};

// What is to be explained: a post with its verdict and, where it is stored, the case's kept decision.
struct Subject {
  Post post;
  Verdict verdict;
  Time now{};
  std::optional<store::CaseRecord> c;
};

int fail(int code, const std::string& text) {
  std::fprintf(stderr, "triaged: %s\n", text.c_str());
  return code;
}

Result<Subject> stored_subject(const ExplainOptions& options, const Config& config) {
  auto session = store::open_session(config.store.directory, false);
  if (!session) return session.error();
  Subject subject;
  Result<void> found = boost::system::in_place_value;
  const Result<void> read = (*session)->read([&](store::Reader& reader) {
    std::optional<store::PostRecord> post;
    if (!options.case_id.empty()) {
      const auto id = CaseId::parse(options.case_id);
      subject.c = id ? reader.find_case(*id) : std::nullopt;
      if (!subject.c) {
        found = make_error(ErrorCode::not_found, "no case " + options.case_id);
        return;
      }
      post = reader.post(subject.c->newest_post);
    } else {
      const auto id = PostId::parse(options.post_id);
      post = id ? reader.post(*id) : std::nullopt;
      if (post && post->case_id) subject.c = reader.find_case(*post->case_id);
    }
    if (!post) {
      found = make_error(ErrorCode::not_found, "no post " + options.post_id);
    } else if (!post->verdict) {
      found =
          make_error(ErrorCode::unprocessable, "the post was not judged: it is " + std::string(to_string(post->state)));
    } else {
      subject.post = std::move(post->post);
      subject.verdict = std::move(*post->verdict);
      subject.now = subject.post.received_at;
    }
  });
  if (!read) return read.error();
  if (!found) return found.error();
  return subject;
}

Result<Subject> fresh_subject(const ExplainOptions& options, const Config& config) {
  Subject subject;
  subject.now = wall_clock_now();
  if (!options.text.empty()) {
    subject.post.text = options.text;
    subject.post.native_id = "1";
  } else {
    const std::string input{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
    auto parsed = parse_json(input);
    if (!parsed) return parsed.error();
    if (parsed->is_object() && !parsed->contains("native_id")) (*parsed)["native_id"] = "1";
    auto post = post_from_json(*parsed, "");
    if (!post) return post.error();
    subject.post = std::move(*post);
  }
  subject.post.received_at = subject.now;
  if (subject.post.created_at == Time{}) subject.post.created_at = subject.now;
  const auto bench = load_bench(config.classifier);
  if (!bench) return bench.error();
  subject.verdict = classify::weigh(bench->best().judge(subject.post, subject.now), subject.post, Context{},
                                    config.classifier.factors);
  return subject;
}

std::string describe(const Decision& decision) {
  std::string path;
  for (const auto& step : decision.path) path += (path.empty() ? "" : " > ") + step;
  std::string out = "  path    " + (path.empty() ? "(none)" : path) + "\n  team    " + decision.team + "\n  ladder  " +
                    (decision.ladder.empty() ? "(nobody is called)" : decision.ladder) + "\n";
  for (const auto& rung : decision.rungs)
    out += "          after " + format_duration(rung.after) + ": " + rung.team + "\n";
  out += "  site    " + (decision.site ? decision.site->site + " by " + decision.site->cue : "(none)") + "\n";
  out += "  clock   " +
         (decision.first_response ? format_duration(*decision.first_response) + " by " + decision.first_response_rule
                                  : std::string("(none)")) +
         "\n  why     " + decision.why + "\n";
  return out;
}

int explain(const ExplainOptions& options) {
  Overrides overrides;
  if (!options.data.empty()) overrides.data = options.data;
  auto loaded = options.config.empty() ? default_config(overrides) : load_config(options.config, overrides);
  if (!loaded) {
    for (const auto& finding : loaded.error()) std::fprintf(stderr, "%s\n", to_string(finding).c_str());
    return kInputAtFault;
  }
  const Config& config = loaded->config;
  const bool stored = !options.case_id.empty() || !options.post_id.empty();
  const auto subject = stored ? stored_subject(options, config) : fresh_subject(options, config);
  if (!subject) {
    std::string text = subject.error().detail;
    for (const auto& field : subject.error().fields) text += "\n  " + field.pointer + ": " + field.detail;
    const auto code = subject.error().code;
    const bool input =
        code == ErrorCode::not_found || code == ErrorCode::unprocessable || code == ErrorCode::bad_request;
    return fail(input ? kInputAtFault : kEnvironmentAtFault, text);
  }
  const route::Router router(config.plan);
  std::vector<route::Step> steps;
  const Decision decision = router.decide(subject->post, subject->verdict, subject->now, &steps);

  if (options.json) {
    nlohmann::json out{{"verdict", subject->verdict}, {"decision", decision}, {"steps", nlohmann::json::array()}};
    for (const auto& step : steps) {
      out["steps"].push_back(
          {{"route", step.route}, {"depth", step.depth}, {"entered", step.entered}, {"why", step.why}});
    }
    if (subject->c) {
      out["case"] = subject->c->id.str();
      out["kept_decision"] = subject->c->decision;
    }
    std::puts(out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return 0;
  }
  const Verdict& v = subject->verdict;
  std::printf("verdict   %s (%.2f), %s (%.2f), %s, %s, urgency %.0f (%s)\n", std::string(to_string(v.moment)).c_str(),
              v.moment_confidence, v.actionable ? "actionable" : "not actionable", v.actionable_confidence,
              std::string(to_string(v.intent)).c_str(), std::string(to_string(v.topic)).c_str(), v.urgency,
              std::string(to_string(v.priority)).c_str());
  for (const auto& reason : v.reasons) {
    std::printf("          %+.2f %s: %s\n", reason.weight, reason.what.c_str(), reason.cue.c_str());
  }
  if (subject->c) {
    std::printf("kept on case %s, which is %s\n%s", subject->c->id.str().c_str(),
                std::string(to_string(subject->c->state)).c_str(), describe(subject->c->decision).c_str());
  }
  std::printf("walk%s\n", stored ? " under the present configuration, as of the post's arrival" : "");
  for (const auto& step : steps) {
    std::printf("  %*s%s %s: %s\n", step.depth * 2, "", step.entered ? "->" : " x", step.route.c_str(),
                step.why.c_str());
  }
  std::printf("decision\n%s", describe(decision).c_str());
  return 0;
}

}  // namespace

void add_route(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* command = root.add_subcommand("route", "Look into the routing tree");
  command->require_subcommand(1);
  CLI::App* sub = command->add_subcommand(
      "explain", "Why somebody was called, or nobody: for --case, --post, --text, or a Post as JSON on stdin");
  sub->add_option("--config", options->config, "Configuration file");
  sub->add_option("--data", options->data, "Directory of the database, over the configuration's");
  auto* text = sub->add_option("--text", options->text, "A post's text");
  auto* a_case = sub->add_option("--case", options->case_id, "Id of a stored case");
  auto* post = sub->add_option("--post", options->post_id, "Id of a stored post");
  text->excludes(a_case)->excludes(post);
  a_case->excludes(post);
  sub->add_flag("--json", options->json, "As JSON");
  sub->callback([options, &exit_code] { exit_code = explain(*options); });
}

}  // namespace triage::app
