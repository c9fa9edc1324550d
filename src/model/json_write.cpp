// The model as it is written, and our own documents as they are read again.
#include <cmath>
#include <nlohmann/json.hpp>

#include "triage/model/json.h"

namespace triage {
namespace {

using nlohmann::json;

void put(json& out, const char* key, const std::string& value) {
  if (!value.empty()) out[key] = value;
}

// Three digits are more than a confidence or weight can mean, and keep the answers short.
double three_digits(double value) {
  return std::round(value * 1000) / 1000;
}

// One digit, cut and not rounded: 79.96 must not read as 80 beside the priority "high".
double one_digit(double urgency) {
  return std::floor(urgency * 10 + 1e-9) / 10;
}

template <class Value>
Value required(std::optional<Value> value, const json& spelling) {
  if (!value) throw json::other_error::create(501, "unknown name " + spelling.dump(), &spelling);
  return *value;
}

Duration duration_from(const json& in) {
  const auto duration = parse_duration(in.get_ref<const std::string&>());
  if (!duration) throw json::other_error::create(501, duration.error().detail, &in);
  return *duration;
}

}  // namespace

void to_json(json& out, const Author& author) {
  out = json::object();
  put(out, "native_id", author.native_id);
  put(out, "handle", author.handle);
  put(out, "name", author.name);
  if (author.followers) out["followers"] = *author.followers;
  if (author.verified) out["verified"] = *author.verified;
}

void to_json(json& out, const Post& post) {
  out = json::object();
  if (post.id != PostId()) out["id"] = post.id.view();
  put(out, "source", post.source);
  put(out, "platform", post.platform);
  out["kind"] = to_string(post.kind);
  out["native_id"] = post.native_id;
  out["text"] = post.text;
  if (post.created_at != Time()) out["created_at"] = format_time(post.created_at);
  if (post.received_at != Time()) out["received_at"] = format_time(post.received_at);
  if (post.author) out["author"] = *post.author;
  put(out, "url", post.url);
  put(out, "language", post.language);
  put(out, "in_reply_to", post.in_reply_to);
  put(out, "conversation_id", post.conversation_id);
  if (post.geo) {
    json& geo = out["geo"] = json::object();
    if (post.geo->lat && post.geo->lon) {
      geo["lat"] = *post.geo->lat;
      geo["lon"] = *post.geo->lon;
    }
    put(geo, "place", post.geo->place);
  }
  if (!post.media.empty()) {
    json& media = out["media"] = json::array();
    for (const Media& item : post.media) {
      json entry = {{"type", item.type}};
      put(entry, "url", item.url);
      media.push_back(std::move(entry));
    }
  }
  if (post.rating) out["rating"] = *post.rating;
  put(out, "brand_account", post.brand_account);
  if (post.revision != 0) out["revision"] = post.revision;
}

void to_json(json& out, const Verdict& verdict) {
  // Field by field: an initialiser list would copy every value, and this runs for every post.
  out = json::object();
  out["moment"] = to_string(verdict.moment);
  out["moment_confidence"] = three_digits(verdict.moment_confidence);
  out["actionable"] = verdict.actionable;
  out["actionable_confidence"] = three_digits(verdict.actionable_confidence);
  out["intent"] = to_string(verdict.intent);
  out["topic"] = to_string(verdict.topic);
  out["sentiment"] = three_digits(verdict.sentiment);
  out["language"] = verdict.language;
  out["text_urgency"] = one_digit(verdict.text_urgency);
  out["urgency"] = one_digit(verdict.urgency);
  out["priority"] = to_string(verdict.priority);
  json::array_t reasons(verdict.reasons.size(), json::object());
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    const Reason& reason = verdict.reasons[i];
    reasons[i]["for"] = reason.what;
    reasons[i]["cue"] = reason.cue;
    reasons[i]["weight"] = three_digits(reason.weight);
  }
  out["reasons"] = std::move(reasons);
  out["judge"] = verdict.judge;
  put(out, "model", verdict.model);
}

void to_json(json& out, const Decision& decision) {
  out = {{"path", decision.path}, {"team", decision.team}, {"why", decision.why}};
  put(out, "ladder", decision.ladder);
  if (!decision.rungs.empty()) {
    json& rungs = out["rungs"] = json::array();
    for (const Rung& rung : decision.rungs) {
      rungs.push_back({{"after", format_duration(rung.after)}, {"team", rung.team}});
    }
  }
  if (decision.site) out["site"] = {{"name", decision.site->site}, {"cue", decision.site->cue}};
  if (decision.first_response) {
    out["first_response"] = format_duration(*decision.first_response);
    out["first_response_rule"] = decision.first_response_rule;
  }
}

void from_json(const json& in, Verdict& verdict) {
  verdict = Verdict();
  verdict.moment = required(parse_moment(in.at("moment").get_ref<const std::string&>()), in.at("moment"));
  in.at("moment_confidence").get_to(verdict.moment_confidence);
  in.at("actionable").get_to(verdict.actionable);
  in.at("actionable_confidence").get_to(verdict.actionable_confidence);
  verdict.intent = required(parse_intent(in.at("intent").get_ref<const std::string&>()), in.at("intent"));
  verdict.topic = required(parse_topic(in.at("topic").get_ref<const std::string&>()), in.at("topic"));
  in.at("sentiment").get_to(verdict.sentiment);
  in.at("language").get_to(verdict.language);
  in.at("text_urgency").get_to(verdict.text_urgency);
  in.at("urgency").get_to(verdict.urgency);
  verdict.priority = required(parse_priority(in.at("priority").get_ref<const std::string&>()), in.at("priority"));
  for (const json& reason : in.at("reasons")) {
    verdict.reasons.push_back(
        {reason.at("for").get<std::string>(), reason.at("cue").get<std::string>(), reason.at("weight").get<double>()});
  }
  in.at("judge").get_to(verdict.judge);
  verdict.model = in.value("model", std::string());
}

void from_json(const json& in, Decision& decision) {
  decision = Decision();
  in.at("path").get_to(decision.path);
  in.at("team").get_to(decision.team);
  in.at("why").get_to(decision.why);
  decision.ladder = in.value("ladder", std::string());
  if (const auto rungs = in.find("rungs"); rungs != in.end()) {
    for (const json& rung : *rungs) {
      decision.rungs.push_back({duration_from(rung.at("after")), rung.at("team").get<std::string>()});
    }
  }
  if (const auto site = in.find("site"); site != in.end()) {
    decision.site = SiteMatch{site->at("name").get<std::string>(), site->at("cue").get<std::string>()};
  }
  if (const auto clock = in.find("first_response"); clock != in.end()) {
    decision.first_response = duration_from(*clock);
    in.at("first_response_rule").get_to(decision.first_response_rule);
  }
}

}  // namespace triage
