// What the door costs for one body: its signature ("verify"), its reading alone ("parse"), its reading and mapping
// ("map"), and signature and mapping as a request has them ("both"); beside it nlohmann's parsing of the same bytes.
// The bodies are fixtures, without the white space that no platform sends; "written" is one with it, as it stands in
// its file.
//
//   ingest_bench [Google Benchmark's options]
#include <benchmark/benchmark.h>

#include <boost/json/monotonic_resource.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "ingest/value.h"
#include "triage/ingest/source.h"

namespace {

using namespace triage;
using ingest::Headers;

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().detail.c_str());
  std::exit(1);
}

// A source, a body, and the headers that the platform would send with it.
struct Request {
  Request(const std::string& use, std::string bytes) : body(std::move(bytes)) {
    const auto file = must(ingest::shipped_source(use));
    ingest::SourceConfig config;
    config.name = use + "-main";
    config.use = use;
    for (const auto& name : file->secret_names()) {
      config.secrets[name] = {"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="};  // good for every scheme
    }
    config.brand_account = "acme";
    source = must(file->bind(std::move(config)));
    headers = must(sign(*source, body, now, "msg_1"));
    delivery = {&headers, nullptr, body};
  }

  Time now = from_millis(1'760'000'000'000);
  std::string body;
  std::unique_ptr<ingest::Source> source;
  Headers headers;
  ingest::Delivery delivery;
};

std::string written(const std::string& path) {
  std::ifstream file(std::string(TRIAGED_SOURCE_DIR) + "/tests/fixtures/" + path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string compact(const std::string& path) {
  return nlohmann::ordered_json::parse(written(path)).dump();
}

void verify(benchmark::State& state, const std::shared_ptr<const Request>& request) {
  for (auto _ : state) {
    if (!request->source->verify(request->delivery, request->now)) state.SkipWithError("not verified");
  }
}

void parse(benchmark::State& state, const std::shared_ptr<const Request>& request) {
  for (auto _ : state) {
    boost::json::monotonic_resource memory(3 * request->body.size());
    auto parsed = ingest::read_json(request->body, &memory);
    benchmark::DoNotOptimize(parsed);
  }
}

void map(benchmark::State& state, const std::shared_ptr<const Request>& request) {
  for (auto _ : state) {
    auto mapped = request->source->map(request->delivery, request->now);
    if (!mapped || mapped->events.empty()) state.SkipWithError("not mapped");
    benchmark::DoNotOptimize(mapped);
  }
}

void both(benchmark::State& state, const std::shared_ptr<const Request>& request) {
  for (auto _ : state) {
    if (!request->source->verify(request->delivery, request->now)) state.SkipWithError("not verified");
    auto mapped = request->source->map(request->delivery, request->now);
    benchmark::DoNotOptimize(mapped);
  }
}

void nlohmann_parse(benchmark::State& state, const std::shared_ptr<const Request>& request) {
  for (auto _ : state) {
    auto parsed = nlohmann::json::parse(request->body);
    benchmark::DoNotOptimize(parsed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  auto whatsapp = nlohmann::ordered_json::parse(written("meta/whatsapp_messages.json"));
  auto& messages = whatsapp["entry"][0]["changes"][0]["value"]["messages"];
  messages = {messages[0]};
  const auto request = [](const std::string& use, std::string body) {
    return std::make_shared<const Request>(use, std::move(body));
  };
  const std::vector<std::pair<std::string, std::shared_ptr<const Request>>> requests{
      {"x_mention", request("x", compact("x/mention.json"))},
      {"x_extended", request("x", compact("x/mention_extended.json"))},
      {"x_extended_written", request("x", written("x/mention_extended.json"))},
      {"x_quote", request("x", compact("x/quote.json"))},
      {"meta_comment", request("meta", compact("meta/page_comment.json"))},
      {"whatsapp", request("meta", whatsapp.dump())},
      {"generic", request("generic", compact("generic/single.json"))},
  };
  benchmark::Initialize(&argc, argv);
  for (const auto& [name, of] : requests) {
    const std::string label = name + '/' + std::to_string(of->body.size()) + "_bytes/";
    for (const auto& [what, measure] :
         {std::pair("verify", &verify), std::pair("parse", &parse), std::pair("map", &map), std::pair("both", &both),
          std::pair("nlohmann_parse", &nlohmann_parse)}) {
      benchmark::RegisterBenchmark((label + what).c_str(), measure, of);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
}
