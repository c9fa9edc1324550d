#include "ingest/mapping.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "ingest/expression.h"
#include "ingest/text.h"

namespace triage::ingest {
namespace {

using nlohmann::json;

// The bounds of a post, as the generic shape has them (model/post_from_json.cpp).
constexpr std::size_t kTextBytes = 64 * 1024;
constexpr std::size_t kIdBytes = 256;
constexpr std::size_t kNameBytes = 1024;
constexpr std::size_t kUrlBytes = 8 * 1024;
constexpr std::size_t kLanguageBytes = 35;
constexpr std::size_t kMediaItems = 64;

constexpr std::size_t kMostEvents = 10'000;  // in one request
constexpr std::size_t kMostIgnoredKinds = 32;

// --- typed reading of what an expression found ---

std::string read_text(const Value* value, std::size_t max_bytes) {
  const Text text = as_text(value);
  return text ? clean(text.view(), max_bytes) : std::string();
}

// Cut ids, addresses and language tags would be other ones, so a text that is too long is none.
std::string read_exact(const Value* value, std::size_t max_bytes) {
  const Text text = as_text(value);
  return text && text.view().size() <= max_bytes ? clean(text.view(), max_bytes) : std::string();
}

}  // namespace

std::string read_id(const Value* value) {
  return read_exact(value, kIdBytes);
}

std::string read_url(const Value* value) {
  std::string url = read_exact(value, kUrlBytes);
  const bool web = url.compare(0, 8, "https://") == 0 || url.compare(0, 7, "http://") == 0;
  const bool plain = std::none_of(url.begin(), url.end(), [](char c) {
    return (c >= '\0' && c <= ' ') || c == '"' || c == '<' || c == '>' || c == '\\' || c == '\x7f';
  });
  return web && plain ? url : std::string();
}

namespace {

// A language tag, not any word: letters first, then letters, digits and hyphens.
std::string read_language(const Value* value) {
  std::string tag = read_exact(value, kLanguageBytes);
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool ok =
      tag.size() >= 2 && letter(tag[0]) && letter(tag[1]) &&
      std::all_of(tag.begin(), tag.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; });
  return ok ? tag : std::string();
}

std::optional<double> read_number(const Value* value) {
  if (const auto number = number_in(value)) return number;
  const auto* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr || text->empty() || text->size() > 32) return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(text->c_str(), &end);
  if (end != text->c_str() + text->size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<std::int64_t> read_count(const Value* value) {
  constexpr double kMost = 9e15;  // whole numbers that a double holds exactly
  const auto number = read_number(value);
  if (!number || *number < 0 || *number > kMost || *number != std::floor(*number)) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<double> read_within(const Value* value, double least, double most) {
  const auto number = read_number(value);
  if (!number || *number < least || *number > most) return std::nullopt;
  return number;
}

// --- compiled rules ---

struct MediaField {
  std::vector<ExpressionPtr> each;
  ExpressionPtr type;
  ExpressionPtr url;
};

// Where each field of a post comes from; null: from nowhere.
struct Fields {
  ExpressionPtr platform, kind, native_id, text, created_at, url, language, in_reply_to, conversation_id, rating,
      brand_account, revision, shared_native;
  ExpressionPtr author_id, author_handle, author_name, author_followers, author_verified;
  ExpressionPtr lat, lon, place;
  std::vector<MediaField> media;
};

struct Rule {
  ConditionPtr when;
  std::optional<EventKind> event;  // nothing: ignored
  Fields fields;
  ExpressionPtr event_name;
};

// One step down: the arrays (or single objects) to go through, and what each is called.
struct Step {
  struct Choice {
    ExpressionPtr array;
    std::string name;
  };
  std::vector<Choice> choices;
};

struct Group {
  std::vector<Step> each;
  std::vector<Binding> bindings;
  ConditionPtr when;
  ConditionPtr own;
  ExpressionPtr event_name;
  std::vector<Rule> rules;
};

const Value* value_of(const ExpressionPtr& expression, Scope& scope, std::size_t depth) {
  return expression == nullptr ? nullptr : expression->evaluate(scope, depth);
}

// --- running them ---

class Run {
 public:
  Run(const MappingContext& context, const std::string& platform, bool trace, Mapped& out)
      : context_(context), platform_(platform), trace_(trace), out_(out), scope_(context.config) {}

  bool too_many() const { return too_many_; }

  void body(const std::vector<Group>& groups, const Value& body) {
    const std::size_t events = out_.events.size();
    const int ignored = out_.ignored;
    body_ = &body;
    for (const auto& group : groups) {
      group_ = static_cast<std::size_t>(&group - groups.data());
      scope_.frames[0] = &body;
      descend(group, 0, "");
    }
    // Nothing in it was an event that a rule knows of: the body as a whole is one that none does.
    if (events == out_.events.size() && ignored == out_.ignored) {
      ignore("unknown");
      if (trace_) {
        Traced& whole = traced(0);
        whole.outcome = "ignored";
        whole.why = "no group of rules found an element of its own in the body";
      }
    }
  }

 private:
  void descend(const Group& group, std::size_t depth, std::string_view name) {
    if (too_many_) return;
    if (depth == group.each.size()) return event(group, depth, name);
    for (const auto& choice : group.each[depth].choices) {
      const Value* found = choice.array->evaluate(scope_, depth);
      if (found == nullptr) continue;
      if (!found->is_array()) {
        scope_.frames[depth + 1] = found;
        descend(group, depth + 1, choice.name);
        continue;
      }
      for (const auto& element : found->get_array()) {
        scope_.frames[depth + 1] = &element;
        descend(group, depth + 1, choice.name);
        if (too_many_) return;
      }
    }
  }

  void event(const Group& group, std::size_t depth, std::string_view name) {
    scope_.restart(group.bindings);
    if (group.when != nullptr && !group.when->holds(scope_, depth)) {
      if (trace_) traced(depth).considered.push_back({group_place() + "/when", "does not hold"});
      return;
    }
    if (out_.events.size() + static_cast<std::size_t>(out_.ignored) >= kMostEvents) {
      too_many_ = true;
      return;
    }
    const Rule* matched = nullptr;
    for (const auto& rule : group.rules) {
      if (rule.when != nullptr && !rule.when->holds(scope_, depth)) {
        if (trace_) traced(depth).considered.push_back({place_of(group, rule) + "/when", "does not hold"});
        continue;
      }
      matched = &rule;
      break;
    }
    std::string_view missing;
    const bool added = matched != nullptr && matched->event && add(group, *matched, depth, missing);
    if (trace_) {
      Traced& element = traced(depth);
      if (matched != nullptr) element.place = place_of(group, *matched);
      if (added) {
        element.event = out_.events.size() - 1;
        element.outcome = outcome_of(out_.events.back().kind);
      } else {
        element.outcome = "ignored";
        element.why = matched == nullptr
                          ? (group.rules.empty() ? group_place() + " has no rules: what it finds is ignored"
                                                 : "no rule of " + group_place() + " takes it")
                      : !matched->event ? "the rule says so"
                                        : std::string(missing);
      }
    }
    if (added) return;

    const bool own_name = matched != nullptr && matched->event_name != nullptr;
    const Text called = as_text(value_of(own_name ? matched->event_name : group.event_name, scope_, depth));
    ignore(called && !called.view().empty() ? called.view() : name);
  }

  // False where what a post must have is missing.
  bool add(const Group& group, const Rule& rule, std::size_t depth, std::string_view& missing) {
    Event event;
    event.kind = *rule.event;
    if (event.kind == EventKind::post && group.own != nullptr && group.own->holds(scope_, depth)) {
      event.kind = EventKind::own_post;
    }
    Post& post = event.post;
    const Fields& fields = rule.fields;
    post.native_id = read_id(value_of(fields.native_id, scope_, depth));
    if (post.native_id.empty()) return missing = "its native_id is not there", false;
    post.source = context_.source;
    post.platform = read_id(value_of(fields.platform, scope_, depth));
    if (post.platform.empty()) post.platform = platform_;
    post.received_at = context_.now;
    post.created_at = context_.now;

    const Text kind = as_text(value_of(fields.kind, scope_, depth));
    const auto known = kind ? parse_post_kind(kind.view()) : std::nullopt;
    event.kind_known = known.has_value() || event.kind != EventKind::deletion;
    if (known) post.kind = *known;

    if (event.kind != EventKind::deletion) fill(fields, post, depth);
    if (event.kind == EventKind::share) {
      event.shared_native = read_id(value_of(fields.shared_native, scope_, depth));
      if (event.shared_native.empty()) return missing = "its shared_native is not there", false;
    }
    if ((event.kind == EventKind::post || event.kind == EventKind::own_post) && !says_something(post)) {
      return missing = "it says nothing: neither text nor media nor a rating was found", false;
    }
    out_.events.push_back(std::move(event));
    return true;
  }

  static bool says_something(const Post& post) { return !post.text.empty() || !post.media.empty() || post.rating; }

  void fill(const Fields& fields, Post& post, std::size_t depth) {
    post.text = read_text(value_of(fields.text, scope_, depth), kTextBytes);
    if (const auto millis = read_count(value_of(fields.created_at, scope_, depth))) {
      post.created_at = from_millis(*millis);
    }
    fill_author(fields, post, depth);
    post.url = read_url(value_of(fields.url, scope_, depth));
    post.language = read_language(value_of(fields.language, scope_, depth));
    post.in_reply_to = read_id(value_of(fields.in_reply_to, scope_, depth));
    post.conversation_id = read_id(value_of(fields.conversation_id, scope_, depth));
    fill_geo(fields, post, depth);
    for (const auto& media : fields.media) fill_media(media, post, depth);
    post.rating = read_within(value_of(fields.rating, scope_, depth), 1, 5);
    post.brand_account = read_id(value_of(fields.brand_account, scope_, depth));
    post.revision = read_count(value_of(fields.revision, scope_, depth)).value_or(0);
  }

  void fill_author(const Fields& fields, Post& post, std::size_t depth) {
    Author author;
    author.native_id = read_id(value_of(fields.author_id, scope_, depth));
    author.handle = read_text(value_of(fields.author_handle, scope_, depth), kNameBytes);
    if (!author.handle.empty() && author.handle.front() == '@') author.handle.erase(0, 1);
    author.name = read_text(value_of(fields.author_name, scope_, depth), kNameBytes);
    if (author.native_id.empty() && author.handle.empty() && author.name.empty()) return;
    author.followers = read_count(value_of(fields.author_followers, scope_, depth));
    const Value* verified = value_of(fields.author_verified, scope_, depth);
    if (verified != nullptr && verified->is_bool()) author.verified = verified->get_bool();
    post.author = std::move(author);
  }

  void fill_geo(const Fields& fields, Post& post, std::size_t depth) {
    Geo geo;
    geo.lat = read_within(value_of(fields.lat, scope_, depth), -90, 90);
    geo.lon = read_within(value_of(fields.lon, scope_, depth), -180, 180);
    if (!geo.lat || !geo.lon) geo.lat = geo.lon = std::nullopt;
    geo.place = read_text(value_of(fields.place, scope_, depth), kNameBytes);
    if (geo.lat || !geo.place.empty()) post.geo = std::move(geo);
  }

  void fill_media(const MediaField& media, Post& post, std::size_t depth) {
    const auto add_one = [&](const Value& element) {
      scope_.frames[depth + 1] = &element;
      Media item;
      item.type = read_id(value_of(media.type, scope_, depth + 1));
      item.url = read_url(value_of(media.url, scope_, depth + 1));
      // Without an address only a platform's own object tells of anything, and a link never does.
      if (item.url.empty() && (item.type.empty() || item.type == "link" || !element.is_object())) return;
      if (item.type.empty()) item.type = "file";
      post.media.push_back(std::move(item));
    };
    for (const auto& each : media.each) {
      const Value* found = each->evaluate(scope_, depth);
      if (found == nullptr) continue;
      if (!found->is_array()) {
        if (post.media.size() < kMediaItems) add_one(*found);
        continue;
      }
      for (const auto& element : found->get_array()) {
        if (post.media.size() >= kMediaItems) return;
        add_one(element);
      }
    }
  }

  // --- for people ---

  std::string group_place() const { return "/events/" + std::to_string(group_); }
  std::string place_of(const Group& group, const Rule& rule) const {
    return group_place() + "/rules/" + std::to_string(&rule - group.rules.data());
  }

  // What is known of the element at `depth`. Several groups may look at one.
  Traced& traced(std::size_t depth) {
    const std::string at = pointer_to(scope_.frames[depth]);
    for (Traced& known : out_.trace) {
      if (known.element == at && known.outcome.empty()) return known;
    }
    out_.trace.push_back({at, {}, {}, {}, {}, {}});
    return out_.trace.back();
  }

  // Where a value stands in the body; a made value, of a nested document, stands nowhere.
  std::string pointer_to(const Value* value) const {
    std::string out;
    const std::function<bool(const Value&)> within = [&](const Value& at) {
      if (&at == value) return true;
      const std::size_t size = out.size();
      const auto below = [&](std::string_view name, const Value& child) {
        out += '/' + pointer_token(name);
        if (within(child)) return true;
        out.resize(size);
        return false;
      };
      if (const auto* object = at.if_object()) {
        return std::any_of(object->begin(), object->end(),
                           [&](const auto& member) { return below(member.key(), member.value()); });
      }
      const auto* array = at.if_array();
      for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
        if (below(std::to_string(i), (*array)[i])) return true;
      }
      return false;
    };
    return within(*body_) ? out : "(within a value of the body)";
  }

  void ignore(std::string_view name) {
    ++out_.ignored;
    if (out_.ignored_kinds.size() >= kMostIgnoredKinds) return;
    std::string kind = name.empty() ? "unknown" : for_log(name);
    if (std::find(out_.ignored_kinds.begin(), out_.ignored_kinds.end(), kind) == out_.ignored_kinds.end()) {
      out_.ignored_kinds.push_back(std::move(kind));
    }
  }

  const MappingContext& context_;
  const std::string& platform_;
  const bool trace_;
  Mapped& out_;
  Scope scope_;
  const Value* body_ = nullptr;
  std::size_t group_ = 0;
  bool too_many_ = false;
};

class RuleMapping : public Mapping {
 public:
  RuleMapping(std::vector<Group> groups, std::string platform)
      : groups_(std::move(groups)), platform_(std::move(platform)) {}

  Result<void> map(const Value& body, const MappingContext& context, bool trace, Mapped& out) const override {
    Run run(context, platform_, trace, out);
    // Meta's documentation shows some bodies within a list.
    if (const auto* list = body.if_array(); list != nullptr && !list->empty()) {
      for (const auto& one : *list) run.body(groups_, one);
    } else {
      run.body(groups_, body);
    }
    if (!run.too_many()) return {};
    return make_error(ErrorCode::unprocessable, "more than " + std::to_string(kMostEvents) + " events in one request");
  }

 private:
  std::vector<Group> groups_;
  std::string platform_;
};

// --- compiling them ---

// The group's fields with the rule's over them: a member of the rule replaces, null takes away, and author and geo are
// joined member by member.
json merged_fields(const Spec& group, const Spec& rule) {
  json out = group.has("fields") && group["fields"].value().is_object() ? group["fields"].value() : json::object();
  if (!rule.has("fields") || !rule["fields"].value().is_object()) return out;
  const auto lay = [](json& below, const json& above) {
    for (const auto& member : above.items()) {
      if (member.value().is_null()) {
        below.erase(member.key());
      } else {
        below[member.key()] = member.value();
      }
    }
  };
  const json& own = rule["fields"].value();
  for (const auto& member : own.items()) {
    const bool joined = (member.key() == "author" || member.key() == "geo") && member.value().is_object() &&
                        out.contains(member.key()) && out[member.key()].is_object();
    if (joined) {
      lay(out[member.key()], member.value());
    } else {
      lay(out, json{{member.key(), member.value()}});
    }
  }
  return out;
}

MediaField compile_media(const Spec& spec, const Names& names) {
  MediaField out;
  spec.is_object({"each", "type", "url"});
  if (const auto each = spec.require("each", "the pointer of an array")) {
    for (const auto& pointer : each->list("", true)) {
      if (auto compiled = compile_pointer(pointer, names)) out.each.push_back(std::move(compiled));
    }
  }
  Names inner = names;
  ++inner.depth;
  if (const auto type = spec.find("type")) out.type = compile_expression(*type, inner);
  if (const auto url = spec.find("url")) out.url = compile_expression(*url, inner);
  if (!spec.has("type") && !spec.has("url")) spec.fail("expected a type, a url or both");
  return out;
}

// Where the kind is written out in the file, it must be one.
ExpressionPtr compile_kind(const Spec& spec, const Names& names) {
  if (spec.has("const")) {
    spec["const"].one_of({"post", "mention", "comment", "reply", "direct_message", "review"});
  }
  return compile_expression(spec, names);
}

Fields compile_fields(const Spec& spec, const Names& names) {
  Fields out;
  if (!spec.is_object({"platform", "kind", "native_id", "text", "created_at", "url", "language", "in_reply_to",
                       "conversation_id", "rating", "brand_account", "revision", "shared_native", "author", "geo",
                       "media"})) {
    return out;
  }
  const auto read = [&names](const Spec& from, std::string_view key, ExpressionPtr& to) {
    if (const auto found = from.find(key)) to = compile_expression(*found, names);
  };
  if (const auto kind = spec.find("kind")) out.kind = compile_kind(*kind, names);
  read(spec, "platform", out.platform);
  read(spec, "native_id", out.native_id);
  read(spec, "text", out.text);
  read(spec, "created_at", out.created_at);
  read(spec, "url", out.url);
  read(spec, "language", out.language);
  read(spec, "in_reply_to", out.in_reply_to);
  read(spec, "conversation_id", out.conversation_id);
  read(spec, "rating", out.rating);
  read(spec, "brand_account", out.brand_account);
  read(spec, "revision", out.revision);
  read(spec, "shared_native", out.shared_native);
  if (const auto author = spec.find("author")) {
    author->is_object({"native_id", "handle", "name", "followers", "verified"});
    read(*author, "native_id", out.author_id);
    read(*author, "handle", out.author_handle);
    read(*author, "name", out.author_name);
    read(*author, "followers", out.author_followers);
    read(*author, "verified", out.author_verified);
  }
  if (const auto geo = spec.find("geo")) {
    geo->is_object({"lat", "lon", "place"});
    read(*geo, "lat", out.lat);
    read(*geo, "lon", out.lon);
    read(*geo, "place", out.place);
  }
  if (const auto media = spec.find("media")) {
    for (const auto& one : media->list("a list of media")) out.media.push_back(compile_media(one, names));
  }
  if (out.native_id == nullptr && !spec.has("native_id")) {
    spec.fail("native_id", "missing, expected where the post's id on the platform is");
  }
  return out;
}

Rule compile_rule(const Spec& group, const Spec& spec, const Names& names) {
  Rule out;
  if (!spec.is_object({"when", "event", "event_name", "fields"})) return out;
  if (const auto when = spec.find("when")) out.when = compile_condition(*when, names);
  if (const auto called = spec.find("event_name")) out.event_name = compile_expression(*called, names);
  const auto event = spec.require("event", "post, share, pending, deletion or ignore");
  const auto kind = event ? event->one_of({"post", "share", "pending", "deletion", "ignore"}) : std::nullopt;
  if (!kind || *kind == "ignore") return out;
  out.event = *kind == "post"      ? EventKind::post
              : *kind == "share"   ? EventKind::share
              : *kind == "pending" ? EventKind::pending
                                   : EventKind::deletion;
  const json fields = merged_fields(group, spec);
  std::vector<FieldError> faults;
  out.fields = compile_fields(Spec(fields, "", faults), names);
  for (FieldError& fault : faults) {
    // Where it stands: in the rule's own fields, or in the group's, and then once for all rules.
    const std::string key = fault.pointer.substr(0, fault.pointer.find('/', 1));
    const bool own = key.empty() || (spec.has("fields") && spec["fields"].value().is_object() &&
                                     spec["fields"].value().contains(key.substr(1)));
    const bool of_group = !own && group.has("fields");
    FieldError noted{(of_group ? group.at() : spec.at()) + "/fields" + fault.pointer, std::move(fault.detail)};
    const auto same = [&noted](const FieldError& one) {
      return one.pointer == noted.pointer && one.detail == noted.detail;
    };
    std::vector<FieldError>& all = spec.errors();
    if (std::none_of(all.begin(), all.end(), same)) all.push_back(std::move(noted));
  }
  return out;
}

std::vector<Step> compile_each(const Spec& spec, Names& names) {
  std::vector<Step> out;
  const auto steps = spec.list("a list of pointers, one for each level of arrays to go down");
  if (steps.empty() || steps.size() > Scope::kMaxDepth - 2) {
    spec.fail("expected 1 to " + std::to_string(Scope::kMaxDepth - 2) + " levels");
    return out;
  }
  for (const auto& level : steps) {
    Step step;
    for (const auto& choice : level.list("", true)) {
      auto array = compile_pointer(choice, names);
      if (array == nullptr) continue;
      const auto text = choice.value().get<std::string>();
      step.choices.push_back({std::move(array), text.substr(text.rfind('/') + 1)});
    }
    out.push_back(std::move(step));
    ++names.depth;
  }
  return out;
}

Group compile_group(const Spec& spec, const Names& file_names) {
  Group out;
  if (!spec.is_object({"each", "let", "when", "own", "event_name", "fields", "rules"})) return out;
  Names names = file_names;
  const auto each = spec.require("each", "a list of pointers, one for each level of arrays to go down");
  if (!each) return out;
  out.each = compile_each(*each, names);
  if (const auto let = spec.find("let")) compile_bindings(*let, names, out.bindings);
  if (const auto when = spec.find("when")) out.when = compile_condition(*when, names);
  if (const auto own = spec.find("own")) out.own = compile_condition(*own, names);
  if (const auto called = spec.find("event_name")) out.event_name = compile_expression(*called, names);
  if (const auto fields = spec.find("fields")) fields->members("an object of a post's fields");
  if (const auto rules = spec.find("rules")) {
    for (const auto& rule : rules->list("a list of rules")) out.rules.push_back(compile_rule(spec, rule, names));
  }
  return out;
}

}  // namespace

std::string_view outcome_of(EventKind kind) {
  switch (kind) {
    case EventKind::post:
      return "post";
    case EventKind::own_post:
      return "own_post";
    case EventKind::share:
      return "share";
    case EventKind::pending:
      return "pending";
    case EventKind::deletion:
      return "deletion";
  }
  return "";
}

std::unique_ptr<const Mapping> compile_mapping(const Spec& events, const std::string& platform,
                                               const std::map<std::string, std::size_t>& config) {
  Names names;
  names.config = config;
  std::vector<Group> groups;
  for (const auto& group : events.list("a list of groups of rules")) groups.push_back(compile_group(group, names));
  return std::make_unique<RuleMapping>(std::move(groups), platform);
}

}  // namespace triage::ingest
