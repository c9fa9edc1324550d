// The names of the labels on the wire, and the bands of urgency.
#include "triage/model/verdict.h"

#include "model/names.h"

namespace triage {
namespace {

constexpr Names<Moment, 2> kMoments{
    {{Moment::in_the_moment, "in_the_moment"}, {Moment::after_the_fact, "after_the_fact"}}};

constexpr Names<Intent, 5> kIntents{{{Intent::complaint, "complaint"},
                                     {Intent::request, "request"},
                                     {Intent::question, "question"},
                                     {Intent::praise, "praise"},
                                     {Intent::other, "other"}}};

constexpr Names<Topic, 10> kTopics{{{Topic::delay, "delay"},
                                    {Topic::queue, "queue"},
                                    {Topic::staff, "staff"},
                                    {Topic::product, "product"},
                                    {Topic::outage, "outage"},
                                    {Topic::delivery, "delivery"},
                                    {Topic::billing, "billing"},
                                    {Topic::booking, "booking"},
                                    {Topic::safety, "safety"},
                                    {Topic::other, "other"}}};

constexpr Names<Priority, 4> kPriorities{
    {{Priority::low, "low"}, {Priority::normal, "normal"}, {Priority::high, "high"}, {Priority::critical, "critical"}}};

}  // namespace

std::string_view to_string(Moment value) {
  return name_of(kMoments, value);
}
std::string_view to_string(Intent value) {
  return name_of(kIntents, value);
}
std::string_view to_string(Topic value) {
  return name_of(kTopics, value);
}
std::string_view to_string(Priority value) {
  return name_of(kPriorities, value);
}
std::optional<Moment> parse_moment(std::string_view text) {
  return value_of(kMoments, text);
}
std::optional<Intent> parse_intent(std::string_view text) {
  return value_of(kIntents, text);
}
std::optional<Topic> parse_topic(std::string_view text) {
  return value_of(kTopics, text);
}
std::optional<Priority> parse_priority(std::string_view text) {
  return value_of(kPriorities, text);
}

Priority priority_of(double urgency) {
  if (urgency >= 80) return Priority::critical;
  if (urgency >= 55) return Priority::high;
  if (urgency >= 20) return Priority::normal;
  return Priority::low;
}

}  // namespace triage
