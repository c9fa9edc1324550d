// What a judge says of a post: the labels of the project's labelling guideline, as scores with their reasons.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace triage {

enum class Moment { in_the_moment, after_the_fact };
enum class Intent { complaint, request, question, praise, other };
enum class Topic { delay, queue, staff, product, outage, delivery, billing, booking, safety, other };
enum class Priority { low, normal, high, critical };  // ascending, so that > means more pressing

std::string_view to_string(Moment value);
std::string_view to_string(Intent value);
std::string_view to_string(Topic value);
std::string_view to_string(Priority value);
std::optional<Moment> parse_moment(std::string_view text);
std::optional<Intent> parse_intent(std::string_view text);
std::optional<Topic> parse_topic(std::string_view text);
std::optional<Priority> parse_priority(std::string_view text);

// The bands of urgency: critical >= 80 (within minutes), high >= 55 (within the hour), normal >= 20 (today), low.
Priority priority_of(double urgency);

struct Reason {
  std::string what;   // what it speaks for: "moment", "actionable", "urgency", …
  std::string cue;    // the words or the fact, as a person would say it: "stuck in", "120000 followers"
  double weight = 0;  // its share in that score; negative speaks against
};

// What a text says of facts that count beside it, in its own words; empty where it does not. Known from the judging to
// the weighing; it is not stored, the reasons are.
struct Said {
  std::string how_long;  // "for 3 hours"
  double hours = 0;      // how long that is
  std::string vulnerable;
  std::string danger;
};

inline constexpr std::string_view kPerson = "person";  // the judge of a verdict that an agent corrected

struct Verdict {
  Moment moment = Moment::after_the_fact;
  double moment_confidence = 0.5;  // 0.5 to 1, calibrated; at most 0.6 for a post about no experience
  bool actionable = false;
  double actionable_confidence = 0.5;  // of the answer given, 0.5 to 1, calibrated
  Intent intent = Intent::other;
  Topic topic = Topic::other;
  double sentiment = 0;               // -1 to 1
  std::string language;               // BCP 47; "und" when unknown
  double text_urgency = 0;            // 0 to 100, from the text alone
  double urgency = 0;                 // 0 to 100, with the factors beside the text
  Priority priority = Priority::low;  // priority_of(urgency)
  std::vector<Reason> reasons;        // strongest first
  std::string judge = "fast";
  std::string model;
  Said said;
};

// What is known of the customer and the case beside the text.
struct Context {
  int earlier_posts_in_case = 0;        // posts of this customer in the open case, since the brand's last reply
  int earlier_cases = 0;                // this customer's earlier cases that were complaints or requests
  bool reopened = false;                // a resolved case that the customer came back to
  std::optional<double> waiting_hours;  // since the first post of the case that nobody has answered
  std::optional<double> case_hours;     // since the case was opened
  int crowd = 0;                        // other customers in the moment with the same topic at the same site
  std::string site;
};

inline constexpr std::chrono::minutes kCrowdWithin{15};  // of the post

}  // namespace triage
