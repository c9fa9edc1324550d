#include "app/metrics.h"

#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <deque>

namespace triage::app {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

namespace {

using Labels = std::vector<ClientMetric::Label>;

class Families {
 public:
  MetricFamily& family(const char* name, const char* help, MetricType type) {
    MetricFamily& family = all.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
    return family;
  }
  void gauge(const char* name, const char* help, double value) {
    add(family(name, help, MetricType::Gauge), {}, value);
  }
  void counter(const char* name, const char* help, double value) {
    add(family(name, help, MetricType::Counter), {}, value);
  }
  static void add(MetricFamily& family, Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (family.type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    family.metric.push_back(std::move(metric));
  }

  std::deque<MetricFamily> all;  // references to its elements stay valid
};

double seconds_since(Time then, Time now) {
  return std::max(0.0, std::chrono::duration<double>(now - then).count());
}

// Pages in memory, from /proc/self/statm (proc(5)).
double resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (!file) return 0;
  long total = 0;
  long resident = 0;
  const int read = std::fscanf(file, "%ld %ld", &total, &resident);
  std::fclose(file);
  return read == 2 ? static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

Metrics::Metrics()
    : durations_(prometheus::BuildHistogram()
                     .Name("triaged_http_request_duration_seconds")
                     .Help("Time from a request's header to its answer written, by route and status class")
                     .Register(registry_)) {}

void Metrics::observe(const net::Exchange& exchange) {
  const std::pair<std::string_view, int> key{exchange.route, exchange.status / 100};
  prometheus::Histogram* histogram = nullptr;
  {
    std::lock_guard lock(mutex_);
    auto& known = by_route_[key];
    if (!known) {
      known = &durations_.Add({{"route", exchange.route.empty() ? "none" : std::string(exchange.route)},
                               {"status", std::to_string(key.second) + "xx"}},
                              prometheus::Histogram::BucketBoundaries{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                                      0.1, 0.25, 0.5, 1, 2.5, 10, 60});
    }
    histogram = known;
  }
  histogram->Observe(std::chrono::duration<double>(exchange.took).count());
}

std::string Metrics::text(const Parts& parts) const {
  Families f;
  auto load = [](const auto& atomic) { return static_cast<double>(atomic.load(std::memory_order_relaxed)); };

  f.gauge("triaged_http_connections", "Open client connections", load(parts.server.connections));
  f.counter("triaged_http_connections_accepted_total", "Connections accepted", load(parts.server.accepted));
  f.counter("triaged_http_connections_refused_total", "Connections over the limit", load(parts.server.refused));
  f.counter("triaged_http_timeouts_total", "Connections closed by a deadline", load(parts.server.timeouts));
  f.counter("triaged_http_malformed_total", "Requests that were not HTTP or over a limit",
            load(parts.server.malformed));
  f.counter("triaged_tls_handshakes_failed_total", "TLS handshakes that failed", load(parts.server.handshakes_failed));

  auto& requests = f.family("triaged_hook_requests_total", "Webhook requests by source", MetricType::Counter);
  for (const auto& [name, bound] : *parts.sources)
    Families::add(requests, {{"source", name}}, load(bound->stats->requests));
  auto& posts = f.family("triaged_hook_events_total", "Events by source and what became of them", MetricType::Counter);
  for (const auto& [name, bound] : *parts.sources) {
    Families::add(posts, {{"source", name}, {"result", "accepted"}}, load(bound->stats->accepted));
    Families::add(posts, {{"source", name}, {"result", "duplicate"}}, load(bound->stats->duplicates));
    Families::add(posts, {{"source", name}, {"result", "ignored"}}, load(bound->stats->ignored));
  }
  auto& rejected =
      f.family("triaged_hook_rejected_total", "Signed requests that could not be read", MetricType::Counter);
  for (const auto& [name, bound] : *parts.sources)
    Families::add(rejected, {{"source", name}}, load(bound->stats->rejected));
  auto& signatures = f.family("triaged_signatures_failed_total", "Webhook requests with a missing or wrong signature",
                              MetricType::Counter);
  for (const auto& [name, bound] : *parts.sources) {
    Families::add(signatures, {{"source", name}}, load(bound->stats->signatures_failed));
  }
  auto& handshakes = f.family("triaged_handshakes_failed_total", "Platform handshakes refused", MetricType::Counter);
  for (const auto& [name, bound] : *parts.sources) {
    Families::add(handshakes, {{"source", name}}, load(bound->stats->handshakes_failed));
  }
  // Since the last event, or since the newest stored post where none came since the start.
  const struct {
    const char* name;
    const char* help;
    MetricType type;
    std::atomic<std::int64_t> SourceStats::*value;
  } platform[] = {
      {"triaged_pulls_total", "Polls of a platform that went well", MetricType::Counter, &SourceStats::pulls},
      {"triaged_pull_failures_total", "Polls and streams that failed", MetricType::Counter,
       &SourceStats::pull_failures},
      {"triaged_pull_streams_open", "Streams that are listened to", MetricType::Gauge, &SourceStats::streams_open},
      {"triaged_fetched_posts_total", "Posts that came by id and were fetched", MetricType::Counter,
       &SourceStats::fetched},
      {"triaged_fetch_failures_total", "Attempts at fetching a post that failed", MetricType::Counter,
       &SourceStats::fetch_failures},
      {"triaged_replies_sent_total", "Replies that the platform took", MetricType::Counter, &SourceStats::replies_sent},
      {"triaged_reply_failures_total", "Attempts at sending a reply that failed", MetricType::Counter,
       &SourceStats::reply_failures},
  };
  for (const auto& figure : platform) {
    auto& family = f.family(figure.name, figure.help, figure.type);
    for (const auto& [name, bound] : *parts.sources) {
      if (bound->source->api() == nullptr) continue;
      Families::add(family, {{"source", name}}, load((*bound->stats).*figure.value));
    }
  }

  auto& ages = f.family("triaged_source_last_event_age_seconds", "Age of a source's last event", MetricType::Gauge);
  auto& expected = f.family("triaged_source_expected_every_seconds", "How often a source should speak (expect_every)",
                            MetricType::Gauge);
  for (const auto& [name, bound] : *parts.sources) {
    std::int64_t last = bound->stats->last_event_ms.load(std::memory_order_relaxed);
    for (const auto& [source, at] : parts.figures.newest_post_by_source) {
      if (source == name) last = std::max(last, to_millis(at));
    }
    if (last > 0) Families::add(ages, {{"source", name}}, seconds_since(from_millis(last), parts.now));
    if (const auto every = bound->source->config().expect_every) {
      Families::add(expected, {{"source", name}}, std::chrono::duration<double>(*every).count());
    }
  }

  const Judges::Stats& judges = parts.judges;
  auto& judged = f.family("triaged_judged_posts_total", "Posts judged, by judge", MetricType::Counter);
  Families::add(judged, {{"judge", "fast"}}, load(judges.fast_posts));
  Families::add(judged, {{"judge", "deep"}}, load(judges.deep_posts));
  auto& seconds = f.family("triaged_judge_seconds_total", "Time spent judging, by judge", MetricType::Counter);
  Families::add(seconds, {{"judge", "fast"}}, load(judges.fast_nanos) / 1e9);
  Families::add(seconds, {{"judge", "deep"}}, load(judges.deep_nanos) / 1e9);
  f.gauge("triaged_deep_judge_queue", "New posts that wait for the deep judge", load(judges.queue));
  f.counter("triaged_deep_judge_late_total", "Posts that it did not judge in time", load(judges.late));
  f.counter("triaged_deep_judge_skipped_total", "Posts not given to it since it was behind", load(judges.skipped));
  f.gauge("triaged_second_looks_waiting", "Posts to be judged again", static_cast<double>(parts.figures.second_looks));
  auto& looks = f.family("triaged_second_looks_total", "Posts judged again, by what it gave", MetricType::Counter);
  Families::add(looks, {{"result", "same"}}, load(parts.second_looks.same));
  Families::add(looks, {{"result", "changed"}}, load(parts.second_looks.changed));
  Families::add(looks, {{"result", "gone"}}, load(parts.second_looks.gone));
  auto& moments = f.family("triaged_verdict_moment_total", "Verdicts by moment", MetricType::Counter);
  Families::add(moments, {{"moment", "in_the_moment"}}, load(parts.verdicts.in_the_moment));
  Families::add(moments, {{"moment", "after_the_fact"}}, load(parts.verdicts.after_the_fact));
  auto& priorities =
      f.family("triaged_verdict_text_priority_total", "Verdicts by the text's priority", MetricType::Counter);
  for (int i = 0; i < 4; ++i) {
    Families::add(priorities, {{"priority", std::string(to_string(static_cast<Priority>(i)))}},
                  load(parts.verdicts.priority[i]));
  }

  f.gauge("triaged_store_healthy", "1 while commits succeed", parts.healthy ? 1 : 0);
  f.gauge("triaged_store_queue", "Units of work waiting for the writer", static_cast<double>(parts.store.queued));
  f.counter("triaged_store_commits_total", "Commits", static_cast<double>(parts.store.commits));
  f.counter("triaged_store_works_total", "Units of work committed", static_cast<double>(parts.store.works));
  f.counter("triaged_store_failed_total", "Units of work undone by an error of theirs",
            static_cast<double>(parts.store.failed));
  f.counter("triaged_store_overloaded_total", "Units of work refused: the writer was behind",
            static_cast<double>(parts.store.overloaded));
  f.counter("triaged_store_unavailable_total", "Units of work refused: the disk failed",
            static_cast<double>(parts.store.unavailable));
  f.counter("triaged_store_commit_seconds_total", "Time spent in COMMIT",
            static_cast<double>(parts.store.commit_nanos) / 1e9);

  f.gauge("triaged_cases_open", "Open cases", static_cast<double>(parts.figures.open_cases));
  f.gauge("triaged_deliveries_waiting", "Callbacks waiting in the outbox",
          static_cast<double>(parts.figures.waiting_deliveries));
  f.gauge("triaged_deliveries_dead", "Dead letters", static_cast<double>(parts.figures.dead_deliveries));
  f.gauge("triaged_delivery_oldest_waiting_seconds", "Age of the oldest waiting callback",
          parts.figures.oldest_waiting_delivery ? seconds_since(*parts.figures.oldest_waiting_delivery, parts.now) : 0);
  f.counter("triaged_deliveries_delivered_total", "Callbacks delivered", load(parts.deliver.delivered));
  f.counter("triaged_delivery_attempts_failed_total", "Attempts that failed", load(parts.deliver.failed));
  f.counter("triaged_deliveries_dead_total", "Callbacks given up", load(parts.deliver.dead));
  f.gauge("triaged_deliveries_in_flight", "Callbacks under way", load(parts.deliver.in_flight));
  f.gauge("triaged_endpoints_off", "Endpoints switched off after 410", load(parts.deliver.endpoints_off));
  f.gauge("triaged_breakers_open", "Endpoints held back after failures", load(parts.deliver.breakers_open));
  f.counter("triaged_timetable_fired_total", "Timetable entries carried out", static_cast<double>(parts.clock.fired));
  f.gauge("triaged_timetable_late_seconds", "How late the latest entry was",
          static_cast<double>(parts.clock.late_ms) / 1e3);

  f.gauge("process_resident_memory_bytes", "Resident memory", resident_bytes());
  auto& info = f.family("triaged_info", "Version and models", MetricType::Gauge);
  const std::string deep = parts.bench.deep ? std::string(parts.bench.deep->model_version()) : "";
  Families::add(
      info,
      {{"version", TRIAGED_VERSION}, {"model", std::string(parts.bench.fast->model_version())}, {"deep_model", deep}},
      1);

  std::vector<MetricFamily> all = registry_.Collect();
  for (auto& family : f.all) {
    if (!family.metric.empty()) all.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace triage::app
