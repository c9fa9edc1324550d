// The workers by destination, and their common start and end.
#include "triage/deliver/deliverer.h"

#include <spdlog/spdlog.h>

#include <map>
#include <shared_mutex>

#include "deliver/worker.h"

namespace triage::deliver {
namespace {

// After the grace, running attempts are cut at once; what does not end even so is a defect, and is not waited for.
constexpr std::chrono::seconds kAfterAbandon{5};

}  // namespace

struct Deliverer::Impl {
  Impl(net::Runtime& on, store::Store& store, std::function<void(std::string team)> endpoint_off)
      : runtime(on), hub(std::make_shared<Hub>(store, std::move(endpoint_off))) {}

  void configure(std::vector<Endpoint> endpoints, const Options& options) {
    const std::unique_lock lock(mutex);
    std::map<store::Destination, std::shared_ptr<const Settings>> wanted;
    for (Endpoint& endpoint : endpoints) {
      store::Destination to = endpoint.to;
      wanted[std::move(to)] = std::make_shared<const Settings>(Settings{std::move(endpoint), options});
    }
    for (const auto& [to, worker] : workers) {
      if (!wanted.contains(to)) worker->configure(nullptr);
    }
    for (const auto& [to, settings] : wanted) {
      auto& worker = workers[to];
      const bool fresh = worker == nullptr;
      if (fresh) worker = std::make_shared<Worker>(runtime.next(), to, hub);
      worker->configure(settings);
      if (fresh && started) worker->start();
    }
  }

  net::Runtime& runtime;
  const std::shared_ptr<Hub> hub;
  std::shared_mutex mutex;  // of the two below
  std::map<store::Destination, std::shared_ptr<Worker>> workers;
  bool started = false;
};

Deliverer::Deliverer(net::Runtime& runtime, store::Store& store, std::vector<Endpoint> endpoints, Options options,
                     std::function<void(std::string team)> endpoint_off)
    : impl_(std::make_unique<Impl>(runtime, store, std::move(endpoint_off))) {
  impl_->configure(std::move(endpoints), options);
}

Deliverer::~Deliverer() {
  stop(std::chrono::milliseconds(0));
}

void Deliverer::start() {
  const std::unique_lock lock(impl_->mutex);
  if (std::exchange(impl_->started, true)) return;
  for (const auto& [team, worker] : impl_->workers) worker->start();
}

void Deliverer::wake(const store::Destination& to) {
  const std::shared_lock lock(impl_->mutex);
  const auto worker = impl_->workers.find(to);
  if (worker != impl_->workers.end()) worker->second->wake();
}

void Deliverer::configure(std::vector<Endpoint> endpoints, Options options) {
  if (!impl_->hub->stopping) impl_->configure(std::move(endpoints), options);
}

void Deliverer::stop(std::chrono::milliseconds grace) {
  Hub& hub = *impl_->hub;
  if (hub.stopping.exchange(true)) return;
  std::vector<std::shared_ptr<Worker>> workers;
  {
    // Not held while waiting: what still runs may call wake().
    const std::shared_lock lock(impl_->mutex);
    for (const auto& entry : impl_->workers) workers.push_back(entry.second);
  }
  for (const auto& worker : workers) worker->wake();
  if (hub.running.wait_for(grace) || impl_->runtime.at(0).stopped()) return;

  hub.abandoned = true;
  hub.abandon.close();
  for (const auto& worker : workers) worker->abandon();
  if (!hub.running.wait_for(kAfterAbandon)) spdlog::error("deliveries did not end; they are left behind");
}

const Stats& Deliverer::stats() const {
  return impl_->hub->stats;
}

}  // namespace triage::deliver
