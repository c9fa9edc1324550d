#include "ingest/bound_api.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "ingest/percent.h"
#include "ingest/signature.h"
#include "ingest/text.h"

namespace triage::ingest {
namespace {

namespace bj = boost::json;

constexpr std::size_t kMostSaid = 300;                           // bytes of what a platform says of a failure
constexpr Duration kLongestPause = std::chrono::hours(1);        // a longer one is asked about once an hour
constexpr Duration kLongestWait = std::chrono::hours(24 * 100);  // a bound for sums; who waits has one of his own

bj::object post_document(const Post& post) {
  bj::object out{{"native_id", post.native_id}, {"platform", post.platform}, {"kind", to_string(post.kind)}};
  const auto add = [](bj::object& to, const char* name, const std::string& value) {
    if (!value.empty()) to[name] = value;
  };
  add(out, "text", post.text);
  add(out, "url", post.url);
  add(out, "in_reply_to", post.in_reply_to);
  add(out, "conversation_id", post.conversation_id);
  add(out, "brand_account", post.brand_account);
  out["created_at"] = format_time(post.created_at);
  if (post.author) {
    bj::object author;
    add(author, "native_id", post.author->native_id);
    add(author, "handle", post.author->handle);
    add(author, "name", post.author->name);
    out["author"] = std::move(author);
  }
  return out;
}

std::optional<std::string_view> member(const Value& document, std::string_view name) {
  const auto* object = document.if_object();
  return object == nullptr ? std::nullopt : string_in(object->if_contains(name));
}

// What a platform says of a refusal, in the places where such things stand.
std::string said_in(const Value& body) {
  static constexpr std::string_view kPlaces[] = {
      "/error/message", "/errors/0/message", "/errors/0/detail",      "/detail", "/message", "/error_description",
      "/description",   "/status_message",   "/error/error_user_msg", "/error",  "/title"};
  for (const std::string_view place : kPlaces) {
    boost::system::error_code ignored;
    const Value* found = body.find_pointer(place, ignored);
    const auto text = string_in(found);
    if (text && !text->empty()) return clean(*text, kMostSaid);
  }
  return {};
}

// Failures that pass by themselves, whatever was asked.
bool is_passing(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

Duration wait_of(double seconds) {
  const double longest = static_cast<double>(kLongestWait.count());
  return Duration(std::llround(std::clamp(seconds * 1000, 0.0, longest)));
}

Duration wait_until(Time at, Time now) {
  return std::clamp(std::chrono::duration_cast<Duration>(at - now), Duration(0), kLongestWait);
}

// The number that a header begins with; nothing where it is none.
std::optional<double> leading_number(std::string_view text) {
  const std::string digits(text);
  char* end = nullptr;
  const double number = std::strtod(digits.c_str(), &end);
  return end == digits.c_str() || std::isnan(number) ? std::nullopt : std::optional(number);
}

// Of the one author what the answer does not have; nothing of another.
void keep_author(Post& post, const Post& stored) {
  if (!post.author || !stored.author) {
    if (!post.author) post.author = stored.author;
    return;
  }
  Author& author = *post.author;
  const Author& known = *stored.author;
  const auto differ = [](const std::string& a, const std::string& b) { return !a.empty() && !b.empty() && a != b; };
  if (differ(author.native_id, known.native_id) || differ(author.handle, known.handle)) return;
  if (author.native_id.empty()) author.native_id = known.native_id;
  if (author.handle.empty()) author.handle = known.handle;
  if (author.name.empty()) author.name = known.name;
  if (!author.followers) author.followers = known.followers;
  if (!author.verified) author.verified = known.verified;
}

class BoundApi : public Api {
 public:
  explicit BoundApi(ApiBinding binding) : binding_(std::move(binding)), spec_(*binding_.spec) {
    for (std::size_t i = 0; i < spec_.pulls.size(); ++i) {
      const PullRule& rule = spec_.pulls[i];
      if (!configured(rule.call) || !holds_in_configuration(rule)) continue;
      pulls_.push_back({rule.name, rule.every, rule.back != nullptr, rule.stream.has_value(), session_of(rule.call),
                        rule.stream ? session_of(*rule.stream) : std::nullopt});
      rules_of_pulls_.push_back(i);
    }
  }

  Result<Outgoing> session_request(std::size_t session, Time now) const override {
    const Auth& auth = spec_.sessions.at(session);
    if (const auto ready = check_secrets(auth); !ready) return ready.error();
    Document document(*this, bj::object{{"now", to_millis(now)}});
    if (auth.login == nullptr) return make_error(ErrorCode::internal, "there is no call for a session");
    return make_call(*auth.login, document.scope, context(nullptr, now));
  }

  Result<Session> read_session(std::size_t session, const Incoming& answer, Time now) const override {
    Storage storage;
    const auto body = read_body(BodyFormat::json, answer.body, storage);
    const Value answered = body ? *body : Value();
    if (answer.status < 200 || answer.status > 299) {
      const std::string said = said_in(answered);
      Error error = make_error(is_passing(answer.status) ? ErrorCode::unavailable : ErrorCode::unauthenticated,
                               "the platform answered " + std::to_string(answer.status) +
                                   (said.empty() ? "" : ": " + without_secrets(said)));
      if (const auto after = retry_after(answer, nullptr, now)) {
        error.retry_after = std::chrono::ceil<std::chrono::seconds>(*after);
      }
      return error;
    }
    Document document(*this, bj::object{{"now", to_millis(now)}, {"status", answer.status}});
    document.set_answer(answered);
    const Auth& auth = spec_.sessions.at(session);
    const Text token =
        as_text(auth.session_token == nullptr ? nullptr : auth.session_token->evaluate(document.scope, 1));
    if (!token || token.view().empty()) {
      return make_error(ErrorCode::bad_gateway, "the platform's answer has no token");
    }
    Session out{std::string(token.view()), std::nullopt};
    // A number, or one spelled out.
    const Value* expires = auth.expires_in == nullptr ? nullptr : auth.expires_in->evaluate(document.scope, 1);
    const Text digits = as_text(expires);
    const double seconds = number_in(expires).value_or(std::strtod(std::string(digits.view()).c_str(), nullptr));
    // A little early, so that no call begins with one that ends on the way.
    const double early = std::min(60.0, seconds / 2);
    if (seconds > 0) out.until = now + std::chrono::seconds(std::llround(std::min(seconds, 1e9) - early));
    return out;
  }

  Result<std::string> plan_reply(const Post& to, std::string_view text, std::string_view reply_id) const override {
    if (spec_.replies.empty()) {
      return make_error(ErrorCode::unprocessable, "the source cannot send replies: its file has no rule for them");
    }
    bj::object document{{"kind", "reply"}, {"id", reply_id}, {"text", text}, {"post", post_document(to)}};
    Document seen(*this, document);
    const ReplyRule* rule = rule_of(spec_.replies, seen);
    if (rule == nullptr) {
      return make_error(ErrorCode::unprocessable, "the source has no rule for replies to this post (a " +
                                                      std::string(to_string(to.kind)) + " of " + to.platform + ")");
    }
    if (const auto ready = check_secrets(*rule); !ready) return ready.error();
    apply_text(*rule, seen);
    if (rule->max_length) {
      const std::size_t length = text_length(member(seen.whole, "text").value_or(""), rule->count);
      if (length > *rule->max_length) {
        Error error = make_error(ErrorCode::unprocessable, "the reply is too long");
        error.fields.push_back({"/text", "is " + std::to_string(length) +
                                             " long as the platform counts, expected at most " +
                                             std::to_string(*rule->max_length)});
        return error;
      }
    }
    // That it can be made at all is better said now than later. What only an answer gives is not there yet.
    if (!rule->before) {
      seen.object()["now"] = to_millis(to.received_at);
      seen.restart();
      const Session none;
      const auto made = make_call(rule->call, seen.scope, context(&none, to.received_at));
      if (!made) return make_error(ErrorCode::unprocessable, "the reply cannot be sent: " + made.error().detail);
      if (!made->url.starts_with("https://") && !made->url.starts_with("http://")) {
        return make_error(ErrorCode::unprocessable,
                          "the reply cannot be sent: its address begins with neither https:// nor http://");
      }
    }
    return bj::serialize(document);
  }

  Result<std::string> plan_fetch(const Post& pending) const override {
    bj::object document{{"kind", "fetch"}, {"id", pending.id.view()}, {"post", post_document(pending)}};
    Document seen(*this, document);
    const FetchRule* rule = rule_of(spec_.fetches, seen);
    if (rule == nullptr) return make_error(ErrorCode::unprocessable, "the source has no rule to fetch such a post");
    if (const auto ready = check_secrets(*rule); !ready) return ready.error();
    return bj::serialize(document);
  }

  bool can_reply() const override {
    return std::any_of(spec_.replies.begin(), spec_.replies.end(),
                       [this](const ReplyRule& rule) { return check_secrets(rule).has_value(); });
  }

  Repeat repeat_of(std::string_view document) const override {
    const auto read = read_document(document);
    if (!read || is_fetch(*read)) return Repeat::safe;
    Document seen(*this, read->as_object());
    const ReplyRule* rule = rule_of(spec_.replies, seen);
    if (rule == nullptr) return Repeat::unsafe;
    return rule->repeat ? Repeat::safe : rule->already_when != nullptr ? Repeat::detected : Repeat::unsafe;
  }

  std::string subject_of(std::string_view document) const override {
    const auto read = read_document(document);
    const auto id = read ? member(*read, "id") : std::nullopt;
    return std::string(id.value_or(""));
  }

  Result<std::unique_ptr<Attempt>> attempt(std::string_view document, bool earlier, const Post* post) const override;

  const std::vector<Pull>& pulls() const override { return pulls_; }

  Result<Outgoing> pull_request(std::size_t pull, const PullState& state, const std::string& page,
                                const Session* session, Time now) const override {
    const PullRule& rule = rule_at(pull);
    auto document = pull_document(state, page, now);
    auto out = make_call(rule.call, document->scope, context(session, now));
    if (!out || !page.empty()) return out;
    if (!state.etag.empty()) set_header(out->headers, "If-None-Match", state.etag);
    if (!state.last_modified.empty()) set_header(out->headers, "If-Modified-Since", state.last_modified);
    return out;
  }

  Page read_page(std::size_t pull, const PullState& state, const std::string& page, const Incoming& answer,
                 Time now) const override {
    const PullRule& rule = rule_at(pull);
    Page out;
    out.state = state;
    if (answer.status == 304) {
      out.taken = Taken::yes;
      out.unchanged = true;
      out.pause = pause(answer, now);
      return out;
    }
    bj::monotonic_resource arena(answer.body.size() * 4 + 4096);
    const Storage storage(&arena);
    const auto body = read_body(rule.body.value_or(binding_.body), answer.body, storage);
    auto document = pull_document(state, page, now);
    document->set_status(answer.status);
    const Value nothing;  // a status is there all the same
    document->set_answer(body ? *body : nothing);
    if (!fine(answer.status, *document)) {
      const Reading failure = failure_of(answer, body ? &*body : nullptr, *document, now);
      out.taken = failure.taken;
      out.error = failure.error;
      out.retry_after = failure.retry_after;
      out.pause = failure.pause;
      return out;
    }
    out.pause = pause(answer, now);
    if (!body) {
      out.taken = Taken::again;
      out.error = "the platform's answer cannot be read: " + body.error().detail;
      return out;
    }
    take(rule, rule.cursor, *body, *document, now, out);
    const auto etag = find_value(answer.headers, "ETag");
    const auto modified = find_value(answer.headers, "Last-Modified");
    if (page.empty()) {
      out.state.etag = std::string(etag.value_or(""));
      out.state.last_modified = std::string(modified.value_or(""));
    }
    return out;
  }

  Result<Outgoing> stream_request(std::size_t pull, const PullState& state, const Session* session,
                                  Time now) const override {
    const PullRule& rule = rule_at(pull);
    auto document = pull_document(state, "", now);
    return make_call(*rule.stream, document->scope, context(session, now));
  }

  Page read_streamed(std::size_t pull, const PullState& state, std::string_view event, std::string_view id,
                     std::string_view data, Time now) const override {
    const PullRule& rule = rule_at(pull);
    Page out;
    out.state = state;
    for (const std::string_view text : {event, id, data}) {
      if (find_invalid_utf8(text) == std::string_view::npos) continue;
      out.error = "the event is not UTF-8";
      return out;
    }
    bj::monotonic_resource arena(data.size() * 4 + 4096);
    const Storage storage(&arena);
    const auto read = read_json(data, storage);
    Value body(bj::object_kind, storage);
    bj::object& object = body.get_object();
    object["event"] = event;
    object["id"] = id;
    if (read) {
      object["data"] = *read;
    } else {
      object["data"] = data;
    }
    auto document = pull_document(state, "", now);
    document->set_status(200);
    document->set_answer(body);
    take(rule, rule.stream_cursor != nullptr ? rule.stream_cursor : rule.cursor, body, *document, now, out);
    out.more = false;
    out.back.reset();
    return out;
  }

 private:
  friend class BoundAttempt;

  // The document of a call, and what evaluation needs to see it.
  struct Document {
    Document(const BoundApi& api, bj::object object)
        : whole(std::move(object)), scope(api.binding_.values), bindings(api.spec_.bindings) {
      scope.frames[0] = &whole;
      restart();
    }
    Document(const Document&) = delete;
    Document& operator=(const Document&) = delete;

    // It changed: what was worked out from it is forgotten.
    void restart() { scope.restart(bindings); }
    void set_status(int status) {
      whole.as_object()["status"] = status;
      restart();
    }
    // A value that outlives the document.
    void set_answer(const Value& answer) { scope.frames[1] = &answer; }
    bj::object& object() { return whole.as_object(); }

    Value whole;
    Scope scope;
    const std::vector<Binding>& bindings;
  };

  CallContext context(const Session* session, Time now) const {
    return {spec_.defaults, binding_.config->secrets, session, now};
  }

  // Mappings know the first of the values only: those of brand_account and the settings.
  MappingContext mapping_context(Time now) const { return {binding_.config->name, binding_.values, now}; }

  const Auth& auth_of(const Call& call) const { return call.auth ? *call.auth : spec_.defaults.auth; }

  std::optional<std::size_t> session_of(const Call& call) const {
    const Auth& auth = auth_of(call);
    return auth.scheme == Auth::Scheme::session ? std::optional(auth.session) : std::nullopt;
  }

  Result<void> check_secrets(const Auth& auth) const {
    std::string missing;
    for (const std::string& name : auth.secrets()) {
      const auto found = binding_.config->secrets.find(name);
      if (found != binding_.config->secrets.end() && !found->second.empty()) continue;
      missing += (missing.empty() ? "" : ", ") + name;
    }
    if (missing.empty()) return {};
    return make_error(
        ErrorCode::unprocessable,
        "the source \"" + binding_.config->name + "\" is not set up for it: among its secrets there is no " + missing);
  }

  Result<void> check_secrets(const CallRule& rule) const {
    if (rule.before) {
      if (auto ready = check_secrets(auth_of(*rule.before)); !ready) return ready;
    }
    return check_secrets(auth_of(rule.call));
  }

  bool configured(const Call& call) const { return check_secrets(auth_of(call)).has_value(); }

  bool holds_in_configuration(const PullRule& rule) const {
    Document document(*this, {});
    if (rule.when != nullptr && !rule.when->holds(document.scope, 0)) return false;
    const ExpressionPtr& base = rule.call.base != nullptr ? rule.call.base : spec_.defaults.base;
    return rule.call.url != nullptr || (base != nullptr && base->evaluate(document.scope, 0) != nullptr);
  }

  template <class Rule>
  static const Rule* rule_of(const std::vector<Rule>& rules, Document& document) {
    for (const Rule& rule : rules) {
      if (rule.when == nullptr || rule.when->holds(document.scope, 0)) return &rule;
    }
    return nullptr;
  }

  static void apply_text(const ReplyRule& rule, Document& document) {
    if (rule.text == nullptr) return;
    const Text made = as_text(rule.text->evaluate(document.scope, 0));
    if (!made) return;
    const std::string text(made.view());
    document.object()["text"] = text;
    document.restart();
  }

  Result<Value> read_document(std::string_view document) const {
    auto read = read_json(document, Storage());
    if (read && read->is_object()) return read;
    return make_error(ErrorCode::internal, "the delivery's document is not one");
  }

  static bool is_fetch(const Value& document) { return member(document, "kind") == "fetch"; }

  const PullRule& rule_at(std::size_t pull) const { return spec_.pulls[rules_of_pulls_[pull]]; }

  std::unique_ptr<Document> pull_document(const PullState& state, const std::string& page, Time now) const {
    bj::object object{{"now", to_millis(now)}};
    for (const auto& [name, text] : {std::pair("cursor", &state.cursor), std::pair("page", &page)}) {
      if (text->empty()) continue;
      if (auto value = read_json(*text, Storage())) object[name] = std::move(*value);
    }
    return std::make_unique<Document>(*this, std::move(object));
  }

  // What the body of a page or a stream's event brought.
  void take(const PullRule& rule, const ExpressionPtr& read_on, const Value& body, Document& document, Time now,
            Page& out) const {
    const auto mapped = binding_.mapping->map(body, mapping_context(now), false, out.mapped);
    if (!mapped) {
      out.taken = Taken::no;
      out.error = mapped.error().detail;
      return;
    }
    // A page with nothing in it is no event that a rule should know.
    if (out.mapped.events.empty() && out.mapped.ignored_kinds == std::vector<std::string>{"unknown"}) {
      out.mapped.ignored = 0;
      out.mapped.ignored_kinds.clear();
    }
    out.taken = Taken::yes;
    const Value* cursor = read_on == nullptr ? nullptr : read_on->evaluate(document.scope, 1);
    if (cursor != nullptr) out.state.cursor = bj::serialize(*cursor);
    out.more = rule.more != nullptr && rule.more->holds(document.scope, 1);
    const Value* back = rule.back == nullptr ? nullptr : rule.back->evaluate(document.scope, 1);
    if (back != nullptr) out.back = bj::serialize(*back);
  }

  // --- answers that are none ---

  static bool holds(const ConditionPtr& condition, Document& document) {
    return condition != nullptr && document.scope.frames[1] != nullptr && condition->holds(document.scope, 1);
  }
  bool retries(Document& document) const { return holds(spec_.retry_when, document); }
  bool fine(int status, Document& document) const {
    return status >= 200 && status <= 299 && !retries(document) && !holds(spec_.failed_when, document);
  }

  std::optional<Duration> retry_after(const Incoming& answer, Document* document, Time now) const {
    if (const auto header = find_value(answer.headers, "Retry-After")) {
      const std::string text(*header);
      char* end = nullptr;
      const double number = std::strtod(text.c_str(), &end);
      if (!text.empty() && end == text.c_str() + text.size() && std::isfinite(number)) return wait_of(number);
      if (const auto at = read_time(Value(text), TimeFormat::rfc5322)) return wait_until(*at, now);
    }
    if (spec_.rate_limit.retry_after != nullptr && document != nullptr && document->scope.frames[1] != nullptr) {
      if (const auto number = number_in(spec_.rate_limit.retry_after->evaluate(document->scope, 1))) {
        return wait_of(*number);
      }
    }
    return std::nullopt;
  }

  // Until there are calls left again, where the platform says that there are none.
  std::optional<Duration> pause(const Incoming& answer, Time now) const {
    const RateLimitSpec& limit = spec_.rate_limit;
    if (limit.remaining.empty() || limit.reset.empty()) return std::nullopt;
    const auto remaining = find_value(answer.headers, limit.remaining);
    const auto left = remaining ? leading_number(*remaining) : std::nullopt;
    if (!left || *left >= 1) return std::nullopt;
    return until_reset(answer, now);
  }

  std::optional<Duration> until_reset(const Incoming& answer, Time now) const {
    const RateLimitSpec& limit = spec_.rate_limit;
    if (limit.reset.empty()) return std::nullopt;
    const auto reset = find_value(answer.headers, limit.reset);
    if (!reset) return std::nullopt;
    std::optional<Duration> wait;
    if (!limit.format) {
      if (const auto seconds = leading_number(*reset)) wait = wait_of(*seconds);
    } else if (const auto at = read_time(Value(*reset), *limit.format)) {
      wait = wait_until(*at, now);
    }
    if (wait) wait = std::min(*wait, kLongestPause);
    return wait;
  }

  // Some platforms say back what they were asked, and some were asked with a secret in the address.
  std::string without_secrets(std::string text) const {
    constexpr std::size_t kShortest = 4;
    for (const auto& [name, values] : binding_.config->secrets) {
      for (const std::string& value : values) {
        for (const std::string& form : {value, percent_encode(value)}) {
          if (form.size() < kShortest) continue;
          for (auto at = text.find(form); at != std::string::npos; at = text.find(form, at + 3)) {
            text.replace(at, form.size(), "***");
          }
        }
      }
    }
    return text;
  }

  Reading failure_of(const Incoming& answer, const Value* body, Document& document, Time now) const {
    Reading out;
    const int status = answer.status;
    const bool passing = status == 401 || is_passing(status) || retries(document);
    out.taken = passing ? Taken::again : Taken::no;
    out.may_have_acted = status == 408 || (status >= 500 && status != 503);
    out.error = "the platform answered " + std::to_string(status);
    if (const auto location = status >= 300 && status < 400 ? find_value(answer.headers, "Location") : std::nullopt) {
      out.error += ", to " + without_secrets(clean(*location, kMostSaid)) + "; redirects are not followed";
    }
    std::string said;
    if (body != nullptr && spec_.error != nullptr && document.scope.frames[1] != nullptr) {
      const Text text = as_text(spec_.error->evaluate(document.scope, 1));
      said = clean(text.view(), kMostSaid);
    }
    if (body != nullptr && said.empty()) said = said_in(*body);
    if (!said.empty()) out.error += ": " + without_secrets(std::move(said));
    if (!passing) return out;
    out.retry_after = retry_after(answer, &document, now);
    if (status == 429) {
      if (!out.retry_after) out.retry_after = until_reset(answer, now);
      if (out.retry_after) out.pause = std::min(*out.retry_after, kLongestPause);
    } else {
      out.pause = pause(answer, now);
    }
    return out;
  }

  const ApiBinding binding_;
  const ApiSpec& spec_;
  std::vector<Pull> pulls_;
  std::vector<std::size_t> rules_of_pulls_;
};

class BoundAttempt : public Attempt {
 public:
  BoundAttempt(const BoundApi& api, bj::object document, const CallRule& rule, const ReplyRule* reply,
               const FetchRule* fetch, bool earlier, const Post* post)
      : api_(api),
        document_(api, std::move(document)),
        rule_(rule),
        reply_(reply),
        fetch_(fetch),
        earlier_(earlier),
        asks_(rule.before.has_value()) {
    if (post != nullptr) post_ = *post;
    if (reply_ != nullptr) BoundApi::apply_text(*reply_, document_);
  }

  Result<std::optional<Outgoing>> next(const Session* session, Time now) override {
    if (over_) return std::optional<Outgoing>();
    document_.object()["now"] = to_millis(now);
    document_.restart();
    auto made = make_call(asks_ ? *rule_.before : rule_.call, document_.scope, api_.context(session, now));
    if (!made) return made.error();
    return std::optional<Outgoing>(std::move(*made));
  }

  bool acts() const override { return !asks_; }
  std::optional<std::size_t> session() const override {
    return over_ ? std::nullopt : api_.session_of(asks_ ? *rule_.before : rule_.call);
  }

  void answered(const Incoming& answer, Time now) override {
    auto body = read_body(BodyFormat::json, answer.body, Storage());
    const bool readable = body.has_value();
    const Value answered = readable ? std::move(*body) : Value();
    document_.set_status(answer.status);
    document_.set_answer(answered);
    const bool fine = api_.fine(answer.status, document_);
    if (asks_ && fine && !readable) {
      over_ = true;
      result_.taken = Taken::again;
      result_.error = "the platform's answer is not JSON";
      document_.scope.frames[1] = nullptr;
      return;
    }
    if (asks_ && fine) {
      asks_ = false;
      document_.object()["before"] = answered;
      document_.scope.frames[1] = nullptr;
      return;
    }
    over_ = true;
    const bool already = reply_ != nullptr && !fine && !asks_ && reply_->already_when != nullptr &&
                         (earlier_ || reply_->repeat) && reply_->already_when->holds(document_.scope, 1);
    if (already || (reply_ != nullptr && fine)) {
      result_.taken = Taken::yes;
      read_names();
    } else if (fetch_ != nullptr && fetch_->gone_when != nullptr && fetch_->gone_when->holds(document_.scope, 1)) {
      result_.taken = Taken::gone;
      Event event;
      event.kind = EventKind::deletion;
      event.post = post_;
      result_.event = std::move(event);
    } else if (!fine) {
      result_ = api_.failure_of(answer, &answered, document_, now);
      if (asks_) result_.may_have_acted = false;
    } else {
      read_post(answered, now);
    }
    if (!result_.pause) result_.pause = api_.pause(answer, now);
    document_.scope.frames[1] = nullptr;
  }

  const Reading& result() const override { return result_; }

 private:
  // What the platform calls the reply.
  void read_names() {
    if (reply_->native_id != nullptr) result_.native_id = read_id(reply_->native_id->evaluate(document_.scope, 1));
    if (reply_->url != nullptr) result_.url = read_url(reply_->url->evaluate(document_.scope, 1));
  }

  // The stored post with what the answer says of it.
  void read_post(const Value& answer, Time now) {
    bj::object whole = document_.object();
    whole["answer"] = answer;
    const Value body(std::move(whole));
    Mapped mapped;
    const auto done = fetch_->mapping->map(body, api_.mapping_context(now), false, mapped);
    if (!done || mapped.events.empty()) {
      result_.taken = Taken::again;
      result_.error = "the platform's answer has nothing of the post";
      return;
    }
    Event event = std::move(mapped.events.front());
    Post& post = event.post;
    post.id = post_.id;
    post.source = post_.source;
    post.platform = post_.platform;
    post.kind = post_.kind;
    post.native_id = post_.native_id;
    post.received_at = post_.received_at;
    const auto keep = [](std::string& to, const std::string& from) {
      if (to.empty()) to = from;
    };
    keep(post.text, post_.text);
    keep(post.url, post_.url);
    keep(post.language, post_.language);
    keep(post.in_reply_to, post_.in_reply_to);
    keep(post.conversation_id, post_.conversation_id);
    keep(post.brand_account, post_.brand_account);
    keep_author(post, post_);
    if (!post.geo) post.geo = post_.geo;
    if (post.media.empty()) post.media = post_.media;
    if (!post.rating) post.rating = post_.rating;
    if (post.created_at == now) post.created_at = post_.created_at;
    post.revision = std::max(post.revision, post_.revision);
    result_.taken = Taken::yes;
    result_.event = std::move(event);
  }

  const BoundApi& api_;
  BoundApi::Document document_;
  const CallRule& rule_;
  const ReplyRule* reply_;
  const FetchRule* fetch_;
  const bool earlier_;
  bool asks_;  // the next request is the one before
  bool over_ = false;
  Post post_;
  Reading result_;
};

Result<std::unique_ptr<Attempt>> BoundApi::attempt(std::string_view document, bool earlier, const Post* post) const {
  auto read = read_document(document);
  if (!read) return read.error();
  Document seen(*this, read->as_object());
  const bool fetch = is_fetch(*read);
  const FetchRule* fetch_rule = fetch ? rule_of(spec_.fetches, seen) : nullptr;
  const ReplyRule* reply_rule = fetch ? nullptr : rule_of(spec_.replies, seen);
  const CallRule* rule = fetch ? static_cast<const CallRule*>(fetch_rule) : reply_rule;
  if (rule == nullptr) {
    return make_error(ErrorCode::unprocessable, "the source has no rule for it any more");
  }
  return std::unique_ptr<Attempt>(std::make_unique<BoundAttempt>(*this, std::move(read->as_object()), *rule, reply_rule,
                                                                 fetch_rule, earlier, post));
}

}  // namespace

std::unique_ptr<const Api> bind_api(ApiBinding binding) {
  return std::make_unique<BoundApi>(std::move(binding));
}

}  // namespace triage::ingest
